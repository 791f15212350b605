"""The table of what may go wrong with the bytes of an asset, and what a reader should come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator

# What a reader gets while the fault lasts. Whatever it is, no byte of it is wrong:
RIGHT = "right"  # the asset
EITHER = "either"  # the asset, or an error
FAILS = "fails"  # an error
EVERY = 0  # times: until it is taken back


@dataclass(frozen=True)
class Case:
    """A fault of an asset's bytes."""

    kind: str
    outcome: str
    params: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    skip: int = 0

    @property
    def name(self) -> str:
        """For people."""
        what = "".join(f" {name} {value}" for name, value in self.params.items())
        when = " for ever" if self.times == EVERY else f" {self.times} times" if self.times > 1 else ""
        return f"{self.kind}{what}{when}{f' after {self.skip}' if self.skip else ''}"

    @property
    def changes(self) -> bool:
        """Whether there is another file behind the URL for a while: that one is right, too, if it is whole."""
        return self.kind == "changed"

    @property
    def seems_to_change(self) -> bool:
        """Whether a client may take it for another file."""
        return self.changes or self.params.get("style") == "total"


def statuses() -> Iterator[Case]:
    """Answers other than 200 and 206."""
    yield Case("429", RIGHT)
    for status in (408, 500, 502, 503, 504):
        yield Case(str(status), RIGHT, {"body": "html"})
    yield Case("500", RIGHT, {"body": "empty"}, times=2)
    yield Case("503", RIGHT, skip=1)
    for status in (400, 401, 403, 404, 412, 422):
        yield Case(str(status), EITHER)
    for status in (403, 404, 500, 503):
        yield Case(str(status), FAILS, {"body": "html"}, EVERY)


def pauses() -> Iterator[Case]:
    """Servers that ask for a pause: of all that is asked of them, one after the other, so that readers need patience."""
    yield Case("429", RIGHT, {"retry-after": "1"})
    yield Case("429", RIGHT, {"retry-after": "date:1", "body": "html"})
    yield Case("503", RIGHT, {"retry-after": "1", "body": "html"})


def limits() -> Iterator[Case]:
    """What a server asks for counts for all that is on it: apart, so that no other case waits for these."""
    yield Case("429", FAILS, {"retry-after": "1"}, EVERY)


def connections() -> Iterator[Case]:
    """Connections that end before the body does, or that hang."""
    for kind in ("reset", "close"):
        yield Case(kind, RIGHT)
        yield Case(kind, RIGHT, skip=1)
        yield Case(kind, FAILS, times=EVERY)
    for kind in ("reset-mid", "truncate"):
        for part in (0, 33, 66, 100):
            yield Case(kind, RIGHT, {"part": part})
        yield Case(kind, RIGHT, {"part": 50}, skip=1)
        yield Case(kind, EITHER, {"part": 66}, EVERY)
        yield Case(kind, FAILS, {"part": 0}, EVERY)
    yield Case("trickle", RIGHT, {"bytes": 100_000, "delay": 2})


def stalls() -> Iterator[Case]:
    """Nothing more comes, for as long as somebody may wait."""
    yield Case("stall-before", EITHER)
    for part in (0, 33, 66, 100):
        yield Case("stall", EITHER, {"part": part})
    yield Case("stall-before", FAILS, times=EVERY)
    yield Case("stall", FAILS, {"part": 0}, EVERY)
    yield Case("stall", EITHER, {"part": 66}, EVERY)


def lengths() -> Iterator[Case]:
    """Lengths that are wrong, or not told."""
    for by in (-1, 1, -1000, 1000, -(1 << 18)):
        yield Case("length", RIGHT, {"by": by})
        yield Case("length", EITHER, {"by": by}, EVERY)
    for style in ("close", "chunked"):
        yield Case("unsized", RIGHT, {"style": style})
        yield Case("unsized", RIGHT, {"style": style}, EVERY)
        for part in (0, 33, 66):
            yield Case("unsized", RIGHT, {"style": style, "part": part})
        yield Case("unsized", EITHER, {"style": style, "part": 66}, EVERY)
    yield Case("endless", EITHER)
    yield Case("endless", EITHER, times=EVERY)


def ranges() -> Iterator[Case]:
    """Ranges that are refused, ignored, or other ones than were asked for."""
    for size in ("true", "false"):
        yield Case("416", RIGHT, {"size": size})
        yield Case("416", RIGHT, {"size": size}, skip=1)
        yield Case("416", EITHER, {"size": size}, EVERY)
    yield Case("range-ignored", RIGHT)
    yield Case("range-ignored", RIGHT, skip=1)
    yield Case("range-ignored", RIGHT, times=EVERY)
    for style in ("shifted", "start", "total", "garbage", "missing"):
        for by in (1, -1, 1 << 18) if style in ("shifted", "start", "total") else (1,):
            params = {"style": style, "by": by}
            yield Case("wrong-range", RIGHT, params)
            yield Case("wrong-range", EITHER, params, EVERY)
        yield Case("wrong-range", RIGHT, {"style": style}, skip=1)


def bodies() -> Iterator[Case]:
    """Bodies that are something else."""
    yield Case("gzip", EITHER)
    yield Case("gzip", EITHER, times=EVERY)
    yield Case("not-json", EITHER)
    yield Case("not-json", FAILS, times=EVERY)
    yield Case("not-json", EITHER, skip=1)
    yield Case("content-type", EITHER, {"type": "text/html"})
    yield Case("content-type", EITHER, {"type": "image/png"}, EVERY)
    yield Case("content-type", RIGHT, {"type": "application/x-something"})


def changes() -> Iterator[Case]:
    """Another file behind the same URL: from the first answer on, in the middle of the download, or once."""
    for by in (0, 1000, -1000):
        yield Case("changed", EITHER, {"by": by})
        yield Case("changed", EITHER, {"by": by}, skip=1)
        yield Case("changed", EITHER, {"by": by}, EVERY)
        yield Case("changed", EITHER, {"by": by}, EVERY, skip=1)
        yield Case("changed", EITHER, {"by": by}, times=2, skip=2)


def redirects(base: str, port: int) -> Iterator[Case]:
    """Where the asset is said to be instead. `base` is the stack."""
    for status in (301, 302, 303, 307, 308):
        yield Case("redirect", RIGHT, {"to": f"{base}/mirror{{file}}", "status": status}, EVERY)
    yield Case("redirect", RIGHT, {"to": f"http://localhost:{port}/mirror{{file}}"}, EVERY)
    yield Case("redirect", RIGHT, {"to": "/mirror{file}"}, EVERY)
    yield Case("redirect", FAILS, {"to": f"{base}/v3/assets{{file}}"}, EVERY)  # to itself
    yield Case("redirect", FAILS, {"to": f"{base}/nowhere"}, EVERY)
    yield Case("redirect", FAILS, {"to": "http://127.0.0.1:1/mirror{file}"}, EVERY)
    yield Case("redirect", FAILS, {"to": "http://example.com/mirror{file}"}, EVERY)  # plain http
    yield Case("redirect", FAILS, {"to": "file:///etc/passwd"}, EVERY)
    yield Case("redirect", FAILS, {"to": "nonsense://[::"}, EVERY)
