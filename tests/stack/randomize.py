"""Random changes of all sorts, the same for the same seed and the same content."""

from __future__ import annotations

import random
from collections import Counter
from typing import Callable, Optional

import wire
from changes import Editor
from content import Content, ContentError
from events import ASSETS, Key
from records import Members

_SUBJECTS = "tide lamp ledger bell chart rope engine buoy letter sail anchor clock map net whistle crane".split()
_SCRIPTS = ("naïve façade", "日本語の覚え書き", "Заметки о море", "ملاحظات البحر", "यात्रा के नोट", "海边笔记", "⛵️ 👩🏽‍🚀", "Größe")
_OPERATIONS = (
    ("change", 34),
    ("create", 20),
    ("translate", 8),
    ("unpublish", 11),
    ("republish", 8),
    ("delete", 8),
    ("new asset", 4),
    ("change asset", 3),
    ("replace file", 1),
    ("unpublish asset", 1),
    ("delete asset", 1),
    ("new content type", 1),
)


class _Pool:
    """Keys to choose from, with removal in constant time."""

    def __init__(self, keys: list[Key]) -> None:
        self._keys = sorted(keys)
        self._places = {key: place for place, key in enumerate(self._keys)}

    def __len__(self) -> int:
        return len(self._keys)

    def pick(self, source: random.Random) -> Optional[Key]:
        return source.choice(self._keys) if self._keys else None

    def add(self, key: Key) -> None:
        if key not in self._places:
            self._places[key] = len(self._keys)
            self._keys.append(key)

    def discard(self, key: Key) -> None:
        place = self._places.pop(key, None)
        if place is not None:
            last = self._keys.pop()
            if last != key:
                self._keys[place] = last
                self._places[last] = place


class Randomizer:
    """Makes changes through the editor, each one by itself."""

    def __init__(self, content: Content, editor: Editor, seed: Optional[int]) -> None:
        self._content, self._editor = content, editor
        with content.lock:
            slots = list(content.slots.items())
            self._types = sorted(content.types)
            self._locales = content.locale_codes()
            start = len(content.log)
        self._random = random.Random(f"{seed if seed is not None else random.random()}:{start}")
        self._number = start
        shown = [key for key, slot in slots if slot.event.is_published]
        hidden = [key for key, slot in slots if not slot.event.is_published and slot.data is not None]
        self._entries = _Pool([key for key in shown if key.content_type != ASSETS])
        self._assets = _Pool([key for key in shown if key.content_type == ASSETS])
        self._hidden = _Pool(hidden)

    def run(self, count: int) -> dict[str, int]:
        """Makes `count` changes; returns how many of each sort."""
        done: Counter[str] = Counter()
        names = [name for name, _ in _OPERATIONS]
        weights = [weight for _, weight in _OPERATIONS]
        makers: dict[str, Callable[[], bool]] = {
            "change": self._change,
            "create": self._create,
            "translate": self._translate,
            "unpublish": lambda: self._unpublish(self._entry()),
            "republish": self._republish,
            "delete": lambda: self._delete(self._entry()),
            "new asset": self._new_asset,
            "change asset": lambda: self._change_asset(False),
            "replace file": lambda: self._change_asset(True),
            "unpublish asset": lambda: self._unpublish(self._asset()),
            "delete asset": lambda: self._delete(self._asset()),
            "new content type": self._new_content_type,
        }
        while sum(done.values()) < count:
            name = self._random.choices(names, weights)[0]
            try:
                if not makers[name]():
                    name = "create" if self._create() else "new content type"
                    if name == "new content type":
                        self._new_content_type()
            except ContentError:
                continue  # somebody else changed it meanwhile
            done[name] += 1
        return dict(done)

    # -- choosing -----------------------------------------------------------------------------------------------

    def _entry(self) -> Optional[Key]:
        return self._generated(entries=True) or self._entries.pick(self._random)

    def _asset(self) -> Optional[Key]:
        return self._generated(entries=False) or self._assets.pick(self._random)

    def _generated(self, entries: bool) -> Optional[Key]:
        generator = self._content.generator
        if generator is None:
            return None
        pool, plan = (self._entries if entries else self._assets), generator.plan
        count = plan.entries if entries else plan.assets
        if not count or self._random.randrange(count + len(pool)) >= count:
            return None
        key = generator.key(self._random.randrange(count) + (0 if entries else plan.entries))
        with self._content.lock:
            return key if self._content.published(key) else None

    def _uid(self) -> str:
        return f"blt{self._random.getrandbits(64):016x}"

    def _fields(self, subject: str) -> Members:
        self._number += 1
        extra = self._random.choice(_SCRIPTS)
        texts = [f"The {self._random.choice(_SUBJECTS)} and the {self._random.choice(_SUBJECTS)}." for _ in range(3)]
        return {
            "title": wire.quote(f"Note {self._number}: the {subject}"),
            "summary": wire.quote(f"{texts[0]} {extra}"),
            "notes": wire.dump(texts),
            "measure": f"{self._random.randrange(1000)}.{self._random.randrange(10)}0",
            "checked": self._random.choice(("true", "false", "null")),
        }

    # -- changing -----------------------------------------------------------------------------------------------

    def _create(self) -> bool:
        if not self._types:
            return False
        key = Key(self._random.choice(self._types), self._uid(), self._random.choice(self._locales))
        self._editor.publish_entry(*key, self._fields(self._random.choice(_SUBJECTS)))
        self._entries.add(key)
        return True

    def _change(self) -> bool:
        key = self._entry()
        if key is None:
            return False
        fields = self._fields(self._random.choice(_SUBJECTS))
        del fields["title"]
        self._editor.publish_entry(*key, fields)
        self._entries.add(key)
        return True

    def _translate(self) -> bool:
        key = self._entry()
        if key is None:
            return False
        other = key._replace(locale=self._random.choice(self._locales))
        localized = self._random.random() < 0.6
        self._editor.publish_entry(*other, self._fields("translation") if localized else None)
        self._entries.add(other)
        self._hidden.discard(other)
        return True

    def _republish(self) -> bool:
        key = self._hidden.pick(self._random)
        if key is None:
            return False
        if key.content_type == ASSETS:
            self._editor.publish_asset(key.uid, key.locale)
            self._assets.add(key)
        else:
            self._editor.publish_entry(*key)
            self._entries.add(key)
        self._hidden.discard(key)
        return True

    def _unpublish(self, key: Optional[Key]) -> bool:
        if key is None:
            return False
        self._editor.unpublish(*key)
        self._entries.discard(key)
        self._assets.discard(key)
        self._hidden.add(key)
        return True

    def _delete(self, key: Optional[Key]) -> bool:
        if key is None:
            return False
        everywhere = self._random.random() < 0.5
        self._editor.delete(key.content_type, key.uid, None if everywhere else key.locale)
        for code in self._locales if everywhere else (key.locale,):
            for pool in (self._entries, self._assets, self._hidden):
                pool.discard(key._replace(locale=code))
        return True

    def _new_asset(self) -> bool:
        key = Key(ASSETS, self._uid(), self._random.choice(self._locales))
        subject = self._random.choice(_SUBJECTS)
        fields = {"filename": wire.quote(f"{subject}_{self._random.choice(_SCRIPTS).split()[0]}.bin")}
        self._editor.publish_asset(key.uid, key.locale, fields, self._random.randrange(20_000))
        self._assets.add(key)
        return True

    def _change_asset(self, replace: bool) -> bool:
        key = self._asset()
        if key is None:
            return False
        size = self._random.randrange(20_000) if replace else None
        self._editor.publish_asset(key.uid, key.locale, {"description": wire.quote(self._random.choice(_SCRIPTS))}, size)
        self._assets.add(key)
        return True

    def _new_content_type(self) -> bool:
        self._number += 1
        uid = f"notebook_{self._number}"
        self._editor.add_content_type(uid)
        self._types.append(uid)
        key = Key(uid, self._uid(), self._random.choice(self._locales))
        self._editor.publish_entry(*key, self._fields("first page"))
        self._entries.add(key)
        return True
