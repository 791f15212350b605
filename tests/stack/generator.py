"""Synthetic content that is computed from its position and held nowhere.

Positions count published items, newest first: `entries` of them are entries, then come `assets`. Position p is the entry
number p // L in locale p % L; its content type follows from p // L, in turns that are always the same; a uid is an invertible
mix of that number. A million entries therefore cost nothing until somebody asks for them, and any page can be made at once.
"""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator, Optional

import synthetic
import wire
from content_types import ContentType
from events import ASSETS, Event, Filter, Key, render_item
from files import Bytes, File

NEWEST = wire.parse_iso("2024-06-30T12:00:00.000Z")
STEP = 977  # milliseconds between groups of items
TIES = 3  # items that share one time
_MASK = (1 << 64) - 1
_PREFIX = "blt"


@dataclass(frozen=True)
class Plan:
    """How much is to be generated."""

    entries: int
    content_types: int = 4
    locales: int = 1
    body: int = 1500
    assets: int = 0
    seed: int = 1
    large_type: bool = False  # every other entry is of the first content type

    def turn(self) -> list[int]:
        """The content types of entries that follow one another, until it begins anew."""
        if not self.large_type or self.content_types < 2:
            return list(range(self.content_types))
        return [kind for other in range(1, self.content_types) for kind in (0, other)]


class _Uids:
    """Numbers to uids that look random, and back."""

    def __init__(self, seed: str) -> None:
        source = random.Random(seed)
        self._factor = source.getrandbits(64) | 1
        self._inverse = pow(self._factor, -1, 1 << 64)
        self._shift = source.getrandbits(64)

    def uid(self, number: int) -> str:
        return f"{_PREFIX}{(number * self._factor + self._shift) & _MASK:016x}"

    def number(self, uid: str) -> int:
        """The number, or -1 when the text is no such uid."""
        digits = uid[len(_PREFIX) :]
        if not uid.startswith(_PREFIX) or len(digits) != 16 or not set(digits) <= set("0123456789abcdef"):
            return -1
        return ((int(digits, 16) - self._shift) * self._inverse) & _MASK


class Progression:
    """Positions first + n with n % period in `residues`, without those in `touched`: countable, and indexable at once."""

    def __init__(self, first: int, count: int, period: int, residues: list[int], touched: Iterable[int]) -> None:
        self._first, self._period, self._residues = first, period, residues
        places = {residue: place for place, residue in enumerate(residues)}
        whole, rest = divmod(count, period)
        full = whole * len(residues) + bisect.bisect_left(residues, rest)
        gaps = sorted(
            (position - first) // period * len(residues) + places[(position - first) % period]
            for position in touched
            if 0 <= position - first < count and (position - first) % period in places
        )
        self._gaps = [gap - number for number, gap in enumerate(gaps)]
        self._length = full - len(gaps)

    def __len__(self) -> int:
        return self._length

    def position(self, index: int) -> int:
        """The position that stands at an index."""
        turn, place = divmod(index + bisect.bisect_right(self._gaps, index), len(self._residues))
        return self._first + turn * self._period + self._residues[place]


class View:
    """The generated items that a filter finds, newest first."""

    def __init__(self, generator: "Generator", entries: Progression, assets: Progression) -> None:
        self._generator, self._entries, self._assets = generator, entries, assets

    def __len__(self) -> int:
        return len(self._entries) + len(self._assets)

    def asset_count(self) -> int:
        """How many of them are assets."""
        return len(self._assets)

    def _positions(self, start: int, end: int) -> Iterator[int]:
        border = len(self._entries)
        for index in range(start, min(end, border)):
            yield self._entries.position(index)
        for index in range(max(start, border), min(end, len(self))):
            yield self._assets.position(index - border)

    def items(self, start: int, end: int) -> list[str]:
        """Item texts of the half-open range."""
        return [self._generator.item(position) for position in self._positions(start, end)]

    def keys(self) -> Iterator[Key]:
        """What is published, without the data."""
        return map(self._generator.key, self._positions(0, len(self)))

    def published(self, start: int, end: int) -> Iterator[Event]:
        """The same range as events."""
        return map(self._generator.event, self._positions(start, end))


class Generator:
    """The generated layer of the content. Immutable once created."""

    def __init__(self, plan: Plan, environment_uid: str, file_url: Callable[[str, str, str], str]) -> None:
        self.plan = plan
        self.total = plan.entries + plan.assets
        self.locales: list[dict[str, Any]] = synthetic.locales(plan.locales)
        self.codes = [str(locale["code"]) for locale in self.locales]
        self.type_uids = synthetic.type_uids(plan.content_types)
        self._turn = plan.turn()
        self._entry_uids = _Uids(f"entries:{plan.seed}")
        self._asset_uids = _Uids(f"assets:{plan.seed}")
        self._text = synthetic.Renderer(plan.body, plan.seed, environment_uid)
        self._file_url = file_url
        self._locale_index = {code: index for index, code in enumerate(self.codes)}

    def _type_uid(self, number: int) -> str:
        return self.type_uids[self._turn[number % len(self._turn)]]

    def content_types(self) -> list[ContentType]:
        """The content types of the generated entries."""
        created = NEWEST - (self.total // TIES + 1) * STEP
        return [synthetic.content_type(uid, created - 1000 * index) for index, uid in enumerate(self.type_uids)]

    def time(self, position: int) -> int:
        """`event_at` of a position."""
        return NEWEST - position // TIES * STEP

    def key(self, position: int) -> Key:
        """What is published at a position."""
        if position < self.plan.entries:
            number, place = divmod(position, len(self.codes))
            return Key(self._type_uid(number), self._entry_uids.uid(number), self.codes[place])
        number, place = divmod(position - self.plan.entries, len(self.codes))
        return Key(ASSETS, self._asset_uids.uid(number), self.codes[place])

    def find(self, key: Key) -> Optional[int]:
        """The position of a key, None when it was not generated."""
        place = self._locale_index.get(key.locale)
        if place is None:
            return None
        if key.content_type == ASSETS:
            position = self._asset_uids.number(key.uid) * len(self.codes) + place
            return position + self.plan.entries if 0 <= position < self.plan.assets else None
        number = self._entry_uids.number(key.uid)
        position = number * len(self.codes) + place
        return position if 0 <= position < self.plan.entries and self._type_uid(number) == key.content_type else None

    def _data(self, position: int, key: Key, published: int) -> str:
        """JSON text of the data at a position."""
        content_type, uid, locale = key
        width = len(self.codes)
        if content_type == ASSETS:
            name, size, file_uid = self._text.file((position - self.plan.entries) // width)
            return self._text.asset(uid, locale, published, name, size, self._file_url(uid, file_uid, name))
        number = position // width
        older = number - len(self._turn)
        related = self._entry_uids.uid(older if older >= 0 else number)
        asset = self._asset_uids.uid(number * 7 % self.plan.assets // width) if self.plan.assets else ""
        return self._text.entry(number, content_type, uid, locale, published, related, asset)

    def _published(self, position: int, at: int) -> int:
        """`publish_details.time`: for some items a few milliseconds before `event_at`."""
        return at - (position * 7 % 60 + 1) if position % 11 == 0 else at

    def item(self, position: int) -> str:
        """The item text at a position."""
        key, at = self.key(position), self.time(position)
        kind = "entry_published" if position < self.plan.entries else "asset_published"
        data = self._data(position, key, self._published(position, at))
        return render_item(position, kind, key.content_type, wire.iso(at), data)

    def event(self, position: int) -> Event:
        """The publish event at a position."""
        key, at = self.key(position), self.time(position)
        kind = "entry_published" if position < self.plan.entries else "asset_published"
        published = self._published(position, at)
        return Event(0, kind, *key, at, published, self._data(position, key, published), False, position)

    def file(self, asset_uid: str, file_uid: str) -> Optional[File]:
        """The file behind an asset's URL."""
        number = self._asset_uids.number(asset_uid)
        if not 0 <= number * len(self.codes) < self.plan.assets:
            return None
        name, size, expected = self._text.file(number)
        if file_uid != expected:
            return None
        return File(asset_uid, file_uid, name, "text/plain", Bytes(self._text.file_bytes(number, size)))

    def view(self, wanted: Filter, touched: set[int], gone_types: set[str]) -> View:
        """What a filter finds, without the positions in `touched` and the content types in `gone_types`."""
        places = [
            index for index, code in enumerate(self.codes) if wanted.locales is None or code in wanted.locales
        ]
        kinds = {
            index
            for index, uid in enumerate(self.type_uids)
            if uid not in gone_types and (wanted.content_types is None or uid in wanted.content_types)
        }
        shown = self.total if wanted.start_from is None else self._not_before(wanted.start_from)
        entries, assets = min(shown, self.plan.entries), max(0, shown - self.plan.entries)
        if wanted.types is not None:
            entries *= "entry_published" in wanted.types
            assets *= "asset_published" in wanted.types
        if wanted.content_types is not None:
            assets = 0
        width = len(self.codes)
        residues = [index * width + place for index, kind in enumerate(self._turn) if kind in kinds for place in places]
        return View(
            self,
            Progression(0, entries, len(self._turn) * width, residues, touched),
            Progression(self.plan.entries, assets, width, places, touched),
        )

    def _not_before(self, start: int) -> int:
        """How many positions have a time of at least `start`."""
        if start > NEWEST:
            return 0
        return min(self.total, ((NEWEST - start) // STEP + 1) * TIES)
