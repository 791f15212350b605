"""The time of changes: real, in milliseconds, never running backwards, and strictly rising for each item."""

from __future__ import annotations

import time


class Clock:
    """Not thread-safe by itself: the content's lock is held while it is read. Different items may share a time."""

    def __init__(self) -> None:
        self._last = 0

    def now(self, after: int = 0) -> int:
        """The time of the next event: not before any earlier event, and later than `after`."""
        self._last = max(self._last, time.time_ns() // 1_000_000, after + 1)
        return self._last

    def later(self) -> int:
        """A time later than that of every event so far."""
        return self.now(self._last)

    def note(self, milliseconds: int) -> None:
        """Content with this time was loaded."""
        self._last = max(self._last, milliseconds)
