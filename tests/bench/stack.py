"""A local stack of generated content, in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
DEADLINE = 1800  # seconds, for any one step
_PROGRAM = [sys.executable, str(ROOT / "tests/stack")]


@dataclass(frozen=True)
class Content:
    """How much there is."""

    entries: int
    assets: int = 0
    types: int = 4
    body: int = 920  # bytes on the wire; a file of it has about 1 KiB
    large_type: bool = False  # half of the entries are of one content type


class Stack:
    """Serves from its creation to `stop`."""

    def __init__(self, folder: Path, content: Content) -> None:
        ready = folder / "url"
        options = ["--generate", content.entries, "--assets", content.assets, "--content-types", content.types]
        options += ["--body", content.body, "--locales", 1, "--port", 0, "--ready-file", ready]
        options += ["--large-type"] if content.large_type else []
        command = [*_PROGRAM, "serve", *map(str, options)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + DEADLINE
        while not (ready.exists() and ready.read_text().strip()):
            if time.monotonic() > until or self._process.poll() is not None:
                self._process.kill()
                sys.exit("scripts/bench: the local stack does not start")
            time.sleep(0.02)
        self.url = ready.read_text().strip()
        self.address = self.url.removeprefix("http://")
        self._control = http.client.HTTPConnection(self.address, timeout=DEADLINE)

    def environment(self, url: str = "") -> dict[str, str]:
        """The variables that point contentfs to it, or to what stands before it at another URL."""
        return {**os.environ, **self._query("env"), "CONTENTSTACK_HOST": url or self.url}

    def control(self, command: str, **arguments: Any) -> dict[str, Any]:
        """One control command, and its answer."""
        self._control.request("POST", f"/_control/{command}", json.dumps(arguments))
        return self._answer(command)

    def questions(self) -> list[str]:
        """Path and query of what was asked of the API since `requests-clear`."""
        return [f"{entry['path']}?{entry['query']}" for entry in self._query("requests")["requests"]]

    def _query(self, name: str) -> dict[str, Any]:
        self._control.request("GET", f"/_control/{name}")
        return self._answer(name)

    def _answer(self, command: str) -> dict[str, Any]:
        answer = self._control.getresponse()
        text = answer.read()
        self._control.close()  # the stack ends connections that are idle for long
        if answer.status != 200:
            sys.exit(f"scripts/bench: the local stack refused {command}: {text.decode()}")
        result: dict[str, Any] = json.loads(text)
        return result

    def stop(self) -> None:
        """Ends it."""
        self._control.close()
        self._process.terminate()
        self._process.wait(DEADLINE)
