"""Readers while a delta is applied, against the same readers while nothing happens."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from measuring import Tools
from recording import Recording, recorder, replayed
from report import Report
from stack import DEADLINE
from world import Mount, World, read_list, write_list

SECTION = "Readers beside a delta"
READERS = (1, 4, 16)
QUIET = 1.0  # seconds
_COUNTS = struct.Struct("=QQQ")  # as in files.c: reads, failures, the longest in nanoseconds


@dataclass(frozen=True)
class Window:
    """What the readers did in a while. Times in seconds."""

    length: float
    reads: int
    failures: int
    longest: float

    @property
    def rate(self) -> float:
        return self.reads / self.length


class Readers:
    """Processes that read all files over and over, each from another place on."""

    def __init__(self, tools: Tools, point: Path, files: Path, counts: Path, number: int) -> None:
        counts.write_bytes(bytes(_COUNTS.size * number))
        with counts.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)
        self._number = number
        command = [tools.helper("files"), "follow", str(files), str(counts)]
        self._processes = [
            subprocess.Popen([*command, str(index), str(number)], cwd=point) for index in range(number)
        ]

    def _counts(self) -> list[tuple[int, int, int]]:
        return [_COUNTS.unpack_from(self._shared, index * _COUNTS.size) for index in range(self._number)]

    def _forget_longest(self) -> None:
        for index in range(self._number):
            struct.pack_into("=Q", self._shared, index * _COUNTS.size + 16, 0)

    @contextmanager
    def window(self) -> Iterator[list[Window]]:
        """Its end is that of the block; the list has it then."""
        found: list[Window] = []
        self._forget_longest()
        before, start = self._counts(), time.monotonic()
        yield found
        length, after = time.monotonic() - start, self._counts()
        if any(process.poll() is not None for process in self._processes):
            sys.exit("scripts/bench: a reader has ended")
        reads, failures = (sum(late[of] - early[of] for early, late in zip(before, after)) for of in (0, 1))
        found.append(Window(length, reads, failures, max(count[2] for count in after) / 1e9))

    def end(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            process.kill()
            process.wait(DEADLINE)
        self._shared.close()


class Delta:
    """A store, and what the service answers to it before and after many entries were changed, at one port: a store belongs
    to the address that it was filled from."""

    def __init__(self, world: World, report: Report, changes: int) -> None:
        self._world = world
        self.store, self.files = world.folder / "before.db", world.folder / "files"
        self.before = Recording(world.folder / "recording before a delta")
        self.after = Recording(world.folder / "recording of a delta")
        report.progress("filling a store")
        with recorder(self.before, world.stack) as url:
            self.port = int(url.rsplit(":", 1)[1])
            world.sync(self.store, url)
            with world.mounted(self.store, url) as mount:
                write_list(mount.point, "entries", self.files)
        report.progress(f"making {changes} changes")
        paths = read_list(self.files)
        for number in range(changes):
            world.publish(paths[number * len(paths) // changes], f"change {number}")
        with recorder(self.after, world.stack, self.port) as url:
            world.sync(self.copy(), url)

    def copy(self) -> Path:
        """A store that has not seen the changes."""
        path = self._world.folder / "concurrent.db"
        for old in path.parent.glob(f"{path.name}*"):
            old.unlink()
        shutil.copyfile(self.store, path)
        return path

    @contextmanager
    def mounted(self) -> Iterator[Mount]:
        """A mount of such a copy, when a refresh will bring the changes."""
        tools, port = self._world.tools, self.port
        with replayed(tools, self.before, port=port) as url:
            mount = Mount(self._world, self.copy(), url)
            mount.mount()
            mount.refresh()
        try:
            with replayed(tools, self.after, port=port):
                yield mount
        finally:
            mount.unmount()


def bench(world: World, report: Report, rounds: int, changes: int) -> None:
    """A mount of its own for each measure, of a store that has not seen the delta."""
    delta = Delta(world, report, changes)
    for number in range(rounds):
        for readers in READERS:
            report.progress(f"{readers} readers beside a delta, round {number + 1} of {rounds}")
            quiet, busy = _measure(world, delta, readers)
            _write_down(report, readers, quiet, busy)
    report.note(
        SECTION,
        f"Each reader opens, reads and closes one file after the other, of {world.content.entries}. Beside: from the "
        f"beginning of a `contentfs refresh` that brings {changes} changed entries to its end. Quiet: the second before "
        "it, when everything had been read once. The answers come from a recording.",
    )
    report.end(SECTION)


def _measure(world: World, delta: Delta, number: int) -> tuple[Window, Window]:
    with delta.mounted() as mount:
        world.tools.measure([world.tools.helper("files"), "read", delta.files], folder=mount.point)
        readers = Readers(world.tools, mount.point, delta.files, world.folder / "counts", number)
        try:
            time.sleep(0.2)  # all of them have begun
            with readers.window() as quiet:
                time.sleep(QUIET)
            with readers.window() as busy:
                mount.refresh()
        finally:
            readers.end()
    return quiet[0], busy[0]


def _write_down(report: Report, readers: int, quiet: Window, busy: Window) -> None:
    rates = report.row(SECTION, f"time a read, {readers} readers", "us", {"quiet": 1.25})
    rates.add("beside", 1 / busy.rate)
    rates.add("quiet", 1 / quiet.rate)
    longest = report.row(SECTION, f"longest read, {readers} readers", "ms")
    longest.add("beside", busy.longest)
    longest.add("quiet", quiet.longest)
    for name, value in ("failures", busy.failures), ("seconds the delta took", busy.length):
        row = report.row(SECTION, f"{name}, {readers} readers", "", {"beside": 0.0} if name == "failures" else {})
        row.add("beside", value)
