"""What an item costs in a large stack, against what it costs in a small one."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace

import changes
import first_sync
import mounting
from measuring import Tools, anonymous_memory, drop_caches
from passes import Passes
from recording import Recording, recorder, replayed
from report import Report
from stack import Content
from subjects import Subject
from world import Mount, World, write_list

SECTION, BEGINNING = "Scale: reading", "Scale: first sync and mount"
SMALL = 10_000  # entries, or a tenth of the large one
AIM = 1.5  # times the cost in the small one


@dataclass
class Size:
    """One of the two."""

    name: str
    aims: dict[str, float]  # of the ratio to the small one
    world: World
    recording: Recording


def bench(tools: Tools, folder: Path, report: Report, large: Content, rounds: int) -> None:
    """Two worlds of the same proportions, large before small, measured in turn."""
    entries = min(SMALL, large.entries // 10)
    small = replace(large, entries=entries, assets=large.assets * entries // large.entries)
    folder.mkdir()
    with ExitStack() as stack:
        sizes = []
        for content in (large, small):
            report.progress(f"filling and recording {content.entries} entries and {content.assets} assets")
            world = stack.enter_context(World(tools, folder / str(content.entries), content))
            sizes.append(_prepare(world, {_name(small): AIM}))
        for number in range(rounds):
            for size in sizes:
                report.progress(f"{size.name}: first sync and mount, round {number + 1} of {rounds}")
                _first_sync(report, size)
                _mount(report, size)
        report.note(BEGINNING, _explanation(large, small))
        report.end(BEGINNING)
        _read(tools, report, sizes, rounds)
    report.end(SECTION)


def _explanation(large: Content, small: Content) -> str:
    return (
        f"{large.entries} entries and {large.assets} assets against {small.entries} and {small.assets}, half of the entries "
        "of one content type. Times are by item or file, but those of the mount and of a change."
    )


def _name(content: Content) -> str:
    return f"{content.entries:,}"


def _prepare(world: World, aims: dict[str, float]) -> Size:
    recording = Recording(world.folder / "recording")
    with recorder(recording, world.stack) as url:
        world.sync(first_sync.new_store(world), url)
    world.fill()
    return Size(_name(world.content), aims, world, recording)


def _first_sync(report: Report, size: Size) -> None:
    world = size.world
    with replayed(world.tools, size.recording) as url:
        store = first_sync.new_store(world)
        os.sync()
        sync = world.sync(store, url)
        content = world.status(store, url)["bytes"]
    report.row(BEGINNING, "first sync, wall an item", "us", size.aims).add(size.name, sync.wall / world.items)
    report.row(BEGINNING, "first sync, CPU an item", "us", size.aims).add(size.name, sync.cpu / world.items)
    report.row(BEGINNING, "first sync, written a byte of content", "", size.aims).add(size.name, sync.written / content)
    report.row(BEGINNING, "first sync, peak memory", "MiB", {size.name: 100.0}).add(size.name, sync.peak)


def _mount(report: Report, size: Size) -> None:
    mount = Mount(size.world, size.world.store)
    for heat in ("cold", "warm") if size.world.tools.cold else ("warm",):
        if heat == "cold":
            drop_caches()
        first, whole = mounting.measure(size.world, mount)
        report.row(BEGINNING, f"first ls, {heat}", "ms", {size.name: 100.0}).add(size.name, first)
        report.row(BEGINNING, f"mount and first ls, {heat}", "ms", {size.name: 100.0}).add(size.name, whole)


def _read(tools: Tools, report: Report, sizes: list[Size], rounds: int) -> None:
    with ExitStack() as stack:
        subjects = []
        for size in sizes:
            mount = stack.enter_context(size.world.mounted(size.world.store))
            subjects.append(_subject(size, mount))
        passes = Passes(tools, report, SECTION, AIM)
        for number in range(rounds):
            report.progress(f"reading, round {number + 1} of {rounds}")
            passes.round(subjects, number)
            for size, subject in zip(sizes, subjects):
                _walk_assets(report, size, subject)
        for size, subject in zip(sizes, subjects):
            _change(report, size, subject)
            memory = report.row(SECTION, "memory of the daemon at the end, anonymous", "MiB", {size.name: 64.0})
            memory.add(size.name, anonymous_memory(subject.pid))


def _subject(size: Size, mount: Mount) -> Subject:
    files = size.world.folder / "files"
    count = write_list(mount.point, "entries", files)
    return Subject(size.name, mount.point, files, count, mount, mount.pid())


def _walk_assets(report: Report, size: Size, subject: Subject) -> None:
    """Their names and attributes; their bytes stay where they are."""
    if not size.world.content.assets:
        return
    taken = size.world.tools.measure(["find", subject.root / "assets", "-newer", "/proc"])
    row = report.row(SECTION, "find -newer over the assets", "us", size.aims)
    row.add(size.name, taken.wall / size.world.content.assets)


def _change(report: Report, size: Size, subject: Subject) -> None:
    assert subject.mount
    aims = {size.name: 20.0}
    row = report.row(SECTION, "refresh and cat, beyond the service's answer", "ms", aims, compares=False)
    subject.mount.refresh()
    for number, path in enumerate(changes.choose(subject.files)):
        seconds, service = changes.measure(size.world, subject.mount, path, f"change {number}")
        row.add(size.name, seconds - service)
