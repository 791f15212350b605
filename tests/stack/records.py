"""The data of entries, assets and tombstones, as ordered members of exact JSON text."""

from __future__ import annotations

from typing import Optional

import wire
from events import Key

Members = dict[str, str]

USER = "blt7c2f5d8e1b4a9036"
SIZES = "right zero negative words missing null small large number huge".split()  # what a file_size may be
_FORCED = ("uid", "_version", "publish_details")


def publish_lag(key: Key) -> int:
    """How many milliseconds `event_at` is later than `publish_details.time`: nothing for most, a few for some."""
    mark = key.mark()
    return mark // 8 % 60 + 1 if mark % 8 == 0 else 0


def publish_details(environment_uid: str, locale: str, published: int) -> str:
    """The object of that name."""
    return wire.dump(
        {"environment": environment_uid, "locale": locale, "time": wire.iso(published), "user": USER}
    )


def new_entry(uid: str, locale: str, now: int, title: Optional[str] = None) -> Members:
    """The least that an entry has."""
    return {
        "title": wire.quote(title or f"Untitled {uid}"),
        "tags": "[]",
        "locale": wire.quote(locale),
        "uid": wire.quote(uid),
        "created_by": wire.quote(USER),
        "updated_by": wire.quote(USER),
        "created_at": wire.quote(wire.iso(now)),
    }


def new_asset(uid: str, now: int, filename: str, content_type: str) -> Members:
    """The least that an asset has; `set_file` adds the rest."""
    return {
        "uid": wire.quote(uid),
        "created_at": wire.quote(wire.iso(now)),
        "updated_at": wire.quote(wire.iso(now)),
        "created_by": wire.quote(USER),
        "updated_by": wire.quote(USER),
        "content_type": wire.quote(content_type),
        "file_size": '"0"',
        "tags": "[]",
        "filename": wire.quote(filename),
        "url": '""',
        "is_dir": "false",
        "_version": "1",
        "title": wire.quote(filename),
    }


def set_file(members: Members, size: int, url: str, content_type: str) -> None:
    """Notes a file in an asset's record. The size is a string, as the service has it."""
    members.update(
        file_size=wire.quote(str(size)), url=wire.quote(url), content_type=wire.quote(content_type)
    )


def file_size(how: str, size: int) -> Optional[str]:
    """The `file_size` of a record as JSON text, None for a record without."""
    wrong = {"zero": "0", "negative": "-1", "words": "abc", "small": str(size // 2), "large": str(size * 2 + 1)}
    wrong.update(right=str(size), huge="9" * 30)
    if how in wrong:
        return wire.quote(wrong[how])
    return {"missing": None, "null": "null", "number": str(size)}[how]


def stamp(members: Members, uid: str, version: int, changed: int, details: str) -> str:
    """Puts in what publishing sets, and returns the data's text."""
    members["uid"] = wire.quote(uid)
    members["updated_at"] = wire.quote(wire.iso(changed))
    members["_version"] = str(version)
    members.pop("publish_details", None)
    members["publish_details"] = details
    return wire.join_object(members)


def merge(members: Members, changes: Members) -> None:
    """Member by member; what publishing sets by itself cannot be given."""
    for name, value in changes.items():
        if name not in _FORCED:
            members[name] = value


def tombstone(uid: str, locale: Optional[str], data: Optional[str]) -> str:
    """Data of an unpublish or delete event: uid and locale, title, and the file name of an asset."""
    members = {"uid": wire.quote(uid)}
    if locale is not None:
        members["locale"] = wire.quote(locale)
    known = wire.split_object(data) if data else {}
    for name in ("title", "filename"):
        if name in known:
            members[name] = known[name]
    return wire.join_object(members)
