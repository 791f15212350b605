"""The control: commands under `/_control/` that change the content and the behaviour of a running stack."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterator, Optional

import records
import wire
from changes import Editor
from content import Content, ContentError
from events import ASSETS, Event, Filter
from faults import FaultError, FaultQueue
from journal import Journal
from randomize import Randomizer
from switches import Settings, SwitchError
from sync import SyncService


class ControlError(Exception):
    """The command cannot be done; the text says why."""

    def text(self) -> str:
        """The JSON body."""
        return wire.dump({"ok": False, "error": str(self)})


class Arguments:
    """The members of a command's JSON object, read strictly."""

    def __init__(self, body: bytes) -> None:
        try:
            self._members = wire.split_object(body.decode()) if body else {}
        except (UnicodeDecodeError, wire.WireError) as error:
            raise ControlError(f"the body is not a JSON object: {error}") from None

    def value(self, name: str) -> Any:
        """A member as a Python value, None when it is not there."""
        text = self._members.pop(name, None)
        return None if text is None else json.loads(text)

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self.value(name)
        if not isinstance(value, str) or not value:
            raise ControlError(f"{name} is needed, a string")
        return value

    def optional_text(self, name: str) -> Optional[str]:
        """A string, or None."""
        value = self.value(name)
        if value is not None and not isinstance(value, str):
            raise ControlError(f"{name} must be a string")
        return value

    def optional_number(self, name: str, default: Optional[int] = None) -> Optional[int]:
        """A whole number, or the default."""
        value = self.value(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise ControlError(f"{name} must be a whole number")
        return default if value is None else value

    def members(self, name: str) -> Optional[records.Members]:
        """An object as exact texts by name, None when it is not there."""
        text = self._members.pop(name, None)
        try:
            return None if text in (None, "null") else wire.split_object(wire.minify(str(text)))
        except wire.WireError as error:
            raise ControlError(f"{name}: {error}") from None

    def nothing_else(self) -> None:
        """Refuses members that nobody read."""
        if self._members:
            raise ControlError(f"not understood: {', '.join(self._members)}")


Result = dict[str, Any]
Action = Callable[[], Result]  # what a command does, once all of it was understood


def _silent(change: Callable[[], None]) -> Action:
    """A change that has nothing to tell."""

    def action() -> Result:
        change()
        return {}

    return action


def _told(events: list[Event]) -> Result:
    shown = events[:100]
    return {
        "count": len(events),
        "events": [
            {"type": e.type, "content_type": e.content_type, "uid": e.uid, "locale": e.locale, "event_at": wire.iso(e.at)}
            for e in shown
        ],
    }


class Control:
    """Runs commands. Thread-safe, as its parts are."""

    def __init__(
        self,
        content: Content,
        editor: Editor,
        sync: SyncService,
        settings: Settings,
        faults: FaultQueue,
        journal: Journal,
        describe: Callable[[], Result],
        environment: Callable[[], Result],
    ) -> None:
        self._content, self._editor, self._sync = content, editor, sync
        self._settings, self._faults = settings, faults
        self._describe, self._journal = describe, journal
        self._queries: dict[str, Callable[[], Result]] = {
            "env": environment,
            "status": self._status,
            "requests": journal.report,
            "faults": lambda: {"faults": faults.describe()},
        }
        self._commands: dict[str, Callable[[Arguments], Action]] = {
            "publish": self._publish,
            "publish-asset": self._publish_asset,
            "missize-asset": self._missize_asset,
            "unpublish": self._unpublish,
            "delete": self._delete,
            "add-content-type": self._add_content_type,
            "change-schema": self._change_schema,
            "delete-content-type": self._delete_content_type,
            "random": self._random,
            "refuse-tokens": self._refuse_tokens,
            "fault": self._fault,
            "faults-clear": lambda _: lambda: {"cleared": faults.clear()},
            "set": self._set,
            "requests-clear": lambda _: _silent(journal.clear),
            "wait-requests": self._wait_requests,
        }

    def run(self, method: str, command: str, body: bytes) -> str:
        """Runs one command and returns the JSON of its result; ControlError when it cannot be done."""
        try:
            if method == "GET" and command in self._queries:
                return wire.dump(self._queries[command]())
            if method == "POST" and command in self._commands:
                arguments = Arguments(body)
                action = self._commands[command](arguments)
                arguments.nothing_else()
                return wire.dump({"ok": True, **action()})
        except (ContentError, FaultError, SwitchError) as error:
            raise ControlError(str(error)) from None
        known = sorted(self._queries) if method == "GET" else sorted(self._commands)
        raise ControlError(f"{method} knows no {command!r}, but {', '.join(known)}")

    # -- queries ------------------------------------------------------------------------------------------------

    def _status(self) -> Result:
        counts = {**self._content.counts(), **self._journal.counts()}
        return {**self._describe(), **counts, "settings": self._settings.all()}

    def truth(self, with_digests: bool) -> Iterator[bytes]:
        """What is published now, one JSON line per file that a reader should see."""
        content = self._content
        with content.lock:
            snapshot = content.snapshot(Filter(content.environment))
            types = [(uid, content.types[uid].updated, content.type_text(uid, True)) for uid in sorted(content.types)]
        batch: list[str] = []
        for uid, updated, text in types:
            batch.append(_line(f"content_types/{uid}.json", updated, f'"content_type":{wire.quote(uid)}', text))
        for event in snapshot.published():
            batch.append(self._truth_line(event, with_digests))
            if len(batch) >= 200:
                yield "".join(batch).encode()
                batch.clear()
        yield "".join(batch).encode()

    def _truth_line(self, event: Event, with_digests: bool) -> str:
        locale = event.locale or ""
        quoted = [wire.quote(text) for text in (event.content_type, locale, event.uid)]
        names = '"content_type":{},"locale":{},"uid":{}'.format(*quoted)
        if event.content_type != ASSETS:
            return _line(f"entries/{event.content_type}/{locale}/{event.uid}.json", event.published, names, event.data)
        members = wire.split_object(event.data)
        names += f',"filename":{members.get("filename", "null")},"url":{members.get("url", "null")}'
        names += self._file_facts(event.uid, wire.plain_string(members.get("url")), with_digests)
        return _line(f"assets/{locale}/{event.uid}.json", event.published, names, event.data)

    def _file_facts(self, uid: str, url: str, with_digest: bool) -> str:
        parts = url.split("/")
        file = self._content.file(uid, parts[-2]) if len(parts) > 2 else None
        digest = f',"sha256":"{file.blob.sha256()}"' if file and with_digest else ""
        return f',"size":{file.blob.size}{digest}' if file else ""

    # -- content ------------------------------------------------------------------------------------------------

    def _publish(self, given: Arguments) -> Action:
        names = given.text("content_type"), given.text("uid"), given.text("locale")
        fields = given.members("fields")
        return lambda: _told([self._editor.publish_entry(*names, fields)])

    def _publish_asset(self, given: Arguments) -> Action:
        names, fields = (given.text("uid"), given.text("locale")), given.members("fields")
        file_bytes = given.optional_number("file_bytes")
        mime = given.optional_text("mime") or "application/octet-stream"
        as_is, without = bool(given.value("as_is")), given.value("without") or []
        if not isinstance(without, list) or not all(isinstance(name, str) for name in without):
            raise ControlError("without must be an array of strings")
        editor = self._editor
        return lambda: _told(
            [editor.publish_asset(*names, fields, file_bytes, mime, as_is=as_is, without=without)]
        )

    def _missize_asset(self, given: Arguments) -> Action:
        names, how = (given.text("uid"), given.text("locale")), given.text("how")
        return lambda: _told([self._editor.missize_asset(*names, how)])

    def _unpublish(self, given: Arguments) -> Action:
        names = given.text("content_type"), given.text("uid"), given.optional_text("locale")
        return lambda: _told(self._editor.unpublish(*names))

    def _delete(self, given: Arguments) -> Action:
        names = given.text("content_type"), given.text("uid"), given.optional_text("locale")
        return lambda: _told(self._editor.delete(*names))

    def _add_content_type(self, given: Arguments) -> Action:
        uid, title = given.text("uid"), given.optional_text("title") or ""
        return _silent(lambda: self._editor.add_content_type(uid, title))

    def _change_schema(self, given: Arguments) -> Action:
        uid = given.text("uid")
        return _silent(lambda: self._editor.change_schema(uid))

    def _delete_content_type(self, given: Arguments) -> Action:
        uid = given.text("uid")
        return lambda: _told(self._editor.delete_content_type(uid))

    def _random(self, given: Arguments) -> Action:
        count, seed = given.optional_number("count", 1) or 0, given.optional_number("seed")
        return lambda: {"done": Randomizer(self._content, self._editor, seed).run(count)}

    # -- behaviour ----------------------------------------------------------------------------------------------

    def _wait_requests(self, given: Arguments) -> Action:
        kind, number = given.text("kind"), given.optional_number("number", 1) or 0
        seconds = given.optional_number("timeout", 10) or 0

        def action() -> Result:
            came = self._journal.await_requests(kind, number, seconds)
            if came < number:
                raise ControlError(f"{came} of {number} {kind} requests came in time")
            return {"count": came}

        return action

    def _refuse_tokens(self, given: Arguments) -> Action:
        which, times = given.optional_text("which") or "sync", given.optional_number("times")
        if which not in ("sync", "pagination", "all"):
            raise ControlError("which must be sync, pagination or all")
        kinds = ["sync", "pagination"] if which == "all" else [which]
        return _silent(lambda: self._sync.refuse(kinds, times))

    def _fault(self, given: Arguments) -> Action:
        kind, match = given.text("kind"), given.optional_text("match") or ""
        times, skip = given.optional_number("times", 1), given.optional_number("skip") or 0
        params = given.value("params") or {}
        if not isinstance(params, dict):
            raise ControlError("params must be an object")
        return lambda: self._faults.add(kind, times or None, match, skip, params).describe()

    def _set(self, given: Arguments) -> Action:
        name, value = given.text("option"), given.value("value")
        text = ("on" if value else "off") if isinstance(value, bool) else str(value)
        return lambda: {name: self._settings.set(name, text)}


def _line(path: str, milliseconds: int, names: str, text: str) -> str:
    return f'{{"path":{wire.quote(path)},"mtime":"{wire.iso(milliseconds)}",{names},"data":{text}}}\n'
