"""The command line client of a running stack's control."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from typing import Any, Optional
from urllib.parse import urlsplit

from faults import KINDS
from records import SIZES
from switches import SWITCHES

TIMEOUT = 600  # seconds; a stack that deletes a type of a million entries takes its time


class CommandFailed(Exception):
    """The stack could not be reached, or refused."""


def add_parser(commands: Any) -> None:
    """Adds `ctl URL COMMAND …` to the program's commands."""
    parser = commands.add_parser("ctl", help="command a running stack")
    parser.add_argument("url", metavar="URL")
    inner = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")

    def command(name: str, text: str, *arguments: str) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = inner.add_parser(name, help=text)
        for argument in arguments:
            if argument.endswith("?"):
                sub.add_argument(argument.rstrip("?"), nargs="?")
            else:
                sub.add_argument(argument)
        return sub

    command("publish", "create or change an entry, and publish it", "content_type", "uid", "locale", "fields?")
    asset = command("publish-asset", "create or change an asset, and publish it", "uid", "locale", "fields?")
    asset.add_argument("--file-bytes", type=int, help="give it a new file of this size")
    asset.add_argument("--mime", help="media type of a new asset")
    asset.add_argument("--as-is", action="store_true", default=None, help="let a new file keep its name, whatever is in it")
    asset.add_argument("--without", action="append", metavar="NAME", help="leave a member out of the record")
    size = command("missize-asset", "publish an asset with a wrong file_size", "uid", "locale")
    size.add_argument("how", choices=SIZES)
    command("unpublish", "unpublish an entry", "content_type", "uid", "locale?")
    command("delete", "delete an entry", "content_type", "uid", "locale?")
    command("unpublish-asset", "unpublish an asset", "uid", "locale?")
    command("delete-asset", "delete an asset", "uid", "locale?")
    command("add-content-type", "make a content type", "uid", "title?")
    command("change-schema", "add a field to a content type", "uid")
    command("delete-content-type", "delete a content type with its entries", "uid")
    change = command("random", "make random changes", "count")
    change.add_argument("--seed", type=int)
    refuse = command("refuse-tokens", "refuse tokens with error 141")
    refuse.add_argument("which", nargs="?", choices=("sync", "pagination", "all"), default="sync")
    refuse.add_argument("--times", type=int, help="the next K token calls; default: all tokens issued so far, for ever")
    _add_fault(inner)
    command("faults", "list the faults that are open")
    command("faults-clear", "take back all faults, and end those at work")
    setting = inner.add_parser("set", help="set a switch: " + ", ".join(SWITCHES))
    setting.add_argument("option")
    setting.add_argument("value")
    command("latency", "wait before each answer", "milliseconds")
    requests = command("requests", "what was asked of the stack")
    requests.add_argument("--clear", action="store_true", help="forget it, and count from nothing")
    requests.add_argument("--match", default="", help="only requests with this text in path and query")
    requests.add_argument("--kind", action="append", help="only requests of this kind")
    wait = command("wait-requests", "wait until so many requests of a kind have come", "kind", "number")
    wait.add_argument("--timeout", type=float, default=10.0)
    truth = command("truth", "what is published now, a JSON line per file")
    truth.add_argument("--out", metavar="FILE")
    truth.add_argument("--sha256", action="store_true", help="with the digest of each asset's file")
    command("status", "counts and switches")


def _add_fault(inner: Any) -> None:
    lines = "\n".join(f"  {kind.name:20} {kind.meaning} {kind.params or ''}" for kind in KINDS.values())
    fault = inner.add_parser(
        "fault", help="let a fault befall the next requests", epilog="kinds, and their parameters:\n" + lines,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    fault.add_argument("kind")
    fault.add_argument("--times", default="1", help="how many requests, or `forever` (default 1)")
    fault.add_argument("--match", default="", help="only requests with this text in path and query")
    fault.add_argument("--skip", type=int, default=0, help="spare so many matching requests first")
    for name in sorted({name for kind in KINDS.values() for name in kind.params}):
        fault.add_argument(f"--{name}", dest=f"param_{name}")


def call(url: str, method: str, command: str, body: Optional[str] = None) -> http.client.HTTPResponse:
    """One control request; CommandFailed unless the answer is 200."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise CommandFailed(f"{url!r} is not the URL of a local stack")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=TIMEOUT)
    try:
        sent = None if body is None else body.encode()
        connection.request(method, f"/_control/{command}", sent, {"Connection": "close"})
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise CommandFailed(f"no stack answers at {url}: {error}") from None
    if answer.status != 200:
        text = answer.read().decode("utf-8", "replace")
        try:
            text = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):
            pass
        raise CommandFailed(text)
    return answer


def _body(values: dict[str, Any], fields: Optional[str] = None) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    text = json.dumps(given)
    if fields is None:
        return text
    return text[:-1] + (", " if given else "") + f'"fields": {fields}' + "}"


def _request(options: argparse.Namespace) -> tuple[str, str]:
    """Command and body for the actions that change something."""
    action, given = options.action, vars(options)
    names = {
        "publish": ("content_type", "uid", "locale"),
        "publish-asset": ("uid", "locale", "file_bytes", "mime", "as_is", "without"),
        "missize-asset": ("uid", "locale", "how"),
        "unpublish": ("content_type", "uid", "locale"),
        "delete": ("content_type", "uid", "locale"),
        "add-content-type": ("uid", "title"),
        "change-schema": ("uid",),
        "delete-content-type": ("uid",),
        "refuse-tokens": ("which", "times"),
        "set": ("option", "value"),
    }
    if action in names:
        return action, _body({name: given[name] for name in names[action]}, given.get("fields"))
    if action in ("unpublish-asset", "delete-asset"):
        values = {"content_type": "sys_assets", "uid": options.uid, "locale": options.locale}
        return action[: -len("-asset")], _body(values)
    if action == "random":
        return action, _body({"count": _number(options.count), "seed": options.seed})
    if action == "latency":
        return "set", _body({"option": "latency", "value": options.milliseconds})
    if action == "fault":
        params = {name[6:]: value for name, value in given.items() if name.startswith("param_") and value is not None}
        times = 0 if options.times == "forever" else _number(options.times, least=1)
        values = {"kind": options.kind, "times": times, "match": options.match, "skip": options.skip, "params": params}
        return action, _body(values)
    return action, "{}"


def _number(text: str, least: int = 0) -> int:
    if not text.isdigit() or int(text) < least:
        raise CommandFailed(f"{text!r} is not a number of {least} or more")
    return int(text)


def _wait(options: argparse.Namespace) -> int:
    deadline = time.monotonic() + options.timeout
    number = _number(options.number)
    while True:
        counters = json.loads(call(options.url, "GET", "requests").read())["counters"]
        if counters.get(options.kind, 0) >= number:
            return 0
        if time.monotonic() > deadline:
            raise CommandFailed(f"{counters.get(options.kind, 0)} of {number} {options.kind} requests came in time")
        time.sleep(0.02)


def _truth(options: argparse.Namespace) -> int:
    answer = call(options.url, "GET", "truth" + ("?sha256=1" if options.sha256 else ""))
    out = open(options.out, "wb") if options.out else sys.stdout.buffer  # noqa: SIM115
    try:
        while piece := answer.read(1 << 16):
            out.write(piece)
        out.flush()
    finally:
        if options.out:
            out.close()
    return 0


def _chosen(report: bytes, options: argparse.Namespace) -> str:
    """The report, with the last requests that match only; `matching` says how many these are."""
    found = json.loads(report)
    found["requests"] = [
        entry
        for entry in found["requests"]
        if options.match in f"{entry['path']}?{entry['query']}" and entry["kind"] in (options.kind or [entry["kind"]])
    ]
    found["matching"] = len(found["requests"])
    return json.dumps(found, ensure_ascii=False)


def run(options: argparse.Namespace) -> int:
    """Runs one action; returns the exit status, or raises CommandFailed."""
    if options.action == "truth":
        return _truth(options)
    if options.action == "wait-requests":
        return _wait(options)
    if options.action == "requests" and options.clear:
        answer = call(options.url, "POST", "requests-clear", "{}")
    elif options.action == "requests":
        sys.stdout.write(_chosen(call(options.url, "GET", "requests").read(), options) + "\n")
        return 0
    elif options.action in ("status", "faults"):
        answer = call(options.url, "GET", options.action)
    else:
        answer = call(options.url, "POST", *_request(options))
    sys.stdout.write(answer.read().decode() + "\n")
    return 0
