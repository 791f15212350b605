"""The table of outcomes: each kind of answer that the service may give, and what contentfs should come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator

UNAVAILABLE, NONSENSE, REFUSED, BAD_QUERY = 69, 76, 77, 78  # exit statuses of a refresh

# What becomes of an item with one odd field, once a refresh has succeeded:
RIGHT = "right"  # the tree is as if nothing had been odd
SHOWN = "shown"  # its file is what was sent
KEPT = "kept"  # it is in the quarantine, and its file what it was before


@dataclass(frozen=True)
class Case:
    """A fault of a page. A refresh overcomes it, or says `status`; the next one brings the truth."""

    name: str
    kind: str
    status: int
    params: dict[str, Any] = field(default_factory=dict)
    lasts: bool = False  # until it is taken back; then the refresh must say `status`
    stalls: bool = False  # nothing comes until it is taken back
    may_lose: bool = False  # the page is a right one, with other items: what it lost comes when it is published again


@dataclass(frozen=True)
class ItemCase:
    """An odd field of one item."""

    field: str
    value: str
    outcome: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.field} {self.value}: {self.outcome}"


_ALL = "missing null number string array object large deep"  # of any field


def refusals() -> Iterator[Case]:
    """Answers other than 200."""
    for status in (400, 404):
        for body in ("json", "html", "empty"):
            yield Case(f"{status} {body}", str(status), NONSENSE, {"body": body})
    for status in (401, 403):
        for body in ("json", "html", "empty"):
            yield Case(f"{status} {body}", str(status), REFUSED, {"body": body}, lasts=True)
    yield Case("401, error 105", "401", REFUSED, {"code": 105}, lasts=True)
    yield Case("412, error 109", "412", REFUSED, {"code": 109}, lasts=True)
    mismatch = {"errors": "access_token", "reason": "environment or access token is not matched."}
    yield Case("422, error 141, environment and token not matched", "422", REFUSED, mismatch, lasts=True)
    for name in ("api_key", "access_token", "environment"):
        yield Case(f"422, error 141, {name}", "422", REFUSED, {"errors": name}, lasts=True)
    for name in ("branch", "init", "type", "locale", "content_type_uid", "start_from", "limit", "something"):
        yield Case(f"422, error 141, {name}", "422", BAD_QUERY, {"errors": name}, lasts=True)
    yield Case("422, error 118, uid", "422", BAD_QUERY, {"errors": "uid", "code": 118}, lasts=True)
    yield Case("422 html", "422", NONSENSE, {"body": "html"})
    for name in ("sync_token", "pagination_token"):
        yield Case(f"422, error 141, {name}, once", "422", NONSENSE, {"errors": name})
    for name in ("json", "html", "empty"):
        yield Case(f"500 {name}", "500", UNAVAILABLE, {"body": name})
    for status, name in ((408, "json"), (502, "html"), (503, "html"), (504, "empty")):
        yield Case(f"{status} {name}", str(status), UNAVAILABLE, {"body": name})
    yield Case("500 for as long as it takes", "500", UNAVAILABLE, lasts=True)


def limits() -> Iterator[Case]:
    """429, and when to come again. A client may well go slower after each, so these are few."""
    for params in ({}, {"retry-after": "1"}, {"retry-after": "date:1"}, {"reset": "1"}):
        yield _limit(params)


def more_limits() -> Iterator[Case]:
    """429 in odder forms; for clients that have met none yet."""
    yield from limits()
    for params in (
        {"body": "html"},
        {"body": "empty"},
        {"retry-after": "0"},
        {"retry-after": "soon"},
        {"retry-after": "-5"},
        {"retry-after": "date:-86400"},
        {"reset": "-86400"},
    ):
        yield _limit(params)
    yield Case("503 retry-after 1", "503", UNAVAILABLE, {"retry-after": "1"})


def _limit(params: dict[str, Any]) -> Case:
    text = ", ".join(f"{name} {value}" for name, value in params.items())
    return Case(f"429 {text or 'without a time'}", "429", UNAVAILABLE, params)


def connections() -> Iterator[Case]:
    """Connections that end too soon, or bring nothing."""
    for kind in ("reset", "close"):
        yield Case(f"{kind} before the answer", kind, UNAVAILABLE)
    for size in (0, 1, 200):
        yield Case(f"reset after {size} bytes", "reset-mid", UNAVAILABLE, {"bytes": size})
        yield Case(f"cut off after {size} bytes", "truncate", UNAVAILABLE, {"bytes": size})
    yield Case("cut off before the last byte", "truncate", UNAVAILABLE, {"bytes": 1 << 30})
    yield Case("stalled before the answer", "stall-before", UNAVAILABLE, stalls=True)
    yield Case("stalled after the head", "stall", UNAVAILABLE, stalls=True)
    yield Case("stalled after 100 bytes", "stall", UNAVAILABLE, {"bytes": 100}, stalls=True)
    yield Case("trickling", "trickle", UNAVAILABLE, {"bytes": 20, "delay": 10})
    yield Case("reset for as long as it takes", "reset", UNAVAILABLE, lasts=True)


def bodies() -> Iterator[Case]:
    """Bodies that are damaged, or another thing altogether."""
    yield Case("HTML with status 200", "not-json", NONSENSE)
    yield Case("HTML for as long as it takes", "not-json", NONSENSE, lasts=True)
    for mime in ("text/html", "application/octet-stream", "nonsense"):
        yield Case(f"JSON that is called {mime}", "content-type", NONSENSE, {"type": mime})
    for style in ("garbage", "cut", "plain", "unfinished", "checksum", "trailing"):
        yield Case(f"gzip, {style}", "bad-gzip", NONSENSE, {"style": style})
    for style in ("cut", "empty", "blank", "nul", "mark", "trailing", "comma", "nan", "twice"):
        yield Case(f"JSON, {style}", "bad-json", NONSENSE, {"style": style})
    yield Case("UTF-8 that is none beside the items", "bad-utf8", NONSENSE, {"where": "page"})
    yield Case("UTF-8 that is none in an item", "bad-utf8", NONSENSE)
    yield Case("larger than the limit", "huge", NONSENSE, {"size": 257 << 20})
    yield Case("larger than the limit, compressed", "huge", NONSENSE, {"size": 257 << 20, "compressed": True})
    yield Case("endless", "endless", NONSENSE, {"delay": 0})


def redirects(elsewhere: str) -> Iterator[Case]:
    """Redirects; `elsewhere` is a URL of another host."""
    for status in (301, 302, 303, 307, 308):
        yield Case(f"{status} to another host", "redirect", NONSENSE, {"to": elsewhere, "status": status})
    yield Case("302 to another path", "redirect", NONSENSE, {"to": "/v3/elsewhere"})
    yield Case("302 to nonsense", "redirect", NONSENSE, {"to": "http://[:::"})


def shapes() -> Iterator[Case]:
    """JSON that is no page of the Sync API, and pages with odd tokens."""
    for shape in ("array", "string", "number", "null", "no-token", "both-tokens"):
        yield Case(f"the body: {shape}", "wrong-type", NONSENSE, {"shape": shape})
    yield Case("an item that is no object", "wrong-type", NONSENSE, {"shape": "item-not-object"})
    yield Case("the same page token again", "wrong-type", NONSENSE, {"shape": "same-token"})
    values = {name: _ALL for name in ("items", "skip", "limit", "total_count")}
    values["token"] = "missing null empty control number array object large deep"  # any other string may be a token
    for name in values:
        for value in values[name].split():
            case = {"field": name, "value": value, "size": 300_000}
            yield Case(f"{name} {value}", "field", NONSENSE, case, may_lose=name == "items" and value in ("array", "deep"))


# Values of a field by what becomes of the item.
_OPTIONAL = {SHOWN: "missing null number string array object large", KEPT: "deep"}
_FIELDS = {
    "type": {KEPT: _ALL},
    "event_at": {RIGHT: "missing null number string array object large", KEPT: "deep"},
    "content_type_uid": {KEPT: "missing null empty number array object large deep"},
    "data": {KEPT: _ALL},
    "data.uid": {KEPT: "missing null empty number array object large deep"},
    "data.locale": _OPTIONAL,
    "data.title": {SHOWN: "missing null empty control number array object large", KEPT: "deep"},
    "data.updated_at": _OPTIONAL,
    "data._version": {SHOWN: "missing null digits string array object large", KEPT: "deep"},
    "data.publish_details": _OPTIONAL,
    "data.publish_details.locale": {SHOWN: "missing null empty", KEPT: "number array object large deep"},
    "data.publish_details.time": _OPTIONAL,
}


def items() -> Iterator[ItemCase]:
    """Fields of an entry that was published."""
    for name, outcomes in _FIELDS.items():
        for outcome, values in outcomes.items():
            for value in values.split():
                yield ItemCase(name, value, outcome)


def removals() -> Iterator[ItemCase]:
    """Fields of an entry that was unpublished. Without a locale it goes from all, and so from its only one."""
    for name in ("type", "data", "data.uid", "content_type_uid", "event_at"):
        for value in ("missing", "number", "large"):
            yield ItemCase(name, value, KEPT)
    for value in ("number", "array", "object", "large", "deep"):
        yield ItemCase("data.locale", value, KEPT)
    for value in ("missing", "null", "empty"):
        yield ItemCase("data.locale", value, RIGHT)
