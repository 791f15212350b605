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
from typing import Any, Optional

ROOT = Path(__file__).resolve().parent.parent.parent
DEADLINE = 1800  # seconds, for any one step


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
        command = [sys.executable, str(ROOT / "tests/stack"), "serve", *map(str, options)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + DEADLINE
        while not (ready.exists() and ready.read_text().strip()):
            if time.monotonic() > until or self._process.poll() is not None:
                self._process.kill()
                sys.exit("scripts/bench: the local stack does not start")
            time.sleep(0.02)
        self.url = ready.read_text().strip()
        self.address = self.url.removeprefix("http://")

    def environment(self, url: str = "") -> dict[str, str]:
        """The variables that point contentfs to it, or to what stands before it at another URL."""
        return {**os.environ, **self._ask("GET", "env"), "CONTENTSTACK_HOST": url or self.url}

    def control(self, command: str, **arguments: Any) -> dict[str, Any]:
        """One control command, and its answer."""
        return self._ask("POST", command, json.dumps(arguments))

    def questions(self) -> list[str]:
        """Path and query of what was asked of the API since `requests-clear`."""
        return [f"{entry['path']}?{entry['query']}" for entry in self._ask("GET", "requests")["requests"]]

    def _ask(self, method: str, command: str, body: Optional[str] = None) -> dict[str, Any]:
        """A connection each: minutes may lie between two, and the stack ends what is idle so long."""
        connection = http.client.HTTPConnection(self.address, timeout=DEADLINE)
        try:
            connection.request(method, f"/_control/{command}", body)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            sys.exit(f"scripts/bench: the local stack refused {command}: {text.decode()}")
        result: dict[str, Any] = json.loads(text)
        return result

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait(DEADLINE)
