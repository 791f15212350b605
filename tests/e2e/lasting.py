#!/usr/bin/env python3
"""Lists the files of a mount again and again; none that was there once may be missing later, unless it was unpublished.

The mount may come and go meanwhile, its program killed: a listing that fails in the middle says nothing. What counts are
whole listings, each of one mount, and what one of them has shown the next ones have to show, across mounts too.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from typing import Optional

DEADLINE = 300  # seconds


def published(name: str) -> set[str]:
    """The paths that a file lists."""
    with open(name, encoding="utf-8", errors="surrogateescape") as lines:
        return {line.rstrip("\n") for line in lines}


def _raise(error: OSError) -> None:
    raise error


def _files(root: int) -> Iterator[str]:
    for folder, _, names, _ in os.fwalk(".", dir_fd=root, onerror=_raise):
        yield from (os.path.normpath(os.path.join(folder, name)) for name in names)


def whole_listing(mount: str) -> Optional[set[str]]:
    """All files of the mount; None if there is none, or it died meanwhile. By descriptors, so it is one mount's."""
    try:
        root = os.open(mount, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        if os.fstat(root).st_dev == os.stat(os.path.dirname(mount)).st_dev:
            return None
        return set(_files(root))
    except OSError:
        return None
    finally:
        os.close(root)


class Watch:
    """What was seen so far, and what was wrong with it."""

    def __init__(self, before: set[str], after: set[str]) -> None:
        self._known, self._lasting = before | after, after
        self._seen: set[str] = set()
        self.listings = 0

    def look(self, mount: str) -> bool:
        """One listing; whether there was one. ValueError if it is wrong."""
        found = whole_listing(mount)
        if found is None:
            return False
        lost = sorted(self._seen & self._lasting - found)
        stray = sorted(found - self._known)
        if lost or stray:
            raise ValueError(f"listing {self.listings} has {len(found)} files, lost {lost[:5]}, stray {stray[:5]}")
        self._seen |= found
        self.listings += 1
        return True


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mount")
    parser.add_argument("before", help="a file with the paths that are right before the run")
    parser.add_argument("after", help="and after it")
    parser.add_argument("stop", help="ends when this file is there, after a last listing")
    options = parser.parse_args()
    watch = Watch(published(options.before), published(options.after))
    until = time.monotonic() + DEADLINE
    print("ready", flush=True)
    while True:
        stopping = os.path.exists(options.stop)
        looked = watch.look(options.mount)
        if stopping and looked:
            break
        if time.monotonic() > until:
            raise TimeoutError("nobody ended this")
        time.sleep(0.01)  # for others who need a processor
    print(f"{watch.listings} listings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
