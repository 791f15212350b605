#!/usr/bin/env python3
"""Compares a mount with what the local stack says is published. Says what differs, and exits with 1 if anything does.

Names, JSON text and expected attributes are made here from the contract alone, by other means than contentfs makes them.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from calendar import timegm
from typing import Any, Iterator, NamedTuple, Optional, Union

SHOWN = 20  # differences
NAME_MAX = 255
FIXED = ("", "assets", "content_types", "entries")
PREFIX = "user.contentfs."
CTL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../stack/ctl")


# -- names --------------------------------------------------------------------------------------------------------------


def _harmless(character: str) -> bool:
    code = ord(character)
    return code >= 0x20 and not 0x7F <= code <= 0x9F and character not in "/%"


def _units(raw: bytes) -> Iterator[bytes]:
    """What each character, or byte that belongs to none, becomes."""
    at = 0
    while at < len(raw):
        for size in (1, 2, 3, 4):
            piece = raw[at : at + size]
            try:
                character = piece.decode("utf-8")
            except UnicodeDecodeError:
                continue
            if len(character) == 1:
                yield piece if _harmless(character) else b"".join(b"%%%02X" % byte for byte in piece)
                at += size
                break
        else:
            yield b"%%%02X" % raw[at]
            at += 1


def file_name(text: str, suffix: str = "") -> str:
    """The name that stands in the tree for a name of the stack."""
    raw, end = text.encode("utf-8", "surrogatepass"), suffix.encode()
    if raw == b"":
        encoded = b"%"
    elif raw in (b".", b".."):
        encoded = b"%2E" * len(raw)
    else:
        units = list(_units(raw))
        encoded = b"".join(units)
        if len(encoded) + len(end) > NAME_MAX:
            mark = b"%~" + hashlib.sha256(raw).hexdigest()[:32].encode()
            encoded = b""
            for unit in units:
                if len(encoded) + len(unit) + len(mark) + len(end) > NAME_MAX:
                    break
                encoded += unit
            encoded += mark
    return os.fsdecode(encoded + end)


_ENDING = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,15}\Z", re.DOTALL)


def folder_name(uid: str) -> str:
    """The name of an asset's own directory. Beside the records it never looks like one."""
    return file_name(uid[:-5], "%2Ejson") if uid.endswith(".json") else file_name(uid)


def asset_name(text: str) -> str:
    """The name of an asset's file: where it has to be cut, its ending stays."""
    ending = _ENDING.search(text)
    if ending and "%~" in file_name(text):
        return file_name(text[: ending.start()], ending[0])
    return file_name(text)


# -- JSON ---------------------------------------------------------------------------------------------------------------


class Number(NamedTuple):
    """A number by its text, so that 1.10 is not 1.1."""

    text: str


class Object(tuple):
    """Members in their order."""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse(text: str) -> Any:
    """The value, with number text and the order of members kept."""
    return json.loads(
        text, object_pairs_hook=Object, parse_int=Number, parse_float=Number, parse_constant=_no_constant
    )


_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_MUST = re.compile('[\x00-\x1f"\\\\\ud800-\udfff]')


def _quoted(text: str) -> str:
    return '"' + _MUST.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}", text) + '"'


def render(value: Any, indent: str = "\n") -> str:
    """Two spaces a level, a member or element a line, no escape that JSON does not demand."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    deeper = indent + "  "
    if isinstance(value, Object):
        inner = [f"{_quoted(name)}: {render(member, deeper)}" for name, member in value]
        ends = "{}"
    else:
        inner = [render(element, deeper) for element in value]
        ends = "[]"
    return ends[0] + deeper + ("," + deeper).join(inner) + indent + ends[1] if inner else ends


def members(value: Any) -> dict[str, Any]:
    """The members of an object by name; none for anything else."""
    return dict(value) if isinstance(value, Object) else {}


# -- what is expected ---------------------------------------------------------------------------------------------------


class Expected(NamedTuple):
    """One file."""

    text: bytes
    value: Any
    mtime: int  # ns
    attributes: dict[str, str]


class Asset(NamedTuple):
    """The file of an asset."""

    shown: int  # its size, as the record has it; 0 if it does not say
    size: Optional[int]  # as it is, if that is known
    digest: str  # "" if it is not known
    mtime: int
    attributes: dict[str, str]


Files = dict[str, Union[Expected, Asset]]


def _nanoseconds(iso: str) -> int:
    match = re.fullmatch(r"(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", iso)
    if not match:
        raise ValueError(f"{iso!r} is not a time as the stack writes it")
    parts = [int(part) for part in match.groups()]
    return timegm((*parts[:6],)) * 1_000_000_000 + parts[6] * 1_000_000


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _attributes(line: dict[str, Any], data: dict[str, Any], path: str) -> dict[str, str]:
    found = {name: _text(data.get(name)) for name in ("updated_at", "title")}
    version = data.get("_version")
    found["version"] = version.text if isinstance(version, Number) else "0"
    if path.startswith("content_types/"):
        found["uid"] = line["content_type"]
    else:
        found.update(uid=line["uid"], locale=line["locale"], published_at=line["mtime"])
    if not path.startswith("assets/"):
        found["content_type"] = line["content_type"]
    return {name: value for name, value in found.items() if value}


def _claimed(value: Any) -> int:
    text = value.text if isinstance(value, Number) else _text(value)
    return int(text) if re.fullmatch(r"[0-9]{1,13}", text) and int(text) <= 1 << 40 else 0


def _asset(line: dict[str, Any], record: Expected) -> Optional[tuple[str, Asset]]:
    """Name and file of an asset; none without a URL."""
    data = members(line["data"])
    url, name = _text(data.get("url")), _text(data.get("filename"))
    if not url:
        return None
    attributes = {**record.attributes, "content_type": _text(data.get("content_type")), "url": url}
    size = int(line["size"].text) if "size" in line else None
    found = Asset(
        _claimed(data.get("file_size")), size, line.get("sha256", ""), record.mtime,
        {key: value for key, value in attributes.items() if value},
    )  # fmt: skip
    return asset_name(name or re.split("[?#]", url)[0].rpartition("/")[2]), found


class Filter(NamedTuple):
    """What a mount was asked to keep."""

    content_types: Optional[list[str]]
    locales: Optional[list[str]]
    since: Optional[str]
    kinds: Optional[list[str]]

    def keeps(self, line: dict[str, Any], kind: str) -> bool:
        """Whether the line's file should be there."""
        if self.content_types and (kind == "assets" or line["content_type"] not in self.content_types):
            return False
        if kind == "content_types":
            return True
        if self.kinds and kind not in self.kinds:
            return False
        if self.locales and line["locale"] not in self.locales:
            return False
        return not self.since or line["mtime"] >= self.since


def expected_files(lines: Iterator[bytes], keep: Filter) -> Files:
    """Path -> file, from the lines of the stack's `truth`."""
    found: Files = {}
    for raw in lines:
        line = members(parse(raw.decode("utf-8")))
        kind = line["path"].split("/")[0]
        if not keep.keeps(line, kind):
            continue
        folders = [] if kind == "content_types" else [file_name(line["locale"])]
        if kind == "entries":
            folders.insert(0, file_name(line["content_type"]))
        leaf = file_name(line["content_type"] if kind == "content_types" else line["uid"], ".json")
        value = line["data"]
        text = (render(value) + "\n").encode("utf-8")
        path = "/".join([kind, *folders, leaf])
        record = Expected(text, value, _nanoseconds(line["mtime"]), _attributes(line, members(value), path))
        found[path] = record
        if kind == "assets" and (asset := _asset(line, record)):
            found["/".join([kind, *folders, folder_name(line["uid"]), asset[0]])] = asset[1]
    return found


def _lines(truth: str, with_digests: bool) -> Iterator[bytes]:
    if truth.startswith("http://"):
        command = [CTL, truth, "truth", *(["--sha256"] if with_digests else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as asking:
            assert asking.stdout
            yield from asking.stdout
        if asking.returncode:
            raise ChildProcessError(f"{CTL} ended with {asking.returncode}")
    else:
        with open(truth, "rb") as file:
            yield from file


# -- what is there ------------------------------------------------------------------------------------------------------


class Comparison:
    """Walks a mount and gathers what differs. The bytes of assets are read only if that is wanted."""

    def __init__(self, mount: str, files: Files, owner: tuple[int, int], every: int, read_assets: bool = False) -> None:
        self.mount, self.files, self.owner, self.every = mount, files, owner, every
        self.read_assets = read_assets
        self.differences: list[str] = []
        self.inodes: dict[int, str] = {}
        self.seen: set[str] = set()

    def differs(self, path: str, what: str) -> None:
        """Notes a difference."""
        self.differences.append(f"{path or '.'}: {what}")

    def _expect(self, path: str, what: str, want: Any, got: Any) -> None:
        if want != got:
            self.differs(path, f"{what}: want {want!r}, got {got!r}")

    def run(self) -> None:
        """The whole tree."""
        folders = {path.rpartition("/")[0] for path in self.files}
        folders |= {path.rpartition("/")[0] for path in folders} | set(FIXED)
        found_folders = set()
        for folder, inner_folders, leaves in self._walk(""):
            found_folders.add(folder)
            self._check_folder(folder, inner_folders)
            for leaf in leaves:
                self._check_file(f"{folder}/{leaf}".lstrip("/"))
        for folder in sorted(folders - found_folders):
            self.differs(folder, "the directory is missing")
        for folder in sorted(found_folders - folders):
            self.differs(folder, "there should be no such directory")
        for path in sorted(set(self.files) - self.seen):
            self.differs(path, "missing")

    def _walk(self, folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
        inner, leaves = [], []
        with os.scandir(os.path.join(self.mount, folder)) as entries:
            for entry in entries:
                (inner if entry.is_dir(follow_symlinks=False) else leaves).append(entry.name)
                if entry.inode() != entry.stat(follow_symlinks=False).st_ino:
                    self.differs(f"{folder}/{entry.name}", "the listing and stat give different inode numbers")
        for names in (inner, leaves):
            if len(set(names)) != len(names):
                self.differs(folder, "a name is listed twice")
        yield folder, inner, leaves
        for name in inner:
            yield from self._walk(f"{folder}/{name}".lstrip("/"))

    def _check_common(self, path: str, found: os.stat_result, mode: int) -> None:
        self._expect(path, "mode", oct(mode), oct(found.st_mode))
        self._expect(path, "owner", self.owner, (found.st_uid, found.st_gid))
        other = self.inodes.setdefault(found.st_ino, path)
        if other != path:
            self.differs(path, f"has the inode number of {other}")

    def _check_folder(self, path: str, inner: list[str]) -> None:
        found = os.lstat(os.path.join(self.mount, path))
        self._check_common(path, found, stat.S_IFDIR | 0o555)
        self._expect(path, "links", 2 + len(inner), found.st_nlink)

    def _check_file(self, path: str) -> None:
        self.seen.add(path)
        expected = self.files.get(path)
        if expected is None:
            self.differs(path, "should not be there")
            return
        full = os.path.join(self.mount, path)
        found = os.lstat(full)
        self._check_common(path, found, stat.S_IFREG | 0o444)
        self._expect(path, "links", 1, found.st_nlink)
        self._expect(path, "mtime", expected.mtime, found.st_mtime_ns)
        if isinstance(expected, Asset):
            self._check_asset(path, full, expected, found)
        else:
            self._check_size(path, found, len(expected.text))
            self._check_text(path, full, expected)
        if len(self.seen) % self.every == 0:
            self._check_attributes(path, full, expected)

    def _check_size(self, path: str, found: os.stat_result, *sizes: Optional[int]) -> None:
        if found.st_size not in sizes:
            self.differs(path, f"size: want {' or '.join(map(str, sizes))}, got {found.st_size}")
        self._expect(path, "blocks", (found.st_size + 511) // 512, found.st_blocks)

    def _check_asset(self, path: str, full: str, expected: Asset, found: os.stat_result) -> None:
        self._check_size(path, found, *dict.fromkeys((expected.shown, expected.size)))
        if not self.read_assets or not expected.digest:
            return
        try:
            with open(full, "rb", buffering=0) as file:
                digest, read = hashlib.sha256(), 0
                while piece := file.read(1 << 20):
                    digest.update(piece)
                    read += len(piece)
        except OSError as error:
            self.differs(path, f"cannot be read: {errno.errorcode.get(error.errno or 0)}")
            return
        self._expect(path, "bytes read", expected.size, read)
        self._expect(path, "SHA-256", expected.digest, digest.hexdigest())
        self._check_size(path, os.lstat(full), expected.size)

    def _check_text(self, path: str, full: str, expected: Expected) -> None:
        with open(full, "rb", buffering=0) as file:
            text = b"".join(iter(lambda: file.read(1 << 20), b""))
        if text == expected.text:
            return
        try:
            same = parse(text.decode("utf-8")) == expected.value
        except ValueError as error:
            self.differs(path, f"is not JSON: {error}")
            return
        places = zip(text, expected.text)
        at = next((place for place, (got, want) in enumerate(places) if got != want), min(len(text), len(expected.text)))
        self.differs(
            path,
            f"{'is formatted' if same else 'says something'} different from byte {at}: "
            f"want {expected.text[at : at + 60]!r}, got {text[at : at + 60]!r}",
        )

    def _check_attributes(self, path: str, full: str, expected: Union[Expected, Asset]) -> None:
        want = {PREFIX + name: value.encode("utf-8", "surrogatepass") for name, value in expected.attributes.items()}
        self._expect(path, "attribute names", sorted(want), sorted(os.listxattr(full)))
        for name, value in want.items():
            try:
                self._expect(path, name, value, os.getxattr(full, name))
            except OSError as error:
                self.differs(path, f"{name}: {errno.errorcode.get(error.errno or 0)}")


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mount")
    parser.add_argument("truth", help="URL of the stack, or a file with its truth")
    parser.add_argument("--content-type", action="append", help="the filters that the mount has")
    parser.add_argument("--locale", action="append")
    parser.add_argument("--since", help="a publish time")
    parser.add_argument("--kind", action="append", choices=("entries", "assets"))
    parser.add_argument("--owner", default=f"{os.getuid()}:{os.getgid()}", metavar="UID:GID")
    parser.add_argument("--attributes-every", type=int, default=7, metavar="N", help="files whose attributes are read")
    parser.add_argument("--assets", action="store_true", help="read the assets too; a file with the truth needs digests")
    options = parser.parse_args()
    keep = Filter(options.content_type, options.locale, options.since, options.kind)
    uid, gid = options.owner.split(":")
    files = expected_files(_lines(options.truth, options.assets), keep)
    comparison = Comparison(options.mount, files, (int(uid), int(gid)), options.attributes_every, options.assets)
    comparison.run()
    for difference in comparison.differences[:SHOWN]:
        print(difference.encode("utf-8", "backslashreplace").decode())
    if len(comparison.differences) > SHOWN:
        print(f"and {len(comparison.differences) - SHOWN} more differences")
    print(f"{len(comparison.seen)} files, {len(comparison.differences)} differences")
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
