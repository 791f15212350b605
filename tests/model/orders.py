"""Random changes, each ordered from the model first and from the stack then."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any, Optional

import wire
from changes import Editor
from expected import ASSETS, LOCALES, Key, Model, News

TYPES = ("page", "blog_post", "Curio", "room-2")
UIDS = tuple(f"blt{number:016x}" for number in (1, 2, 3, 11, 12, 13, 0xFA, 0xFB))
_WORDS = ("tide", "naïve façade", "日本語", "Größe", "⛵️", 'say "no"\n', "back\\slash", "nul\u0000", "</b>", "")

Orders = list["Order"]


@dataclass(frozen=True)
class Order:
    """One change, as it can be told."""

    verb: str
    content_type: str
    uid: str = ""
    locale: Optional[str] = None
    fields: Optional[dict[str, Any]] = None

    def __str__(self) -> str:
        parts = [self.verb, self.content_type, self.uid, self.locale or ""]
        fields = [f"{name}={str(value)[:40]!r}" for name, value in (self.fields or {}).items()]
        return " ".join(part for part in [*parts, *fields] if part)

    @property
    def key(self) -> Key:
        """The one key that it is about."""
        return Key(self.content_type, self.uid, self.locale or "")

    def imagine(self, model: Model, with_entries: bool) -> list[News]:
        """Does it in the model."""
        if self.verb == "publish":
            return model.publish(self.key, self.fields)
        if self.verb in ("unpublish", "delete"):
            return getattr(model, self.verb)(self.content_type, self.uid, self.locale)
        if self.verb == "delete-type":
            return model.delete_type(self.content_type, with_entries)
        return (model.add_type if self.verb == "add-type" else model.change_type)(self.content_type)

    def perform(self, editor: Editor) -> None:
        """Does it in the stack."""
        members = wire.split_object(json.dumps(self.fields)) if self.fields else None
        if self.verb == "publish" and self.content_type == ASSETS:
            editor.publish_asset(self.uid, self.key.locale, members)
        elif self.verb == "publish":
            editor.publish_entry(*self.key, members)
        elif self.verb in ("unpublish", "delete"):
            getattr(editor, self.verb)(self.content_type, self.uid, self.locale)
        else:
            names = {"add-type": "add", "delete-type": "delete"}
            name = f"{names[self.verb]}_content_type" if self.verb in names else "change_schema"
            getattr(editor, name)(self.content_type)


class Author:
    """Thinks of changes. Few uids, so that much happens to each of them. What it returns is possible at once, in order."""

    def __init__(self, source: random.Random, model: Model) -> None:
        self._random, self._model = source, model
        self._serial = 0

    def some(self) -> Orders:
        """One change, or several of one item."""
        chance = self._random.random()
        if chance < 0.05:
            return self._of_types()
        if chance < 0.15:
            return self._churn()
        key = self._target()
        return [self._of(key)] if key else [self._new_type()]

    def publish(self) -> Orders:
        """Something new, or a new version."""
        key = self._target()
        return [self._published(key, 0.9)] if key else [self._new_type()]

    def _target(self) -> Optional[Key]:
        types = [*sorted(self._model.types), ASSETS]
        if types == [ASSETS]:
            return None
        return Key(self._random.choice(types), self._random.choice(UIDS), self._random.choice(LOCALES))

    def _published(self, key: Key, authored: float) -> Order:
        fields = self._fields(key) if self._random.random() < authored else None
        return Order("publish", *key, fields)

    def _fields(self, key: Key) -> dict[str, Any]:
        self._serial += 1
        fields: dict[str, Any] = {"serial": self._serial}
        if key.content_type == ASSETS:
            fields["description"] = self._random.choice(_WORDS)
            if self._random.random() < 0.2:
                fields["filename"] = f"file_{self._serial}.bin"
            return fields
        fields["title"] = f"{self._random.choice(_WORDS)} {self._serial}"
        for name in self._random.sample(("text", "measure", "parts", "doc", "nothing"), self._random.randrange(4)):
            fields[name] = {
                "text": self._random.choice(_WORDS) * self._random.choice((1, 20, 2000)),
                "measure": self._random.randrange(10**6) / 8,
                "parts": [{"uid": uid, "_content_type_uid": "page"} for uid in self._random.sample(UIDS, 2)],
                "doc": {"type": "doc", "attrs": {}, "children": [{"text": self._random.choice(_WORDS)}]},
                "nothing": None,
            }[name]
        return fields

    def _of(self, key: Key) -> Order:
        """Something that can happen to a key now."""
        published = [code for code in LOCALES if key._replace(locale=code) in self._model.published]
        written = [code for code in LOCALES if key._replace(locale=code) in self._model.written()]
        chance = self._random.random()
        if chance < 0.17 and published:
            everywhere = self._random.random() < 0.3
            return Order("unpublish", key.content_type, key.uid, None if everywhere else self._random.choice(published))
        if chance < 0.34 and written:
            everywhere = self._random.random() < 0.5
            return Order("delete", key.content_type, key.uid, None if everywhere else self._random.choice(written))
        return self._published(key, 0.7)

    def _churn(self) -> Orders:
        """Several changes of one key, for one delta."""
        key = self._target()
        if key is None:
            return [self._new_type()]
        orders = [self._published(key, 0.7)]
        for _ in range(self._random.randrange(1, 3)):
            verb = self._random.choice(("publish", "unpublish", "delete"))
            if verb != "publish":
                orders.append(Order(verb, *key))
            orders.append(self._published(key, 0.7))
        if self._random.random() < 0.4:
            orders.append(Order(self._random.choice(("unpublish", "delete")), *key))
        return orders

    def _new_type(self) -> Order:
        missing = [uid for uid in TYPES if uid not in self._model.types]
        return Order("add-type", self._random.choice(missing or TYPES))

    def _of_types(self) -> Orders:
        present = sorted(self._model.types)
        verb = self._random.choice(("add-type", "change-type", "delete-type"))
        if verb == "delete-type" and present:
            uid = self._random.choice(present)
            again = [Order("add-type", uid)] if self._random.random() < 0.5 else []
            return [Order("delete-type", uid), *again]
        if verb == "change-type" and present:
            return [Order(verb, self._random.choice(present))]
        return [self._new_type()] if len(present) < len(TYPES) else []
