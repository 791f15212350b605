"""The command line of a running stack: words, as `tests/stack/ctl` sends them, and the text that answers them.

They are understood here, and not by the client, so that a command costs no start of a Python."""

from __future__ import annotations

import argparse
import json
import shlex
from typing import Any, Iterator, NoReturn, Optional

from control import Control, ControlError
from faults import KINDS
from records import SIZES
from switches import SWITCHES


class Help(Exception):
    """The text of it was asked for."""


class _Parser(argparse.ArgumentParser):
    """Tells by exceptions what it would print, and never ends the process."""

    def error(self, message: str) -> NoReturn:
        raise ControlError(f"{message}\n{self.format_usage().rstrip()}")

    def print_help(self, file: Any = None) -> NoReturn:
        raise Help(self.format_help())


def _parser() -> _Parser:
    parser = _Parser(prog="tests/stack/ctl URL", description="Commands a running stack.")
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
    change = command("random", "make random changes")
    change.add_argument("count", type=int)
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
    wait = command("wait-requests", "wait until so many requests of a kind have come", "kind")
    wait.add_argument("number", type=int)
    wait.add_argument("--timeout", type=int, default=10, metavar="SECONDS")
    truth = command("truth", "what is published now, a JSON line per file")
    truth.add_argument("--sha256", action="store_true", help="with the digest of each asset's file")
    command("status", "counts and switches")
    command("env", "the variables that point a client to the stack, for a shell")
    return parser


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


def _body(values: dict[str, Any], fields: Optional[str] = None) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    text = json.dumps(given)
    if fields is None:
        return text
    return text[:-1] + (", " if given else "") + f'"fields": {fields}' + "}"


def _request(options: argparse.Namespace) -> tuple[str, str]:
    """Command and body for the actions that change something, or wait."""
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
        "random": ("count", "seed"),
        "refuse-tokens": ("which", "times"),
        "set": ("option", "value"),
        "wait-requests": ("kind", "number", "timeout"),
    }
    if action in names:
        return action, _body({name: given[name] for name in names[action]}, given.get("fields"))
    if action in ("unpublish-asset", "delete-asset"):
        values = {"content_type": "sys_assets", "uid": options.uid, "locale": options.locale}
        return action[: -len("-asset")], _body(values)
    if action == "latency":
        return "set", _body({"option": "latency", "value": options.milliseconds})
    if action == "fault":
        params = {name[6:]: value for name, value in given.items() if name.startswith("param_") and value is not None}
        values = {"kind": options.kind, "times": _times(options.times), "match": options.match, "skip": options.skip}
        return action, _body({**values, "params": params})
    if action == "requests":
        return "requests-clear", "{}"
    return action, "{}"


def _times(text: str) -> int:
    """How often; 0 is for ever."""
    if text == "forever":
        return 0
    if not text.isdigit() or int(text) < 1:
        raise ControlError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _chosen(report: str, options: argparse.Namespace) -> str:
    """The report, with the last requests that match only; `matching` says how many these are."""
    found = json.loads(report)
    found["requests"] = [
        entry
        for entry in found["requests"]
        if options.match in f"{entry['path']}?{entry['query']}" and entry["kind"] in (options.kind or [entry["kind"]])
    ]
    found["matching"] = len(found["requests"])
    return json.dumps(found, ensure_ascii=False)


def _exports(variables: str) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in json.loads(variables).items())


class CommandLine:
    """Thread-safe, as the control is."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._parser = _parser()

    def run(self, body: bytes) -> Iterator[bytes]:
        """Does what the words say, each of which ends with a NUL, and returns the answer in pieces; ControlError when it
        cannot be done."""
        words = [word.decode("utf-8", "surrogateescape") for word in body.split(b"\0")[:-1]]
        try:
            options = self._parser.parse_args(words)
        except Help as text:
            return iter([str(text).encode()])
        if options.action == "truth":
            return self._control.truth(options.sha256)
        return iter([(self._text(options) + "\n").encode("utf-8", "surrogateescape")])

    def _text(self, options: argparse.Namespace) -> str:
        ask, action = self._control.run, options.action
        if action == "env":
            return _exports(ask("GET", "env", b""))
        if action == "requests" and not options.clear:
            return _chosen(ask("GET", "requests", b""), options)
        if action in ("status", "faults"):
            return ask("GET", action, b"")
        command, body = _request(options)
        return ask("POST", command, body.encode("utf-8", "surrogateescape"))
