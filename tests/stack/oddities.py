"""Faults in what an answer says: statuses, shapes, items that should not be."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.message import Message
from email.utils import formatdate
from typing import Callable

import wire
from access import NOT_VALID, TRY_AGAIN
from answers import Answer
from faults import Fault
from fields import change_field, has_field
from file_faults import befalls_file, odd_file
from sync import Page

HTML = "text/html; charset=utf-8"
FILLER = "\ufffcfiller\ufffc"  # stands where a giant string goes
_BAD_BYTES = b"\xff\xc3(\xed\xa0\x80"
_TYPE = re.compile(r'"content_type_uid":"([^"\\]*)"')
_MESSAGES = {
    400: ("Bad Request", 400),
    401: ("You're not allowed in here unless you're logged in.", 105),
    403: ("Access denied.", 403),
    404: ("The requested URL was not found.", 404),
    408: ("Request timed out.", 408),
    412: ("We can't find that Stack. Please try again.", 109),
    422: (TRY_AGAIN, 141),
    429: ("Rate limit exceeded.", 429),
    500: ("Internal Server Error", 500),
    502: ("Bad Gateway", 502),
    503: ("Service Unavailable", 503),
    504: ("Gateway Timeout", 504),
}
_CULPRITS = {401: "access_token", 412: "api_key", 422: "parameter"}


@dataclass(frozen=True)
class Asked:
    """What a request asked for, as far as a fault may depend on it."""

    path: str
    token: str  # of a page
    headers: Message


def can_befall(fault: Fault, answer: Answer) -> bool:
    """Whether the answer has what the fault changes. If not, the fault waits for another one."""
    return has_field(fault, answer) and befalls_file(fault, answer)


def odd_answer(fault: Fault, answer: Answer, asked: Asked) -> Answer:
    """`answer` with the fault in it. Faults of the connection leave it alone."""
    name = fault.kind.name
    if fault.kind.scope in ("file", "range"):
        return odd_file(fault, answer, asked.headers)
    if name.isdigit():
        return _status(fault, int(name))
    if name == "not-json":
        return Answer(200, _page_of_html(200, "We'll be right back"), HTML)
    if name == "redirect":
        to = fault.text("to").replace("{file}", asked.path.partition("/v3/assets")[2])
        return Answer(fault.number_of("status"), "", HTML, {"Location": to})
    if name == "wrong-type":
        return _wrong_type(fault.text("shape"), answer, asked.token)
    if name == "content-type":
        answer.content_type = fault.text("type")
    if answer.page is None:
        return answer
    if name == "field":
        return change_field(fault, answer, answer.page)
    if name == "bad-utf8" and fault.text("where") == "page":
        return Answer(text=f'{{"note":"{FILLER}",{answer.page.text()[1:]}')
    _change_items(fault, answer, answer.page, asked.token)
    return answer


def _change_items(fault: Fault, answer: Answer, page: Page, requested_token: str) -> None:
    name = fault.kind.name
    if name in _EXTRAS:
        page.items.insert(len(page.items) // 2, _EXTRAS[name](fault, _some_type(answer)))
    elif name == "repeat-items":
        page.items = [*page.items, *page.items]
    elif name == "repeat-page":
        before, fault.memory = fault.memory, list(page.items)
        page.items = [*before, *page.items]
    elif name == "cycle":
        first = fault.memory[0] if fault.memory else requested_token
        fault.memory = [first]
        if requested_token != first:
            page.token_name, page.token = "pagination_token", first


def odd_bytes(fault: Fault, body: bytes) -> bytes:
    """The body with damage that text cannot have."""
    if fault.kind.name == "bad-json":
        return _bad_json(fault, body)
    if fault.kind.name == "bad-utf8":
        return body.replace(FILLER.encode(), _BAD_BYTES)
    return body


def _bad_json(fault: Fault, body: bytes) -> bytes:
    style = fault.text("style")
    if style == "cut":
        return body[: fault.number_of("bytes") or max(1, len(body) * 2 // 3)]
    return {
        "empty": b"",
        "blank": b" \n",
        "nul": b"\0" + body,
        "mark": b"\xef\xbb\xbf" + body,
        "trailing": body + b"<!-- cached -->",
        "comma": body[:-1] + b",}",
        "nan": body[:-1] + b',"nan":NaN}',
        "twice": body + body,
    }[style]


def _page_of_html(status: int, title: str) -> str:
    return (
        f"<!DOCTYPE html>\n<html><head><title>{status} {title}</title></head>"
        f"<body><h1>{title}</h1><p>Guru Meditation: XID: 417228</p><hr><p>Varnish cache server</p></body></html>\n"
    )


def _status(fault: Fault, status: int) -> Answer:
    message, code = _MESSAGES[status]
    answer = Answer(status)
    if fault.text("body") == "html":
        answer.text, answer.content_type = _page_of_html(status, message), HTML
    elif fault.text("body") == "json":
        culprit = str(fault.params.get("errors", "")) or _CULPRITS.get(status, "")
        errors = {culprit: [str(fault.params.get("reason", "")) or NOT_VALID]} if culprit else {}
        code = int(fault.params.get("code", 0)) or code
        answer.text = wire.dump({"error_message": message, "error_code": code, "errors": errors})
    retry, reset = str(fault.params.get("retry-after", "")), str(fault.params.get("reset", ""))
    if retry.startswith("date:"):
        answer.headers["Retry-After"] = formatdate(time.time() + float(retry[5:]), usegmt=True)
    elif retry:
        answer.headers["Retry-After"] = retry
    if reset:
        answer.headers["x-ratelimit-reset"] = str(int(time.time() + float(reset)))
    if status == 429:
        answer.headers["x-ratelimit-remaining"] = "0"
    return answer


def _wrong_type(shape: str, answer: Answer, requested_token: str) -> Answer:
    plain = {"array": "[]", "string": '"sync"', "number": "42", "null": "null"}
    page = answer.page
    if shape in plain:
        return Answer(text=plain[shape])
    if page is None:
        return Answer(text='{"unexpected":true}')
    if shape == "item-not-object":
        page.items[:0] = ["42", '"text"', "null", "[]", "true"]
        return answer
    if shape == "same-token":
        page.token_name, page.token = "pagination_token", requested_token
        return answer
    token = f'"{page.token_name}":"{page.token}"'
    items = f'"items":[{",".join(page.items)}],'
    texts = {
        "items-null": f'{{"items":null,{token}}}',
        "items-object": f'{{"items":{{}},{token}}}',
        "items-missing": f"{{{token}}}",
        "no-token": f'{{{items}"skip":0,"limit":100,"total_count":{len(page.items)}}}',
        "both-tokens": f'{{{items}"pagination_token":"{page.token}","sync_token":"{page.token}"}}',
        "empty-token": f'{{{items}"{page.token_name}":""}}',
        "token-not-string": f'{{{items}"{page.token_name}":42}}',
    }
    return Answer(text=texts[shape])


def _some_type(answer: Answer) -> str:
    """A content type that occurs on the page."""
    for item in answer.page.items if answer.page else ():
        match = _TYPE.search(item)
        if match and match.group(1) != "sys_assets":
            return match.group(1)
    return "odd_things"


def _item(kind: str, content_type: str, data: str, event_at: str = "") -> str:
    """What was published is an hour old: a deletion of its content type is newer, by whatever clock the content has."""
    age = 3_600_000 if kind == "entry_published" else 0
    when = event_at or wire.iso(time.time_ns() // 1_000_000 - age)
    return f'{{"type":"{kind}","event_at":"{when}","content_type_uid":{wire.quote(content_type)},"data":{data}}}'


def _data(uid: str, title: str, more: str = "") -> str:
    now = wire.iso(time.time_ns() // 1_000_000 - 3_600_000)
    details = f'{{"environment":"blt0","locale":"en-us","time":"{now}","user":"blt0"}}'
    return f'{{"uid":"{uid}","title":"{title}","locale":"en-us"{more},"publish_details":{details}}}'


def _without_details(_: Fault, content_type: str) -> str:
    data = '{"uid":"blt0ddba11000000001","title":"No publish_details","locale":"en-us","_version":1}'
    return _item("entry_published", content_type, data)


def _without_locale(fault: Fault, content_type: str) -> str:
    data = f'{{"uid":{wire.quote(fault.text("uid"))}}}'
    return _item("entry_deleted", fault.text("content-type") or content_type, data)


def _deep(fault: Fault, content_type: str) -> str:
    depth = fault.number_of("depth")
    more = ',"deep":' + "[" * depth + "]" * depth
    return _item("entry_published", content_type, _data("blt0ddba11000000002", "Deep", more))


def _unknown_type(_: Fault, content_type: str) -> str:
    return _item("entry_archived", content_type, _data("blt0ddba11000000003", "Of an unknown type"))


def _null_data(_: Fault, content_type: str) -> str:
    return _item("entry_published", content_type, "null")


def _no_data(_: Fault, content_type: str) -> str:
    return f'{{"type":"entry_published","event_at":"2026-01-01T00:00:00.000Z","content_type_uid":"{content_type}"}}'


def _no_uid(_: Fault, content_type: str) -> str:
    return _item("entry_published", content_type, _data("", "No uid").replace('"uid":"",', "", 1))


def _bad_time(_: Fault, content_type: str) -> str:
    return _item("entry_deleted", content_type, '{"uid":"blt0ddba11000000004","locale":"en-us"}', "2017-11-23T00:00:000Z")


def _filler(_: Fault, content_type: str) -> str:
    return _item("entry_published", content_type, _data("blt0ddba11000000005", FILLER))


_EXTRAS: dict[str, Callable[[Fault, str], str]] = {
    "no-publish-details": _without_details,
    "no-locale-tombstone": _without_locale,
    "unknown-item-type": _unknown_type,
    "null-data": _null_data,
    "no-data": _no_data,
    "no-uid": _no_uid,
    "bad-time": _bad_time,
    "deep": _deep,
    "bad-utf8": _filler,
    "huge": _filler,
}
