"""Measures contentfs on a local stack, side by side in one run, and prints a table of ratios. Takes about a minute.

A time by itself says nothing about a machine that others use too: so what is compared alternates, round by round, and each
row shows the median of its ratios and how far they spread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
STACK = [sys.executable, str(ROOT / "tests/stack")]
DEADLINE = 120  # seconds, for any one step
ENTRIES, HANGING, PASSES = 1000, 50, 9


class Stack:
    """A local stack of generated content."""

    def __init__(self, folder: Path, assets: int) -> None:
        ready = folder / "ready"
        self._process = subprocess.Popen(
            [*STACK, "serve", "--port", "0", "--ready-file", str(ready), "--generate", str(ENTRIES + assets)]
            + ["--assets", str(assets), "--locales", "1"],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + DEADLINE
        while not (ready.exists() and ready.read_text().strip()):
            if time.monotonic() > until or self._process.poll() is not None:
                sys.exit("scripts/bench: the local stack does not start")
            time.sleep(0.05)
        self.url = ready.read_text().strip()

    def control(self, *words: str) -> str:
        """What a control command prints."""
        return subprocess.run([*STACK, "ctl", self.url, *words], check=True, text=True, capture_output=True).stdout

    def environment(self) -> dict[str, str]:
        """The variables that point contentfs to it."""
        lines = subprocess.run([*STACK, "env", self.url], check=True, text=True, capture_output=True).stdout.split("\n")
        pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        return {name: value.strip("'\"") for name, value in pairs}

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait(DEADLINE)


@contextmanager
def mounted(program: str, folder: Path, stack: Stack) -> Iterator[Path]:
    """A mount of it with a store and a cache of its own."""
    point = folder / "mount"
    point.mkdir()
    private = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache")}
    environment = {**os.environ, **stack.environment(), **private}
    subprocess.run([program, "mount", "--interval", "3600", str(point)], check=True, env=environment, timeout=DEADLINE)
    try:
        yield point
    finally:
        stack.control("faults-clear")
        subprocess.run([program, "umount", str(point)], check=True, env=environment, timeout=DEADLINE)


def read_anew(paths: list[str]) -> float:
    """Seconds to open and read each, none of it from the kernel's cache: the median of some passes."""
    return statistics.median(_read_once(paths) for _ in range(PASSES))


def _read_once(paths: list[str]) -> float:
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    start = time.perf_counter()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            file.read()
    return time.perf_counter() - start


@contextmanager
def hanging_downloads(point: Path, stack: Stack, assets: list[str]) -> Iterator[None]:
    """Readers of assets whose bytes do not come, and that were not read before."""
    stack.control("fault", "stall-before", "--match", "/v3/assets/", "--times", "1000")
    readers = [subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for path in assets]
    try:
        until = time.monotonic() + DEADLINE
        while json.loads((point / ".contentfs/status.json").read_bytes())["cache"]["waiting"] < len(assets):
            if time.monotonic() > until:
                sys.exit("scripts/bench: the downloads do not hang")
            time.sleep(0.05)
        yield
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
        stack.control("faults-clear")


def compare(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> list[float]:
    """How many times as long the other takes, in each of the rounds."""
    return [other() / one() for _ in range(rounds)]


def print_row(what: str, ratios: list[float]) -> None:
    """One line of the table."""
    print(f"{what:66} {statistics.median(ratios):6.2f}   {min(ratios):.2f} to {max(ratios):.2f}", flush=True)


def bench_hanging(point: Path, stack: Stack, rounds: int) -> None:
    """Entries beside downloads that hang."""
    unread = sorted(str(path) for path in point.glob("assets/*/*/*") if path.stat().st_size > 0)
    entries = sorted(str(path) for path in point.glob("entries/*/*/*.json"))[:ENTRIES]

    def beside() -> float:
        nonlocal unread
        assets, unread = unread[:HANGING], unread[HANGING:]
        with hanging_downloads(point, stack, assets):
            return read_anew(entries)

    print_row(
        f"reading {len(entries)} entries while {HANGING} downloads hang, to without them",
        compare(rounds, lambda: read_anew(entries), beside),
    )


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison (5)")
    parser.add_argument("--program", help="the contentfs to measure (default: a release build of this tree)")
    options = parser.parse_args()
    program = options.program
    if program is None:
        subprocess.run([str(ROOT / "scripts/build"), "release"], check=True)
        program = str(ROOT / "build-release/src/cli/contentfs")
    print(f"{'':66} median   spread over {options.rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="contentfs-bench-") as name:
        folder = Path(name)
        stack = Stack(folder, options.rounds * HANGING * 2)
        try:
            with mounted(program, folder, stack) as point:
                bench_hanging(point, stack, options.rounds)
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
