"""The bytes of assets: where they come from, and where a URL finds them.

A big file is a pattern that is computed block by block, so that a gigabyte costs no memory.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Iterator, Optional

BLOCK = 1 << 16

# What the service replaces by `_` in a file name; everything else stays raw in the URL.
_REPLACED = frozenset("#%^+\\/?*:|\"'<> {}=,")


class Blob:
    """Readable bytes of a known size."""

    size: int
    _sha256 = ""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of the half-open range, in pieces."""
        raise NotImplementedError

    def sha256(self) -> str:
        """Hex digest of the whole; computed once."""
        if not self._sha256:
            digest = hashlib.sha256()
            for piece in self.read(0, self.size):
                digest.update(piece)
            self._sha256 = digest.hexdigest()
        return self._sha256


class Bytes(Blob):
    """Bytes that are in memory."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = content

    def read(self, start: int, end: int) -> Iterator[bytes]:
        yield self._content[start:end]


class Pattern(Blob):
    """`size` pseudo-random bytes that depend on the seed only."""

    def __init__(self, size: int, seed: str) -> None:
        self.size = size
        self._seed = seed

    def read(self, start: int, end: int) -> Iterator[bytes]:
        end = min(end, self.size)
        while start < end:
            number, offset = divmod(start, BLOCK)
            block = random.Random(f"{self._seed}:{number}").randbytes(BLOCK)
            piece = block[offset : offset + end - start]
            yield piece
            start += len(piece)


class Part(Blob):
    """A half-open range of another blob."""

    def __init__(self, whole: Blob, start: int, end: int) -> None:
        self.size = max(0, end - start)
        self._whole, self._start = whole, start

    def read(self, start: int, end: int) -> Iterator[bytes]:
        yield from self._whole.read(self._start + start, self._start + min(end, self.size))


@dataclass(frozen=True)
class File:
    """One version of an asset's file, as its URL names it."""

    asset_uid: str
    file_uid: str
    filename: str
    content_type: str
    blob: Blob

    @property
    def etag(self) -> str:
        """A strong entity tag: a file uid never gets other bytes."""
        return '"' + hashlib.sha1(f"{self.asset_uid}/{self.file_uid}".encode()).hexdigest()[:32] + '"'


def stored_name(filename: str) -> str:
    """The name under which the service keeps an uploaded file."""
    return "".join("_" if character in _REPLACED or character < " " else character for character in filename)


class FileStore:
    """Every file that was ever uploaded. The content's lock guards it."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], File] = {}

    def add(self, file: File) -> None:
        """Keeps a file; files are never replaced."""
        self._files[(file.asset_uid, file.file_uid)] = file

    def find(self, asset_uid: str, file_uid: str) -> Optional[File]:
        """The file of a URL's uids."""
        return self._files.get((asset_uid, file_uid))
