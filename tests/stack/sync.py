"""The Sync API: runs, pages and tokens.

A run is a snapshot: its pages are the same however often and however late they are fetched. What changes meanwhile comes
with the next delta. A token is a digest of what it stands for, so the same question gets the same token.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Callable, NamedTuple, Optional

import wire
from access import Query, invalid, unknown_content_type
from content import Content
from events import TYPES, Event, Filter, item_text
from switches import Settings

RUNS_KEPT = 64
MODES = ("init", "pagination_token", "sync_token")
_INIT = {"init", "content_type_uid", "locale", "start_from", "type", "environment", "limit", "include_count"}
_BESIDE_TOKEN = {"environment", "include_count", "type", "locale", "limit"}


Items = tuple[int, Callable[[int, int], list[str]]]  # how many, and the texts of a range


@dataclass
class Page:
    """One answer, before it becomes text. Faults may change it."""

    items: list[str]
    token_name: str
    token: str
    counts: Optional[tuple[int, int, int]] = None  # skip, limit, total_count

    def text(self) -> str:
        """The body, the token last."""
        counts = ""
        if self.counts is not None:
            counts = '"skip":{},"limit":{},"total_count":{},'.format(*self.counts)
        return f'{{"items":[{",".join(self.items)}],{counts}"{self.token_name}":"{self.token}"}}'


class Point(NamedTuple):
    """What a sync token stands for: everything up to an event, under a filter. `turn` tells equal points apart."""

    filter: Filter
    seq: int
    turn: int = 0


@dataclass
class Run:
    """The items of one init or delta, and how they are cut into pages."""

    identity: str
    end: Point
    total: int
    items: Callable[[int, int], list[str]]
    size: int
    empty_pages: int
    tokens: set[str] = field(default_factory=set)

    def is_last(self, number: int) -> bool:
        """Whether the page of this number ends the run."""
        group, place = divmod(number, self.empty_pages + 1)
        return place == self.empty_pages and (group + 1) * self.size >= self.total

    def content(self, number: int) -> tuple[list[str], int]:
        """Items of a page, and its `skip`. Empty pages stand before each page with items."""
        group, place = divmod(number, self.empty_pages + 1)
        skip = group * self.size
        return (self.items(skip, min(skip + self.size, self.total)) if place == self.empty_pages else []), skip


class SyncService:
    """Answers `/v3/stacks/sync`. Thread-safe; `_lock` guards tokens and runs, and
    is never held while items are made. It may be taken under the content's lock, not the other way round."""

    def __init__(self, content: Content, settings: Settings, salt: str) -> None:
        self._content, self._settings, self._salt = content, settings, salt
        self._lock = threading.Lock()
        self._points: dict[str, Point] = {}
        self._pages: dict[str, tuple[Run, int]] = {}
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._epoch = {"sync": 0, "pagination": 0}
        self._refusals = {"sync": 0, "pagination": 0}
        self._deltas = 0  # this and the next three: guarded by the content's lock
        self._unseen: deque[tuple[int, int]] = deque()  # (event, deltas answered before it came)
        self._noticed = self._visible = len(content.log)

    def answer(self, environment: str, query: Query) -> Page:
        """The page that a query asks for; ApiError when it asks wrongly."""
        modes = [name for name in MODES if query.get(name) is not None]
        if not modes:
            raise invalid("init", "is required, unless there is a sync_token or a pagination_token.")
        if len(modes) > 1:
            raise invalid(modes[1], "cannot stand beside another of init, sync_token and pagination_token.")
        if modes == ["init"]:
            if query.get("init") != "true":
                raise invalid("init")
            query.known_only(_INIT)
            return self._init(self._filter(environment, query), self._page_size(query))
        query.known_only({modes[0]} | _BESIDE_TOKEN)
        token = query.get(modes[0]) or ""
        return self._next_page(environment, token) if modes[0] == "pagination_token" else self._delta(environment, token)

    # -- queries ------------------------------------------------------------------------------------------------

    def _filter(self, environment: str, query: Query) -> Filter:
        start = query.get("start_from")
        try:
            start_from = None if start is None else wire.parse_iso(start)
        except wire.WireError:
            raise invalid("start_from") from None
        types = query.get("type")
        listed = None if types is None else frozenset(name.strip(" ") for name in types.split(","))
        if listed is not None and not listed <= set(TYPES):
            raise invalid("type")
        with self._content.lock:
            known_types, known_locales = set(self._content.types), set(self._content.locale_codes())
        content_types, locales = self._values(query, "content_type_uid"), self._values(query, "locale")
        for uid in content_types or ():
            if uid not in known_types:
                raise unknown_content_type(uid)
        if locales is not None and not set(locales) <= known_locales:
            raise invalid("locale")
        return Filter(environment, content_types, locales, start_from, listed)

    def _values(self, query: Query, name: str) -> Optional[tuple[str, ...]]:
        value = query.get(name)
        if value is None:
            return None
        return tuple(part.strip(" ") for part in value.split(",")) if self._settings.on("multi-value") else (value,)

    def _page_size(self, query: Query) -> int:
        if not self._settings.on("honour-limit") or query.get("limit") is None:
            return self._settings.number("page-size")
        return max(1, min(100, query.number("limit", 100)))

    # -- the three modes ----------------------------------------------------------------------------------------

    def _init(self, wanted: Filter, size: int) -> Page:
        order = self._settings.word("order")

        def make() -> Items:
            snapshot = self._content.snapshot(wanted)
            return _arranged(order, len(snapshot), snapshot.items)

        with self._content.lock:
            until = len(self._content.log)
            identity = f"init {wanted.identity()} {until} {size} {order}"
            run = self._run(identity, Point(wanted, until), size, make)
        return self._page(run, 0)

    def _delta(self, environment: str, token: str) -> Page:
        with self._lock:
            self._count_refusal("sync")
            point = self._points.get(token)
        if point is None or point.filter.environment != environment:
            raise invalid("sync_token")
        until = max(self._visible_until(), point.seq)
        events = self._content.history(point.filter, point.seq, until)
        newest_only = self._settings.word("delta-events") == "newest"
        if newest_only:
            events = _newest_only(events)
        events.reverse()
        order = self._settings.word("order")
        size = self._settings.number("page-size")
        if not events:
            if self._settings.word("empty-delta") == "short":
                return Page([], "sync_token", token)
            following = Point(point.filter, until, point.turn + 1)
            return Page([], "sync_token", self._sync_token(following), (0, size, 0))
        identity = f"delta {token} {until} {size} {newest_only} {order}"
        run = self._run(
            identity,
            Point(point.filter, until),
            size,
            lambda: _arranged(
                order, len(events), lambda start, end: [item_text(event) for event in events[start:end]]
            ),
        )
        return self._page(run, 0)

    def _next_page(self, environment: str, token: str) -> Page:
        with self._lock:
            self._count_refusal("pagination")
            found = self._pages.get(token)
        if found is None or found[0].end.filter.environment != environment:
            raise invalid("pagination_token")
        return self._page(*found)

    # -- runs and tokens ----------------------------------------------------------------------------------------

    def _run(self, identity: str, end: Point, size: int, make: Callable[[], Items]) -> Run:
        """The run of that identity, made when there is none."""
        empty_pages = self._settings.number("empty-pages")
        identity = f"{identity} {empty_pages}"
        with self._lock:
            known = self._runs.get(identity)
        if known is not None:
            return known
        total, items = make()
        return Run(identity, end, total, items, size, empty_pages if total else 0)

    def _page(self, run: Run, number: int) -> Page:
        items, skip = run.content(number)
        counts = (skip, run.size, run.total)
        if run.is_last(number):
            return Page(items, "sync_token", self._sync_token(run.end), counts)
        return Page(items, "pagination_token", self._page_token(run, number + 1), counts)

    def _page_token(self, run: Run, number: int) -> str:
        """The token of a page. Runs with such tokens are kept, the ones used last."""
        with self._lock:
            token = self._digest("pagination", f"{run.identity} {number}")
            run.tokens.add(token)
            self._pages[token] = (run, number)
            self._runs[run.identity] = run
            self._runs.move_to_end(run.identity)
            if len(self._runs) > RUNS_KEPT:
                for old in self._runs.popitem(last=False)[1].tokens:
                    self._pages.pop(old, None)
        return token

    def _sync_token(self, point: Point) -> str:
        with self._lock:
            token = self._digest("sync", f"{point.filter.identity()} {point.seq} {point.turn}")
            self._points[token] = point
        return token

    def _digest(self, kind: str, text: str) -> str:
        secret = f"{self._salt} {kind} {self._epoch[kind]} {text}"
        return "cs" + hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _count_refusal(self, kind: str) -> None:
        if self._refusals[kind] > 0:
            self._refusals[kind] -= 1
            raise invalid(f"{kind}_token")

    def refuse(self, kinds: list[str], times: Optional[int]) -> None:
        """Refuses the next `times` token calls, or for ever each token issued so far."""
        with self._lock:
            for kind in kinds:
                if times is not None:
                    self._refusals[kind] = times
                    continue
                self._epoch[kind] += 1
                if kind == "sync":
                    self._points.clear()
                else:
                    self._pages.clear()
                    self._runs.clear()

    def refuses(self) -> bool:
        """Whether a token call is still to be refused by number."""
        with self._lock:
            return any(self._refusals.values())

    # -- a CDN that lags ----------------------------------------------------------------------------------------

    def _visible_until(self) -> int:
        """The newest event that a delta shows now: one that at least `cdn-lag` deltas did not show. Counts the delta."""
        with self._content.lock:
            if self._settings.on("freeze"):
                return self._visible
            newest = len(self._content.log)
            if newest > self._noticed:
                self._noticed = newest
                self._unseen.append((newest, self._deltas))
            lag = self._settings.number("cdn-lag")
            while self._unseen and self._unseen[0][1] + lag <= self._deltas:
                self._visible = self._unseen.popleft()[0]
            self._deltas += 1
            return self._visible


def _arranged(order: str, total: int, items: Callable[[int, int], list[str]]) -> Items:
    """Items that come newest first, as the `order` switch wants them."""
    if order == "newest":
        return total, items
    if order == "oldest":
        return total, lambda start, end: items(total - end, total - start)[::-1]
    places = list(range(total))
    random.Random(total).shuffle(places)
    return total, lambda start, end: [items(place, place + 1)[0] for place in places[start:end]]


def _newest_only(events: list[Event]) -> list[Event]:
    """Of each item only its newest event; oldest first, as given. A deletion without locale covers every locale."""
    kept: list[Event] = []
    seen: set[tuple[str, str, Optional[str]]] = set()
    for event in reversed(events):
        everywhere = (event.content_type, event.uid, None)
        here = (event.content_type, event.uid, event.locale)
        if event.type == "content_type_deleted" or (here not in seen and everywhere not in seen):
            kept.append(event)
        if event.type != "content_type_deleted":
            seen.add(here)
    kept.reverse()
    return kept
