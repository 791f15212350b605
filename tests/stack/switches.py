"""The switches: what the API leaves open, and how this stack behaves. Each is a serve option and can be set at run time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Union

Value = Union[int, str, bool]


class SwitchError(ValueError):
    """There is no such switch, or it cannot take that value."""


@dataclass(frozen=True)
class Switch:
    """One switch: its default, how a text becomes its value, and what it means."""

    default: Value
    parse: Callable[[str], Value]
    meaning: str


def _number(low: int, high: int) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        try:
            value = int(text)
        except ValueError:
            raise SwitchError(f"{text!r} is not a whole number") from None
        if not low <= value <= high:
            raise SwitchError(f"{value} is not within {low}..{high}")
        return value

    return parse


def _choice(*names: str) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        if text not in names:
            raise SwitchError(f"{text!r} is none of {', '.join(names)}")
        return text

    return parse


def _on_off(text: str) -> Value:
    if text not in ("on", "off"):
        raise SwitchError(f"{text!r} is neither on nor off")
    return text == "on"


SWITCHES: dict[str, Switch] = {
    "page-size": Switch(100, _number(1, 10000), "items on a page of a run"),
    "honour-limit": Switch(False, _on_off, "a `limit` of 1..100 beside init sets the run's page size"),
    "multi-value": Switch(False, _on_off, "comma lists in content_type_uid and locale are taken apart"),
    "delta-events": Switch("all", _choice("all", "newest"), "a delta holds every event of an item, or its newest"),
    "order": Switch("newest", _choice("newest", "oldest", "shuffled"), "which event comes first in a run"),
    "empty-delta": Switch(
        "short", _choice("short", "full"), "a delta without news: the same token alone, or all keys and a new token"
    ),
    "empty-pages": Switch(0, _number(0, 100), "this many empty pages stand before each page with items"),
    "deletions": Switch(
        "locale", _choice("locale", "no-locale"), "entry and asset deletions: one event per locale, or one without locale"
    ),
    "type-deletions": Switch(
        "with-entries", _choice("with-entries", "alone"), "content_type_deleted comes with entry_deleted events, or alone"
    ),
    "asset-tombstones": Switch(
        "sys_assets", _choice("sys_assets", "bare"), "content_type_uid in asset_unpublished/asset_deleted, or none"
    ),
    "cdn-lag": Switch(0, _number(0, 1000), "the next K deltas after a change still answer as before it"),
    "freeze": Switch(False, _on_off, "deltas go on as the last one answered, whatever has changed since"),
    "rate-limit": Switch(0, _number(0, 100000), "requests a second, beyond which there is 429; 0: no limit"),
    "rate-limit-answer": Switch(
        "seconds",
        _choice("seconds", "date", "reset", "none"),
        "how a 429 says when to come again: Retry-After with seconds or a date, x-ratelimit-reset, or not at all",
    ),
    "latency": Switch(0, _number(0, 600000), "milliseconds to wait before each answer"),
    "gzip-level": Switch(1, _number(0, 9), "0: never compress, even when asked to"),
    "secure-assets": Switch(False, _on_off, "asset bytes need access_token and environment in the query"),
    "asset-ranges": Switch(True, _on_off, "a Range of an asset is honoured; off: every answer is the whole file"),
    "asset-etags": Switch("strong", _choice("strong", "weak", "none"), "entity tags of assets"),
}


class Settings:
    """The present value of every switch. Reading and setting one value is atomic."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {name: switch.default for name, switch in SWITCHES.items()}

    def set(self, name: str, text: str) -> Value:
        """Sets a switch from text; SwitchError says why not."""
        if name not in SWITCHES:
            raise SwitchError(f"no switch is named {name!r}; there are {', '.join(SWITCHES)}")
        try:
            value = SWITCHES[name].parse(text)
        except SwitchError as error:
            raise SwitchError(f"{name}: {error}") from None
        self._values[name] = value
        return value

    def number(self, name: str) -> int:
        """Value of a numeric switch."""
        return int(self._values[name])

    def word(self, name: str) -> str:
        """Value of a switch with named choices."""
        return str(self._values[name])

    def on(self, name: str) -> bool:
        """Whether an on/off switch is on."""
        return bool(self._values[name])

    def all(self) -> dict[str, Value]:
        """A copy of all values."""
        return dict(self._values)
