"""Programs that are measured, by the helpers that meson builds from the C files here."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

from stack import DEADLINE


@dataclass(frozen=True)
class Taken:
    """What a process took; times in seconds, the rest in bytes."""

    wall: float
    cpu: float
    peak: int
    written: int  # to disks, as far as the kernel knows when the process ends
    handed: int  # to write()


class Tools:
    """The programs that take part. Immutable."""

    def __init__(self, build: Path, program: Optional[str], cold: bool) -> None:
        self.cold = cold  # whether caches are dropped
        self._helpers = build / "tests/bench"
        self.contentfs = program or str(build / "src/cli/contentfs")

    def helper(self, name: str) -> str:
        """The path of a helper."""
        return str(self._helpers / f"bench_{name}")

    def measure(
        self,
        command: Sequence[object],
        environment: Optional[dict[str, str]] = None,
        folder: Optional[Path] = None,
        expected: int = 0,
    ) -> Taken:
        """Runs a command whose output is thrown away; it has to exit as expected."""
        words = [self.helper("measure"), *map(str, command)]
        found: dict[str, Any] = json.loads(_output(words, environment, folder))
        if found["status"] != expected:
            sys.exit(f"scripts/bench: {' '.join(words[1:])} exited with {found['status']} instead of {expected}")
        return Taken(
            found["wall"], found["user"] + found["system"], found["peak"], found["write_bytes"], found["wchar"]
        )


def _output(words: list[str], environment: Optional[dict[str, str]], folder: Optional[Path]) -> str:
    """What a command prints. If it is not to go on, then nothing that it has started does: it would keep a mount busy."""
    process = subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        return process.communicate(timeout=DEADLINE)[0]
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def drop_caches() -> None:
    """Writes all that is dirty, then drops what the kernel has cached of files, directories and inodes: of any file
    system, and so of a store and of an image too. What a daemon keeps in its own memory stays."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


def drops() -> int:
    """How often anybody has dropped caches since the machine was started."""
    found = re.search(r"^drop_pagecache (\d+)$", Path("/proc/vmstat").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def cpu_time(pid: int) -> float:
    """Seconds of a process so far, in all its threads."""
    return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) gives; 2 is CPUCLOCK_SCHED


def await_rest(pids: list[int]) -> None:
    """Waits until daemons have done what they were told last, such as to forget a hundred thousand inodes: until they do next
    to nothing for two tenths of a second."""
    until = time.monotonic() + DEADLINE
    before, since = 0.0, time.monotonic()
    while time.monotonic() - since < 0.2:
        now = sum(cpu_time(pid) for pid in pids)
        if now > before + 0.001:
            before, since = now, time.monotonic()
        if time.monotonic() > until:
            sys.exit("scripts/bench: the daemons do not come to rest")
        time.sleep(0.02)


def anonymous_memory(pid: int) -> int:
    """Bytes of a process that are nobody else's and no file's."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/smaps_rollup tells of no anonymous memory")
