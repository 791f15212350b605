"""From a change that the service has to a reader who sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from recording import curl_command
from report import Report
from stack import DEADLINE
from subjects import CONTENTFS
from world import Mount, World, read_list

SECTION = "One change"
CHANGES = 20  # fewer in a small stack


def bench(world: World, report: Report, mount: Mount, files: Path) -> None:
    """Publishes entries one by one, and looks at each."""
    paths = choose(files)
    row = report.row(SECTION, "refresh and cat, beyond the service's answer", "ms", {CONTENTFS: 20.0})
    whole = report.row(SECTION, "refresh and cat", "ms")
    report.progress(f"{len(paths)} changes, one by one")
    mount.refresh()
    for number, path in enumerate(paths):
        seconds, service = measure(world, mount, path, f"change {number}")
        row.add(CONTENTFS, seconds - service)
        whole.add(CONTENTFS, seconds)
    report.note(
        SECTION,
        f"{len(paths)} changes in a stack of {world.items} items, `contentfs refresh` and `cat` as processes. The service's "
        "answer is the time that curl takes for the same questions to the local stack, connecting not included.",
    )
    report.end(SECTION)


def choose(files: Path) -> list[str]:
    """Paths from all over a list."""
    paths = read_list(files)
    changes = max(1, min(CHANGES, len(paths) // 10))
    return [paths[number * len(paths) // changes] for number in range(changes)]


def measure(world: World, mount: Mount, path: str, title: str) -> tuple[float, float]:
    """Seconds for refresh and cat, and of these the service's."""
    world.publish(path, title)
    world.stack.control("requests-clear")
    seconds = world.tools.measure(mount.refresh_command(), mount.environment).wall
    seconds += world.tools.measure(["cat", mount.point / path]).wall
    if title.encode() not in (mount.point / path).read_bytes():
        sys.exit(f"scripts/bench: {path} does not show the change after a refresh")
    return seconds, _answer_time(world, world.stack.questions())


def _answer_time(world: World, questions: list[str]) -> float:
    command = curl_command(world.folder, world.stack.url, questions, world.environment())
    command += ["--write-out", "%{stderr}%{time_pretransfer} %{time_total}\\n"]
    done = subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True, timeout=DEADLINE
    )
    times = [line.split() for line in done.stderr.splitlines()]
    return sum(float(total) - float(before) for before, total in times)
