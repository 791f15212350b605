"""Loads the sample: a small museum, in four languages. What is authored stands in `content/*.json`, as exact JSON text.

In these files `"@slug"` stands for the uid of the entry or asset of that slug, and `{"$doc": […]}` for a JSON rich text
document, a paragraph per line. Everything else goes on the wire digit by digit as it is written.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

import media
import records
import schemas
import synthetic
import wire
from content import Content, Slot
from events import ASSETS, Event, Key
from files import Bytes, File, stored_name
from richtext import document

FOLDER = Path(__file__).parent / "content"
ENTRY_FILES = ("people_and_rooms.json", "collection.json", "magazine.json", "curiosities.json")
ASSET_FILE = "assets.json"
LOCALES = (
    ("en-us", "English - United States"),
    ("de-de", "German - Germany"),
    ("ja-jp", "Japanese - Japan"),
    ("ar-eg", "Arabic - Egypt"),
)
_FIRST = wire.parse_iso("2025-02-03T08:15:00.000Z")
_STEP = 34_873_219  # milliseconds between groups of publish events
_TIES = 4  # events that share a time
_SLUG = re.compile(r'(?<=")(!\[)?@([a-z0-9-]+)(\])?(?=")')  # "@slug" and, in rich text, "![@slug]"
_LONG_PARAGRAPHS = 1500
_DEPTH = 50


@dataclass
class _Publication:
    """One key to be published, and the members that its author gave."""

    key: Key
    written_in: str
    fields: records.Members
    escaped: bool = False
    blob: Optional[Bytes] = None


def load(content: Content, with_entries: bool) -> None:
    """Fills the content: locales, and the sample's content types, entries and assets if wanted."""
    generator = content.generator
    if with_entries or generator is None:
        content.locales = [synthetic.locale(code, LOCALES[0][0], name) for code, name in LOCALES]
    if generator is not None:
        known = set(content.locale_codes())
        content.locales += [locale for locale in generator.locales if locale["code"] not in known]
        content.types.update((found.uid, found) for found in generator.content_types())
    if not with_entries:
        return
    content.global_fields = schemas.global_fields()
    content.types.update((found.uid, found) for found in schemas.content_types(_FIRST - 9_000_000_000))
    uids = _uids()
    publications = sorted([*_assets(uids), *_entries(uids)], key=_shuffled)
    for number, publication in enumerate(publications):
        _publish(content, publication, _FIRST + number // _TIES * _STEP)


def _shuffled(found: _Publication) -> bytes:
    return hashlib.sha1("/".join(found.key).encode()).digest()


def _publish(content: Content, found: _Publication, at: int) -> None:
    key, mark = found.key, found.key.mark()
    created, version = at - 86_400_000 * (mark % 90 + 1), mark % 7 + 1
    is_asset = key.content_type == ASSETS
    if is_asset:
        name = wire.plain_string(found.fields["filename"])
        system = records.new_asset(key.uid, created, name, "")
    else:
        system = records.new_entry(key.uid, found.written_in, created)
        del system["title"]
        if mark % 5 == 0:
            system.update({"ACL": "{}", "_in_progress": "false"})
    members = {**system, **found.fields} if is_asset or mark % 3 == 0 else {**found.fields, **system}
    if found.blob is not None:
        file_uid = hashlib.sha1(f"{key.uid}:1".encode()).hexdigest()[:24]
        stored = stored_name(wire.plain_string(members["filename"]))
        members["filename"] = wire.quote(stored)
        mime = wire.plain_string(members["content_type"])
        content.files.add(File(key.uid, file_uid, stored, mime, found.blob))
        records.set_file(members, found.blob.size, content.file_url(key.uid, file_uid, stored), mime)
    published = at - records.publish_lag(key)
    details = records.publish_details(content.environment_uid, key.locale, published)
    data = records.stamp(members, key.uid, version, published - 1000 * (mark % 5000), details)
    if found.escaped:
        data = wire.escape_all(data)
    kind = "asset_published" if is_asset else "entry_published"
    event = Event(content.next_seq(), kind, *key, at, published, data, False, mark)
    content.clock.note(at)
    content.append(event)
    content.put(key, Slot(event, data, version))


@functools.lru_cache(maxsize=None)
def _objects(name: str) -> list[records.Members]:
    return [wire.split_object(found) for found in wire.split_array(wire.minify((FOLDER / name).read_text("utf-8")))]


def _uids() -> dict[str, str]:
    """The uid of each slug: the author's, where one is given."""
    named = {
        wire.plain_string(found["slug"]): wire.plain_string(found.get("uid"))
        for name in (*ENTRY_FILES, ASSET_FILE)
        for found in _objects(name)
    }
    return {slug: uid or "blt" + hashlib.sha1(slug.encode()).hexdigest()[:16] for slug, uid in named.items()}


def _with_uids(members: records.Members, uids: dict[str, str]) -> records.Members:
    """The members with uids in place of `"@slug"`."""

    def uid(match: re.Match[str]) -> str:
        return (match.group(1) or "") + uids[match.group(2)] + (match.group(3) or "")

    return {name: _SLUG.sub(uid, value) for name, value in members.items()}


def _entries(uids: dict[str, str]) -> Iterator[_Publication]:
    master = LOCALES[0][0]
    for found in (_with_uids(found, uids) for name in ENTRY_FILES for found in _objects(name)):
        slug, content_type = wire.plain_string(found["slug"]), wire.plain_string(found["type"])
        uid, escaped = uids[slug], "wire" in found
        fields = _expand(wire.split_object(found["fields"]), slug)
        yield _Publication(Key(content_type, uid, master), master, fields, escaped)
        for locale in json.loads(found.get("also", "[]")):
            yield _Publication(Key(content_type, uid, locale), master, fields, escaped)
        for locale, changes in wire.split_object(found.get("translations", "{}")).items():
            merged = {**fields, **_expand(wire.split_object(changes), f"{slug}-{locale}")}
            yield _Publication(Key(content_type, uid, locale), locale, merged, escaped)
    yield _Publication(Key("Curio", "blt0f1f71e5dee90000", master), master, _deep())
    yield _Publication(Key("Curio", "blt0a10c610c0000500", master), master, _long())


def _expand(fields: records.Members, slug: str) -> records.Members:
    return {name: document(value, slug) if value.startswith('{"$doc"') else value for name, value in fields.items()}


def _assets(uids: dict[str, str]) -> Iterator[_Publication]:
    for found in (_with_uids(found, uids) for found in _objects(ASSET_FILE)):
        made = media.make(found["make"])
        fields = wire.split_object(found["fields"])
        fields.update(filename=found["filename"], content_type=wire.quote(made.content_type))
        if made.dimension is not None:
            fields["dimension"] = made.dimension
        for locale in json.loads(found["in"]):
            key = Key(ASSETS, uids[wire.plain_string(found["slug"])], locale)
            yield _Publication(key, locale, fields, blob=Bytes(made.content))


def _deep() -> records.Members:
    inner = '"the innermost"'
    for level in range(_DEPTH, 0, -1):
        inner = f'{{"level_{level}":{inner}}}' if level % 2 else f"[{inner}]"
    return {"title": '"Fifty levels down"', "note": '"Objects and arrays in turn."', "deep": inner}


@functools.lru_cache(maxsize=None)
def _long() -> records.Members:
    sentences = (
        "Wind NW, moderate.", "Lamp lit at dusk.", "Nothing to report — nichts zu melden — 異常なし.", "Two sail, hull down.",
        "The mate says it will rain; the cat says otherwise.", "Polished from four to seven.", "\\\"Quiet\\\", as usual.\\n",
    )  # fmt: skip
    paragraphs = (
        f"<p>Day {number}. " + " ".join(sentences[(number * 5 + place * 3) % len(sentences)] for place in range(12)) + "</p>"
        for number in range(1, _LONG_PARAGRAPHS)
    )
    return {"title": '"The long log"', "note": '"Half a megabyte in one field."', "text": '"' + "".join(paragraphs) + '"'}
