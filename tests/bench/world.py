"""A stack, the contentfs that shows it, and a folder for what both need."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from measuring import Taken, Tools
from stack import DEADLINE, Content, Stack


class World:
    """Has a running stack from its creation to its end."""

    def __init__(self, tools: Tools, folder: Path, content: Content) -> None:
        folder.mkdir()
        self.tools, self.folder, self.content = tools, folder, content
        self.items = content.entries + content.assets
        self.stack = Stack(folder, content)
        self.store = folder / "store.db"  # once it was filled

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.stop()

    def environment(self, url: str = "") -> dict[str, str]:
        """Of a contentfs that asks the stack, or what stands before it."""
        private = {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_CACHE_HOME": str(self.folder / "cache")}
        return {**self.stack.environment(url), **private}

    def sync(self, store: Path, url: str, *options: object) -> Taken:
        """Brings a store up to date."""
        command = [self.tools.contentfs, "sync", "--store", store, *options]
        return self.tools.measure(command, self.environment(url))

    def fill(self) -> None:
        """The first sync of `store`, from the stack itself."""
        self.sync(self.store, self.stack.url)

    def publish(self, path: str, title: str) -> None:
        """Gives the entry at a path of the tree another title, on the stack."""
        _, content_type, locale, name = path.split("/")
        uid = name.removesuffix(".json")
        self.stack.control("publish", content_type=content_type, uid=uid, locale=locale, fields={"title": title})

    def status(self, store: Path, url: str = "") -> dict[str, Any]:
        """Of a store that is not mounted."""
        command = [self.tools.contentfs, "status", "--json", "--store", str(store)]
        return _json_of(command, self.environment(url))

    @contextmanager
    def mounted(self, store: Path, url: str = "", name: str = "mount") -> Iterator["Mount"]:
        """A mount that polls so rarely that only `refresh` brings news."""
        mount = Mount(self, store, url, name)
        mount.mount()
        try:
            yield mount
        finally:
            mount.unmount()


class Mount:
    """A store at a mount point."""

    def __init__(self, world: World, store: Path, url: str = "", name: str = "mount") -> None:
        self._program = world.tools.contentfs
        self.environment = world.environment(url)
        self.point = world.folder / name
        self.point.mkdir(exist_ok=True)
        self.mount_command = [self._program, "mount", "--interval", "3600", "--store", str(store), str(self.point)]

    def mount(self) -> None:
        """Returns when it can be used."""
        subprocess.run(self.mount_command, check=True, env=self.environment, timeout=DEADLINE)

    def unmount(self) -> None:
        """The daemon has ended when it returns."""
        command = [self._program, "umount", str(self.point)]
        subprocess.run(command, check=True, env=self.environment, timeout=DEADLINE)

    def refresh(self) -> None:
        """Asks for news, and returns when they can be seen."""
        subprocess.run(self.refresh_command(), check=True, env=self.environment, timeout=DEADLINE)

    def refresh_command(self) -> list[str]:
        """The command that asks for news now."""
        return [self._program, "refresh", str(self.point)]

    def status(self) -> dict[str, Any]:
        """What it says of itself."""
        return _json_of([self._program, "status", "--json", str(self.point)], self.environment)

    def pid(self) -> int:
        """Of the daemon."""
        return int(self.status()["pid"])

    def requests(self) -> dict[str, int]:
        """What the kernel has asked of it, by operation; asking for that is some requests, too."""
        return {name: int(count) for name, count in self.status()["requests_by_operation"].items()}


def _json_of(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, timeout=DEADLINE)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def write_list(point: Path, below: str, path: Path) -> int:
    """Writes a list for the helper `files` of what is below a folder of a mount, in the order of its listing; returns how many
    there are."""
    with path.open("wb") as file:
        subprocess.run(["find", below, "-type", "f", "-print0"], cwd=point, stdout=file, check=True, timeout=DEADLINE)
    return path.read_bytes().count(b"\0")


def read_list(path: Path) -> list[str]:
    """The paths in it."""
    return path.read_bytes().decode().split("\0")[:-1]
