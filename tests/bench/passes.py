"""Reading everything, in the ways that people and programs do."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional

from measuring import Taken, Tools, await_rest, cpu_time, drop_caches, drops
from report import Report
from subjects import SQUASHFUSE, Subject

TRIES = 5
AGAIN_MOST, AGAIN_SECONDS = 4, 1.0  # a warm pass
_NOWHERE = "zebra crossing lamp post"  # no generated text has it: grep would stop at the first match
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass(frozen=True)
class Pass:
    """A command that goes through all entries. LIST in it stands for the list of files."""

    name: str
    command: list[str]
    expected: int = 0
    aims: dict[str, dict[str, float]] = field(default_factory=dict)  # by warm and cold, then by subject

    def run(self, tools: Tools, root: Path, files: Path) -> Taken:
        """Once, in a tree."""
        words = [tools.helper(word[1:]) if word.startswith("@") else word for word in self.command]
        words = [str(files) if word == "LIST" else word for word in words]
        return tools.measure(words, _ENVIRONMENT, root, self.expected)


PASSES = [
    Pass("find", ["find", "entries", "-type", "f"], aims={"warm": {"ext4": 1.0}}),
    Pass("ls -lR", ["ls", "-lR", "entries"]),
    Pass("stat", ["@files", "stat", "LIST"], aims={"warm": {"ext4": 1.2}}),
    Pass("open+read+close", ["@files", "read", "LIST"], aims={"warm": {"ext4": 1.3}}),
    Pass("grep -r", ["grep", "-r", _NOWHERE, "entries"], 1, aims={"warm": {"ext4": 1.2}, "cold": {"ext4": 0.25}}),
    Pass("rg", ["rg", "--no-config", _NOWHERE, "entries"], 1),
    Pass("tar", ["sh", "-c", "tar -cf - entries | cat"]),
]


@dataclass(frozen=True)
class Cost:
    """Seconds: of the clock, and of processors, by the reader and by the daemon behind the files. And the requests that the
    daemon got, where they are counted."""

    wall: float
    cpu: float
    requests: dict[str, int] = field(default_factory=dict)


class Passes:
    """Goes through the subjects in turn: each cold, and the same again, which is warm. Writes down whole times and requests,
    or `a_file`, times by file, of which no ratio is to be above that number."""

    def __init__(self, tools: Tools, report: Report, section: str, a_file: Optional[float] = None) -> None:
        self._tools, self._report, self._section, self._a_file = tools, report, section, a_file

    def round(self, subjects: list[Subject], number: int) -> None:
        """All passes over all subjects. Who is first changes from round to round."""
        turn = number % len(subjects)
        daemons = [subject.pid for subject in subjects if subject.pid]
        for one in PASSES:
            cold: dict[str, Cost] = {}
            warm: dict[str, Cost] = {}
            for subject in subjects[turn:] + subjects[:turn]:
                cold[subject.name], warm[subject.name] = self._undisturbed(one, subject, daemons)
            if self._tools.cold:
                self._write_down(one, "cold", subjects, cold)
            self._write_down(one, "warm", subjects, warm)
            for subject in subjects:
                self._count("first", one, cold[subject.name].requests)
                self._count("second", one, warm[subject.name].requests)

    def _undisturbed(self, one: Pass, subject: Subject, daemons: list[int]) -> tuple[Cost, Cost]:
        """Cold and warm, again if somebody else has dropped the caches meanwhile."""
        for _ in range(TRIES):
            if self._tools.cold:
                drop_caches()
            await_rest(daemons)
            before = drops()
            costs = self._cold_and_warm(one, subject)
            if drops() == before:
                return costs
        sys.exit("scripts/bench: another program keeps dropping the kernel's caches")

    def _write_down(self, one: Pass, heat: str, subjects: list[Subject], costs: dict[str, Cost]) -> None:
        name = f"{one.name}, {heat}"
        unit = "us" if self._a_file else "s"
        wall = self._report.row(self._section, name, unit, self._aims(one, heat, subjects))
        cpu = self._report.row(self._section, f"{name}, CPU", unit)
        for subject in subjects:
            files = subject.count if self._a_file else 1
            wall.add(subject.name, costs[subject.name].wall / files)
            cpu.add(subject.name, costs[subject.name].cpu / files)

    def _aims(self, one: Pass, heat: str, subjects: list[Subject]) -> dict[str, float]:
        """Everything is to be faster than squashfuse_ll."""
        others = [subject.name for subject in subjects[1:]]
        if self._a_file:
            return {other: self._a_file for other in others}
        aims = {SQUASHFUSE: 1.0, **one.aims.get(heat, {})}
        return {other: aims[other] for other in others if other in aims}

    def _cold_and_warm(self, one: Pass, subject: Subject) -> tuple[Cost, Cost]:
        """What is over soon is done again while warm, and the least counts: it is what was least disturbed."""
        run = self._counted if subject.mount and not self._a_file else self._uncounted
        cold, warm = run(one, subject)
        again = [self._run(one, subject) for _ in range(min(AGAIN_MOST, int(AGAIN_SECONDS / warm.wall)))]
        wall, cpu = min(cost.wall for cost in [warm, *again]), min(cost.cpu for cost in [warm, *again])
        return cold, Cost(wall, cpu, warm.requests)

    def _uncounted(self, one: Pass, subject: Subject) -> tuple[Cost, Cost]:
        return self._run(one, subject), self._run(one, subject)

    def _counted(self, one: Pass, subject: Subject) -> tuple[Cost, Cost]:
        """Twice, with the requests that each time takes."""
        assert subject.mount
        asked = [subject.mount.requests() for _ in range(3)]  # the first time costs more than the others
        asking = _difference(asked[1], asked[2])
        costs = []
        for _ in range(2):
            cost = self._run(one, subject)
            asked.append(subject.mount.requests())
            costs.append(replace(cost, requests=_difference(asking, _difference(asked[-2], asked[-1]))))
        return costs[0], costs[1]

    def _run(self, one: Pass, subject: Subject) -> Cost:
        before = cpu_time(subject.pid) if subject.pid else 0.0
        taken = one.run(self._tools, subject.root, subject.files)
        after = cpu_time(subject.pid) if subject.pid else 0.0
        return Cost(taken.wall, taken.cpu + after - before)

    def _count(self, which: str, one: Pass, requests: dict[str, int]) -> None:
        if not requests:
            return
        aims = {"requests": 0.0} if which == "second" else {}
        row = self._report.row(self._section, f"{one.name}, {which} pass", "", aims, compares=False)
        row.add("requests", sum(requests.values()))
        for name, count in requests.items():
            row.add(name, count)


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in after.items()}
