"""One history: a stack, a mount, random changes and troubles, and after each step the mount against the model.

Every choice comes from the seed; what the clock decides (which poll of the daemon meets which fault) does not.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Optional

import troubles
import wire
from events import TYPES as ITEM_TYPES
from events import Filter
from expected import ASSETS, LOCALES, Key, Model, Tree, View, item_value
from mounted import DEADLINE, Failure, Mount, Torn
from orders import TYPES, Author, Order
from stack import Options, Stack
from watcher import Watcher

ROUNDS = 12  # refreshes that may fail while something is ordered to go wrong, before that is taken back
SHOWN = 12  # differences
_TYPE_LISTS = (
    list(ITEM_TYPES),
    ["entry_published", "entry_unpublished", "entry_deleted", "content_type_deleted"],
    ["asset_published", "asset_unpublished", "asset_deleted"],
    ["entry_published", "asset_published"],
    ["entry_published", "asset_published", "entry_unpublished", "asset_unpublished"],
    ["entry_published", "entry_deleted", "content_type_deleted"],
)


def differences(want: Tree, got: Tree) -> list[str]:
    """What differs, in words."""
    said = [f"missing: {path}" for path in sorted(want.keys() - got.keys())]
    said += [f"should not be there: {path}" for path in sorted(got.keys() - want.keys())]
    for path in sorted(want.keys() & got.keys()):
        if want[path] != got[path]:
            names = [name for name in {**want[path], **got[path]} if want[path].get(name) != got[path].get(name)]
            first = {name: (want[path].get(name), got[path].get(name)) for name in names}
            said.append(f"{path}: want and got {str(first)[:300]}")
    return said[:SHOWN] + ([f"and {len(said) - SHOWN} more"] if len(said) > SHOWN else [])


class History:
    """Plays one history; `said` is what was done so far."""

    def __init__(self, program: str, seed: int, keep: bool) -> None:
        self._program, self._seed, self._keep = program, seed, keep
        self._random = random.Random(seed)
        self.said: list[str] = []
        self.refreshes = self.looks = 0

    def play(self, steps: int) -> None:
        """Failure when the program did wrong."""
        folder = Path(tempfile.mkdtemp(prefix="contentfs-model."))
        self._stack = Stack(Options(content="empty"))
        self._stack.start()
        try:
            self._play(folder, steps)
        finally:
            self._stack.stop()
            if self._keep:
                self._say(f"kept: {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)

    def _play(self, folder: Path, steps: int) -> None:
        self._prepare(folder)
        watcher = self._watcher = Watcher(self._mount.point, self._seed)
        watcher.start()
        try:
            self._first_run()
            for number in range(1, steps + 1):
                self._say(f"-- step {number}")
                self._step()
                self._healthy(folder)
            watcher.stop()
            self._check_store()
        finally:
            watcher.stop()
            self.looks = watcher.looks
            self._stack.faults.clear()
            self._mount.kill()
            self._mount.drop()
        self._healthy(folder)

    def _say(self, *lines: str) -> None:
        self.said.extend(lines)

    def _healthy(self, folder: Path) -> None:
        if self._watcher.failure:
            raise Failure(self._watcher.failure)
        for report in folder.glob("sanitizer*"):
            raise Failure(report.read_text("utf-8", "replace")[:4000])

    # -- the beginning ------------------------------------------------------------------------------------------

    def _prepare(self, folder: Path) -> None:
        source, stack = self._random, self._stack
        tick = source.choice((1, 1, 50, 1000, 60_000))
        clock = troubles.CoarseClock(tick)
        clock.note(stack.content.clock.now())
        stack.content.clock = clock
        self._say(f"a clock that ticks every {tick} ms", *troubles.set_switches(source, stack.settings))
        self._model, self._states = Model(), list[Tree]()
        self._view, options = self._filters()
        self._complete = False
        self._author = Author(source, self._model)
        self._watcher = Watcher(folder, 0)  # until there is something to watch
        for uid in sorted({*self._view.content_types, *source.sample(TYPES, source.randrange(1, len(TYPES) + 1))}):
            self._order(Order("add-type", uid))
        self._orders(source.choice((0, 5, 30, 80)), self._author.publish)
        if not self._view.begun:
            start = wire.iso(stack.content.clock.later())
            options += ["--start-from", start]
            self._view.begun = True
            self._orders(source.randrange(20), self._author.publish)
        self._say(f"mount {' '.join(options)}")
        self._mount = Mount(self._program, folder, stack.credentials.client_environment(stack.url), options)

    def _filters(self) -> tuple[View, list[str]]:
        """A view, and the options that ask for it."""
        source = self._random
        content_types = source.sample(TYPES, source.randrange(1, 4)) if source.random() < 0.25 else []
        locales = source.sample(LOCALES, source.randrange(1, 4)) if source.random() < 0.25 else []
        types = source.choice(_TYPE_LISTS) if source.random() < 0.2 else []
        since = source.random() < 0.1
        options = [part for uid in content_types for part in ("--content-type", uid)]
        options += [part for code in locales for part in ("--locale", code)]
        options += ["--type", ",".join(types)] if types else []
        options += source.choice(([], ["--jobs", "1"], ["--jobs", "2"], ["--jobs", "8"]))
        return View(content_types, locales, types, since), options

    def _first_run(self) -> None:
        chance = self._random.random()
        if chance < 0.25:
            self._say(*troubles.order_faults(self._random, self._stack.faults))
        elif chance < 0.35:
            self._say(*troubles.refuse(self._random, self._stack.sync))
        elif chance < 0.6:
            for _ in range(self._random.choice((1, 1, 2, 3))):
                self._interrupted_first_run()
                self._trouble()
        for _ in range(ROUNDS):
            troubled = self._troubled()
            if self._remount() == 0:
                break
            if not troubled and not self._put_back_types():
                raise Failure(f"mount failed: {self._mount.messages()}")
            self._mount.drop()
        else:
            raise Failure(f"mount failed {ROUNDS} times: {self._mount.messages()}")
        self._complete = True
        self._settle()

    def _put_back_types(self) -> bool:
        """Whether a filter names a content type that was deleted before it was listed: that is refused, rightly."""
        missing = [uid for uid in self._view.content_types if uid not in self._model.types]
        for uid in missing:
            self._order(Order("add-type", uid))
        return bool(missing)

    def _trouble(self) -> None:
        """For what is taken up again: something, or nothing."""
        source, stack = self._random, self._stack
        chance = source.random()
        if chance < 0.4:
            self._say(*troubles.order_faults(source, stack.faults))
        elif chance < 0.55:
            self._say(*troubles.refuse(source, stack.sync))
        elif chance < 0.7:
            self._say(*troubles.cut_off(source, stack.faults))

    def _interrupted_first_run(self) -> None:
        latency, pages = self._random.choice((0, 5, 20)), self._random.randrange(1, 12)
        orders = self._random.randrange(4)
        self._say(f"killed in the first run after {pages} requests with a latency of {latency} ms")
        self._stack.settings.set("latency", str(latency))
        before = self._requests()
        command = self._mount.begin()
        self._until(lambda: self._requests() >= before + pages or command.poll() is not None)
        self._orders(orders, self._author.some)
        self._mount.kill()
        self._mount.finish(command)
        self._stack.settings.set("latency", "0")
        self._view_may_be_old()

    # -- a step -------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        source, stack = self._random, self._stack
        before, after = source.randrange(8), source.randrange(6)
        if source.random() < 0.2:
            self._say(*troubles.set_switches(source, stack.settings, 1))
        if source.random() < 0.25:
            self._say(*troubles.refuse(source, stack.sync))
        if source.random() < 0.3:
            self._say(*troubles.order_faults(source, stack.faults))
        if source.random() < 0.2:
            self._say(*troubles.cut_off(source, stack.faults))
        self._orders(before, self._author.some)
        chance = source.random()
        if chance < 0.2:
            self._busy(after)
        elif chance < 0.38:
            for _ in range(source.choice((1, 1, 2, 3))):
                self._killed(after)
        elif chance < 0.46:
            self._away(after)
        self._settle()

    def _busy(self, orders: int) -> None:
        """Changes while a run is going on."""
        latency = self._random.choice((5, 20, 40))
        self._say(f"refresh with a latency of {latency} ms, meanwhile:")
        self._stack.settings.set("latency", str(latency))
        command = self._mount.begin_refresh()
        for _ in range(orders):
            time.sleep(latency / 500)
            self._orders(1, self._author.some)
        self._mount.finish(command)
        self._stack.settings.set("latency", "0")
        self._between()

    def _killed(self, orders: int) -> None:
        latency, requests = self._random.choice((0, 5, 20)), self._random.randrange(1, 15)
        moment = self._random.choice((0, 0.01, 0.03, 0.1))
        self._say(f"kill -9 after {requests} requests, or {moment} s after the refresh, latency {latency} ms")
        before = self._requests()
        self._stack.settings.set("latency", str(latency))
        with self._watcher.suspended():
            command = self._mount.begin_refresh()
            self._until(lambda: self._requests() >= before + requests or command.poll() is not None)
            time.sleep(moment)
            self._mount.kill()
            self._mount.finish(command)
            self._orders(orders, self._author.some)
            self._come_back()
        self._stack.settings.set("latency", "0")
        self._between()

    def _away(self, orders: int) -> None:
        self._say("unmount, and mount again later")
        with self._watcher.suspended():
            self._mount.unmount()
            self._orders(orders, self._author.some)
            if self._random.random() < 0.4:
                self._say("sync")
                self._mount.sync()
            self._come_back()
        self._between()

    def _come_back(self) -> None:
        if self._remount() != 0:
            raise Failure(f"cannot be mounted again, with all content in the store: {self._mount.messages()}")

    def _remount(self) -> int:
        if self._random.random() < 0.5:  # else the new mount has to get rid of a dead one itself
            self._mount.drop()
        return self._mount.mount()

    # -- changes ------------------------------------------------------------------------------------------------

    def _orders(self, count: int, think: Callable[[], list[Order]]) -> None:
        for _ in range(count):
            for order in think():
                self._order(order)

    def _order(self, order: Order) -> None:
        """The model and whoever watches know of it before it happens."""
        with_entries = self._stack.settings.word("type-deletions") == "with-entries"
        self._say(str(order))
        answered = self._listings() - (self._stack.settings.number("latency") > 0)  # one may be on its way
        for news in order.imagine(self._model, with_entries):
            self._view.take(news, answered)
        tree = self._view.tree(self._model)
        self._watcher.release({path: value for path, value in tree.items() if path not in self._view.ghosts})
        if order.verb == "delete-type":
            self._watcher.forget_order(f"content_types/{order.content_type}.json")
        self._watcher.learn(tree)
        self._states.append(tree)
        order.perform(self._stack.editor)

    # -- what is asked of the stack -----------------------------------------------------------------------------

    def _counters(self) -> dict[str, int]:
        return dict(self._stack.journal.report()["counters"])

    def _requests(self) -> int:
        return sum(number for kind, number in self._counters().items() if kind.startswith("sync_"))

    def _listings(self) -> int:
        return self._counters().get("sync_init", 0)

    def _troubled(self) -> bool:
        """Whether something is still to go wrong."""
        return bool(self._stack.faults.describe()) or self._stack.sync.refuses()

    def _end_troubles(self) -> None:
        self._stack.faults.clear()
        self._stack.sync.refuse(["sync", "pagination"], 0)

    @staticmethod
    def _until(done: Callable[[], bool]) -> None:
        until = time.monotonic() + DEADLINE
        while not done():
            if time.monotonic() > until:
                raise Failure("what was waited for did not happen")
            time.sleep(0.002)

    # -- comparing ----------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Refreshes until one began with nothing left to go wrong. It has to succeed, and to show what is published."""
        for turn in range(10 * ROUNDS):
            if turn >= ROUNDS:
                self._end_troubles()
            troubled = self._troubled()
            status = self._mount.refresh()
            self.refreshes += 1
            if not troubled:
                break
            if status != 0:
                self._between()
        if status != 0:
            raise Failure(f"refresh ended with {status} although nothing went wrong: {self._mount.messages()}")
        for _ in range(self._stack.settings.number("cdn-lag")):
            self._mount.refresh()
        self._check_stack()
        self._check_mount()

    def _check_stack(self) -> None:
        """The stand-in for the service is not wrong itself."""
        stack = self._stack.content
        events = list(stack.snapshot(Filter(stack.environment)).published())
        got = {
            Key(event.content_type, event.uid, event.locale or "").path: item_value(
                json.loads(event.data), event.content_type
            )
            for event in events
        }
        want = {key.path: value for key, value in self._model.published.items()}
        if got != want or sorted(stack.types) != sorted(self._model.types):
            raise Failure("\n".join(["the stack differs from the model:", *differences(want, got)]))

    def _check_mount(self) -> None:
        want, shown = self._view.tree(self._model), self._mount.tree()
        self._check_status(shown)
        got = {path: value for path, value in shown.items() if troubles.STRANGE not in path}
        for path in [path for path in self._view.ghosts if path not in got]:
            if self._listings() > self._view.ghosts[path]:
                self._view.lay(path)
                del want[path]
        got = {path: value for path, value in got.items() if path in want or not self._view.may_stay(path)}
        if got != want:
            raise Failure("\n".join(["the tree differs from the model:", *differences(want, got)]))
        self._states = [want]
        self._watcher.expect({path: value for path, value in want.items() if path not in self._view.ghosts})

    def _check_status(self, tree: Tree) -> None:
        """What the mount says of itself agrees with what it shows."""
        status = self._mount.status()
        kinds = ("content_types", "entries", "assets")
        want: dict[str, Any] = {kind: sum(path.startswith(f"{kind}/") for path in tree) for kind in kinds}
        want |= {"healthy": True, "state": "up to date", "last_error": None}
        got = {name: status[name] for name in want}
        if got != want:
            raise Failure(f"status: want {want}, got {got}")

    def _check_store(self) -> None:
        """At the end, the views of the store agree with the tree."""
        tree = {path: value for path, value in self._mount.tree().items() if not path.startswith("content_types/")}
        self._mount.unmount()
        if tree != self._mount.store():
            raise Failure("\n".join(["the store differs from the tree:", *differences(tree, self._mount.store())]))

    def _tree(self) -> Tree:
        """What the mount shows, but for what faults put there."""
        return {path: value for path, value in self._mount.tree().items() if troubles.STRANGE not in path}

    def _view_may_be_old(self) -> None:
        """Nothing is said of the tree before the first run has ended."""
        self._states.append(self._view.tree(self._model))

    def _between(self) -> None:
        """Also in trouble each stream shows a state that there was. A poll may move it meanwhile: then once more."""
        if not self._complete or self._view.ghosts:
            return
        said: list[str] = []
        for _ in range(5):
            try:
                said = self._strange_streams(self._tree())
            except (FileNotFoundError, Torn) as torn:
                said = [str(torn)]
            if not said:
                return
            time.sleep(0.02)
        raise Failure("\n".join(["not a state that there was:", *said]))

    def _strange_streams(self, got: Tree) -> list[str]:
        streams = {self._view.stream(path) for tree in [got, *self._states] for path in tree}
        said = []
        for stream in sorted(streams):
            shown = self._part(got, stream)
            parts = [self._part(state, stream) for state in self._states]
            if shown not in parts:
                nearest = min((differences(part, shown) for part in parts), key=len)
                said += [f"{stream}, compared to the nearest of {len(parts)} states:", *nearest]
        return said

    def _part(self, tree: Tree, stream: tuple[str, ...]) -> Tree:
        return {path: value for path, value in tree.items() if self._view.stream(path) == stream}


def play(program: str, seed: int, steps: Optional[int], keep: bool) -> tuple[Optional[str], History]:
    """Plays the history of a seed; returns what went wrong, if anything."""
    history = History(program, seed, keep)
    count = steps if steps is not None else random.Random(f"steps {seed}").randint(10, 25)
    try:
        history.play(count)
    except (Failure, OSError, SystemExit) as failure:
        return f"{type(failure).__name__}: {failure}", history
    return None, history
