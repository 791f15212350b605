"""Answers of a stack, recorded once and served again by a program that is fast: what is measured then is who asks."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, Iterator

from measuring import Tools
from stack import DEADLINE, Stack

_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length")


class Recording:
    """What was asked, in order, and what was answered, in files. Complete once its recorder has ended."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.index, self.answers = folder / "index", folder / "answers"
        self.targets: list[str] = []


class _Recorder(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stack: Stack, answers: BinaryIO, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.address = stack.address
        self.found: dict[str, tuple[int, int]] = {}  # the last answer to each target
        self._answers = answers
        self._lock = threading.Lock()

    def keep(self, target: str, answer: bytes) -> None:
        with self._lock:
            self.found[target] = (self._answers.tell(), len(answer))
            self._answers.write(answer)


class _Handler(BaseHTTPRequestHandler):
    server: _Recorder
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(self.server.address, timeout=DEADLINE)

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def do_GET(self) -> None:
        self._upstream.request("GET", self.path, headers=dict(self.headers))
        answer = self._upstream.getresponse()
        body = answer.read()
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
        whole = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
        self.server.keep(self.path, whole)
        self.wfile.write(whole)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def recorder(recording: Recording, stack: Stack, port: int = 0) -> Iterator[str]:
    """Stands before the stack at the URL that it gives, and records until it ends."""
    with recording.answers.open("wb") as answers:
        server = _Recorder(stack, answers, port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
    recording.targets = list(server.found)
    lines = (f"{offset} {length} {target}\n" for target, (offset, length) in server.found.items())
    recording.index.write_text("".join(lines))


@contextmanager
def replayed(tools: Tools, recording: Recording, latency: int = 0, port: int = 0) -> Iterator[str]:
    """Serves a recording at the URL that it gives; each answer takes `latency` milliseconds."""
    command = [tools.helper("replay"), recording.index, recording.answers, port, latency]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            sys.exit("scripts/bench: the recording cannot be served")
        yield f"http://127.0.0.1:{line.strip()}"
    finally:
        process.terminate()
        process.wait(DEADLINE)


def curl_command(folder: Path, url: str, targets: list[str], environment: dict[str, str]) -> list[object]:
    """The command that fetches them one after the other over one connection, as contentfs asks for them: with its headers,
    compressed, and unpacked when they come. Its settings are in a file in the folder."""
    settings = folder / "curl.settings"
    headers = {
        "api_key": environment["CONTENTSTACK_API_KEY"],
        "access_token": environment["CONTENTSTACK_DELIVERY_TOKEN"],
    }
    lines = [f'header = "{name}: {value}"' for name, value in headers.items()]
    lines += [f'url = "{url}{target}"' for target in targets]
    settings.write_text("\n".join(lines) + "\n")
    return ["curl", "--silent", "--show-error", "--fail", "--globoff", "--compressed", "--config", settings]
