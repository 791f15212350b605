"""What is ordered to go wrong: faults of the stack, refused tokens, switches, and how a history is set up."""

from __future__ import annotations

import random
import time
from typing import Any

from clock import Clock
from faults import SHAPES, STATUSES, FaultQueue
from switches import Settings
from sync import SyncService

STRANGE = "blt0ddba11"  # how the uids begin that faults put into answers

_MATCHES = ("", "", "stacks/sync", "sync_token=", "pagination_token=", "init=true", "content_types")
_SWITCHES = {
    "page-size": ("1", "2", "3", "5", "10", "100"),
    "order": ("newest", "oldest", "shuffled"),
    "delta-events": ("all", "newest"),
    "empty-delta": ("short", "full"),
    "empty-pages": ("0", "0", "0", "1"),
    "deletions": ("locale", "no-locale"),
    "type-deletions": ("with-entries", "alone"),
    "asset-tombstones": ("sys_assets", "bare"),
    "cdn-lag": ("0", "0", "0", "1", "2"),
    "gzip-level": ("0", "1"),
    "multi-value": ("off", "on"),
    "honour-limit": ("off", "on"),
}


class CoarseClock(Clock):
    """Ticks so rarely that different items often share a time."""

    def __init__(self, tick: int) -> None:
        super().__init__()
        self._tick = tick  # milliseconds

    def now(self, after: int = 0) -> int:
        """As the base class promises."""
        self._last = max(self._last, time.time_ns() // 1_000_000 // self._tick * self._tick, after + 1)
        return self._last


def set_switches(source: random.Random, settings: Settings, only: int = len(_SWITCHES)) -> list[str]:
    """Sets some switches at random; returns what was set."""
    chosen = source.sample(sorted(_SWITCHES), only)
    values = {name: source.choice(_SWITCHES[name]) for name in chosen}
    for name, value in values.items():
        settings.set(name, value)
    return [f"set {name} {value}" for name, value in values.items()]


def _fault(source: random.Random) -> tuple[str, dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "status": {"body": source.choice(("json", "html", "empty"))},
        "reset": {},
        "reset-mid": {"bytes": source.choice((1, 200, 2000))},
        "close": {},
        "truncate": {"bytes": source.choice((1, 200, 2000))},
        "stall": {"bytes": source.choice((0, 100)), "seconds": 1},
        "stall-before": {"seconds": 1},
        "trickle": {"bytes": 100, "delay": 1},
        "huge": {"size": 1 << 20, "compressed": source.choice(("on", "off"))},
        "bad-gzip": {"style": source.choice(("garbage", "cut", "plain"))},
        "bad-json": {"bytes": source.choice((0, 1, 100))},
        "bad-utf8": {},
        "not-json": {},
        "wrong-type": {"shape": source.choice(SHAPES)},
        "redirect": {"to": "http://127.0.0.1:1/elsewhere", "status": source.choice((301, 302, 307))},
        "deep": {"depth": source.choice((20, 300, 100_000))},
        "no-publish-details": {},
        "unknown-item-type": {},
        "no-locale-tombstone": {},
        "null-data": {},
        "no-data": {},
        "no-uid": {},
        "bad-time": {},
        "repeat-items": {},
    }
    kind = source.choice([*kinds, *["status"] * 4, "wrong-type", "wrong-type", "repeat-items"])
    params = kinds[kind]
    if kind != "status":
        return kind, params
    status = source.choice(STATUSES)
    if status in (429, 503) and source.random() < 0.3:
        params[source.choice(("retry-after", "reset"))] = "1"
    return str(status), params


def order_faults(source: random.Random, faults: FaultQueue) -> list[str]:
    """One to seven faults in a row, of which five are more than a run bears; returns what was ordered."""
    said = []
    match, skip = source.choice(_MATCHES), source.choice((0, 0, 0, 1, 3))
    for _ in range(source.choice((1, 1, 2, 3, 3, 7))):
        kind, params = _fault(source)
        faults.add(kind, 1, match, skip, params)
        said.append(f"fault {kind} {params} match {match!r} skip {skip}")
        skip = 0
    return said


def cut_off(source: random.Random, faults: FaultQueue) -> list[str]:
    """Ends one to four runs, each at some question: what is taken up again is cut off again. Returns what was ordered."""
    said = []
    for _ in range(source.randrange(1, 5)):
        status, match = source.choice(("401", "403")), source.choice(_MATCHES)
        skip = source.randrange(4)
        faults.add(status, 1, match, skip, {"body": "json"})
        said.append(f"fault {status} match {match!r} skip {skip}")
    return said


def refuse(source: random.Random, sync: SyncService) -> list[str]:
    """Refuses tokens; returns how."""
    which = source.choice((["sync"], ["sync"], ["pagination"], ["sync", "pagination"]))
    times = source.choice((None, None, None, 1, 2, 4, 5))
    sync.refuse(which, times)
    return [f"refuse {'+'.join(which)} tokens, {times or 'for ever'}"]
