"""The rate limit: so many requests in each second of the clock, and what the answers beyond it ask for."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate, parsedate_to_datetime
from typing import Optional

from access import ApiError
from answers import Answer
from switches import Settings

UNLIMITED = {"x-ratelimit-limit": "500", "x-ratelimit-remaining": "499"}


class RateLimit:
    """Counts requests in fixed windows. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._second = self._count = 0

    def admit(self) -> tuple[dict[str, str], Optional[Answer]]:
        """Counts a request: the headers of its answer, and the refusal if it is one too many."""
        limit = self._settings.number("rate-limit")
        if limit == 0:
            return {}, None
        with self._lock:
            second = int(time.time())
            if second > self._second:
                self._second, self._count = second, 0
            self._count += 1
            left = limit - self._count
        headers = {"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": str(max(0, left))}
        return headers, None if left >= 0 else self._refusal(second + 1)

    def _refusal(self, until: int) -> Answer:
        answer = Answer.error(ApiError(429, 429, "Rate limit exceeded."))
        how = self._settings.word("rate-limit-answer")
        if how == "seconds":
            answer.headers["Retry-After"] = "1"
        elif how == "date":
            answer.headers["Retry-After"] = formatdate(until, usegmt=True)
        elif how == "reset":
            answer.headers["x-ratelimit-reset"] = str(until)
        return answer


def told_until(answer: Answer) -> float:
    """Before which time the answer asks for no other request; 0 when it does not say."""
    retry = answer.headers.get("Retry-After", "")
    reset = answer.headers.get("x-ratelimit-reset", "")
    if retry.isdigit():
        return time.time() + int(retry)
    if retry:
        try:
            return parsedate_to_datetime(retry).timestamp()
        except ValueError:
            return 0
    return float(reset) if answer.status == 429 and reset.isdigit() else 0
