"""Putting an answer on the wire: headers as the CDN sends them, gzip when asked, and the faults of a connection."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Callable, Iterator, NoReturn, Optional

import ratelimit
from answers import Answer
from connection import Connection, ConnectionOver
from faults import Fault
from files import Blob, Bytes, Part
from oddities import FILLER, odd_bytes

_PIECE = 1 << 16
_LARGE = 4 << 20  # beyond this a body is not held in memory
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
    name = fault.kind.name if fault else ""
    if answer.blob is not None:
        _send_body(connection, answer, terms, Part(answer.blob, answer.start, answer.end), fault, {})
        return
    body = answer.body()
    if fault is not None:
        body = odd_bytes(fault, body)
        if name in ("huge", "endless"):
            _send_filled(connection, answer, terms, body, fault)
            return
    encoding: dict[str, str] = {}
    if fault is not None and name == "bad-gzip":
        body, encoding = _damaged_gzip(body, fault.text("style")), {"Content-Encoding": "gzip"}
    elif terms.gzip_level and body and name != "gzip":
        body, encoding = zlib.compress(body, terms.gzip_level, 31), {"Content-Encoding": "gzip"}
    _send_body(connection, answer, terms, Bytes(body), fault, encoding)


def send_chunks(
    connection: Connection, answer: Answer, terms: Terms, pieces: Iterator[bytes], ends: bool = True
) -> None:
    """Sends a body of unknown length; without its end if it is not to end."""
    head = _head(answer, terms, {"Transfer-Encoding": "chunked"})
    connection.send(head, len(head))
    for piece in pieces:
        if piece:
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    if not ends:
        raise ConnectionOver
    connection.send(b"0\r\n\r\n")


def send_to_end(connection: Connection, answer: Answer, terms: Terms, pieces: Iterator[bytes]) -> NoReturn:
    """Sends a body that ends where the connection does."""
    _send_pieces(connection, _head(answer, terms, {"Connection": "close"}), pieces)
    raise ConnectionOver


def _send_body(
    connection: Connection, answer: Answer, terms: Terms, body: Blob, fault: Optional[Fault], encoding: dict[str, str]
) -> None:
    name = fault.kind.name if fault else ""
    if terms.head_only or answer.status in _NO_BODY:
        length = {} if answer.status in _NO_BODY else {"Content-Length": str(body.size)}
        _send_pieces(connection, _head(answer, terms, {**encoding, **length}), iter(()))
        if name in _BROKEN_OFF:
            raise ConnectionOver
    elif fault is None or name not in _SENDERS:
        head = _head(answer, terms, {**encoding, "Content-Length": str(body.size)})
        _send_pieces(connection, head, body.read(0, body.size))
    else:
        answer.headers.update(encoding)
        _SENDERS[name](connection, answer, terms, body, fault)


def _send_pieces(connection: Connection, head: bytes, pieces: Iterator[bytes]) -> None:
    """The head goes together with the first piece."""
    for piece in pieces:
        connection.send(head + piece, len(head))
        head = b""
    if head:
        connection.send(head, len(head))


def _break_off(connection: Connection, answer: Answer, terms: Terms, body: Blob, fault: Fault) -> None:
    """A body that ends, or stops, before it is complete."""
    part, most = fault.number_of("part"), max(0, body.size - 1)
    sent = min(most, body.size * part // 100 if part >= 0 else fault.number_of("bytes"))
    _send_pieces(connection, _head(answer, terms, {"Content-Length": str(body.size)}), body.read(0, sent))
    if fault.kind.name == "stall":
        connection.wait(fault.number_of("seconds"), fault.released)
    elif fault.kind.name == "reset-mid":
        connection.wait(0.05)  # let the bytes arrive before the RST overtakes them
        connection.reset()
    raise ConnectionOver


def _trickle(connection: Connection, answer: Answer, terms: Terms, body: Blob, fault: Fault) -> None:
    head = _head(answer, terms, {"Content-Length": str(body.size)})
    step = max(1, fault.number_of("bytes"))
    for of_head, data in ((True, head), *((False, piece) for piece in body.read(0, body.size))):
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            connection.send(piece, len(piece) if of_head else 0)
            connection.wait(fault.number_of("delay") / 1000, fault.released)


def _send_wrong_length(connection: Connection, answer: Answer, terms: Terms, body: Blob, fault: Fault) -> None:
    told = max(0, body.size + fault.number_of("by"))
    _send_pieces(connection, _head(answer, terms, {"Content-Length": str(told)}), body.read(0, min(told, body.size)))
    if told > body.size:
        raise ConnectionOver


def _send_unsized(connection: Connection, answer: Answer, terms: Terms, body: Blob, fault: Fault) -> None:
    part = fault.number_of("part")
    pieces = body.read(0, body.size * part // 100)
    if fault.text("style") == "chunked":
        send_chunks(connection, answer, terms, pieces, part == 100)
        return
    send_to_end(connection, answer, terms, pieces)


def _send_endless(connection: Connection, answer: Answer, terms: Terms, body: Blob, fault: Fault) -> None:
    """The right body, and no end of it."""

    def endless() -> Iterator[bytes]:
        yield from body.read(0, body.size)
        while True:
            yield b"x" * _PIECE
            connection.wait(fault.number_of("delay") / 1000, fault.released)

    send_chunks(connection, answer, terms, endless())


def _send_compressed(connection: Connection, answer: Answer, terms: Terms, body: Blob, _: Fault) -> None:
    answer.headers["Content-Encoding"] = "gzip"
    if body.size > _LARGE:
        send_chunks(connection, answer, terms, _packed(body.read(0, body.size)))
        return
    packed = b"".join(_packed(body.read(0, body.size)))
    _send_pieces(connection, _head(answer, terms, {"Content-Length": str(len(packed))}), iter([packed]))


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


_BROKEN_OFF = ("reset-mid", "truncate", "stall")
_SENDERS: dict[str, Callable[[Connection, Answer, Terms, Blob, Fault], None]] = {
    **dict.fromkeys(_BROKEN_OFF, _break_off),
    "trickle": _trickle,
    "length": _send_wrong_length,
    "unsized": _send_unsized,
    "gzip": _send_compressed,
    "endless": _send_endless,
}


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

    if fault.kind.name == "endless":
        send_chunks(connection, answer, terms, endless())
    elif fault.params["compressed"] and terms.gzip_level:
        answer.headers["Content-Encoding"] = "gzip"
        send_chunks(connection, answer, terms, _packed(huge()))
    else:
        length = len(start) + fault.number_of("size") + len(rest)
        _send_pieces(connection, _head(answer, terms, {"Content-Length": str(length)}), huge())
