"""A reader that is at work all the time: what is published before and after a change must be there meanwhile, and whole."""

from __future__ import annotations

import os
import random
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional

from expected import Tree, Value, file_value
from mounted import Failure, parsed

PAUSE = 0.002  # seconds between two looks; the machine has other work


class Watcher(threading.Thread):
    """`_lock` guards what is expected; `_gate` is held while the mount is read, so that it can be taken away meanwhile."""

    def __init__(self, point: Path, seed: int) -> None:
        super().__init__(name="watcher", daemon=True)
        self._point, self._random = point, random.Random(seed)
        self._gate, self._lock, self._ended = threading.Lock(), threading.Lock(), threading.Event()
        self._lasting: dict[str, int] = {}  # path -> number of the time when it was found to be there
        self._known: dict[str, dict[int, Value]] = {}  # path -> version -> content
        self._newest: dict[str, int] = {}  # path -> the version read last
        self._turn = 0
        self.looks = 0
        self.failure: Optional[str] = None

    def expect(self, tree: Tree) -> None:
        """These are there from now on."""
        with self._lock:
            self._turn += 1
            self._lasting = {path: self._turn for path in tree}
        self.learn(tree)

    def learn(self, tree: Tree) -> None:
        """Versions that may be read. Told before they are published."""
        with self._lock:
            for path, value in tree.items():
                self._known.setdefault(path, {})[value["_version"]] = value

    def release(self, tree: Tree) -> None:
        """What is not in `tree` may go from now on."""
        with self._lock:
            for path in [path for path in self._lasting if path not in tree]:
                del self._lasting[path]

    def forget_order(self, path: str) -> None:
        """A content type that was deleted begins again with its versions."""
        with self._lock:
            self._newest.pop(path, None)
            self._known.pop(path, None)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Nothing of the mount is read or held open inside."""
        with self._gate:
            yield

    def stop(self) -> None:
        """Ends it."""
        self._ended.set()
        self.join(30)

    def run(self) -> None:
        """Looks until it is stopped, or until something is wrong."""
        while not self._ended.wait(PAUSE):
            try:
                with self._gate:
                    self._look()
                self.looks += 1
            except (Failure, OSError) as error:
                self.failure = self.failure or f"while it changed: {error}"
                return

    def _look(self) -> None:
        with self._lock:
            lasting = dict(self._lasting)
        if not lasting:
            return
        path = self._random.choice(sorted(lasting))
        if self._random.random() < 0.3:
            self._list(os.path.dirname(path), lasting)
        else:
            self._read(path, lasting[path])

    def _still(self, path: str, turn: int) -> bool:
        with self._lock:
            return self._lasting.get(path) == turn

    def _list(self, folder: str, lasting: dict[str, int]) -> None:
        try:
            names = set(os.listdir(self._point / folder))
        except FileNotFoundError:
            names = set()
        for path, turn in lasting.items():
            if os.path.dirname(path) == folder and os.path.basename(path) not in names and self._still(path, turn):
                raise Failure(f"{path} is not listed, among {len(names)} names")

    def _read(self, path: str, turn: int) -> None:
        try:
            text = (self._point / path).read_bytes()
        except FileNotFoundError:
            if self._still(path, turn):
                raise Failure(f"{path} is missing") from None
            return
        value = file_value(path, parsed(path, text))
        with self._lock:
            if self._lasting.get(path) != turn:
                return
            version, known = value["_version"], self._known[path]
            if known.get(version) != value:
                raise Failure(f"{path}: version {version} was never published so: {value}")
            if version < self._newest.get(path, 0):
                raise Failure(f"{path} went back from version {self._newest[path]} to {version}")
            self._newest[path] = version
