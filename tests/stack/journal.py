"""What was asked of the server: counters, and the last requests. Of header values those are kept that are no secret and of
interest; of a delivery token only where it stood."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any, Iterable, Optional
from urllib.parse import unquote

from faults import FILE_REQUESTS

KEPT = 1000
SECRET = "(token)"
TIMER_ERROR = 0.01  # seconds by which a waiting client may be early


class Journal:
    """Thread-safe. A request is listed when it arrives, gets its status before it is answered, its size afterwards."""

    def __init__(self, tokens: Iterable[str], host: str) -> None:
        self._tokens, self._host = tuple(tokens), host
        self._lock = threading.Condition()
        self._counters: Counter[str] = Counter()
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._number = 0
        self._needless = 0
        self._wait_until = 0.0
        self._asset_requests = self._asset_bytes = self._astray = 0

    def arrived(
        self, kind: str, method: str, path: str, query: str, headers: Iterable[tuple[str, str]], fault: Optional[str]
    ) -> dict[str, Any]:
        """Notes a request and what befalls it; the entry goes to `answering` and `answered`."""
        pairs = list(headers)
        values = {name.lower(): value for name, value in pairs}
        entry: dict[str, Any] = {"number": 0, "time": time.time(), "kind": kind, "method": method, "path": self._masked(path)}
        entry.update(query=self._masked(query), status=None, fault=fault, bytes=0, body_bytes=0)
        entry.update(headers=[name for name, _ in pairs], host=values.get("host"), range=values.get("range"))
        entry.update(accept_encoding=values.get("accept-encoding"), if_range=values.get("if-range"), needless=False)
        entry["token"] = places = self._places(path, query, pairs)
        entry["astray"] = bool(places) and not self._may_have(kind, places, values.get("host", ""))
        with self._lock:
            self._number += 1
            self._asset_requests += kind in FILE_REQUESTS
            self._astray += entry["astray"]
            if entry["time"] < self._wait_until - TIMER_ERROR:
                entry["needless"] = True
                self._needless += 1
            entry["number"] = self._number
            self._counters[kind] += 1
            self._requests.append(entry)
            self._lock.notify_all()
        return entry

    def _masked(self, text: str) -> str:
        for token in self._tokens:
            text = text.replace(token, SECRET)
        return text

    def _places(self, path: str, query: str, headers: Iterable[tuple[str, str]]) -> list[str]:
        """Where a delivery token stands: path, query, or the names of headers."""
        found = [name for name, text in (("path", unquote(path)), ("query", unquote(query))) if self._has(text)]
        if "query" not in found and any(part.startswith("access_token=") for part in query.split("&")):
            found.append("query")
        for name, value in headers:
            if name.lower() == "access_token" or self._has(value):
                found.append(name.lower())
        return found

    def _has(self, text: str) -> bool:
        return any(token in text for token in self._tokens)

    def _may_have(self, kind: str, places: list[str], host: str) -> bool:
        """Whether that is how a token is sent: to this host, and in the query for the bytes of assets only."""
        if host.lower() != self._host or kind in ("asset_mirror", "other"):
            return False
        return places == (["query"] if kind == "asset_bytes" else ["access_token"])

    def answering(self, entry: dict[str, Any], status: Optional[int]) -> None:
        """Notes the status, before its first byte is sent; None: the connection ends without one."""
        with self._lock:
            entry["status"] = status

    def told_to_wait(self, until: float) -> None:
        """An answer asks for no request before that time."""
        with self._lock:
            self._wait_until = max(self._wait_until, until)

    def sending(self, entry: dict[str, Any], of_body: int) -> None:
        """Notes what is about to be sent of a body: whoever has received it finds it counted."""
        with self._lock:
            entry["body_bytes"] += of_body
            if entry["kind"] in FILE_REQUESTS:
                self._asset_bytes += of_body

    def answered(self, entry: dict[str, Any], sent: int) -> None:
        """Completes an entry."""
        with self._lock:
            entry.update(bytes=sent, seconds=round(time.time() - entry["time"], 6))

    def counts(self) -> dict[str, int]:
        """What is counted beside the kinds."""
        with self._lock:
            return {
                "needless": self._needless,
                "asset_requests": self._asset_requests,
                "asset_bytes": self._asset_bytes,
                "astray": self._astray,
            }

    def report(self) -> dict[str, Any]:
        """Counters per kind, and the last requests, oldest first."""
        with self._lock:
            return {
                "total": self._number,
                "counters": dict(self._counters),
                "requests": [dict(entry) for entry in self._requests],
            }

    def await_requests(self, kind: str, number: int, seconds: float) -> int:
        """Waits until so many of that kind have come, or for so long; returns how many have."""
        with self._lock:
            self._lock.wait_for(lambda: self._counters[kind] >= number, seconds)
            return self._counters[kind]

    def clear(self) -> None:
        """Starts again from nothing."""
        with self._lock:
            self._counters.clear()
            self._requests.clear()
            self._number = self._needless = 0
            self._asset_requests = self._asset_bytes = self._astray = 0
