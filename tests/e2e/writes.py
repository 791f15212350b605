#!/usr/bin/env python3
"""Tries every call that writes, on a file and a directory of a mount. Each must fail with EROFS."""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import stat
import sys
from typing import Any, Callable

_LIBC = ctypes.CDLL(None, use_errno=True)


def _fallocate(path: str) -> None:
    """The descriptor cannot be one for writing, which is the first thing that the kernel minds: by name there is none."""
    fd = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(fd, 0, 1)
    finally:
        os.close(fd)


def _rename_exchange(one: str, other: str) -> None:
    if _LIBC.renameat2(-100, one.encode(), -100, other.encode(), 2) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def calls(file: str, folder: str, outside: str) -> dict[str, Callable[[], Any]]:
    """Name -> call."""
    new = os.path.join(folder, "new")
    with open(outside, "wb"):
        pass
    flags = {
        "O_WRONLY": os.O_WRONLY,
        "O_RDWR": os.O_RDWR,
        "O_TRUNC": os.O_RDONLY | os.O_TRUNC,
        "O_WRONLY|O_TRUNC": os.O_WRONLY | os.O_TRUNC,
        "O_APPEND": os.O_WRONLY | os.O_APPEND,
    }
    found: dict[str, Callable[[], Any]] = {
        f"open {name}": (lambda value=value: os.open(file, value)) for name, value in flags.items()
    }
    found.update(
        {
            "open O_CREAT": lambda: os.open(new, os.O_RDONLY | os.O_CREAT, 0o644),
            "open O_CREAT|O_EXCL": lambda: os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644),
            "open O_TMPFILE": lambda: os.open(folder, os.O_RDWR | os.O_TMPFILE, 0o644),
            "mkdir": lambda: os.mkdir(new),
            "rmdir": lambda: os.rmdir(folder),
            "unlink": lambda: os.unlink(file),
            "rename": lambda: os.rename(file, new),
            "rename of a directory": lambda: os.rename(folder, folder + ".new"),
            "rename, exchanging": lambda: _rename_exchange(file, file),
            "link": lambda: os.link(file, new),
            "symlink": lambda: os.symlink("target", new),
            "mknod of a file": lambda: os.mknod(new, stat.S_IFREG | 0o644),
            "mknod of a pipe": lambda: os.mkfifo(new),
            "chmod": lambda: os.chmod(file, 0o777),
            "chmod of a directory": lambda: os.chmod(folder, 0o777),
            "chown": lambda: os.chown(file, os.getuid(), os.getgid()),
            "lchown": lambda: os.lchown(file, os.getuid(), os.getgid()),
            "utimens": lambda: os.utime(file, (1, 1)),
            "utimens now": lambda: os.utime(folder),
            "truncate": lambda: os.truncate(file, 0),
            "truncate to more": lambda: os.truncate(file, 1 << 20),
            "setxattr": lambda: os.setxattr(file, "user.contentfs.title", b"x"),
            "setxattr of a new name": lambda: os.setxattr(folder, "user.new", b"x"),
            "removexattr": lambda: os.removexattr(file, "user.contentfs.title"),
            "fallocate": lambda: _fallocate(file),
            "access W_OK": lambda: _access(file),
            "access W_OK of a directory": lambda: _access(folder),
        }
    )
    return found


def _access(path: str) -> None:
    if _LIBC.access(path.encode(), os.W_OK) != 0:
        raise OSError(ctypes.get_errno(), "access")


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("outside", help="a path of another file system, to be created")
    parser.add_argument("--user", type=int, help="become this user first")
    options = parser.parse_args()
    if options.user is not None:
        os.setgroups([])
        os.setgid(options.user)
        os.setuid(options.user)
    wrong = []
    for name, call in calls(options.file, os.path.dirname(options.file), options.outside).items():
        try:
            call()
            wrong.append(f"{name}: succeeded")
        except OSError as error:
            found = errno.errorcode.get(error.errno or 0, "?")
            if found != "EROFS":
                wrong.append(f"{name}: {found}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
