"""The content of the stack: what is published, and the log of everything that happened to it.

Two layers: generated content, which is computed from its position and held nowhere (`generator.py`), and on top of it
what was loaded or changed, held in memory. All access goes through `lock`; events are immutable and may be used without.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Optional

from clock import Clock
from content_types import ContentType
from events import ASSETS, Event, Filter, Key, item_text
from files import File, FileStore
from generator import Generator, View


class ContentError(Exception):
    """The change cannot be made; the text says why."""


@dataclass
class Slot:
    """The present state of one key: its newest event, and the data it was last published with."""

    event: Event
    data: Optional[str]
    version: int


@dataclass
class Snapshot:
    """What a filter finds published at one moment, newest first. Immutable, usable without the lock."""

    events: list[Event]
    view: Optional[View]

    def __len__(self) -> int:
        return len(self.events) + (len(self.view) if self.view else 0)

    def items(self, start: int, end: int) -> list[str]:
        """Item texts of the half-open range."""
        texts = [item_text(event) for event in self.events[start:end]]
        if self.view and end > len(self.events):
            offset = len(self.events)
            texts.extend(self.view.items(max(0, start - offset), end - offset))
        return texts

    def slice(self, start: int, end: int) -> list[Event]:
        """The same range as events."""
        events = self.events[start:end]
        if self.view and end > len(self.events):
            offset = len(self.events)
            events.extend(self.view.published(max(0, start - offset), end - offset))
        return events

    def published(self) -> Iterator[Event]:
        """Every published event, one after the other."""
        yield from self.events
        if self.view:
            yield from self.view.published(0, len(self.view))


@dataclass
class Content:
    """The stack's content in its main environment and branch."""

    environment: str
    environment_uid: str
    file_url: Callable[[str, str, str], str]  # asset uid, file uid, name
    generator: Optional[Generator] = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    clock: Clock = field(default_factory=Clock)
    files: FileStore = field(default_factory=FileStore)
    locales: list[dict[str, Any]] = field(default_factory=list)
    types: dict[str, ContentType] = field(default_factory=dict)
    global_fields: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    slots: dict[Key, Slot] = field(default_factory=dict)
    places: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # (type, uid) -> locales with a slot
    gone_types: dict[str, Event] = field(default_factory=dict)  # deleted types: their newest deletion
    touched: set[int] = field(default_factory=set)  # generated positions that have a slot

    @property
    def master(self) -> str:
        """The master locale."""
        return str(self.locales[0]["code"])

    def locale_codes(self) -> list[str]:
        """All locales, master first."""
        return [str(locale["code"]) for locale in self.locales]

    def append(self, event: Event) -> None:
        """Puts an event into the log, under the next number."""
        self.log.append(event)

    def next_seq(self) -> int:
        """The number that the next event of the log gets."""
        return len(self.log) + 1

    def put(self, key: Key, slot: Slot) -> None:
        """Makes `slot` the present state of `key`."""
        if key not in self.slots:
            self.places.setdefault((key.content_type, key.uid), set()).add(key.locale)
            position = self._generated_position(key)
            if position is not None:
                self.touched.add(position)
        self.slots[key] = slot

    def _generated_position(self, key: Key) -> Optional[int]:
        if self.generator is None or key.content_type in self.gone_types:
            return None
        return self.generator.find(key)

    def slot(self, key: Key) -> Optional[Slot]:
        """State of a key, be it loaded or generated; None when nothing was ever known of it."""
        slot = self.slots.get(key)
        if slot is None:
            position = self._generated_position(key)
            if self.generator is not None and position is not None:
                event = self.generator.event(position)
                slot = Slot(event, event.data, 1)
        return slot

    def published(self, key: Key) -> Optional[Event]:
        """The event that published a key, when it is published now."""
        slot = self.slot(key)
        return slot.event if slot is not None and slot.event.is_published else None

    def known_locales(self, content_type: str, uid: str) -> list[str]:
        """Locales in which something is known of an entry or asset, in the stack's order."""
        found = set(self.places.get((content_type, uid), ()))
        for code in self.locale_codes():
            if code not in found and self._generated_position(Key(content_type, uid, code)) is not None:
                found.add(code)
        return [code for code in self.locale_codes() if code in found]

    def snapshot(self, wanted: Filter) -> Snapshot:
        """What `wanted` finds now, newest first."""
        with self.lock:
            if wanted.environment != self.environment:
                return Snapshot([], None)
            found = {slot.event.seq: slot.event for slot in self.slots.values() if wanted.wants_in_init(slot.event)}
            found.update((event.seq, event) for event in self.gone_types.values() if wanted.wants_in_init(event))
            events = sorted(found.values(), key=lambda event: (event.at, event.seq), reverse=True)
            view = self.generator.view(wanted, self.touched, set(self.gone_types)) if self.generator else None
            return Snapshot(events, view)

    def history(self, wanted: Filter, since: int, until: int) -> list[Event]:
        """Events after number `since` up to number `until` that `wanted` asks for, oldest first."""
        with self.lock:
            if wanted.environment != self.environment:
                return []
            return [event for event in self.log[since:until] if wanted.wants(event)]

    def last_time_of_type(self, content_type: str) -> int:
        """Time of the type's newest deletion, 0 when it never was deleted."""
        event = self.gone_types.get(content_type)
        return event.at if event else 0

    def file(self, asset_uid: str, file_uid: str) -> Optional[File]:
        """The file of an asset that is published in some locale."""
        with self.lock:
            if not any(self.published(Key(ASSETS, asset_uid, code)) for code in self.known_locales(ASSETS, asset_uid)):
                return None
            found = self.files.find(asset_uid, file_uid)
            if found is None and self.generator is not None:
                found = self.generator.file(asset_uid, file_uid)
            return found

    def type_text(self, uid: str, include_schema: bool) -> str:
        """JSON text of a content type."""
        return self.types[uid].text(self.global_fields, include_schema)

    def type_uids(self) -> list[str]:
        """All content types, newest change first, as the service lists them."""
        return sorted(self.types, key=lambda uid: (-self.types[uid].updated, uid))

    def counts(self) -> dict[str, int]:
        """How much is published, and how long the log is."""
        with self.lock:
            snapshot = self.snapshot(Filter(self.environment))
            overlay = snapshot.events
            assets = sum(event.content_type == ASSETS for event in overlay)
            generated = len(snapshot.view) if snapshot.view else 0
            generated_assets = snapshot.view.asset_count() if snapshot.view else 0
            return {
                "content_types": len(self.types),
                "entries": len(overlay) - assets + generated - generated_assets,
                "assets": assets + generated_assets,
                "events": len(self.log),
            }
