"""Exact JSON text and ISO times.

The stack must put on the wire exactly what an author wrote: `1.10` stays `1.10`, `\\u00e9` stays an escape. Content is
therefore kept as JSON text, and changed member by member; nothing here turns a number into a Python number.
"""

from __future__ import annotations

import calendar
import functools
import json
import re
import time
from typing import Any, Iterable

# Unrolled: a character a step would take a third of a second for a text of a megabyte.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_STRING_OR_SPACE = re.compile(f"({_STRING.pattern})|[ \\t\\r\\n]+")
_CHARACTER = re.compile(r"\\.|[^\\]", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\r\n]*")
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?)?"
)


class WireError(ValueError):
    """The text is not the JSON that was expected."""


def _no_constant(name: str) -> None:
    raise WireError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_constant)


@functools.lru_cache(maxsize=1024)
def quote(text: str) -> str:
    """JSON string for `text`: plain UTF-8, lone surrogates as escapes."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", quoted)


def dump(value: Any) -> str:
    """Compact JSON text of a Python value, keys in their order."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def minify(text: str) -> str:
    """The same JSON text without the white space between its tokens."""
    return _STRING_OR_SPACE.sub(lambda match: match.group(1) or "", text)


def _value_end(text: str, start: int) -> int:
    try:
        return int(_DECODER.scan_once(text, start)[1])  # type: ignore[attr-defined]
    except StopIteration as error:
        raise WireError(f"a value is expected at character {error.value}") from None
    except json.JSONDecodeError as error:
        raise WireError(str(error)) from None
    except RecursionError:
        raise WireError("nested too deeply") from None


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def split_object(text: str) -> dict[str, str]:
    """Members of a JSON object: name -> exact text of its value."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise WireError("a JSON object is expected")
    members: dict[str, str] = {}
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        at += 1
    else:
        while True:
            if text[at : at + 1] != '"':
                raise WireError(f"a member name is expected at character {at}")
            end = _value_end(text, at)
            name = json.loads(text[at:end])
            at = _skip(text, end)
            if text[at : at + 1] != ":":
                raise WireError(f"':' is expected at character {at}")
            at = _skip(text, at + 1)
            end = _value_end(text, at)
            members[name] = text[at:end]
            at = _skip(text, end)
            mark = text[at : at + 1]
            at = _skip(text, at + 1)
            if mark == "}":
                break
            if mark != ",":
                raise WireError(f"',' or '}}' is expected at character {at - 1}")
    if _skip(text, at) != len(text):
        raise WireError(f"something follows the object at character {at}")
    return members


def split_array(text: str) -> list[str]:
    """Elements of a JSON array, each as its exact text."""
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise WireError("a JSON array is expected")
    elements: list[str] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        end = _value_end(text, at)
        elements.append(text[at:end])
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise WireError(f"',' or ']' is expected at character {at}")
    return elements


def join_object(members: dict[str, str] | Iterable[tuple[str, str]]) -> str:
    """The JSON object with these members, values taken as they are."""
    pairs = members.items() if isinstance(members, dict) else members
    return "{" + ",".join(f"{quote(name)}:{value}" for name, value in pairs) + "}"


def plain_string(value: str | None, default: str = "") -> str:
    """The Python string of a JSON string's text; `default` for anything else."""
    if value is None or not value.startswith('"'):
        return default
    return str(json.loads(value))


def _escape_string(match: re.Match[str]) -> str:
    def escape(part: re.Match[str]) -> str:
        piece = part.group()
        if len(piece) == 2 and piece[0] == "\\":
            return piece
        if piece == "/":
            return "\\/"
        return piece if piece < "\x80" else json.dumps(piece)[1:-1]

    return '"' + _CHARACTER.sub(escape, match.group()[1:-1]) + '"'


def escape_all(text: str) -> str:
    """The same JSON the way some servers write it: `\\u00e9` for every non-ASCII character, `\\/` for a slash."""
    return _STRING.sub(_escape_string, text)


@functools.lru_cache(maxsize=4096)
def iso(milliseconds: int) -> str:
    """`2025-03-01T09:12:33.120Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime(f"%Y-%m-%dT%H:%M:%S.{rest:03d}Z", time.gmtime(seconds))


def parse_iso(text: str) -> int:
    """Milliseconds since 1970 of an ISO date or date-time; WireError when it is not one."""
    match = _ISO.fullmatch(text)
    if not match:
        raise WireError(f"{text!r} is not an ISO date-time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if not (year >= 1970 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        raise WireError(f"{text!r} is not a date")
    if hour > 23 or minute > 59 or second > 59:
        raise WireError(f"{text!r} is not a time of day")
    fraction = int(((match.group(7) or "") + "000")[:3])
    zone = match.group(8) or "Z"
    offset = 0 if zone == "Z" else (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    return (seconds - offset * 60) * 1000 + fraction
