"""What is read side by side: the same files by way of contentfs, on a disk, and in a squashfs image."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

from stack import DEADLINE
from world import Mount, read_list

CONTENTFS, SQUASHFUSE = "contentfs", "squashfuse_ll"


@dataclass(frozen=True)
class Subject:
    """A name, and a folder with files."""

    name: str
    root: Path
    files: Path  # a list of them
    count: int
    mount: Optional[Mount] = None  # of contentfs
    pid: int = 0  # of its daemon, if it has one


def disk_name(folder: Path) -> str:
    """The type of the file system that a folder is on."""
    done = subprocess.run(
        ["stat", "--file-system", "--format=%T", str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    return "ext4" if done.stdout.strip() == "ext2/ext3" else done.stdout.strip()


def copy(source: Path, target: Path) -> None:
    """Copies a tree, in the order in which it lists, with the times."""
    target.mkdir()
    pack = subprocess.Popen(["tar", "-C", str(source), "-cf", "-", "."], stdout=subprocess.PIPE)
    unpack = subprocess.run(["tar", "-C", str(target), "-xf", "-"], stdin=pack.stdout, timeout=DEADLINE)
    if pack.wait(DEADLINE) != 0 or unpack.returncode != 0:
        sys.exit("scripts/bench: the files could not be copied")


@contextmanager
def squashfuse(image: Path, point: Path) -> Iterator[int]:
    """An image mounted by squashfuse_ll; gives the daemon's pid."""
    point.mkdir()
    daemon = subprocess.Popen(["squashfuse_ll", "-f", str(image), str(point)])
    until = time.monotonic() + DEADLINE
    while not point.is_mount():
        if daemon.poll() is not None or time.monotonic() > until:
            sys.exit("scripts/bench: squashfuse_ll does not mount")
        time.sleep(0.02)
    try:
        yield daemon.pid
    finally:
        unmount_squashfuse(point)
        daemon.wait(DEADLINE)


def unmount_squashfuse(point: Path) -> None:
    """Ends a mount, when nobody uses it any more."""
    until = time.monotonic() + 20
    while subprocess.run(["fusermount3", "-u", str(point)], stderr=subprocess.DEVNULL).returncode != 0:
        if time.monotonic() > until:
            sys.exit(f"scripts/bench: {point} cannot be unmounted")
        time.sleep(0.05)


def make_image(tree: Path, image: Path) -> None:
    """A squashfs image with what mksquashfs does by default."""
    command = ["mksquashfs", str(tree), str(image), "-quiet", "-no-progress"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE)


@contextmanager
def all_subjects(mount: Mount, folder: Path, files: Path) -> Iterator[list[Subject]]:
    """contentfs, a copy on the disk of the folder, and an image of that."""
    count = len(read_list(files))
    tree, image, point = folder / "tree", folder / "image", folder / "image-mount"
    with ExitStack() as stack:
        copy(mount.point, tree)
        stack.callback(shutil.rmtree, tree)
        make_image(tree, image)
        pid = stack.enter_context(squashfuse(image, point))
        yield [
            Subject(CONTENTFS, mount.point, files, count, mount, mount.pid()),
            Subject(disk_name(tree), tree, files, count),
            Subject(SQUASHFUSE, point, files, count, pid=pid),
        ]
