#!/usr/bin/env python3
"""Drives contentfs through what may go wrong with the bytes of assets, and prints the name of each case.

Each case has assets of its own, a small one and a large one, and is met by the first read of them. What that read gets is
never a wrong byte; when the fault was taken back the next read is right; and so it is for a kernel that remembers nothing,
with the service down, unless it is an error: nothing wrong was kept.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator
from urllib.parse import urlsplit

import asset_cases as cases
from asset_cases import FAILS, RIGHT, Case

sys.path.insert(0, str(Path(__file__).parent.parent / "stack"))

from files import File, Pattern  # noqa: E402

DEADLINE = 60.0  # seconds, for any one thing
READ_SECONDS = 25.0
SMALL, LARGE = 3001, 7_000_003
LOCALE = "en-us"
CLEAN = (errno.EIO, errno.ESTALE)
AT_ONCE = 8
HOLDS = 0.2  # seconds for which a failure may hold, since the kernel asks a second time at once
AGAIN = 3  # reads at most until one is right: what the kernel had asked for ahead may fail between two of them


class Wrong(Exception):
    """Something is not as it should be."""


@dataclass
class Read:
    """What a reader got."""

    content: bytes
    error: int  # 0: all of it
    seconds: float


@dataclass
class Try:
    """One asset that meets a fault."""

    case: Case
    uid: str
    path: str
    size: int
    versions: list[bytes] = field(default_factory=list)  # what it may be; the first is what it is without the fault
    fault: int = 0  # the number that the stack gave it
    outcome: str = ""  # of the first read, for people
    kept: bool = False  # whether it could be read without the stack

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.case.name}, {self.size} bytes"


def read(path: str) -> Read:
    """Reads a file as far as it goes, in a process of its own, which can be ended."""
    start = time.monotonic()
    try:
        done = subprocess.run(["cat", path], capture_output=True, timeout=READ_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Wrong(f"a read does not end in {READ_SECONDS:.0f} s") from None
    error = next((number for number in CLEAN if os.strerror(number).encode() in done.stderr), -1) if done.returncode else 0
    if error < 0:
        raise Wrong(done.stderr.decode("utf-8", "replace"))
    return Read(done.stdout, error, time.monotonic() - start)


def version_of(found: Read, versions: list[bytes]) -> int:
    """Which version it is, whole or, with an error, in part; Wrong if none."""
    for number, version in enumerate(versions):
        if found.content == version or (found.error and version.startswith(found.content)):
            return number
    right = versions[0]
    at = next((at for at, (got, want) in enumerate(zip(found.content, right)) if got != want), min(len(found.content), len(right)))
    raise Wrong(f"wrong from byte {at}: {len(found.content)} bytes of {len(right)}, error {found.error}")


class World:
    """The stack, and a mount of it."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self.mount, self.work, self.url = os.environ["MOUNT"], os.environ["WORK"], os.environ["CONTENTSTACK_HOST"]
        self._program, self._store = os.environ["CONTENTFS"], os.environ["STORE"]
        self._log = f"{self.work}/daemon.log"
        self._numbers = 0

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

    def contentfs(self, *arguments: str) -> None:
        """Runs a command that has to succeed."""
        done = subprocess.run([self._program, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)
        if done.returncode:
            raise Wrong(f"contentfs {arguments[0]} ends with {done.returncode}: {done.stderr.strip()}")

    def end_stack(self, pid: int) -> None:
        """Ends the stack, and waits until nothing answers any more."""
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + DEADLINE
        parts = urlsplit(self.url)
        while time.monotonic() < until:
            try:
                socket.create_connection((parts.hostname or "", parts.port or 0), DEADLINE).close()
            except OSError:
                return
            time.sleep(0.02)
        raise Wrong("the stack does not end")

    def mount_again(self) -> None:
        """Another mount, for which the kernel remembers nothing."""
        self.contentfs("umount", self.mount)
        self.begin()

    def begin(self) -> None:
        """Mounts, in the foreground, so that what is said can be shown."""
        options = ["--store", self._store, "--interval", "3600", "--asset-timeout", str(self._patience)]
        with open(self._log, "ab") as log:
            subprocess.Popen([self._program, "mount", "-f", "-v", *options, self.mount], stdout=log, stderr=log)
        until = time.monotonic() + DEADLINE
        while not os.path.ismount(self.mount):
            if time.monotonic() > until:
                raise Wrong("nothing is mounted in time")
            time.sleep(0.02)

    def said(self, uid: str) -> list[str]:
        """What the daemon has said of an asset."""
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return [line.rstrip() for line in log if f"/{uid}/" in line]

    def prepare(self, all_cases: Iterable[Case]) -> list[Try]:
        """Assets for the cases, published and shown."""
        tries = []
        for case in all_cases:
            for size in (SMALL, LARGE):
                self._numbers += 1
                uid = f"bltfault{self._numbers:06}"
                self.control("publish-asset", uid=uid, locale=LOCALE, file_bytes=size)
                tries.append(Try(case, uid, f"{self.mount}/assets/{LOCALE}/{uid}/{uid}.bin", size))
        self.contentfs("refresh", self.mount)
        return tries

    def order(self, one: Try) -> None:
        """Orders the fault, and learns what the asset may be."""
        with open(f"{self.mount}/assets/{LOCALE}/{one.uid}.json", encoding="utf-8") as file:
            url = str(json.load(file)["url"])
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            one.versions.append(bytes(answer.read()))
        case, match = one.case, urlsplit(url).path.partition(f"/{one.uid}/")
        told = self.control(
            "fault", kind=case.kind, times=case.times, match=match[0] + match[1], skip=case.skip, params=case.params
        )
        one.fault = told["number"]
        if case.changes:
            one.versions.append(changed_bytes(one.uid, url.split("/")[-2], one.fault, len(one.versions[0]) + case.params["by"]))

    def unmet(self) -> set[int]:
        """The numbers of faults that befell nothing yet."""
        return {fault["number"] for fault in self.ask("faults")["faults"] if fault["left"] is not None}


def changed_bytes(uid: str, file_uid: str, number: int, size: int) -> bytes:
    """What the stack sends while the fault of that number lasts."""
    etag = File(uid, file_uid, "", "", Pattern(0, "")).etag
    return b"".join(Pattern(size, f"changed:{etag}:{number}").read(0, size))


# -- the steps of a case ------------------------------------------------------------------------------------------------


def require(condition: bool, what: str) -> None:
    """Wrong unless it holds."""
    if not condition:
        raise Wrong(what)


def meet(one: Try) -> None:
    """The first read, while the fault lasts."""
    found, case = read(one.path), one.case
    version_of(found, one.versions)
    said = errno.errorcode.get(found.error, "right")
    one.outcome = f"{said}, {found.seconds:.1f} s"
    require(case.outcome != RIGHT or found.error == 0, f"{said}, which is not needed")
    require(case.outcome != FAILS or found.error != 0, "no error")
    require(case.seems_to_change or found.error != errno.ESTALE, "ESTALE, though nothing has changed")


def read_again(one: Try) -> None:
    """The next one, when it is over."""
    until = time.monotonic() + DEADLINE
    left = AGAIN
    while (found := read(one.path)).error:
        version_of(found, one.versions)
        awaits_tree = found.error == errno.ESTALE and one.case.changes  # it is known to have changed, and will be shown so
        left -= 0 if awaits_tree else 1
        if left == 0 or time.monotonic() > until:
            break
        time.sleep(HOLDS)
    version_of(found, one.versions if one.case.changes else one.versions[:1])
    require(found.error == 0, f"{errno.errorcode.get(found.error)}, though the fault is over")
    shown = os.stat(one.path).st_size
    require(shown == len(found.content), f"{shown} bytes are shown, not {len(found.content)}")


def read_offline(one: Try) -> None:
    """One from the cache alone."""
    found = read(one.path)
    version_of(found, one.versions if one.case.changes else one.versions[:1])
    one.kept = found.error == 0


def was_met(one: Try, unmet: set[int]) -> None:
    """The fault befell a request, if it was one that it must befall."""
    of_parts = one.case.kind in ("416", "range-ignored", "wrong-range") or one.case.skip or one.case.times != 1
    require(bool(of_parts) or one.fault not in unmet, "the fault befell nothing")


class Run:
    """Takes tries through the steps, some at once, and gathers what was wrong."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.failed: dict[str, str] = {}

    def step(self, tries: list[Try], action: Callable[[Try], None]) -> None:
        """The same step of some tries at once."""

        def attempt(one: Try) -> None:
            try:
                action(one)
            except Wrong as wrong:
                said = "".join(f"\n    {line}" for line in self._world.said(one.uid)[-8:])
                self.failed.setdefault(one.name, f"{action.__name__}: {wrong}{said}")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(attempt, tries))

    def run(self, all_cases: Iterable[Case]) -> list[Try]:
        """All cases, up to the end of their faults."""
        tries = self._world.prepare(all_cases)
        for start in range(0, len(tries), 2 * AT_ONCE):
            batch = tries[start : start + 2 * AT_ONCE]
            for one in batch:
                self._world.order(one)
            self.step(batch, meet)
            unmet = self._world.unmet()
            self._world.control("faults-clear")
            for one in batch:
                if one.name not in self.failed:
                    self.step([one], lambda one: was_met(one, unmet))
            self.step(batch, read_again)
            for one in batch:
                print(f"# {'FAILED: ' if one.name in self.failed else ''}{one.name}: {one.outcome}", flush=True)
        return tries


def main() -> int:
    """Returns the exit status."""
    url = os.environ["CONTENTSTACK_HOST"]
    groups: dict[str, Callable[[], Iterator[Case]]] = {
        "statuses": cases.statuses, "pauses": cases.pauses, "limits": cases.limits, "connections": cases.connections, "stalls": cases.stalls, "lengths": cases.lengths,
        "ranges": cases.ranges, "bodies": cases.bodies, "changes": cases.changes,
        "redirects": lambda: cases.redirects(url, urlsplit(url).port or 0),
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", type=int, required=True, help="its process, which is ended for the last reads")
    parser.add_argument("--patience", type=int, default=3, help="seconds that a read waits while nothing comes (3)")
    parser.add_argument("groups", nargs="+", choices=list(groups))
    options = parser.parse_args()
    world = World(options.patience)
    world.begin()
    run = Run(world)
    tries = run.run([case for group in options.groups for case in groups[group]()])
    astray = world.ask("status")["astray"]
    world.end_stack(options.stack)
    world.mount_again()
    run.step(tries, read_offline)
    world.contentfs("umount", world.mount)
    for name, what in run.failed.items():
        print(f"{name}: {what}", file=sys.stderr, flush=True)
    print(f"# {sum(one.kept for one in tries)} of {len(tries)} assets were kept", flush=True)
    print(f"{len(tries)} tries, {len(run.failed)} failed, {astray} tokens went astray", file=sys.stderr)
    return 1 if run.failed or astray else 0


if __name__ == "__main__":
    sys.exit(main())
