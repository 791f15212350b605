"""The first sync, beside only fetching the same pages."""

from __future__ import annotations

import os
from pathlib import Path

from measuring import Taken
from recording import Recording, curl_command, recorder, replayed
from report import Report
from world import World

SECTION = "First sync"
_MODES: dict[str, list[object]] = {"one stream": ["--jobs", 1], "as by default": []}
_JOBS = {"one stream": 1, "as by default": 4}  # questions under way at once
_LATENCIES = {"one stream": [50], "as by default": [20, 50, 100]}  # of an answer, in milliseconds
_AIMS = {"one stream": {"the waits alone": 1.05}, "as by default": {"curl": 1.1}}


def bench(world: World, report: Report, rounds: int, latency_rounds: int) -> None:
    """Each way of listing, with the answers that a sync of that way got from the stack."""
    content = 0
    for mode, options in _MODES.items():
        report.progress(f"recording the pages of a first sync, {mode}")
        recording = Recording(world.folder / f"recording, {mode}")
        with recorder(recording, world.stack) as url:
            world.sync(new_store(world), url, *options)
        for number in range(rounds):
            report.progress(f"first sync, {mode}, round {number + 1} of {rounds}")
            with replayed(world.tools, recording) as url:
                one = _one_round(world, recording, url, options, number)
            content = content or world.status(world.folder / "first.db", url)["bytes"]
            _write_down(report, mode, *one, world.items, content)
        for latency in _LATENCIES[mode]:
            _with_latency(world, report, recording, mode, latency, latency_rounds)
    report.note(
        SECTION,
        f"{world.items} items, {content / (1 << 20):.0f} MiB of files. Their pages were recorded from the local stack and "
        "are served by a small C program, to both alike; curl fetches and unpacks them one after the other over one "
        "connection, or where an answer takes its time with as many questions under way as contentfs has. Written are the bytes that the kernel counted as dirtied by the process until its end; handed to "
        "write() those of every call.",
    )
    report.end(SECTION)


def new_store(world: World) -> Path:
    """Where a store for a first sync may be made; there is none."""
    store = world.folder / "first.db"
    for path in world.folder.glob("first.db*"):
        path.unlink()
    return store


def _one_round(world: World, recording: Recording, url: str, options: list[object], number: int) -> tuple[Taken, Taken]:
    """What the sync and what curl took; who is first alternates. Neither pays for what was written before."""
    fetch = curl_command(world.folder, url, recording.targets, world.environment())

    def sync() -> Taken:
        store = new_store(world)
        os.sync()
        return world.sync(store, url, *options)

    def curl() -> Taken:
        os.sync()
        return world.tools.measure(fetch)

    if number % 2:
        fetched = curl()
        return sync(), fetched
    return sync(), curl()


def _write_down(report: Report, mode: str, sync: Taken, curl: Taken, items: int, content: int) -> None:
    wall = report.row(SECTION, f"wall, {mode}", "s", {"curl": 5.0})
    wall.add("contentfs", sync.wall)
    wall.add("curl", curl.wall)
    cpu = report.row(SECTION, f"CPU an item, {mode}", "us", {"contentfs": 40.0})
    cpu.add("contentfs", sync.cpu / items)
    cpu.add("curl", curl.cpu / items)
    report.row(SECTION, f"peak memory, {mode}", "MiB", {"contentfs": 100.0}).add("contentfs", sync.peak)
    written = report.row(SECTION, f"written a byte of content, {mode}", "", {"contentfs": 3.0})
    written.add("contentfs", sync.written / content)
    handed = report.row(SECTION, f"handed to write() a byte of content, {mode}", "")
    handed.add("contentfs", sync.handed / content)


def _with_latency(world: World, report: Report, recording: Recording, mode: str, latency: int, rounds: int) -> None:
    """From a service that takes its time for each answer. The waits alone: as if every job always waited for one. curl has as
    many questions under way, and does nothing else."""
    name = f"wall, {mode}, {latency} ms an answer"
    row = report.row(SECTION, name, "s", _AIMS[mode])
    parallel = ["--parallel", "--parallel-max", _JOBS[mode], "--no-progress-meter"]
    for number in range(rounds):
        report.progress(f"first sync, {name}, round {number + 1} of {rounds}")
        with replayed(world.tools, recording, latency) as url:
            row.add("contentfs", world.sync(new_store(world), url, *_MODES[mode]).wall)
            fetch = curl_command(world.folder, url, recording.targets, world.environment())
            row.add("curl", world.tools.measure([*fetch, *parallel]).wall)
        row.add("the waits alone", len(recording.targets) * latency / _JOBS[mode] / 1000)
