#!/usr/bin/env python3
"""Drives contentfs through the table of outcomes, case by case, and prints the name of each.

A case orders a fault for the delta that brings some changes, and asks for a refresh. Meanwhile a reader sees every file
whole and none of the changes without the others, and when the fault is over the tree is what the stack publishes.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import sys
import time
from typing import Any, Callable, Iterable, Iterator

import outcome_cases as cases
from outcome_cases import KEPT, NONSENSE, RIGHT, SHOWN, Case, ItemCase
from outcome_world import LOCALE, World, Wrong, require, wait_for

ODD = "bltodd0000000001"  # the entry whose items have odd fields
Step = tuple[str, Callable[[], None]]
_NUMBERS = itertools.count(1)  # of stores


def overcome(world: World, case: Case, match: str, process: Callable[[], Any], old: Callable[[], list[str]]) -> None:
    """Orders the fault of a case, runs a command into it, and takes the fault back."""
    world.fault(case.kind, 0 if case.lasts else 1, match, **case.params)
    world.switch(freeze=False)
    running = process()
    if case.stalls:
        wait_for(world.all_met, "the fault")
        require(not (found := old()), f"while it stalls: {found[:3]}")
        world.control("faults-clear")
    status = world.result(running)
    if case.lasts:
        require(status == case.status, f"want {case.status}, got {status}")
        require(not (found := old()), f"while it lasts: {found[:3]}")
    else:
        require(status in (0, case.status), f"want 0 or {case.status}, got {status}")
        require(world.all_met(), "the fault befell nothing")


def in_delta(world: World, case: Case, match: str) -> None:
    """A fault of a delta of three pages."""
    truth, before = world.truth(), world.status()["quarantined"]
    assert world.watcher
    world.watcher.strict.value = not case.may_lose
    world.switch(freeze=True)
    world.publish_group()
    refresh = lambda: world.contentfs("refresh", world.mount)  # noqa: E731
    overcome(world, case, match, refresh, lambda: world.differences(truth))
    if case.may_lose:
        require(world.status()["quarantined"] > before, "what was not applied is not in the quarantine either")
        world.publish_group()
    world.settle()
    world.watcher.strict.value = True


def in_first_run(world: World, case: Case, match: str, store: str) -> None:
    """The same for the first run of a store."""
    sync = lambda: world.contentfs("sync", "--store", store)  # noqa: E731
    overcome(world, case, match, sync, lambda: [])
    world.control("faults-clear")
    wait_for(lambda: world.result(sync()) == 0, "a sync")
    require(not (found := world.store_differences(store)), f"the store differs: {found[:3]}")


def _matches(all_cases: Iterable[Case], first: str) -> Iterator[tuple[Case, str]]:
    """Cases with what the request that they befall has in its query: a first page or, every other time, a later one."""
    for number, case in enumerate(all_cases):
        later = case.params.get("shape") == "same-token" or (number % 2 and not case.lasts)
        yield case, "pagination_token=" if later else first


def deltas(world: World, all_cases: Iterable[Case]) -> Iterator[Step]:
    """The cases, each in a delta."""
    for case, match in _matches(all_cases, "sync_token="):
        yield case.name, lambda case=case, match=match: in_delta(world, case, match)  # type: ignore[misc]


def first_runs(world: World, all_cases: Iterable[Case]) -> Iterator[Step]:
    """The cases, each in a first run."""
    for case, match in _matches(all_cases, "init="):
        store = f"{world.work}/first-{next(_NUMBERS)}.db"
        yield case.name, lambda case=case, match=match, store=store: in_first_run(world, case, match, store)  # type: ignore[misc]


# -- items --------------------------------------------------------------------------------------------------------------


def odd_item(world: World, case: ItemCase, change: Callable[[], None]) -> None:
    """One field of one item in a delta is odd. Whatever that means for the item, it means nothing for the others."""
    try:
        _meet_odd_item(world, case, change)
    finally:
        world.control("faults-clear")
        world.publish(ODD, world.generation)
        world.refresh()


def _meet_odd_item(world: World, case: ItemCase, change: Callable[[], None]) -> None:
    path, version, before = world.path(ODD), world.version(ODD), world.status()["quarantined"]
    world.switch(freeze=True)
    world.publish_group()
    change()
    world.fault("field", field=f"item.{case.field}", value=case.value, uid=ODD, size=200_000, depth=5000)
    world.switch(freeze=False)
    require((status := world.refresh()) == 0, f"a refresh ends with {status}")
    require(world.all_met(), "the fault befell nothing")
    found = [one for one in world.differences() if not one.startswith(f"{path}:")]
    shown, kept = world.version(ODD), world.status()["quarantined"] > before
    if case.outcome == RIGHT:
        found = world.differences()
        require(not kept, "it is in the quarantine")
    elif case.outcome == SHOWN:
        require(shown == world.generation and not kept, f"version {shown} of {world.generation} is shown, kept: {kept}")
    elif case.outcome == KEPT:
        require(shown == version and kept, f"version {shown} is shown, not {version}, kept: {kept}")
    require(not found, f"others suffered: {found[:3]}")


def items(world: World) -> Iterator[Step]:
    """Entries that are published with an odd field."""
    yield "the entry", lambda: (world.publish(ODD, world.generation), world.settle())  # type: ignore[func-returns-value]
    for case in cases.items():
        change = lambda: world.publish(ODD, world.generation)  # noqa: E731
        yield case.name, lambda case=case, change=change: odd_item(world, case, change)  # type: ignore[misc]


def removals(world: World) -> Iterator[Step]:
    """Entries that are unpublished by an item with an odd field."""
    yield "the entry", lambda: (world.publish(ODD, world.generation), world.settle())  # type: ignore[func-returns-value]

    def change() -> None:
        world.control("unpublish", content_type=world.content_type, uid=ODD, locale=LOCALE)

    for case in cases.removals():
        yield case.name, lambda case=case: odd_item(world, case, change)  # type: ignore[misc]


# -- runs ---------------------------------------------------------------------------------------------------------------


def changed_so(world: World, change: Callable[[], None], at_once: bool = True, kept: bool = False) -> None:
    """Some changes, and whatever `change` does. `at_once`: the very next refresh brings all; `kept`: and something odd."""
    before = world.status()["quarantined"]
    world.switch(freeze=True)
    world.publish_group()
    change()
    world.switch(freeze=False)
    status = world.refresh()
    if at_once:
        require(status == 0 and not (found := world.differences()), f"status {status}: {found[:3] if not status else ''}")
        require(world.all_met(), "the fault befell nothing")
    else:
        require(status in (0, NONSENSE), f"a refresh ends with {status}")
    require(not kept or world.status()["quarantined"] > before, "it is not in the quarantine")
    world.settle()


def tokens(world: World) -> Iterator[Step]:
    """Tokens that are refused, or wrong."""

    def refuse(which: str, times: Any) -> Callable[[], None]:
        return lambda: changed_so(world, lambda: world.control("refuse-tokens", which=which, times=times), False)

    for which in ("sync", "pagination"):
        yield f"{which} token refused once", refuse(which, 1)
        yield f"{which} token refused nine times", refuse(which, 9)
        yield f"{which} token refused for ever", refuse(which, None)
    yield "all tokens refused for ever", refuse("all", None)

    def wrong(match: str, skip: int = 0) -> Callable[[], None]:
        odd = {"field": "token", "value": "string"}
        return lambda: changed_so(world, lambda: world.fault("field", match=match, skip=skip, **odd), False)

    yield "a page token that does not exist", wrong("sync_token=")
    yield "a sync token that does not exist", wrong("pagination_token=", 1)

    def endless(kind: str, **params: Any) -> Callable[[], None]:
        case = Case(kind, kind, NONSENSE, params, lasts=True)
        return lambda: in_delta(world, case, "pagination_token=")

    yield "page tokens that lead back, for ever", endless("cycle")
    yield "the same page token, for ever", endless("wrong-type", shape="same-token")


def odd_runs(world: World) -> Iterator[Step]:
    """Runs with more in them than there should be."""
    for kind, kept in {
        "unknown-item-type": True, "null-data": True, "no-data": True, "no-uid": True, "bad-time": False, "deep": True,
        "bad-utf8": True, "no-locale-tombstone": False, "repeat-items": False,
    }.items():  # fmt: skip
        yield kind, lambda kind=kind, kept=kept: changed_so(world, lambda: world.fault(kind), kept=kept)  # type: ignore[misc]
    yield "pages that repeat the one before", lambda: changed_so(world, lambda: world.fault("repeat-page", 3))

    def switched(**switches: Any) -> Callable[[], None]:
        return lambda: changed_so(world, lambda: world.switch(**switches))

    yield "empty pages with a page token", switched(empty_pages=2)
    yield "no empty pages", switched(empty_pages=0)
    yield "the oldest event first", switched(order="oldest")
    yield "the newest event of an item only", switched(delta_events="newest")
    yield "a delta without news that has a new token", switched(empty_delta="full")


def deletions(world: World) -> Iterator[Step]:
    """Everything that goes, in each form in which the service may say so."""

    def doomed(action: Callable[[str], None], **switches: str) -> Callable[[], None]:
        def run() -> None:
            kind = f"doomed_{world.generation}"
            world.switch(**switches)
            world.control("add-content-type", uid=kind)
            for uid in ("bltdoomed1", "bltdoomed2"):
                for locale in ("en-us", "de-de"):
                    world.publish(uid, 1, locale, kind)
            world.settle()
            changed_so(world, lambda: action(kind))

        return run

    def in_one_locale(kind: str) -> None:
        world.control("unpublish", content_type=kind, uid="bltdoomed1", locale="de-de")
        world.control("delete", content_type=kind, uid="bltdoomed2", locale="en-us")

    def whole(kind: str) -> None:
        world.control("delete", content_type=kind, uid="bltdoomed1")

    def whole_type(kind: str) -> None:
        world.control("delete-content-type", uid=kind)

    def asset(_: str) -> None:
        world.control("delete", content_type="sys_assets", uid="bltdoomedasset")

    def with_asset(**switches: str) -> Callable[[], None]:
        run = doomed(asset, **switches)
        return lambda: (world.control("publish-asset", uid="bltdoomedasset", locale="en-us"), run())  # type: ignore[return-value]

    yield "in one locale", doomed(in_one_locale)
    yield "an event for each locale", doomed(whole, deletions="locale")
    yield "one event without locale", doomed(whole, deletions="no-locale")
    yield "a content type, with its entries", doomed(whole_type, type_deletions="with-entries")
    yield "a content type, alone", doomed(whole_type, type_deletions="alone")
    yield "an asset, with a content type", with_asset(asset_tombstones="sys_assets")
    yield "an asset, without a content type", with_asset(asset_tombstones="bare")
    yield "an asset, without locale", with_asset(deletions="no-locale")


# -- running them -------------------------------------------------------------------------------------------------------


def run(world: World, steps: Iterable[Step]) -> int:
    """Runs cases, watched; how many were not as they should be."""
    assert world.watcher
    failed = 0
    for name, step in steps:
        since, start = world.watcher.rounds(), time.monotonic()
        try:
            step()
            world.watcher.check(since)
            print(f"# {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Wrong as wrong:
            failed += 1
            print(f"# FAILED: {name}", flush=True)
            print(f"{name}: {wrong}", file=sys.stderr, flush=True)
            world.control("faults-clear")
            world.publish_group()
            world.settle()
            world.watcher.forget()
            world.watcher.strict.value = True
    return failed


def main() -> int:
    """Returns the exit status."""
    world = World()
    elsewhere = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/v3/stacks/sync"
    pages = {
        "refusals": cases.refusals, "limits": cases.limits, "more-limits": cases.more_limits,
        "connections": cases.connections, "bodies": cases.bodies, "redirects": lambda: cases.redirects(url), "shapes": cases.shapes,
    }  # fmt: skip
    runs = {"items": items, "removals": removals, "tokens": tokens, "odd-runs": odd_runs, "deletions": deletions}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first-run", action="store_true", help="try pages in the first run of a store, not in a delta")
    parser.add_argument("groups", nargs="+", choices=[*pages, *runs])
    options = parser.parse_args()
    chosen: list[Step] = []
    for group in options.groups:
        if group in runs:
            chosen += runs[group](world)
        else:
            kept = (case for case in pages[group]() if not (options.first_run and case.may_lose))
            chosen += first_runs(world, kept) if options.first_run else deltas(world, kept)
    world.begin()
    failed = run(world, chosen)
    world.settle()
    assert world.watcher
    world.watcher.end()
    elsewhere.setblocking(False)
    try:
        elsewhere.accept()
        print("something was asked of the host that a redirect named", file=sys.stderr)
        failed += 1
    except BlockingIOError:
        pass
    if not world.status()["healthy"]:
        print(f"not healthy in the end: {world.status()['last_error']}", file=sys.stderr)
        failed += 1
    print(f"{len(chosen)} cases, {failed} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
