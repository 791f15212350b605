"""What was asked of the server: counters, and the last requests. Header values are never kept, but Accept-Encoding."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any, Iterable, Optional

KEPT = 1000
TIMER_ERROR = 0.01  # seconds by which a waiting client may be early


class Journal:
    """Thread-safe. A request is listed when it arrives, gets its status before it is answered, its size afterwards."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: Counter[str] = Counter()
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._number = 0
        self._needless = 0
        self._wait_until = 0.0

    def arrived(
        self, kind: str, method: str, path: str, query: str, headers: Iterable[tuple[str, str]], fault: Optional[str]
    ) -> dict[str, Any]:
        """Notes a request and what befalls it; the entry goes to `answering` and `answered`."""
        pairs = list(headers)
        values = {name.lower(): value for name, value in pairs}
        entry: dict[str, Any] = {"number": 0, "time": time.time(), "kind": kind, "method": method, "path": path}
        entry.update(query=query, status=None, fault=fault, bytes=0, headers=[name for name, _ in pairs])
        entry.update(accept_encoding=values.get("accept-encoding"), range=values.get("range"), needless=False)
        with self._lock:
            self._number += 1
            if entry["time"] < self._wait_until - TIMER_ERROR:
                entry["needless"] = True
                self._needless += 1
            entry["number"] = self._number
            self._counters[kind] += 1
            self._requests.append(entry)
        return entry

    def answering(self, entry: dict[str, Any], status: Optional[int]) -> None:
        """Notes the status, before its first byte is sent; None: the connection ends without one."""
        with self._lock:
            entry["status"] = status

    def told_to_wait(self, until: float) -> None:
        """An answer asks for no request before that time."""
        with self._lock:
            self._wait_until = max(self._wait_until, until)

    def needless(self) -> int:
        """How many requests came before a time for which an answer had asked."""
        with self._lock:
            return self._needless

    def answered(self, entry: dict[str, Any], sent: int) -> None:
        """Completes an entry."""
        with self._lock:
            entry.update(bytes=sent, seconds=round(time.time() - entry["time"], 6))

    def report(self) -> dict[str, Any]:
        """Counters per kind, and the last requests, oldest first."""
        with self._lock:
            return {
                "total": self._number,
                "counters": dict(self._counters),
                "requests": [dict(entry) for entry in self._requests],
            }

    def clear(self) -> None:
        """Starts again from nothing."""
        with self._lock:
            self._counters.clear()
            self._requests.clear()
            self._number = self._needless = 0
