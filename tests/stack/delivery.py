"""The delivery API: which path means what, and the plain (not sync) end points."""

from __future__ import annotations

from email.message import Message
from typing import Optional
from urllib.parse import unquote

import wire
from access import ApiError, Credentials, Query, invalid, unknown_asset, unknown_content_type, unknown_entry
from answers import Answer, file_answer
from content import Content
from events import ASSETS, Event, Filter, Key
from switches import Settings
from sync import SyncService

MOST = 100  # objects in one answer of a listing

Segments = list[str]


def split_path(path: str) -> Segments:
    """Segments of a raw path, each percent-decoded; ApiError when that fails."""
    if not path.isascii() or any(character <= " " or character in '"<>\\^`{|}' for character in path):
        raise ApiError(400, 400, "Bad request: the path holds characters that must be percent-encoded.")
    try:
        return [unquote(part, errors="strict") for part in path.split("/")[1:]]
    except UnicodeDecodeError:
        raise ApiError(400, 400, "Bad request: the path is not UTF-8.") from None


def kind_of(segments: Segments, query: str) -> str:
    """The kind under which a request is counted."""
    if segments[:3] == ["v3", "stacks", "sync"] and len(segments) == 3:
        for kind in ("pagination_token", "sync_token"):
            if f"{kind}=" in query:
                return "sync_page" if kind == "pagination_token" else "sync_delta"
        return "sync_init"
    if segments[:1] == ["mirror"] and len(segments) == 5:
        return "asset_mirror"
    if segments[:1] != ["v3"]:
        return "other"
    names = {
        ("content_types", 2): "content_types",
        ("content_types", 3): "content_type",
        ("content_types", 4): "entries",
        ("content_types", 5): "entry",
        ("locales", 2): "locales",
        ("assets", 2): "assets",
        ("assets", 3): "asset",
        ("assets", 6): "asset_bytes",
    }
    return names.get((segments[1], len(segments)), "other") if len(segments) > 1 else "other"


class Delivery:
    """Answers requests under `/v3`. Thread-safe."""

    def __init__(self, content: Content, sync: SyncService, credentials: Credentials, settings: Settings) -> None:
        self._content, self._sync, self._credentials, self._settings = content, sync, credentials, settings

    def answer(self, segments: Segments, query_text: str, headers: Message) -> Answer:
        """The answer to a GET; ApiError for the API's own refusals."""
        kind = kind_of(segments, query_text)
        query = Query(query_text)
        if kind == "other":
            raise ApiError(404, 404, "The requested URL was not found.")
        if kind == "asset_bytes":
            self._check_asset_token(query)
            return self._file(segments[2:], headers)
        if kind == "asset_mirror":
            return self._file(segments[1:], headers)
        needs_environment = kind.startswith("sync") or kind in ("entries", "entry", "assets", "asset")
        environment = self._credentials.check(headers, query, needs_environment)
        if kind.startswith("sync"):
            return Answer(page=self._sync.answer(environment, query))
        if kind in ("content_types", "content_type"):
            return Answer(text=self._content_types(segments[2:], query))
        if kind == "locales":
            return Answer(text=wire.dump({"locales": self._content.locales}))
        if kind in ("entries", "entry"):
            return Answer(text=self._entries(environment, segments[2], segments[4:], query))
        return Answer(text=self._assets(environment, segments[2:], query))

    def _content_types(self, rest: Segments, query: Query) -> str:
        include = query.flag("include_global_field_schema")
        with self._content.lock:
            if rest:
                if rest[0] not in self._content.types:
                    raise unknown_content_type(rest[0])
                return f'{{"content_type":{self._content.type_text(rest[0], include)}}}'
            uids = self._content.type_uids()
            skip, limit = query.number("skip", 0), min(MOST, query.number("limit", MOST, 1))
            texts = [self._content.type_text(uid, include) for uid in uids[skip : skip + limit]]
        count = f',"count":{len(uids)}' if query.flag("include_count") else ""
        return f'{{"content_types":[{",".join(texts)}]{count}}}'

    def _locale(self, query: Query) -> str:
        locale = query.get("locale")
        if locale is None:
            return self._content.master
        if locale not in self._content.locale_codes():
            raise invalid("locale")
        return locale

    def _find(self, environment: str, key: Key, query: Query) -> Optional[Event]:
        if environment != self._content.environment:
            return None
        event = self._content.published(key)
        if event is None and query.flag("include_fallback"):
            event = self._content.published(key._replace(locale=self._content.master))
        return event

    def _list(self, wanted: Filter, query: Query) -> tuple[list[Event], int]:
        """The events that `skip` and `limit` choose, and how many there are in all."""
        snapshot = self._content.snapshot(wanted)
        skip, limit = query.number("skip", 0), min(MOST, query.number("limit", MOST, 1))
        return snapshot.slice(skip, skip + limit), len(snapshot)

    def _entries(self, environment: str, content_type: str, rest: Segments, query: Query) -> str:
        content, locale = self._content, self._locale(query)
        with content.lock:
            if content_type not in content.types:
                raise unknown_content_type(content_type)
            if rest:
                event = self._find(environment, Key(content_type, rest[0], locale), query)
                if event is None:
                    raise unknown_entry()
                return f'{{"entry":{self._with_files(event)}}}'
            events, total = self._list(Filter(environment, (content_type,), (locale,)), query)
            texts = [self._with_files(event) for event in events]
        count = f',"count":{total}' if query.flag("include_count") else ""
        return f'{{"entries":[{",".join(texts)}]{count}}}'

    def _with_files(self, event: Event) -> str:
        """An entry's data with the asset in place of the asset uid, as this end point has it and sync does not."""
        members = wire.split_object(event.data)
        for name in self._content.types[event.content_type].file_fields() & set(members):
            uid = wire.plain_string(members[name])
            places = (event.locale or "", self._content.master)
            found = (self._content.published(Key(ASSETS, uid, place)) for place in places if uid)
            asset = next((event for event in found if event is not None), None)
            members[name] = asset.data if asset else "null"
        return wire.join_object(members)

    def _assets(self, environment: str, rest: Segments, query: Query) -> str:
        locale = self._locale(query)
        with self._content.lock:
            if rest:
                event = self._find(environment, Key(ASSETS, rest[0], locale), query)
                if event is None:
                    raise unknown_asset()
                return f'{{"asset":{event.data}}}'
            wanted = Filter(environment, None, (locale,), None, frozenset(("asset_published",)))
            events, total = self._list(wanted, query)
        count = f',"count":{total}' if query.flag("include_count") else ""
        return f'{{"assets":[{",".join(event.data for event in events)}]{count}}}'

    def _check_asset_token(self, query: Query) -> None:
        given = (query.get("access_token"), query.get("environment"))
        if self._settings.on("secure-assets") and given != (self._credentials.token, self._credentials.environment):
            raise ApiError(403, 403, "Access denied: this stack's assets need a delivery token.")

    def _file(self, segments: Segments, headers: Message) -> Answer:
        api_key, asset_uid, file_uid, filename = segments
        file = self._content.file(asset_uid, file_uid) if api_key == self._credentials.api_key else None
        if file is None or file.filename != filename:
            raise unknown_asset()
        return file_answer(file, headers, self._settings.on("asset-ranges"), self._settings.word("asset-etags"))
