"""What the measuring was done on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from subjects import disk_name


def describe(folder: Path) -> dict[str, str]:
    """A line for each thing that counts."""
    return {
        "processor": f"{_first('/proc/cpuinfo', r'model name.*: (.*)')}, {os.cpu_count()} cores",
        "memory": f"{int(_first('/proc/meminfo', r'MemTotal: *([0-9]+)')) / (1 << 20):.0f} GiB{_reclaim()}",
        "kernel": f"Linux {platform.release()}",
        "system": _first("/etc/os-release", r'PRETTY_NAME="(.*)"'),
        "disk": disk_name(folder),
        "libfuse": _version("libfuse3-3"),
        "SQLite": _version("libsqlite3-0"),
        "libcurl": _version("libcurl4"),
        "squashfuse": _version("squashfuse"),
        "commit": _commit(),
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _reclaim() -> str:
    """Whether the kernel takes pages back though there is memory left: what is read again may have gone then."""
    for state in Path("/sys/kernel/mm/damon/admin/kdamonds").glob("*/state"):
        actions = {path.read_text().strip() for path in state.parent.glob("contexts/*/schemes/*/action")}
        if state.read_text().strip() == "on" and "pageout" in actions:
            return ", DAMON pages out"
    return ""


def _first(path: str, pattern: str) -> str:
    found = re.search(pattern, Path(path).read_text())
    return found[1].strip() if found else "?"


def _version(package: str) -> str:
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or "?"


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or "?"
