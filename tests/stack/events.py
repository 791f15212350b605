"""Events: what a sync run is made of, and the filter that a run is bound to.

An event is immutable; its `data` is the exact JSON text of the item's data. Rendering an item is one concatenation.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import NamedTuple, Optional

import wire

ASSETS = "sys_assets"
TYPES = (
    "entry_published",
    "entry_unpublished",
    "entry_deleted",
    "asset_published",
    "asset_unpublished",
    "asset_deleted",
    "content_type_deleted",
)
PUBLISHED = frozenset(("entry_published", "asset_published"))


class Key(NamedTuple):
    """What a publish event is about. Assets have `sys_assets` as their content type."""

    content_type: str
    uid: str
    locale: str

    def mark(self) -> int:
        """A number that is always the same for this key, for choices that vary between items."""
        return zlib.crc32("\0".join(self).encode("utf-8", "surrogatepass"))


class Event(NamedTuple):
    """One publish, unpublish or deletion. `seq` is its place in the log, 0 for generated content."""

    seq: int
    type: str
    content_type: str
    uid: str
    locale: Optional[str]  # None: a deletion that stands for every locale
    at: int  # event_at, milliseconds
    published: int  # publish_details.time, milliseconds
    data: str
    bare: bool  # without content_type_uid on the wire
    shape: int  # which order the item's keys have

    @property
    def is_published(self) -> bool:
        """Whether this event made something visible."""
        return self.type in PUBLISHED


def item_text(event: Event) -> str:
    """The item as it stands in `items[]`. The order of keys differs between items, as the real service's does."""
    return render_item(
        event.shape, event.type, "" if event.bare else event.content_type, wire.iso(event.at), event.data
    )


def render_item(shape: int, kind: str, content_type: str, event_at: str, data: str) -> str:
    """JSON text of one item; an empty content type leaves the key out."""
    owner = f'"content_type_uid":{wire.quote(content_type)},' if content_type else ""
    turn = shape % 4
    if turn == 0:
        return f'{{"event_at":"{event_at}",{owner}"type":"{kind}","data":{data}}}'
    if turn == 1:
        return f'{{"type":"{kind}","event_at":"{event_at}",{owner}"data":{data}}}'
    if turn == 2:
        return f'{{{owner}"data":{data},"event_at":"{event_at}","type":"{kind}"}}'
    return f'{{"data":{data},{owner}"event_at":"{event_at}","type":"{kind}"}}'


@dataclass(frozen=True)
class Filter:
    """What a run was asked for; it stays with every token that follows from it."""

    environment: str
    content_types: Optional[tuple[str, ...]] = None
    locales: Optional[tuple[str, ...]] = None
    start_from: Optional[int] = None
    types: Optional[frozenset[str]] = None

    def wants(self, event: Event) -> bool:
        """Whether an event belongs to this run. What has no locale belongs to each."""
        if self.types is not None and event.type not in self.types:
            return False
        if self.content_types is not None and event.content_type not in self.content_types:
            return False
        if self.locales is not None and event.locale is not None and event.locale not in self.locales:
            return False
        return self.start_from is None or event.at >= self.start_from

    def wants_in_init(self, event: Event) -> bool:
        """The same for an initial run: only publishes, unless the types were listed."""
        return self.wants(event) and (self.types is not None or event.is_published)

    def identity(self) -> str:
        """A text that is the same for equal filters."""
        types = None if self.types is None else sorted(self.types)
        return repr((self.environment, self.content_types, self.locales, self.start_from, types))
