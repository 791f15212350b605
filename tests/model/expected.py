"""The model: what is published, kept from what was ordered and from nothing else, and what a mount should show of it.

Values are the parsed content without what only the service decides (times, users, the URL of a file). The model knows
neither the stack's truth nor anything of `src/`; `tests/model/history.py` feeds it.
"""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple, Optional

ASSETS = "sys_assets"
LOCALES = ("en-us", "de-de", "ja-jp", "ar-eg")  # of the stack, in its order
PUBLISHED_IN = "@published in"

Value = dict[str, Any]
Tree = dict[str, Value]  # by path

_BY_THE_SERVICE = {"tags", "created_by", "updated_by", "created_at", "updated_at", "publish_details"}
_OF_A_FILE = {"content_type", "file_size", "url", "is_dir"}


class Key(NamedTuple):
    """What a publish event is about."""

    content_type: str
    uid: str
    locale: str

    @property
    def path(self) -> str:
        """Where its file is. The uids of the test need no encoding."""
        if self.content_type == ASSETS:
            return f"assets/{self.locale}/{self.uid}.json"
        return f"entries/{self.content_type}/{self.locale}/{self.uid}.json"


def key_of(path: str) -> Optional[Key]:
    """The key of a path; None for the schema of a content type."""
    parts = path.removesuffix(".json").split("/")
    if parts[0] == "content_types":
        return None
    return Key(ASSETS if parts[0] == "assets" else parts[1], parts[-1], parts[-2])


def item_value(data: Value, content_type: str) -> Value:
    """What the model knows of an item's data."""
    hidden = _BY_THE_SERVICE | (_OF_A_FILE if content_type == ASSETS else set())
    value = {name: member for name, member in data.items() if name not in hidden}
    value[PUBLISHED_IN] = data.get("publish_details", {}).get("locale")
    return value


def type_value(schema: Value) -> Value:
    """What the model knows of a content type."""
    return {**{name: schema[name] for name in ("uid", "title", "_version")}, "fields": len(schema["schema"])}


def file_value(path: str, data: Value) -> Value:
    """What the model knows of a file's content."""
    key = key_of(path)
    return item_value(data, key.content_type) if key else type_value(data)


class News(NamedTuple):
    """One event, as the Sync API tells it. A removal may concern several keys."""

    type: str
    keys: tuple[Key, ...]
    value: Optional[Value] = None


class Model:
    """The whole stack: what is written in each locale, and what of it is published."""

    def __init__(self) -> None:
        self.published: dict[Key, Value] = {}
        self.types: dict[str, Value] = {}
        self._written: dict[Key, Value] = {}
        self._versions: dict[Key, int] = {}

    # -- looking ------------------------------------------------------------------------------------------------

    def written(self) -> list[Key]:
        """Keys that have content, published or not."""
        return sorted(self._written)

    def _places(self, content_type: str, uid: str, keys: Iterable[Key]) -> list[Key]:
        """Those of an item's keys that are among `keys`, in the order of the stack's locales."""
        return [key for code in LOCALES if (key := Key(content_type, uid, code)) in keys]

    def schemas(self) -> Tree:
        """The files of the content types."""
        return {f"content_types/{uid}.json": value for uid, value in self.types.items()}

    # -- changing; each returns what the Sync API tells of it ---------------------------------------------------

    def publish(self, key: Key, fields: Optional[Value]) -> list[News]:
        """Without fields, what is written is published: here, or else in the first other locale that has something."""
        elsewhere = self._places(key.content_type, key.uid, self._written)
        source = key if key in self._written else next(iter(elsewhere), None)
        members = dict(self._written[source]) if source else self._new(key, fields or {})
        members.update(fields or {})
        if fields and key.content_type != ASSETS:
            members["locale"] = key.locale
        self._versions[key] = self._versions.get(key, 0) + 1
        self._written[key] = members
        value = {**members, "uid": key.uid, "_version": self._versions[key], PUBLISHED_IN: key.locale}
        self.published[key] = value
        kind = "asset_published" if key.content_type == ASSETS else "entry_published"
        return [News(kind, (key,), value)]

    @staticmethod
    def _new(key: Key, fields: Value) -> Value:
        if key.content_type != ASSETS:
            return {"title": f"Untitled {key.uid}", "locale": key.locale}
        name = fields.get("filename", f"{key.uid}.bin")
        return {"filename": name, "title": name}

    def unpublish(self, content_type: str, uid: str, locale: Optional[str]) -> list[News]:
        """In one locale, or in all."""
        keys = [Key(content_type, uid, locale)] if locale else self._places(content_type, uid, self.published)
        for key in keys:
            del self.published[key]
        kind = "asset_unpublished" if content_type == ASSETS else "entry_unpublished"
        return [News(kind, (key,)) for key in keys]

    def delete(self, content_type: str, uid: str, locale: Optional[str]) -> list[News]:
        """In one locale, or in all."""
        keys = [Key(content_type, uid, locale)] if locale else self._places(content_type, uid, self._written)
        self._forget(keys)
        kind = "asset_deleted" if content_type == ASSETS else "entry_deleted"
        return [News(kind, (key,)) for key in keys]

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            del self._written[key]
            self.published.pop(key, None)

    def add_type(self, uid: str) -> list[News]:
        """A new content type, or one that comes back."""
        self.types[uid] = {"uid": uid, "title": uid.replace("_", " ").title(), "_version": 1, "fields": 3}
        return []

    def change_type(self, uid: str) -> list[News]:
        """One more field."""
        old = self.types[uid]
        self.types[uid] = {**old, "_version": old["_version"] + 1, "fields": old["fields"] + 1}
        return []

    def delete_type(self, uid: str, with_entries: bool) -> list[News]:
        """Its entries go with it, in events of their own or without."""
        keys = tuple(key for key in self.written() if key.content_type == uid)
        self._forget(keys)
        del self.types[uid]
        told = [News("entry_deleted", (key,)) for key in keys] if with_entries else []
        return [*told, News("content_type_deleted", keys)]


class View:
    """What a mount with filters shows.

    With a list of item types that leaves removals out, what was removed stays, and goes when the stack is listed anew:
    `ghosts` are such paths, with the number of listings that had begun when they became so.
    """

    def __init__(self, content_types: list[str], locales: list[str], types: list[str], since: bool) -> None:
        self.content_types, self.locales, self.types = content_types, locales, types
        self.begun = not since  # what was published before is not shown
        self.ghosts: dict[str, int] = {}
        self._shown: Tree = {}

    def take(self, news: News, listings: int) -> None:
        """Applies one event."""
        if news.value is not None:
            if self.begun and self._wants(news.keys[0]) and self._hears(news.type):
                self._shown[news.keys[0].path] = news.value
                self.ghosts.pop(news.keys[0].path, None)
            return
        for path in (key.path for key in news.keys):
            if self._hears(news.type):
                self._shown.pop(path, None)
                self.ghosts.pop(path, None)
            elif path in self._shown:
                self.ghosts.setdefault(path, listings)

    def lay(self, ghost: str) -> None:
        """A ghost was seen to be gone."""
        del self._shown[ghost], self.ghosts[ghost]

    def may_stay(self, path: str) -> bool:
        """Whether it is the schema of a deleted type that has ghosts."""
        types = {key.content_type for key in map(key_of, self.ghosts) if key}
        return path in {f"content_types/{uid}.json" for uid in types}

    def _hears(self, kind: str) -> bool:
        return not self.types or kind in self.types

    def _wants(self, key: Key) -> bool:
        if self.content_types and key.content_type not in self.content_types:
            return False
        return not self.locales or key.locale in self.locales

    def tree(self, model: Model) -> Tree:
        """Every file that should be there."""
        schemas = {
            path: value
            for path, value in model.schemas().items()
            if not self.content_types or value["uid"] in self.content_types
        }
        return {**schemas, **self._shown}

    def stream(self, path: str) -> tuple[str, ...]:
        """Which part of the tree moves as one: that of a sync token, or a single file.

        With several locales one token may bring a removal that concerns the entries of another one.
        """
        key = key_of(path)
        if key is None or len(self.locales) > 1:
            return (path,)
        return (key.content_type if self.content_types else "", *self.locales)
