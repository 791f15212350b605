#!/usr/bin/env python3
"""Was a page fetched twice without need? Judges what a killed contentfs and the one after it asked of the stack.

The stack gives equal tokens for equal content, so a request of one process can be recognized in another one. Each request
for a page of a listing or a delta is one question. Asserted is:

  * Both together ask what a run without a kill asks, no page less and none besides.
  * Neither process asks a question twice.
  * Both ask the same question only where there was need: the answer was not committed before the kill. It was not if it
    was asked after the last commit began; and one question of each stream may have been under way while that commit was
    made, as the next page is asked for before the last one is stored.

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
        self.questions = Counter(Question(entry["kind"], entry["query"]) for entry in self.entries)

    @staticmethod
    def _is_page(entry: dict[str, Any], delta: str) -> bool:
        """A delta is a page where it brings news. Questions for news that there is none of may be asked at any time."""
        return entry["kind"] in ("sync_init", "sync_page") or (entry["kind"] == "sync_delta" and entry["query"] == delta)

    def since(self, moment: float) -> int:
        """How many were asked since then."""
        return sum(1 for entry in self.entries if entry["time"] >= moment)

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


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("whole", help="a journal of the stack: of a run without a kill")
    parser.add_argument("killed", help="of one that was killed")
    parser.add_argument("again", help="of the one after it")
    parser.add_argument("commits", help="the commits of the one that was killed, from tests/shim")
    parser.add_argument("--delta", action="store_true", help="the run is a delta, and begins with the first one asked for")
    options = parser.parse_args()
    delta = first_delta(options.whole) if options.delta else ""
    whole, killed, again = (Journal(path, delta) for path in (options.whole, options.killed, options.again))
    streams = max(1, whole.questions.total() - sum(1 for q in whole.questions if q.kind == "sync_page"))
    both = killed.questions & again.questions
    bound = killed.since(last_commit(options.commits)) + streams
    missing = set(whole.questions) - set(killed.questions) - set(again.questions)
    besides = (set(killed.questions) | set(again.questions)) - set(whole.questions)
    twice = killed.repeated() + again.repeated()
    print(f"{len(whole.questions)} pages; killed after {killed.questions.total()}, then {again.questions.total()},"
          f" {both.total()} again, at most {bound}")  # fmt: skip
    for text, wrong in (("never asked for", missing), ("asked for besides", besides), ("twice by one process", twice)):
        if wrong:
            print(f"{text}: {sorted(wrong)[:5]}")
    return 1 if missing or besides or twice or both.total() > bound else 0


if __name__ == "__main__":
    sys.exit(main())
