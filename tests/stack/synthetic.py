"""What generated content looks like: names, schemas, and the text of entries and assets, made by filling templates."""

from __future__ import annotations

import random
from typing import Any

import wire
from content_types import ContentType, text_field

_CODES = (
    "en-us de-de ja-jp fr-fr es-es it-it pt-br nl-nl sv-se pl-pl cs-cz tr-tr ru-ru uk-ua ar-eg he-il hi-in zh-cn zh-tw ko-kr"
).split()
_TYPES = "article product author event landing_page recipe location faq".split()
_WORDS = (
    "harbour lantern morning ledger copper signal weather margin quarter window station paper garden orchard river bridge "
    "record letter engine compass anchor valley summer winter market kitchen studio gallery archive timber silver cotton "
    "the the the a a of of and and in on with for from after before under between slowly nearly always seldom never "
    "keeps turns opens closes carries measures paints repairs remembers follows answers crosses quiet narrow bright heavy "
    "café naïve jalapeño Zürich smörgåsbord señor façade – „Ebbe“ 日本語 テスト Привет мир"
).split()
_SHORTEST_RICH = 1300
_CORPUS = 1 << 17
_USER = "blt5e1f0a9c3b7d2468"
_AUTHORS = f'"created_by":"{_USER}","updated_by":"{_USER}",'


def locales(count: int) -> list[dict[str, Any]]:
    """The first `count` locales, the master first."""
    codes = [_CODES[index] if index < len(_CODES) else f"en-{index:03d}" for index in range(count)]
    return [locale(code, codes[0]) for code in codes]


def locale(code: str, master: str, name: str = "") -> dict[str, Any]:
    """A locale as `/v3/locales` gives it."""
    body: dict[str, Any] = {"code": code, "name": name or code, "uid": f"blt{hash_text(code):016x}"}
    body["fallback_locale"] = None if code == master else master
    body.update(created_at="2024-01-08T08:00:00.000Z", updated_at="2024-01-08T08:00:00.000Z", _version=1)
    return body


def hash_text(text: str) -> int:
    """A number of 64 bits that is always the same for a text."""
    return random.Random(text).getrandbits(64)


def type_uids(count: int) -> list[str]:
    """Uids of the generated content types."""
    return [
        f"gen_{_TYPES[index % len(_TYPES)]}" + (f"_{index // len(_TYPES) + 1}" if index >= len(_TYPES) else "")
        for index in range(count)
    ]


def content_type(uid: str, created: int) -> ContentType:
    """The schema that generated entries follow."""
    block = [text_field("heading", "Heading"), text_field("text", "Text")]
    schema: list[dict[str, Any]] = [
        text_field("title", "Title", mandatory=True, unique=True),
        text_field("url", "URL"),
        text_field("summary", "Summary"),
        text_field("body", "Body", field_metadata={"allow_rich_text": True, "rich_text_type": "advanced", "version": 3}),
        {"display_name": "Price", "uid": "price", "data_type": "number", "mandatory": False, "multiple": False},
        {"display_name": "Rating", "uid": "rating", "data_type": "number", "mandatory": False, "multiple": False},
        {"display_name": "In stock", "uid": "in_stock", "data_type": "boolean", "mandatory": False, "multiple": False},
        {"display_name": "Date", "uid": "date", "data_type": "isodate", "mandatory": False, "multiple": False},
        {"display_name": "Hero", "uid": "hero", "data_type": "file", "mandatory": False, "multiple": False},
        {
            "display_name": "Related",
            "uid": "related",
            "data_type": "reference",
            "reference_to": [uid],
            "mandatory": False,
            "multiple": False,
        },
        {
            "display_name": "SEO",
            "uid": "seo",
            "data_type": "group",
            "mandatory": False,
            "multiple": False,
            "schema": [
                text_field("title", "Title"),
                text_field("description", "Description"),
                text_field("keywords", "Keywords", multiple=True),
            ],
        },
        {
            "display_name": "Sections",
            "uid": "sections",
            "data_type": "blocks",
            "multiple": True,
            "mandatory": False,
            "blocks": [{"title": "Text", "uid": "text", "schema": block}],
        },
    ]
    options = {"title": "title", "sub_title": ["summary"], "singleton": False, "is_page": True}
    return ContentType.create(uid, uid.replace("_", " ").title(), schema, created, options=options)


class Renderer:
    """Fills the templates. Everything follows from the numbers given; immutable."""

    def __init__(self, size: int, seed: int, environment_uid: str) -> None:
        source = random.Random(f"corpus:{seed}")

        def phrase(least: int, most: int) -> str:
            text = " ".join(source.choices(_WORDS, k=source.randint(least, most)))
            return text[:1].upper() + text[1:]

        self._titles = [phrase(2, 5) for _ in range(509)]
        self._sentences = [phrase(7, 18) + "." for _ in range(1021)]
        pieces: list[str] = []
        length = 0
        while length < _CORPUS + size:
            sentence = phrase(5, 16) + ". "
            pieces.append(sentence)
            length += len(sentence)
        self._corpus = "".join(pieces)
        self._plain = self._corpus.encode("ascii", "replace")
        self._size = size
        self._rich = size >= _SHORTEST_RICH
        self._environment = f'"publish_details":{{"environment":"{environment_uid}",'

    def _system(self, uid: str, locale: str, published: int, version: int) -> str:
        time = wire.iso(published)
        return (
            f'"tags":[],"locale":"{locale}","uid":"{uid}",{_AUTHORS}'
            f'"created_at":"2024-01-09T09:30:00.000Z","updated_at":"{time}","_version":{version},'
            f'"_in_progress":false,{self._details(locale, time)}'
        )

    def _details(self, locale: str, time: str) -> str:
        return f'{self._environment}"locale":"{locale}","time":"{time}","user":"{_USER}"}}'

    def _cut(self, number: int, length: int) -> str:
        start = number * 7919 % _CORPUS
        return self._corpus[start : start + length]

    def entry(
        self, number: int, content_type: str, uid: str, locale: str, published: int, related: str, asset: str
    ) -> str:
        """JSON text of an entry's data, of about the size asked for."""
        system = self._system(uid, locale, published, number % 9 + 1)
        title = f"{self._titles[number % len(self._titles)]} {number}"
        head = f'{{"title":"{title}","url":"/{content_type}/{number}",'
        room = self._size - len(head) - len(system) - 1
        if not self._rich:
            return f'{head}"body":"{self._cut(number, max(room - 11, 1))}",{system}}}'
        heading = self._titles[number * 3 % len(self._titles)]
        summary = self._sentences[number % len(self._sentences)]
        hero = f'"{asset}"' if asset else "null"
        fields = (
            f'"summary":"{summary}","price":{number % 900}.{number % 10}0,"rating":{number % 5},'
            f'"in_stock":{"true" if number % 3 else "false"},"date":"2024-0{number % 9 + 1}-15T00:00:00.000Z",'
            f'"hero":{hero},"related":[{{"uid":"{related}","_content_type_uid":"{content_type}"}}],'
            f'"seo":{{"title":"{title}","description":"{heading}","keywords":["{content_type}","{locale}"]}},'
            f'"sections":[{{"text":{{"heading":"{heading}","text":"{summary}",'
            f'"_metadata":{{"uid":"cs{number:016x}"}}}}}}],'
        )
        body = self._cut(number, max(room - len(fields) - 19, 1))
        return f'{head}{fields}"body":"<p>{body}</p>",{system}}}'

    def file(self, number: int) -> tuple[str, int, str]:
        """Name, size and file uid of an asset's file."""
        return f"note-{number}.txt", 400 + number * 37 % 4000, f"{number + 0x65A0000000000000:016x}00000000"

    def file_bytes(self, number: int, size: int) -> bytes:
        """The file itself."""
        start = number * 7919 % (_CORPUS - 5000)
        return self._plain[start : start + size]

    def asset(self, uid: str, locale: str, published: int, name: str, size: int, url: str) -> str:
        """JSON text of an asset's data."""
        time = wire.iso(published)
        return (
            f'{{"uid":"{uid}","created_at":"2024-01-09T09:30:00.000Z","updated_at":"{time}",{_AUTHORS}'
            f'"content_type":"text/plain","file_size":"{size}",'
            f'"tags":[],"filename":"{name}","url":"{url}","is_dir":false,"_version":1,"title":"{name}",'
            f"{self._details(locale, time)}}}"
        )
