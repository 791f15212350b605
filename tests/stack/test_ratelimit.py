"""The rate limit, and requests that come although their client was told to wait."""

from __future__ import annotations

import time
import unittest
from email.utils import parsedate_to_datetime

from harness import Reply, StackCase


class RateLimits(StackCase):
    """Few requests a second."""

    switches = {"rate-limit": "3"}

    def window(self) -> None:
        """Waits for the beginning of a second, in which all that follows has room."""
        time.sleep(1.02 - time.time() % 1)

    def beyond(self, how: str) -> Reply:
        """The first answer beyond the limit."""
        self.client.control("set", option="rate-limit-answer", value=how)
        self.window()
        for left in ("2", "1", "0"):
            reply = self.client.get("/v3/locales")
            headers = reply.headers
            self.assertEqual((reply.status, headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]), (200, "3", left))
        reply = self.client.get("/v3/locales")
        self.assertEqual((reply.status, reply.json()["error_code"]), (429, 429))
        self.assertEqual(reply.headers["x-ratelimit-remaining"], "0")
        return reply

    def needless(self) -> int:
        """The count of the stack."""
        return int(self.client.get("/_control/status").json()["needless"])

    def test_ways_to_say_when(self) -> None:
        reply = self.beyond("seconds")
        self.assertEqual((reply.headers["Retry-After"], reply.headers["x-ratelimit-reset"]), ("1", None))
        reply = self.beyond("date")
        wait = parsedate_to_datetime(reply.headers["Retry-After"]).timestamp() - time.time()
        self.assertTrue(0 < wait <= 1, wait)
        reply = self.beyond("reset")
        wait = int(reply.headers["x-ratelimit-reset"]) - time.time()
        self.assertTrue(0 < wait <= 1 and "Retry-After" not in reply.headers, wait)
        reply = self.beyond("none")
        self.assertFalse({"Retry-After", "x-ratelimit-reset"} & set(reply.headers))
        self.window()
        self.assertEqual(self.client.get("/v3/locales").status, 200)

    def test_needless_requests_are_counted(self) -> None:
        for how in ("seconds", "date", "reset"):
            with self.subTest(how=how):
                self.client.control("requests-clear")
                self.beyond(how)
                self.assertEqual(self.needless(), 0)
                self.client.get("/v3/locales")
                self.assertEqual(self.needless(), 1)
                time.sleep(1.02)
                self.client.get("/v3/locales")
                self.assertEqual(self.needless(), 1)
        self.client.control("requests-clear")
        self.beyond("none")
        self.client.get("/v3/locales")
        self.assertEqual(self.needless(), 0)

    def test_faults_that_ask_to_wait_count_too(self) -> None:
        self.client.control("set", option="rate-limit", value=0)
        self.client.control("fault", kind="429", params={"retry-after": "30"})
        self.assertEqual(self.client.get("/v3/locales").status, 429)
        reply = self.client.get("/v3/locales")
        self.assertEqual((reply.status, reply.headers["x-ratelimit-limit"], self.needless()), (200, "500", 1))
        needless = [entry["needless"] for entry in self.stack.journal.report()["requests"]]
        self.assertEqual(needless, [False, True])

    def test_a_limited_request_meets_no_fault(self) -> None:
        self.beyond("none")
        self.client.control("fault", kind="500")
        self.assertEqual(self.client.get("/v3/locales").status, 429)
        self.window()
        self.assertEqual(self.client.get("/v3/locales").status, 500)


if __name__ == "__main__":
    unittest.main()
