"""Reading everything, in the ways that people and programs do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from measuring import Taken, Tools, await_rest, can_drop_caches, drop_caches
from report import Report, Row
from subjects import SQUASHFUSE, Subject

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


class Passes:
    """Goes through the subjects in turn: each cold, and the same again, which is warm. Writes down whole times and requests,
    or `a_file`, times by file, of which no ratio is to be above that number."""

    def __init__(self, tools: Tools, report: Report, section: str, a_file: Optional[float] = None) -> None:
        self._tools, self._report, self._section, self._a_file = tools, report, section, a_file

    def _row(self, one: Pass, heat: str, subjects: list[Subject]) -> Row:
        """Where a pass is written down. Everything is to be faster than squashfuse_ll."""
        name, others = f"{one.name}, {heat}", [subject.name for subject in subjects[1:]]
        if self._a_file:
            return self._report.row(self._section, name, "us", {other: self._a_file for other in others})
        aims = {SQUASHFUSE: 1.0, **one.aims.get(heat, {})}
        return self._report.row(self._section, name, "s", {other: aims[other] for other in others if other in aims})

    def _write_down(self, one: Pass, heat: str, subjects: list[Subject], times: dict[str, float]) -> None:
        row = self._row(one, heat, subjects)
        for subject in subjects:
            row.add(subject.name, times[subject.name] / (subject.count if self._a_file else 1))

    def round(self, subjects: list[Subject], number: int) -> None:
        """All passes over all subjects. Who is first changes from round to round."""
        turn = number % len(subjects)
        daemons = [subject.pid for subject in subjects if subject.pid]
        for one in PASSES:
            cold: dict[str, float] = {}
            warm: dict[str, float] = {}
            for subject in subjects[turn:] + subjects[:turn]:
                if can_drop_caches():
                    drop_caches()
                await_rest(daemons)
                cold[subject.name], warm[subject.name] = self._cold_and_warm(one, subject)
            if can_drop_caches():
                self._write_down(one, "cold", subjects, cold)
            self._write_down(one, "warm", subjects, warm)

    def _cold_and_warm(self, one: Pass, subject: Subject) -> tuple[float, float]:
        """What is over soon is done again while warm, and the shortest time counts: it is the least disturbed."""
        cold, warm = self._counted(one, subject) if self._counts(subject) else (self._wall(one, subject), self._wall(one, subject))
        again = min(AGAIN_MOST, int(AGAIN_SECONDS / warm))
        return cold, min([warm] + [self._wall(one, subject) for _ in range(again)])

    def _counts(self, subject: Subject) -> bool:
        return subject.mount is not None and not self._a_file

    def _counted(self, one: Pass, subject: Subject) -> tuple[float, float]:
        """Twice, with the requests that each time takes."""
        assert subject.mount
        asked = [subject.mount.requests() for _ in range(3)]  # the first time costs more than the others
        asking = _difference(asked[1], asked[2])
        walls = []
        for which in ("first", "second"):
            walls.append(self._wall(one, subject))
            asked.append(subject.mount.requests())
            requests = _difference(asked[-2], asked[-1])
            self._count(which, one, {name: count - asking[name] for name, count in requests.items()})
        return walls[0], walls[1]

    def _wall(self, one: Pass, subject: Subject) -> float:
        return one.run(self._tools, subject.root, subject.files).wall

    def _count(self, which: str, one: Pass, requests: dict[str, int]) -> None:
        aims = {"requests": 0.0} if which == "second" else {}
        row = self._report.row(self._section, f"{one.name}, {which} pass", "", aims, compares=False)
        row.add("requests", sum(requests.values()))
        for name, count in requests.items():
            row.add(name, count)


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in after.items()}
