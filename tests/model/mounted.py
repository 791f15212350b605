"""The program under test: starts, kills and asks it, and reads what it shows."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from expected import Tree, Value, file_value

DEADLINE = 90  # seconds, for any one command


class Failure(Exception):
    """The program did something that it should not."""


class Torn(Failure):
    """Directories and files that do not fit each other: they changed while they were read, or else are wrong."""


class Mount:
    """One mount point with its store. `folder` is in the command line of every process, which is how they are found."""

    def __init__(self, program: str, folder: Path, environment: dict[str, str], options: list[str]) -> None:
        self.point, self._program, self._options = folder / "mount", program, options
        self._store, self._messages = folder / "store.db", folder / "messages"
        self._environment = {**os.environ, **environment, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            given = self._environment.get(sanitizer)
            self._environment[sanitizer] = (f"{given}:" if given else "") + f"log_path={folder}/sanitizer"
        self.point.mkdir()

    # -- commands -----------------------------------------------------------------------------------------------

    def _command(self, *arguments: str) -> subprocess.Popen[bytes]:
        with open(self._messages, "ab") as messages:
            return subprocess.Popen(
                [self._program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=messages,
                env=self._environment,
            )

    def _finish(self, process: subprocess.Popen[bytes], what: str) -> int:
        try:
            return process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{what} did not end within {DEADLINE} s") from None

    def begin(self) -> subprocess.Popen[bytes]:
        """Mounts, in the background. It polls so rarely that only `refresh` and what follows news ask for more."""
        store = ("--store", str(self._store), "--interval", "3600")
        return self._command("mount", *store, *self._options, str(self.point))

    def mount(self) -> int:
        """Mounts; returns the exit status."""
        return self._finish(self.begin(), "mount")

    def begin_refresh(self) -> subprocess.Popen[bytes]:
        """Asks for a refresh, in the background."""
        return self._command("refresh", str(self.point))

    def refresh(self) -> int:
        """Refreshes; returns the exit status."""
        return self._finish(self.begin_refresh(), "refresh")

    def finish(self, process: subprocess.Popen[bytes]) -> int:
        """The exit status of what was begun."""
        return self._finish(process, "a command in the background")

    def unmount(self) -> None:
        """As a user does it."""
        status = self._finish(self._command("umount", str(self.point)), "umount")
        if status != 0:
            raise Failure(f"umount ended with {status}: {self.messages()}")

    def sync(self) -> int:
        """Brings the store up to date without a mount; returns the exit status."""
        return self._finish(self._command("sync", "--store", str(self._store), *self._options), "sync")

    def messages(self) -> str:
        """What the commands said, the end of it."""
        return self._messages.read_text("utf-8", "replace")[-2000:] if self._messages.exists() else ""

    # -- the process --------------------------------------------------------------------------------------------

    def _daemons(self) -> list[int]:
        mark, found = str(self._store).encode(), []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if mark in file.read().split(b"\0"):
                        found.append(int(name))
            except OSError:
                continue
        return found

    def kill(self) -> None:
        """Without a chance to clean up. Its dead mount stays."""
        pids = self._daemons()  # while a process ends it has no command line any more, but still its locks
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until = time.monotonic() + DEADLINE
        while not all(map(_ended, pids)):
            if time.monotonic() > until:
                raise Failure("the program cannot be killed")
            time.sleep(0.005)

    def drop(self) -> None:
        """Takes a mount away that nobody serves any more."""
        while f" {self.point} " in Path("/proc/self/mountinfo").read_text():
            subprocess.run(["fusermount3", "-quz", "--", str(self.point)], check=True, timeout=DEADLINE)

    # -- what it shows ------------------------------------------------------------------------------------------

    def tree(self) -> Tree:
        """Every file, parsed. What does not fit the rest is said where it is found."""
        files: Tree = {}
        sizes: dict[str, int] = {}
        folders = self._read("", files, sizes)
        want = dict(_file_of(path, value) for path, value in files.items() if path.startswith("assets/"))
        if set(sizes) != set(want):
            raise Torn(f"assets without their record, or records without their asset: {sorted(set(sizes) ^ set(want))}")
        used = {parent for path in [*files, *sizes] for parent in _parents(path)}
        if folders != used | {"assets", "content_types", "entries"}:
            raise Torn(f"empty directories, or missing ones: {sorted(folders ^ used)}")
        return files

    def status(self) -> dict[str, Any]:
        """What the mount says of itself."""
        found: dict[str, Any] = json.loads((self.point / ".contentfs/status.json").read_bytes())
        return found

    def store(self) -> Tree:
        """Entries and assets as the store's views have them. Nobody has it open."""
        with closing(sqlite3.connect(f"file:{self._store}?mode=ro", uri=True)) as store:
            rows = store.execute("SELECT path, json FROM entries UNION ALL SELECT path, json FROM assets").fetchall()
        return {path: file_value(path, parsed(path, text.encode())) for path, text in rows}

    def _read(self, folder: str, files: Tree, sizes: dict[str, int]) -> set[str]:
        """The directories below; fills in what is in records, and how large the files of assets are."""
        folders = set()
        for entry in sorted(os.scandir(self.point / folder), key=lambda entry: entry.name):
            path = f"{folder}/{entry.name}".lstrip("/")
            if entry.is_dir(follow_symlinks=False):
                folders |= {path} | self._read(path, files, sizes)
            elif folder.count("/") == 2 and folder.startswith("assets/"):
                sizes[path] = entry.stat(follow_symlinks=False).st_size
            else:
                files[path] = file_value(path, parsed(path, Path(entry.path).read_bytes()))
        return folders


def _file_of(path: str, value: Value) -> tuple[str, Value]:
    """Where the file of an asset is."""
    return f"{path.removesuffix('.json')}/{value['filename']}", value


def parsed(path: str, text: bytes) -> dict[str, Any]:
    """The content of a file, which has to be whole."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Failure(f"{path} is not JSON but {text[:80]!r}: {error}") from None
    if not isinstance(found, dict) or not text.endswith(b"}\n"):
        raise Failure(f"{path} is not whole: {text[:40]!r} … {text[-40:]!r}")
    return found


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _ended(pid: int) -> bool:
    """Whether it has ended with all its threads, which keep its files open."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return True
    return state in ("Z", "X") and len(threads) <= 1
