"""A stack, a mount of it, and somebody who reads the mount all the time."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import time
import urllib.request
from typing import Any, Callable, Optional

import compare

DEADLINE = 60.0  # seconds, for any one thing
GROUP = [f"bltchanging{number:05}" for number in range(7)]  # published together, so never seen apart
LOCALE = "en-us"
FILLER = "text " * 60


class Wrong(Exception):
    """What should not be."""


def require(condition: bool, what: str) -> None:
    """Wrong, unless the condition holds."""
    if not condition:
        raise Wrong(what)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Tries until it holds, up to the deadline."""
    until = time.monotonic() + DEADLINE
    while not condition():
        require(time.monotonic() < until, f"in time: {what}")
        time.sleep(0.02)


# -- the reader ---------------------------------------------------------------------------------------------------------


def _read_whole(path: str) -> Any:
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        text = b"".join(iter(lambda: file.read(512), b""))
    require(len(text) == size and text.endswith(b"\n"), f"{path}: {len(text)} bytes of {size}")
    return json.loads(text)


class Watcher:
    """A process that reads every lasting file, again and again: each is there, whole, and none is older than another.

    `strict` goes off while the service itself loses a part of what was published together.
    """

    def __init__(self, mount: str, lasting: list[str], group: set[str], log: str) -> None:
        self._mount, self._lasting, self._group, self._log = mount, lasting, group, log
        self._ended = multiprocessing.Event()
        self.strict = multiprocessing.Value("b", True)
        self._rounds = multiprocessing.Value("l", 0)
        with open(log, "wb"):
            pass
        self._process = multiprocessing.Process(target=self._watch, daemon=True)
        self._process.start()

    def _watch(self) -> None:
        newest = 0
        while not self._ended.is_set():
            try:
                newest = self._round(newest) if self.strict.value else self._round(0) * 0
            except (Wrong, OSError, ValueError, KeyError) as error:
                with open(self._log, "a", encoding="utf-8", errors="backslashreplace") as log:
                    log.write(f"{type(error).__name__}: {error}\n")
                newest = 0
            self._rounds.value += 1
            time.sleep(0.005)  # leave the processors to those who are watched

    def _round(self, newest: int) -> int:
        listed = {os.path.dirname(path) for path in self._lasting}
        names = {f"{folder}/{name}" for folder in listed for name in os.listdir(f"{self._mount}/{folder}")}
        for path in self._lasting:
            require(path in names, f"{path} is in no listing")
            found = _read_whole(f"{self._mount}/{path}")
            if path not in self._group:
                continue
            require(found["first"] == found["last"], f"{path} is a mixture of {found['first']} and {found['last']}")
            if self.strict.value:
                require(found["first"] >= newest, f"{path} is of {found['first']}, another file was of {newest}")
            newest = max(newest, found["first"])
        return newest

    def rounds(self) -> int:
        """How often it has read everything."""
        return int(self._rounds.value)

    def check(self, since: int) -> None:
        """It has read everything since then, and saw nothing wrong."""
        wait_for(lambda: self.rounds() > since + 1 or not self._process.is_alive(), "a round of the reader")
        require(self._process.is_alive(), "the reader died")
        with open(self._log, "r+", encoding="utf-8") as log:
            seen = log.read().splitlines()
            log.truncate(0)
        require(not seen, "a reader saw: " + "; ".join(seen[:3]))

    def forget(self) -> None:
        """What it saw so far belongs to a case that failed anyhow."""
        with open(self._log, "r+", encoding="utf-8") as log:
            log.truncate(0)

    def end(self) -> None:
        """Ends it."""
        self._ended.set()
        self._process.join(DEADLINE)


# -- stack and mount ----------------------------------------------------------------------------------------------------


class World:
    """Commands the stack and contentfs, and compares."""

    def __init__(self) -> None:
        self.mount, self.work, self.url = os.environ["MOUNT"], os.environ["WORK"], os.environ["CONTENTSTACK_HOST"]
        self._program = os.environ["CONTENTFS"]
        self.generation = 0
        self.content_type = ""
        self.watcher: Optional[Watcher] = None

    def control(self, command: str, **values: Any) -> Any:
        """Commands the stack."""
        body = json.dumps(values).encode()
        request = urllib.request.Request(f"{self.url}/_control/{command}", body, method="POST")
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.load(answer)

    def ask(self, query: str) -> Any:
        """Asks the stack about itself."""
        with urllib.request.urlopen(f"{self.url}/_control/{query}", timeout=DEADLINE) as answer:
            return json.load(answer)

    def switch(self, **switches: Any) -> None:
        """Sets switches of the stack."""
        for name, value in switches.items():
            self.control("set", option=name.replace("_", "-"), value=value)

    def fault(self, kind: str, times: int = 1, match: str = "", skip: int = 0, **params: Any) -> None:
        """Orders a fault; 0 times is for ever."""
        self.control("fault", kind=kind, times=times, match=match, skip=skip, params=params)

    def all_met(self) -> bool:
        """Whether no fault is waiting any more."""
        return not self.ask("faults")["faults"]

    def publish(self, uid: str, generation: int, locale: str = LOCALE, content_type: str = "") -> None:
        """Publishes a version of an entry."""
        fields = {"first": generation, "title": f"Version {generation}", "filler": FILLER, "last": generation}
        kind = content_type or self.content_type
        self.control("publish", content_type=kind, uid=uid, locale=locale, fields=fields)

    def publish_group(self) -> None:
        """Publishes the next version of the whole group."""
        self.generation += 1
        for uid in GROUP:
            self.publish(uid, self.generation)

    def contentfs(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command."""
        return subprocess.Popen([self._program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self, process: subprocess.Popen[str]) -> int:
        """Waits for a command; its exit status. One that fails has to say why."""
        try:
            said = process.communicate(timeout=DEADLINE)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Wrong(f"in time: the end of {' '.join(process.args[1:])}") from None  # type: ignore[index]
        require(process.returncode == 0 or said.startswith("contentfs: "), f"{process.returncode}: {said!r}")
        return process.returncode

    def refresh(self) -> int:
        """Exit status of a refresh."""
        return self.result(self.contentfs("refresh", self.mount))

    def status(self) -> dict[str, Any]:
        """The mount's status."""
        with open(f"{self.mount}/.contentfs/status.json", encoding="utf-8") as file:
            return dict(json.load(file))

    def truth(self) -> compare.Files:
        """What is published."""
        keep = compare.Filter(None, None, None, None)
        with urllib.request.urlopen(f"{self.url}/_control/truth", timeout=DEADLINE) as answer:
            return compare.expected_files(iter(answer), keep)

    def differences(self, truth: Optional[compare.Files] = None) -> list[str]:
        """How the mount differs from what is published, or was."""
        owner = (os.getuid(), os.getgid())
        comparison = compare.Comparison(self.mount, self.truth() if truth is None else truth, owner, 5)
        comparison.run()
        return comparison.differences

    def store_differences(self, store: str) -> list[str]:
        """How the entries and assets of a store differ from what is published."""
        rows = "SELECT path, json FROM entries UNION ALL SELECT path, json FROM assets"
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
            database.text_factory = bytes
            found = {os.fsdecode(path): text for path, text in database.execute(rows)}
        texts = ((path, one) for path, one in self.truth().items() if isinstance(one, compare.Expected))
        want = {path: one.text for path, one in texts if not path.startswith("content_types/")}
        return [path for path in sorted(want.keys() | found.keys()) if want.get(path) != found.get(path)]

    def path(self, uid: str) -> str:
        """Path of an entry in the tree."""
        return f"entries/{self.content_type}/{LOCALE}/{uid}.json"

    def version(self, uid: str) -> int:
        """Which version of an entry the mount shows; 0: none."""
        try:
            return int(_read_whole(f"{self.mount}/{self.path(uid)}")["last"])
        except FileNotFoundError:
            return 0

    def settle(self) -> None:
        """Nothing is wrong with the service any more: after a refresh the tree is the truth."""
        self.control("faults-clear")
        self.switch(freeze=False)
        last: list[str] = []

        def settled() -> bool:
            last[:] = [f"refresh ends with {status}"] if (status := self.refresh()) else self.differences()
            return not last

        try:
            wait_for(settled, "the truth")
        except Wrong as error:
            raise Wrong(f"{error}: {'; '.join(last[:3])}") from None

    def begin(self) -> None:
        """Publishes what will change, and starts to watch."""
        found = sorted({path.split("/")[1] for path in self.truth() if path.startswith("entries/")})
        self.content_type = found[0]
        self.switch(freeze=True)
        self.publish_group()
        self.settle()
        texts = (path for path, one in self.truth().items() if isinstance(one, compare.Expected))
        lasting = [path for path in texts if not path.startswith("content_types/")]
        group = {self.path(uid) for uid in GROUP}
        self.watcher = Watcher(self.mount, lasting, group, f"{self.work}/seen")
