"""An answer of the API before it goes on the wire, and the ranges of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Optional
from urllib.parse import quote

from access import ApiError
from files import Blob, File
from sync import Page

JSON = "application/json"


@dataclass
class Answer:
    """Status, headers and one of: a text, a sync page, or a range of a file. Of an asset, `file` says which."""

    status: int = 200
    text: str = ""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    page: Optional[Page] = None
    blob: Optional[Blob] = None
    start: int = 0
    end: int = 0
    file: Optional[File] = None

    def body(self) -> bytes:
        """The bytes of a text or a page."""
        return (self.page.text() if self.page is not None else self.text).encode()

    @property
    def length(self) -> int:
        """How many bytes of the file are sent."""
        return self.end - self.start

    @classmethod
    def error(cls, error: ApiError) -> "Answer":
        """The answer that an ApiError stands for."""
        return cls(error.status, error.text())


def file_answer(file: File, headers: Message, ranges: bool = True, etags: str = "strong") -> Answer:
    """A file, or the part of it that a Range header asks for if `ranges` are served. `etags`: strong, weak or none."""
    size = file.blob.size
    answer = Answer(content_type=file.content_type, blob=file.blob, end=size, file=file)
    answer.headers = {"Accept-Ranges": "bytes" if ranges else "none", "Content-Disposition": _disposition(file.filename)}
    if etags != "none":
        answer.headers["ETag"] = ("W/" if etags == "weak" else "") + file.etag
        if headers.get("If-None-Match") == answer.headers["ETag"]:
            return Answer(304, headers={"ETag": answer.headers["ETag"]}, file=file)
    wanted = headers.get("Range", "")
    if not wanted or not ranges:
        return answer
    if (condition := headers.get("If-Range")) is not None and (etags != "strong" or condition != file.etag):
        return answer
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted.strip())
    if not match or match.group(1) == match.group(2) == "":
        return answer  # several ranges, or another unit: the whole file is a right answer
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    else:
        start, end = max(0, size - int(last)), size
    if first and last and int(last) < int(first):
        return answer
    if start >= size or end <= start:
        return Answer(416, headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}, file=file)
    answer.status, answer.start, answer.end = 206, start, end
    answer.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return answer


def _disposition(filename: str) -> str:
    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "_" for c in filename)
    text = f'inline; filename="{plain}"'
    return text if plain == filename else f"{text}; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"
