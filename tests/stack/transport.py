"""Putting an answer on the wire: headers as the CDN sends them, gzip when asked, and the faults of a connection."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Iterator, Optional

import ratelimit
from answers import Answer
from connection import Connection, ConnectionOver
from faults import Fault
from oddities import FILLER, odd_bytes

_PIECE = 1 << 16
_NO_BODY = (204, 304)


@dataclass(frozen=True)
class Terms:
    """How this request wants, and this stack gives, its answers."""

    organization: str
    gzip_level: int  # 0: no compression
    head_only: bool = False
    cached: bool = False
    keep_alive: bool = True


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*") and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return True
    return False


def _head(answer: Answer, terms: Terms, more: dict[str, str]) -> bytes:
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    headers = {
        "Server": "contentstack",
        "Date": formatdate(usegmt=True),
        "Content-Type": answer.content_type,
        "Access-Control-Allow-Origin": "*",
        "Vary": "Accept-Encoding",
        "Via": "1.1 varnish, 1.1 varnish",
        "Age": "3" if terms.cached else "0",
        "x-cache": "MISS, HIT" if terms.cached else "MISS, MISS",
        "x-cache-hits": "0, 1" if terms.cached else "0, 0",
        "x-served-by": "cache-fra-local-FRA, cache-ham-local-HAM",
        "x-timer": f"S{time.time():.6f},VS0,VE9",
        "x-runtime": "9ms",
        "X-Contentstack-Organization": terms.organization,
        **ratelimit.UNLIMITED,
        "Accept-Ranges": "bytes",
    }
    headers.update(answer.headers)
    headers.update(more)
    if not terms.keep_alive:
        headers["Connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} {reason}\r\n{lines}\r\n".encode("latin-1", "replace")


def send_answer(connection: Connection, answer: Answer, terms: Terms, fault: Optional[Fault] = None) -> None:
    """Sends an answer, with the fault of the connection that befalls it. May raise ConnectionOver."""
    if answer.blob is not None:
        body = b"" if fault is None else b"".join(answer.blob.read(answer.start, answer.end))
        if fault is None:
            connection.send(_head(answer, terms, {"Content-Length": str(answer.end - answer.start)}))
            if not terms.head_only:
                for piece in answer.blob.read(answer.start, answer.end):
                    connection.send(piece)
            return
        _send_body(connection, answer, terms, body, fault, {})
        return
    body = answer.body()
    if fault is not None:
        body = odd_bytes(fault, body)
        if fault.kind.name in ("huge", "endless"):
            _send_filled(connection, answer, terms, body, fault)
            return
    encoding: dict[str, str] = {}
    if fault is not None and fault.kind.name == "bad-gzip":
        body, encoding = _damaged_gzip(body, fault.text("style")), {"Content-Encoding": "gzip"}
    elif terms.gzip_level and body:
        body, encoding = zlib.compress(body, terms.gzip_level, 31), {"Content-Encoding": "gzip"}
    _send_body(connection, answer, terms, body, fault, encoding)


def send_chunks(connection: Connection, answer: Answer, terms: Terms, pieces: Iterator[bytes]) -> None:
    """Sends a body of unknown length."""
    connection.send(_head(answer, terms, {"Transfer-Encoding": "chunked"}))
    for piece in pieces:
        if piece:
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    connection.send(b"0\r\n\r\n")


def _send_body(
    connection: Connection, answer: Answer, terms: Terms, body: bytes, fault: Optional[Fault], encoding: dict[str, str]
) -> None:
    length = {} if answer.status in _NO_BODY else {"Content-Length": str(len(body))}
    head = _head(answer, terms, {**encoding, **length})
    if terms.head_only or answer.status in _NO_BODY:
        body = b""
    name = fault.kind.name if fault else ""
    if fault is None or name not in ("reset-mid", "truncate", "stall", "trickle"):
        connection.send(head + body)
        return
    if name == "trickle":
        _trickle(connection, head + body, fault)
        return
    connection.send(head + body[: min(fault.number_of("bytes"), max(0, len(body) - 1))])
    if name == "stall":
        connection.wait(fault.number_of("seconds"), fault.released)
    elif name == "reset-mid":
        connection.wait(0.05)  # let the bytes arrive before the RST overtakes them
        connection.reset()
    raise ConnectionOver


def _trickle(connection: Connection, data: bytes, fault: Fault) -> None:
    step = max(1, fault.number_of("bytes"))
    for start in range(0, len(data), step):
        connection.send(data[start : start + step])
        connection.wait(fault.number_of("delay") / 1000, fault.released)


def _damaged_gzip(body: bytes, style: str) -> bytes:
    packed = zlib.compress(body, 6, 31)
    if style == "plain":
        return body
    if style == "cut":
        return packed[: len(packed) // 2]
    if style == "unfinished":
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        return packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)
    if style == "checksum":
        return packed[:-8] + bytes(byte ^ 0x5A for byte in packed[-8:-4]) + packed[-4:]
    if style == "trailing":
        return packed + b"<!-- cached -->"
    middle = len(packed) // 2
    return packed[:middle] + bytes(byte ^ 0x5A for byte in packed[middle : middle + 64]) + packed[middle + 64 :]


def _send_filled(connection: Connection, answer: Answer, terms: Terms, body: bytes, fault: Fault) -> None:
    """A body whose filler is a giant string, or one that never ends."""
    mark = FILLER.encode()
    if mark not in body:
        body = b'{"filler":"' + mark + b'"}'
    start, _, rest = body.partition(mark)
    filler = b"x" * _PIECE

    def endless() -> Iterator[bytes]:
        yield start
        while True:
            yield filler
            connection.wait(fault.number_of("delay") / 1000, fault.released)

    def huge() -> Iterator[bytes]:
        yield start
        left = fault.number_of("size")
        while left > 0:
            yield filler[:left]
            left -= _PIECE
        yield rest

    def packed() -> Iterator[bytes]:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        for piece in huge():
            yield packer.compress(piece)
        yield packer.flush()

    if fault.kind.name == "endless":
        send_chunks(connection, answer, terms, endless())
    elif fault.params["compressed"] and terms.gzip_level:
        answer.headers["Content-Encoding"] = "gzip"
        send_chunks(connection, answer, terms, packed())
    else:
        length = len(start) + fault.number_of("size") + len(rest)
        connection.send(_head(answer, terms, {"Content-Length": str(length)}))
        for piece in huge():
            connection.send(piece)
