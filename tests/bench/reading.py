"""The same files read by way of contentfs, from a disk, and from a squashfs image; then what memory that has cost."""

from __future__ import annotations

from pathlib import Path

import changes
from measuring import anonymous_memory
from passes import Passes
from report import Report
from subjects import CONTENTFS, all_subjects
from world import Mount, World, write_list

SECTION = "Reading"


def bench(world: World, report: Report, rounds: int, wanted: set[str]) -> None:
    """Over one mount: so that the memory at the end is what all of it has cost."""
    with world.mounted(world.store) as mount:
        files = world.folder / "files"
        count = write_list(mount.point, "entries", files)
        if "read" in wanted:
            _side_by_side(world, report, mount, files, rounds)
            report.note(SECTION, _explanation(count))
        if "change" in wanted:
            changes.bench(world, report, mount, files)
        memory = report.row("Memory", "of the daemon at the end, anonymous", "MiB", {CONTENTFS: 64.0})
        memory.add(CONTENTFS, anonymous_memory(mount.pid()))
        report.end("Memory")


def _side_by_side(world: World, report: Report, mount: Mount, files: Path, rounds: int) -> None:
    report.progress("copying the files to the disk and into an image")
    with all_subjects(mount, world.folder, files) as subjects:
        passes = Passes(world.tools, report, SECTION)
        for number in range(rounds):
            report.progress(f"reading, round {number + 1} of {rounds}")
            passes.round(subjects, number)
    report.end(SECTION)


def _explanation(count: int) -> str:
    return (
        f"{count} files. Cold: `sync`, then everything is dropped that the kernel has cached, of the store and of the image "
        "too; the daemons go on, with what they have in their own memory. Warm: the same again at once, and "
        "again while that takes less than a second, of which the shortest counts. The disk's files "
        "were written in the order in which contentfs lists them, which is also that of the list for stat and "
        "open+read+close. The image is as mksquashfs makes it by default. grep and rg look for what is nowhere; find "
        "and grep ask statfs once, of which the kernel keeps no answer. "
        "CPU is that of the reader and of the daemon behind the files; it says more where other programs run beside."
    )
