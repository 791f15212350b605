"""Faults in what is said of an asset's bytes: their range, and which file they are of."""

from __future__ import annotations

import dataclasses
from email.message import Message

from answers import Answer, file_answer
from faults import Fault
from files import File, Pattern


def befalls_file(fault: Fault, answer: Answer) -> bool:
    """Whether the answer has what the fault changes; only faults of files need something of it."""
    if fault.kind.scope == "file":
        return answer.file is not None
    if fault.kind.scope != "range":
        return True
    return answer.status == 206 and not (fault.text_or("style") == "shifted" and _shifted(fault, answer) == answer.start)


def odd_file(fault: Fault, answer: Answer, headers: Message) -> Answer:
    """The answer with the fault in it."""
    file = answer.file
    assert file is not None
    name = fault.kind.name
    if name == "416":
        told = {"Content-Range": f"bytes */{file.blob.size}"} if fault.params["size"] else {}
        return Answer(416, headers={"Accept-Ranges": "bytes", **told})
    if name == "range-ignored":
        whole = dataclasses.replace(answer, status=200, start=0, end=file.blob.size, headers=dict(answer.headers))
        del whole.headers["Content-Range"]
        return whole
    if name == "wrong-range":
        return _wrong_range(fault, answer)
    ranges, tag = answer.headers["Accept-Ranges"] != "none", answer.headers.get("ETag")
    etags = "none" if tag is None else "weak" if tag.startswith("W/") else "strong"
    return file_answer(changed_file(file, fault), headers, ranges, etags)


def changed_file(file: File, fault: Fault) -> File:
    """The file that the URL has while the fault lasts."""
    size = max(0, file.blob.size + fault.number_of("by"))
    return dataclasses.replace(
        file, file_uid=f"{file.file_uid}-{fault.number}", blob=Pattern(size, f"changed:{file.etag}:{fault.number}")
    )


def _shifted(fault: Fault, answer: Answer) -> int:
    """Where a part of the file begins that lies a little beside the one that was asked for."""
    by = fault.number_of("by")
    return answer.start + by if 0 <= answer.start + by < answer.end else max(0, answer.start - abs(by))


def _wrong_range(fault: Fault, answer: Answer) -> Answer:
    assert answer.file is not None
    style, by, size = fault.text("style"), fault.number_of("by"), answer.file.blob.size
    start, end, total = answer.start, answer.end, size
    if style == "shifted":
        start = _shifted(fault, answer)
        end = min(size, start + answer.length)
        answer.start, answer.end = start, end
    elif style == "start":
        start, end = max(0, start + by), end + by
    elif style == "total":
        total = max(end, size + by)
    answer.headers["Content-Range"] = "bytes some/of them" if style == "garbage" else f"bytes {start}-{end - 1}/{total}"
    if style == "missing":
        del answer.headers["Content-Range"]
    return answer
