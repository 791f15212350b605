"""Reading everything, in the ways that people and programs do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from measuring import Taken, Tools, can_drop_caches, drop_caches
from report import Report, Row
from subjects import SQUASHFUSE, Subject

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


class Passes:
    """Goes through the subjects in turn: each cold, and the same again, which is warm."""

    def __init__(self, tools: Tools, report: Report, section: str, files: Path) -> None:
        self._tools, self._report, self._section, self._files = tools, report, section, files

    def row(self, one: Pass, heat: str, subjects: list[Subject]) -> Row:
        """Where a pass is written down. Everything is to be faster than squashfuse_ll."""
        aims = {SQUASHFUSE: 1.0, **one.aims.get(heat, {})}
        names = [subject.name for subject in subjects]
        return self._report.row(
            self._section, f"{one.name}, {heat}", "s", {name: aim for name, aim in aims.items() if name in names}
        )

    def round(self, subjects: list[Subject], number: int) -> None:
        """All passes over all subjects. Who is first changes from round to round."""
        cold = can_drop_caches()
        turn = number % len(subjects)
        for one in PASSES:
            times: dict[str, tuple[float, float]] = {}
            for subject in subjects[turn:] + subjects[:turn]:
                if cold:
                    drop_caches()
                times[subject.name] = self._twice(one, subject, number)
            for subject in subjects:
                if cold:
                    self.row(one, "cold", subjects).add(subject.name, times[subject.name][0])
                self.row(one, "warm", subjects).add(subject.name, times[subject.name][1])

    def _twice(self, one: Pass, subject: Subject, number: int) -> tuple[float, float]:
        if not subject.mount:
            return self._wall(one, subject), self._wall(one, subject)
        before = subject.mount.requests()
        base = _difference(before, subject.mount.requests())  # what asking costs
        states = [subject.mount.requests()]
        times = []
        for _ in range(2):
            times.append(self._wall(one, subject))
            states.append(subject.mount.requests())
        for which, first, second in zip(("first", "second"), states, states[1:]):
            requests = _difference(first, second)
            self._count(which, one, {name: count - base[name] for name, count in requests.items()})
        return times[0], times[1]

    def _wall(self, one: Pass, subject: Subject) -> float:
        return one.run(self._tools, subject.root, self._files).wall

    def _count(self, which: str, one: Pass, requests: dict[str, int]) -> None:
        aims = {"requests": 0.0} if which == "second" else {}
        row = self._report.row(self._section, f"{one.name}, {which} pass", "", aims, compares=False)
        row.add("requests", sum(requests.values()))
        for name, count in requests.items():
            row.add(name, count)


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in after.items()}
