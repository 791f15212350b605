"""Faults: what can be ordered to go wrong, and the queue of what was ordered. How each is done: oddities.py, fields.py,
file_faults.py, transport.py."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Union

Param = Union[int, str, bool]
FILE_REQUESTS = ("asset_bytes", "asset_mirror")
STATUSES = (400, 401, 403, 404, 408, 412, 422, 429, 500, 502, 503, 504)
SHAPES = (
    "array string number null items-null items-object items-missing item-not-object no-token both-tokens same-token "
    "empty-token token-not-string"
).split()
VALUES = "missing null number digits string empty control array object large deep".split()
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "body"): ("json", "html", "empty"),
    ("bad-gzip", "style"): ("garbage", "cut", "plain", "unfinished", "checksum", "trailing"),
    ("bad-json", "style"): ("cut", "empty", "blank", "nul", "mark", "trailing", "comma", "nan", "twice"),
    ("bad-utf8", "where"): ("item", "page"),
    ("wrong-type", "shape"): tuple(SHAPES),
    ("field", "value"): tuple(VALUES),
    ("wrong-range", "style"): ("shifted", "start", "total", "garbage", "missing"),
    ("unsized", "style"): ("close", "chunked"),
}
_SHARE = {"bytes": 200, "part": -1}  # part: percent of the body, before bytes


class FaultError(ValueError):
    """There is no such fault, or it does not take that parameter."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `scope` says which requests it can befall: any, sync (each mode), page (a pagination token), file
    (the bytes of an asset), or range (those of them that are answered with a part)."""

    name: str
    meaning: str
    params: Mapping[str, Param] = field(default_factory=dict)
    scope: str = "any"


def _statuses() -> list[Kind]:
    kinds = []
    for status in STATUSES:
        params: dict[str, Param] = {"body": "json"}
        if status < 500:
            params.update({"code": 0, "errors": "", "reason": ""})
        if status in (429, 503):
            params.update({"retry-after": "", "reset": ""})
        kinds.append(Kind(str(status), f"status {status}; body json, html or empty", params))
    return kinds


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in [
        *_statuses(),
        Kind("reset", "RST before answering"),
        Kind("reset-mid", "RST after some bytes, or percent, of the body", _SHARE),
        Kind("close", "the connection ends without an answer"),
        Kind("truncate", "the connection ends before Content-Length is reached", _SHARE),
        Kind("stall", "headers and some bytes, or percent, of the body, then nothing", {**_SHARE, "bytes": 0, "seconds": 600}),
        Kind("stall-before", "nothing at all", {"seconds": 600}),
        Kind("trickle", "the answer in small pieces, slowly", {"bytes": 1, "delay": 100}),
        Kind("endless", "a body that does not end", {"delay": 1}),
        Kind("huge", "a body with one giant string", {"size": 64 << 20, "compressed": False}),
        Kind(
            "bad-gzip",
            "Content-Encoding: gzip, but garbage in it, cut, plain, unfinished (all the text, no end of the stream), a wrong "
            "checksum, or trailing bytes; Content-Length is right",
            {"style": "garbage"},
        ),
        Kind(
            "bad-json",
            "a body that is no JSON, with the right Content-Length: cut, empty, blank, a nul or a byte order mark before it, "
            "trailing bytes, a comma too many, nan, or twice",
            {"bytes": 0, "style": "cut"},
        ),
        Kind("bad-utf8", "bytes in a string that are not UTF-8, in an item or beside the items", {"where": "item"}, "sync"),
        Kind("content-type", "the right body under another Content-Type", {"type": "text/html"}),
        Kind(
            "field",
            "one field of the page (items, skip, limit, total_count, token) or of an item (item.type, item.data.uid, …) has "
            "another value: " + ", ".join(VALUES),
            {"field": "items", "value": "missing", "uid": "", "size": 1 << 20, "depth": 100_000},
            "sync",
        ),
        Kind("cycle", "page tokens that lead back: A, B, A, …", scope="page"),
        Kind("repeat-page", "each page begins with the items of the page that it befell before", scope="sync"),
        Kind("not-json", "200 with an HTML page"),
        Kind("wrong-type", "JSON of the wrong shape: " + ", ".join(SHAPES), {"shape": "array"}),
        Kind(
            "redirect",
            "a redirect to a URL; {file} in it stands for what follows /v3/assets in the path, and the stack serves that "
            "under /mirror as well, to anybody",
            {"to": "", "status": 302},
        ),
        Kind(
            "length",
            "Content-Length differs by so many bytes; what is too much is left out, after what is too little the "
            "connection ends",
            {"by": -1},
        ),
        Kind(
            "unsized",
            "no Content-Length: the end of the connection ends the body, or it is chunked; of less than 100 percent of it "
            "no end is told",
            {"style": "close", "part": 100},
        ),
        Kind("gzip", "the body is compressed, whether that was asked for or not"),
        Kind("416", "status 416 for a range that can be had, with the size of the file or without", {"size": True}, "range"),
        Kind("range-ignored", "200 with the whole file, although a part was asked for", scope="range"),
        Kind(
            "wrong-range",
            "another Content-Range: shifted by some bytes, as the body is; a start or a total that is wrong by them, over "
            "the right body; garbage; or none",
            {"style": "shifted", "by": 1},
            "range",
        ),
        Kind(
            "changed",
            "the URL has another file, with another ETag and size by so many bytes: the same one for each request that the "
            "fault befalls",
            {"by": 0},
            "file",
        ),
        Kind("deep", "an item nested this deep", {"depth": 100_000}, "sync"),
        Kind("no-publish-details", "one more item, published, without publish_details", scope="sync"),
        Kind("unknown-item-type", "one more item, of a type that does not exist", scope="sync"),
        Kind(
            "no-locale-tombstone",
            "one more item, entry_deleted without locale",
            {"uid": "blt0ddba11000000000", "content-type": ""},
            "sync",
        ),
        Kind("null-data", "one more item whose data is null", scope="sync"),
        Kind("no-data", "one more item without data", scope="sync"),
        Kind("no-uid", "one more item whose data has no uid", scope="sync"),
        Kind("bad-time", "one more item with a malformed event_at", scope="sync"),
        Kind("repeat-items", "every item of the page twice", scope="sync"),
    ]
}


@dataclass
class Fault:
    """One order. `released` is set when it is taken back, which also ends what it is still doing."""

    number: int
    kind: Kind
    left: Optional[int]  # None: until cleared
    match: str
    params: dict[str, Param]
    skip: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    memory: list[str] = field(default_factory=list)  # what it saw before, for kinds that need that

    def text(self, name: str) -> str:
        """A parameter as text."""
        return str(self.params[name])

    def text_or(self, name: str, default: str = "") -> str:
        """A parameter as text, if the kind has it."""
        return str(self.params.get(name, default))

    def number_of(self, name: str) -> int:
        """A parameter as a number."""
        return int(self.params[name])

    def befalls(self, target: str, request_kind: str) -> bool:
        """Whether it can befall that request."""
        if self.match and self.match not in target:
            return False
        if self.kind.name == "wrong-type" and self.params["shape"] == "same-token":
            return request_kind == "sync_page"
        if self.kind.scope == "page":
            return request_kind == "sync_page"
        if self.kind.scope in ("file", "range"):
            return request_kind in FILE_REQUESTS
        return self.kind.scope == "any" or request_kind.startswith("sync")

    def describe(self) -> dict[str, Any]:
        """For the control client."""
        shown: dict[str, Any] = {"number": self.number, "kind": self.kind.name, "left": self.left, "skip": self.skip}
        return {**shown, "match": self.match, "params": self.params}


def _converted(kind: Kind, name: str, value: Any) -> Param:
    if name not in kind.params:
        raise FaultError(f"{kind.name} takes no {name!r}" + (f", but {', '.join(kind.params)}" if kind.params else ""))
    default = kind.params[name]
    if isinstance(default, bool):
        return str(value).lower() in ("true", "on", "1")
    if isinstance(default, int):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise FaultError(f"{name} must be a number") from None
    return str(value)


def _check(kind: Kind, params: dict[str, Param]) -> None:
    for (kind_name, name), allowed in CHOICES.items():
        if kind_name in ("", kind.name) and name in params and params[name] not in allowed:
            raise FaultError(f"{name} must be one of {', '.join(allowed)}")
    if kind.name == "redirect" and not params["to"]:
        raise FaultError("redirect needs a URL: --to")
    if int(params.get("part", 0)) > 100:
        raise FaultError("part must be 100 or less")


class FaultQueue:
    """What was ordered and is not used up. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._running: list[Fault] = []
        self._numbers = itertools.count(1)

    def add(
        self, name: str, times: Optional[int] = 1, match: str = "", skip: int = 0, params: Optional[dict[str, Any]] = None
    ) -> Fault:
        """Orders a fault for the next `times` matching requests (None: until cleared), after sparing `skip` of them."""
        kind = KINDS.get(name)
        if kind is None:
            raise FaultError(f"no fault is named {name!r}; there are {', '.join(KINDS)}")
        if times is not None and times < 1:
            raise FaultError("times must be 1 or more")
        merged = dict(kind.params)
        for key, value in (params or {}).items():
            merged[key] = _converted(kind, key, value)
        _check(kind, merged)
        fault = Fault(next(self._numbers), kind, times, match, merged, skip)
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, target: str, request_kind: str) -> Optional[Fault]:
        """The fault that befalls a request, if any; uses it up by one."""
        with self._lock:
            for fault in self._faults:
                if not fault.befalls(target, request_kind):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left == 0:
                        self._faults.remove(fault)
                self._running.append(fault)
                return fault
        return None

    def give_back(self, fault: Fault) -> None:
        """The request that it befell had nothing to do it to: it waits for another."""
        with self._lock:
            self._running.remove(fault)
            if fault.left is None or fault.released.is_set():
                return
            fault.left += 1
            if fault not in self._faults:
                self._faults.append(fault)
                self._faults.sort(key=lambda one: one.number)

    def done(self, fault: Fault) -> None:
        """The request that a fault befell is over."""
        with self._lock:
            self._running.remove(fault)

    def clear(self) -> int:
        """Takes everything back, also what is stalling a request now. Returns how many orders were open."""
        with self._lock:
            open_orders = len(self._faults)
            for fault in [*self._faults, *self._running]:
                fault.released.set()
            self._faults.clear()
        return open_orders

    def describe(self) -> list[dict[str, Any]]:
        """The open orders."""
        with self._lock:
            return [fault.describe() for fault in self._faults]
