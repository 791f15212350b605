"""What was measured: rows of samples, one a round, and the tables made of them.

A time by itself says nothing about a machine that others use too: so what is compared alternates, round by round, and a row
shows the median of the ratios of each round and how far they spread.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

_UNITS = {"s": (1.0, "s"), "ms": (1e3, "ms"), "us": (1e6, "µs"), "MiB": (1 / (1 << 20), "MiB"), "": (1.0, "")}


@dataclass
class Row:
    """One thing, measured of one or several subjects in the same rounds. `aims`: the most that is wanted of the ratio of
    the first subject to another one, or, under its own name, of its value as shown."""

    section: str
    name: str
    unit: str  # how values are shown; times are in seconds, sizes in bytes
    aims: dict[str, float] = field(default_factory=dict)
    samples: dict[str, list[float]] = field(default_factory=dict)
    compares: bool = True  # else the subjects are columns that have nothing to do with one another

    def add(self, subject: str, value: float) -> None:
        """What a round found."""
        self.samples.setdefault(subject, []).append(value)

    def subjects(self) -> list[str]:
        """The first is compared with the others."""
        return list(self.samples)

    def median(self, subject: str) -> float:
        """As shown, in the row's unit."""
        return statistics.median(self.samples[subject]) * _UNITS[self.unit][0]

    def ratios(self, other: str) -> list[float]:
        """How many times as much the first has as the other, in each of the rounds."""
        first = self.samples[self.subjects()[0]]
        return [one / base for one, base in zip(first, self.samples[other]) if base]

    def is_met(self, other: str) -> Optional[bool]:
        """Whether the aim is, if there is one."""
        aim = self.aims.get(other)
        if aim is None:
            return None
        if other == self.subjects()[0] or not self.compares:
            return self.median(other) <= aim
        ratios = self.ratios(other)
        return not ratios or statistics.median(ratios) <= aim

    def value_cell(self, subject: str) -> str:
        """The median; the spread too, unless that of the ratios says more."""
        scale, unit = _UNITS[self.unit]
        values = [value * scale for value in self.samples[subject]]
        text = f"{_number(statistics.median(values))} {unit}".rstrip()
        if subject != self.subjects()[0] and self.compares:
            return text
        if min(values) != max(values):
            text += f" ({_number(min(values))}–{_number(max(values))})"
        return text + self._aim(subject)

    def ratio_cell(self, other: str) -> str:
        """The median of the ratios, and their spread."""
        ratios = self.ratios(other)
        if not ratios:
            return "–"
        text = f"{_number(statistics.median(ratios))}"
        if len(ratios) > 1:
            text += f" ({_number(min(ratios))}–{_number(max(ratios))})"
        return text + self._aim(other)

    def cell(self, subject: str) -> str:
        """The one that an aim is about."""
        is_ratio = self.compares and subject != self.subjects()[0]
        return self.ratio_cell(subject) if is_ratio else self.value_cell(subject)

    def _aim(self, other: str) -> str:
        met = self.is_met(other)
        return "" if met is None else f" {'≤' if met else '> !'} {self.aims[other]:g}"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.1 else f"{value:.2g}"


class Report:
    """Prints each section when it is whole, and writes everything at the end."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._notes: dict[str, list[str]] = {}
        self._printed: set[str] = set()

    def row(
        self, section: str, name: str, unit: str, aims: Optional[dict[str, float]] = None, compares: bool = True
    ) -> Row:
        """The row of that name, made when it is asked for first."""
        for row in self._rows:
            if (row.section, row.name) == (section, name):
                return row
        row = Row(section, name, unit, aims or {}, compares=compares)
        self._rows.append(row)
        return row

    def note(self, section: str, text: str) -> None:
        """A sentence below the section's table, once."""
        notes = self._notes.setdefault(section, [])
        if text not in notes:
            notes.append(text)

    def end(self, section: str) -> None:
        """Prints the section."""
        print("\n" + "\n".join(self._section(section)), flush=True)

    def _section(self, section: str) -> list[str]:
        rows = [row for row in self._rows if row.section == section]
        lines = [f"## {section}", ""]
        for group in _grouped(rows):
            lines += _table(group) + [""]
        return lines + self._notes.get(section, [])

    def progress(self, text: str) -> None:
        """A line for who waits."""
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def markdown(self, machine: dict[str, str], command: str) -> str:
        """All of it as a document."""
        lines = [f"Measured with `{command}`.", ""]
        lines += ["| | |", "| --- | --- |"] + [f"| {name} | {value} |" for name, value in machine.items()] + [""]
        for section in dict.fromkeys(row.section for row in self._rows):
            lines += self._section(section) + [""]
        return "\n".join(lines).rstrip() + "\n"

    def write_json(self, path: Path, machine: dict[str, str], command: str) -> None:
        """All samples."""
        rows = [
            {"section": row.section, "name": row.name, "unit": row.unit, "aims": row.aims, "samples": row.samples}
            for row in self._rows
        ]
        path.write_text(json.dumps({"command": command, "machine": machine, "rows": rows}, indent=2) + "\n")

    def missed(self) -> list[str]:
        """The rows whose aims were not reached."""
        return [
            f"{row.name}: {row.cell(other)} ({other})"
            for row in self._rows
            for other in row.aims
            if other in row.samples and not row.is_met(other)
        ]


def _grouped(rows: list[Row]) -> list[list[Row]]:
    """Rows of the same subjects share a table."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.compares, *row.subjects()), []).append(row)
    return list(groups.values())


def _table(rows: list[Row]) -> list[str]:
    subjects = rows[0].subjects()
    others = subjects[1:] if rows[0].compares else []
    cells = [["", *subjects, *(f"{subjects[0]} / {other}" for other in others)]]
    for row in rows:
        cells.append(
            [row.name, *(row.value_cell(each) for each in subjects), *(row.ratio_cell(other) for other in others)]
        )
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |" for line in cells]
    return [lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]]
