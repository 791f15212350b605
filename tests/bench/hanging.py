"""Entries beside downloads that hang."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from measuring import Tools
from report import Report
from stack import DEADLINE, Content, Stack
from world import World

SECTION = "Downloads that hang"
ENTRIES, HANGING, PASSES = 1000, 50, 9


def bench(tools: Tools, folder: Path, report: Report, rounds: int) -> None:
    """Reads entries with and without, in a stack of its own."""
    with World(tools, folder, Content(ENTRIES, rounds * HANGING * 2, body=1500)) as world:
        world.fill()
        with world.mounted(world.store) as mount:
            _alternate(world.stack, mount.point, report, rounds)
    report.end(SECTION)


def _alternate(stack: Stack, point: Path, report: Report, rounds: int) -> None:
    unread = sorted(str(path) for path in point.glob("assets/*/*/*") if path.stat().st_size > 0)
    entries = sorted(str(path) for path in point.glob("entries/*/*/*.json"))
    row = report.row(SECTION, f"reading {len(entries)} entries", "ms")
    for _ in range(rounds):
        assets, unread = unread[:HANGING], unread[HANGING:]
        alone = _read_anew(entries)
        with _hanging_downloads(point, stack, assets):
            row.add(f"beside {HANGING} that hang", _read_anew(entries))
        row.add("alone", alone)


def _read_anew(paths: list[str]) -> float:
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
def _hanging_downloads(point: Path, stack: Stack, assets: list[str]) -> Iterator[None]:
    """Readers of assets whose bytes do not come, and that were not read before."""
    stack.control("fault", kind="stall-before", match="/v3/assets/", times=1000)
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
