#!/usr/bin/env python3
"""Was a page fetched twice without need? Judges what a killed contentfs and the one after it asked of the stack.

The stack gives equal tokens for equal content, so a request of one process can be recognized in another one. Each request
for a page of a listing or a delta is one question. Asserted is:

  * Both together ask what a run without a kill asks, no page less and none besides.
  * Neither process asks a question twice.
  * Both ask the same question only where there was need: the answer was not committed before the kill. It was not if it
    was asked after the last commit began; and one question of each stream may have been under way while that commit was
    made, as the next page is asked for before the last one is stored.

A first run in parts that is killed before it has noted its parts goes on as one in one part: with --undivided that is right
too, and what it asked for the seed of the parts (`start_from`) and, since its last commit began, for the parts counts for
nothing then.

So the bound is: questions of the killed process since its last commit began, and one a stream. It does not grow with the
size of a run: a process that starts again from the beginning breaks it, and so does one that forgets a commit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from typing import Any, NamedTuple


class Question(NamedTuple):
    """One page that was asked for."""

    kind: str
    query: str


class Journal:
    """What one process asked, in the order of arrival."""

    def __init__(self, path: str, delta: str) -> None:
        with open(path, encoding="utf-8") as file:
            self.entries: list[dict[str, Any]] = json.load(file)["requests"]
        self.entries = [entry for entry in self.entries if self._is_page(entry, delta)]
        self._count()

    @staticmethod
    def _is_page(entry: dict[str, Any], delta: str) -> bool:
        """A delta is a page where it brings news. Questions for news that there is none of may be asked at any time."""
        return entry["kind"] in ("sync_init", "sync_page") or (entry["kind"] == "sync_delta" and entry["query"] == delta)

    def since(self, moment: float) -> int:
        """How many were asked since then."""
        return sum(1 for entry in self.entries if entry["time"] >= moment)

    def forget_parts(self, whole: Journal, moment: float) -> None:
        """Drops the questions for a seed, and since then those for parts: what is none of the whole listing."""
        self.entries = [
            entry
            for entry in self.entries
            if Question(entry["kind"], entry["query"]) in whole.questions
            or ("start_from=" not in entry["query"] and entry["time"] < moment)
        ]
        self._count()

    def _count(self) -> None:
        self.questions = Counter(Question(entry["kind"], entry["query"]) for entry in self.entries)

    def repeated(self) -> list[Question]:
        """The questions that were asked twice."""
        return [question for question, times in self.questions.items() if times > 1]


def first_delta(path: str) -> str:
    """The query of the first question for news."""
    with open(path, encoding="utf-8") as file:
        return next(entry["query"] for entry in json.load(file)["requests"] if entry["kind"] == "sync_delta")


def last_commit(path: str) -> float:
    """When it began; long ago if there was none."""
    try:
        with open(path, encoding="ascii") as file:
            return max((float(line) for line in file if line[0].isdigit()), default=0.0)
    except FileNotFoundError:
        return 0.0


def faults(whole: Journal, killed: Journal, again: Journal, commits: str) -> list[str]:
    """What both together asked otherwise than a run without a kill, in words."""
    streams = max(1, whole.questions.total() - sum(1 for q in whole.questions if q.kind == "sync_page"))
    both = killed.questions & again.questions
    bound = killed.since(last_commit(commits)) + streams
    print(f"{len(whole.questions)} pages; killed after {killed.questions.total()}, then {again.questions.total()},"
          f" {both.total()} again, at most {bound}")  # fmt: skip
    wrong = {
        "never asked for": set(whole.questions) - set(killed.questions) - set(again.questions),
        "asked for besides": (set(killed.questions) | set(again.questions)) - set(whole.questions),
        "twice by one process": killed.repeated() + again.repeated(),
    }
    said = [f"{text}: {sorted(questions)[:5]}" for text, questions in wrong.items() if questions]
    return said + (["more again than there was need for"] if both.total() > bound else [])


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("whole", help="a journal of the stack: of a run without a kill")
    parser.add_argument("killed", help="of one that was killed")
    parser.add_argument("again", help="of the one after it")
    parser.add_argument("commits", help="the commits of the one that was killed, from tests/shim")
    parser.add_argument("--delta", action="store_true", help="the run is a delta, and begins with the first one asked for")
    parser.add_argument("--undivided", metavar="JOURNAL", help="of a run in one part without a kill")
    options = parser.parse_args()
    delta = first_delta(options.whole) if options.delta else ""
    killed, again = (Journal(path, delta) for path in (options.killed, options.again))
    said = faults(Journal(options.whole, delta), killed, again, options.commits)
    if said and options.undivided:
        undivided = Journal(options.undivided, delta)
        killed.forget_parts(undivided, last_commit(options.commits))
        said = faults(undivided, killed, again, options.commits) and said
    print(*said, sep="\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
