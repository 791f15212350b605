#!/usr/bin/env python3
"""Programs that read a mount in ways that shell commands do not, while its content changes."""

from __future__ import annotations

import argparse
import ctypes
import json
import mmap
import multiprocessing
import os
import platform
import random
import subprocess
import sys
import time
import urllib.request
from typing import Any, Iterator

DEADLINE = 120  # seconds
GETDENTS64 = {"x86_64": 217, "aarch64": 61, "riscv64": 61, "ppc64le": 202, "s390x": 220, "i686": 220, "armv7l": 217}


def command(stack: str, name: str, **values: Any) -> None:
    """Commands the stack."""
    request = urllib.request.Request(f"{stack}/_control/{name}", json.dumps(values).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        answer.read()


def refresh(mount: str) -> None:
    """What the stack says now is in the tree when this returns."""
    subprocess.run([os.environ["CONTENTFS"], "refresh", mount], check=True, timeout=DEADLINE)


def wait_for(path: str) -> None:
    """Until a file is there."""
    until = time.monotonic() + DEADLINE
    while not os.path.exists(path):
        if time.monotonic() > until:
            raise TimeoutError(path)
        time.sleep(0.01)


def create(path: str) -> None:
    """An empty file, as a sign."""
    with open(path, "wb"):
        pass


def hold(options: argparse.Namespace) -> int:
    """Opens a file, reads its first byte, and the rest only when it is told to."""
    with open(options.file, "rb", buffering=0) as file:
        text = file.read(1)
        create(options.opened)
        wait_for(options.go)
        while piece := file.read(4096):
            text += piece
    with open(options.out, "wb") as out:
        out.write(text)
    return 0


# -- versions of one file -----------------------------------------------------------------------------------------------

MARKS = ("at_its_beginning", "in_its_middle", "at_its_end")


def _filler(number: int, size: int) -> str:
    words = f"version {number} "
    return words * (size // 2 // len(words))


def _fields(number: int, size: int) -> dict[str, Any]:
    filler = _filler(number, size)
    return {MARKS[0]: number, "filler": filler, MARKS[1]: number, "more_filler": filler, MARKS[2]: number}


def _pieces(file: Any, mapped: bool) -> bytes:
    size = os.fstat(file.fileno()).st_size
    if mapped:
        with mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as memory:
            return b"".join(memory[at : at + 4096] for at in range(0, size, 4096))
    text = b"".join(iter(lambda: file.read(4096), b""))
    if len(text) != size:
        raise ValueError(f"{len(text)} bytes were read, {size} promised")
    return text


def _check_version(text: bytes, size: int, least: int) -> int:
    found = json.loads(text)
    numbers = {found[mark] for mark in MARKS}
    if len(numbers) != 1:
        raise ValueError(f"a mixture of the versions {sorted(numbers)}")
    number = int(numbers.pop())
    if not found["filler"] == found["more_filler"] == _filler(number, size):
        raise ValueError(f"version {number} with another one in it")
    if number < least:
        raise ValueError(f"version {number} came after {least}")
    return number


def _read_again_and_again(path: str, size: int, mapped: bool, ended: Any, versions: Any) -> None:
    last, seen = 0, set()
    while not ended.is_set():
        begin = time.monotonic()
        with open(path, "rb", buffering=0) as file:
            last = _check_version(_pieces(file, mapped), size, last)
        seen.add(last)
        time.sleep(time.monotonic() - begin)  # so that those who bring the versions get on
    versions.put(len(seen))


def versions(options: argparse.Namespace) -> int:
    """Readers loop over one file while it is published again and again; none may ever see a mixture."""
    content_type, locale, leaf = options.file.split("/")[-3:]
    names = {"content_type": content_type, "locale": locale, "uid": leaf.removesuffix(".json")}

    def publish(number: int) -> None:
        command(options.stack, "publish", **names, fields=_fields(number, options.size))
        refresh(options.mount)

    publish(1)
    ended, seen = multiprocessing.Event(), multiprocessing.Queue()
    readers = [
        multiprocessing.Process(
            target=_read_again_and_again, args=(options.file, options.size, turn % 2 == 1, ended, seen)
        )
        for turn in range(options.readers)
    ]
    for reader in readers:
        reader.start()
    for number in range(2, options.times + 2):
        publish(number)
        with open(options.file, "rb", buffering=0) as file:
            if _check_version(_pieces(file, False), options.size, 0) != number:
                raise ValueError(f"version {number} is not there after its refresh")
    ended.set()
    counts = [seen.get(timeout=DEADLINE) for reader in readers]
    for reader in readers:
        reader.join(DEADLINE)
    print(f"versions seen by each reader: {counts}")
    return 0 if all(reader.exitcode == 0 for reader in readers) and min(counts) > 1 else 1


# -- listings -----------------------------------------------------------------------------------------------------------


class Listing:
    """A directory that is read a few entries at a time."""

    def __init__(self, path: str, size: int) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self._buffer = ctypes.create_string_buffer(size)
        self._libc = ctypes.CDLL(None, use_errno=True)

    def some(self) -> list[str]:
        """The next few names; none at the end."""
        number = GETDENTS64[platform.machine()]
        length = self._libc.syscall(number, self._fd, self._buffer, len(self._buffer))
        if length < 0:
            raise OSError(ctypes.get_errno(), "getdents64")
        names, at, raw = [], 0, self._buffer.raw
        while at < length:
            record = int.from_bytes(raw[at + 16 : at + 18], sys.byteorder)
            names.append(os.fsdecode(raw[at + 19 : at + record].split(b"\0", 1)[0]))
            at += record
        return [name for name in names if name not in (".", "..")]

    def rewind(self) -> None:
        """Starts again."""
        os.lseek(self._fd, 0, os.SEEK_SET)

    def pieces(self) -> Iterator[list[str]]:
        """All of it, piece by piece."""
        while names := self.some():
            yield names

    def rest(self) -> list[str]:
        """All that is left."""
        return [name for names in self.pieces() for name in names]


def listing(options: argparse.Namespace) -> int:
    """A listing goes on while entries come and go: what nobody touched is in it exactly once, what has gone is not."""
    source = random.Random(options.seed)
    content_type, locale = options.directory.split("/")[-2:]
    before = os.listdir(options.directory)
    touched: set[str] = set()
    gone: set[str] = set()

    def change(turn: int) -> None:
        names = {"content_type": content_type, "locale": locale}
        if turn % 3 == 0:
            uid = f"blt{source.getrandbits(64):016x}"
            command(options.stack, "publish", **names, uid=uid, fields={"title": "New"})
        else:
            near = before[len(found) :][: options.near] if options.near else before
            uid = source.choice(near or before).removesuffix(".json")
            if f"{uid}.json" in touched:
                return
            command(options.stack, ("", "publish", "unpublish")[turn % 3], **names, uid=uid)
            if turn % 3 == 2 and f"{uid}.json" not in found:
                gone.add(f"{uid}.json")
        touched.add(f"{uid}.json")

    slow = Listing(options.directory, options.buffer)
    found: list[str] = []
    for turn, names in enumerate(slow.pieces()):
        found += names
        if turn % options.every == 0:
            change(turn // options.every)
            refresh(options.mount)
    twice = sorted(name for name in set(found) if found.count(name) > 1)
    missing = sorted(set(before) - touched - set(found))
    stray = sorted(set(found) - set(before) - touched | gone & set(found))
    slow.rewind()
    again = sorted(slow.rest()) == sorted(os.listdir(options.directory))
    print(f"{len(found)} listed, {len(touched)} touched meanwhile; twice {twice}, missing {missing}, stray {stray}")
    return 0 if touched and gone and again and not twice and not missing and not stray else 1


# -- what is put into the kernel's cache ahead of a reader ----------------------------------------------------------------


def in_cache(path: str) -> bool:
    """Whether the kernel has the beginning of a file. It is not made to read it."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 1, mmap.MAP_PRIVATE) as memory:
        there = ctypes.create_string_buffer(1)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        if libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(1), there) < 0:
            raise OSError(ctypes.get_errno(), "mincore")
    return there.raw[0] & 1 == 1


def _reads(mount: str) -> int:
    with open(f"{mount}/.contentfs/status.json", encoding="utf-8") as file:
        return int(json.load(file)["requests_by_operation"]["read"])


def _read_through(directory: str, names: list[str]) -> None:
    for name in names:
        with open(f"{directory}/{name}", "rb", buffering=0) as file:
            json.loads(file.read())


def trusted(options: argparse.Namespace) -> int:
    """Who has read a directory through finds the files of the next one it lists there; of one listed before, none."""
    before, first, second = options.directories
    untrusted = os.listdir(before)
    _read_through(first, os.listdir(first))
    names = os.listdir(second)
    until = time.monotonic() + DEADLINE
    while len(missing := [name for name in names if not in_cache(f"{second}/{name}")]) > options.left_out:
        if time.monotonic() > until:
            raise TimeoutError(f"{len(missing)} of {len(names)} files are not there")
        time.sleep(0.01)
    asked = _reads(options.mount)
    _read_through(second, names)
    asked = _reads(options.mount) - asked
    there = [name for name in untrusted if in_cache(f"{before}/{name}")]
    print(f"{len(names)} files read with {asked} requests; of those only listed {len(there)} are there")
    return 0 if names and untrusted and asked <= options.left_out and not there else 1


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    def add(run: Any, *arguments: str) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = commands.add_parser(run.__name__, help=run.__doc__)
        for argument in arguments:
            sub.add_argument(argument)
        sub.set_defaults(run=run)
        return sub

    add(hold, "file", "opened", "go", "out")
    sub = add(versions, "stack", "mount", "file")
    sub.add_argument("--readers", type=int, default=4)
    sub.add_argument("--times", type=int, default=100)
    sub.add_argument("--size", type=int, default=500_000)
    sub = add(listing, "stack", "mount", "directory")
    sub.add_argument("--buffer", type=int, default=256)
    sub.add_argument("--every", type=int, default=20)
    sub.add_argument("--near", type=int, default=0, help="change only what comes so soon")
    sub.add_argument("--seed", type=int, default=1)
    sub = add(trusted, "mount")
    sub.add_argument("directories", nargs=3)
    sub.add_argument("--left-out", type=int, default=10, help="files at most that are not there")
    options = parser.parse_args()
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
