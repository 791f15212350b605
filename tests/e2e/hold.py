"""Holds what the kernel has of files, so that it cannot let go of it.

Usage: hold.py READY < PATHS

PATHS end with a NUL each. READY is made when all are held, which they are until this is killed.
"""

import mmap
import os
import signal
import sys
from pathlib import Path

MAP_LOCKED = 0x2000  # of Linux; Python's module does not name it


def main(ready: str) -> None:
    held = []
    for path in filter(None, sys.stdin.buffer.read().split(b"\0")):
        descriptor = os.open(path, os.O_RDONLY)
        held.append(mmap.mmap(descriptor, 0, mmap.MAP_SHARED | MAP_LOCKED, mmap.PROT_READ))
        os.close(descriptor)
    Path(ready).touch()
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
