"""The fault that gives one field of a page, or of an item on it, another value."""

from __future__ import annotations

from typing import Optional

import wire
from answers import Answer
from faults import Fault
from sync import Page

_PLAIN = {
    "null": "null",
    "number": "42",
    "digits": "9" * 400,
    "string": '"a string"',
    "empty": '""',
    "control": '"a\\u0000b\\nc"',
    "array": '["element",7]',
    "object": '{"a":42}',
}


def has_field(fault: Fault, answer: Answer) -> bool:
    """Whether the answer has what the fault changes. Only an item can be lacking: empty pages have none."""
    if fault.kind.name != "field" or not fault.text("field").startswith("item."):
        return True
    return answer.page is not None and _place(answer.page, fault.text("uid")) is not None


def change_field(fault: Fault, answer: Answer, page: Page) -> Answer:
    """The answer with the field changed."""
    path = fault.text("field").split(".")
    value = _value(fault)
    if path[0] == "item":
        place = _place(page, fault.text("uid"))
        if place is not None:
            page.items[place] = _changed(page.items[place], path[1:], value)
        return answer
    if path == ["token"]:
        path = [page.token_name]
    return Answer(text=_changed(page.text(), path, value))


def _value(fault: Fault) -> Optional[str]:
    """JSON text; None: the field is not there."""
    name = fault.text("value")
    if name == "missing":
        return None
    if name == "large":
        return '"' + "x" * fault.number_of("size") + '"'
    if name == "deep":
        return "[" * fault.number_of("depth") + "]" * fault.number_of("depth")
    return _PLAIN[name]


def _place(page: Page, uid: str) -> Optional[int]:
    """Where the item of that uid stands, or the first one when no uid is given."""
    for place, item in enumerate(page.items):
        if not uid or _uid(item) == uid:
            return place
    return None


def _uid(item: str) -> str:
    return wire.plain_string(wire.split_object(wire.split_object(item)["data"]).get("uid"))


def _changed(text: str, path: list[str], value: Optional[str]) -> str:
    """The object with another value at the end of the path; None takes the member out."""
    members = wire.split_object(text)
    name = path[0]
    if len(path) > 1:
        members[name] = _changed(members.get(name, "{}"), path[1:], value)
    elif value is None:
        members.pop(name, None)
    else:
        members[name] = value
    return wire.join_object(members)
