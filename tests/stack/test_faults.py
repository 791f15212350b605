"""Each fault, as a client meets it."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
import unittest
import zlib
from typing import Any

import wire
from faults import CHOICES
from harness import AUTH, Reply, StackCase

SYNC = (
    "GET /v3/stacks/sync?init=true&environment=production HTTP/1.1\r\nHost: x\r\n"
    "api_key: {api_key}\r\naccess_token: {access_token}\r\n\r\n"
)


class FaultCase(StackCase):
    """Orders faults and meets them."""

    def fault(self, kind: str, times: int = 1, match: str = "", skip: int = 0, **params: Any) -> None:
        """Orders a fault."""
        params = {name.replace("_", "-"): value for name, value in params.items()}
        self.client.control("fault", kind=kind, times=times, match=match, skip=skip, params=params)

    def meet(self, kind: str, **params: Any) -> Reply:
        """Orders a fault and asks for the first page."""
        self.fault(kind, **params)
        return self.client.sync(init="true")

    def read_all(self, sock: socket.socket) -> bytes:
        """What comes until the connection ends."""
        data = b""
        while piece := sock.recv(1 << 16):
            data += piece
        return data

    def ask_raw(self) -> socket.socket:
        """A socket on which the first page was asked for."""
        return self.client.raw(SYNC.format(**AUTH).encode())


class Statuses(FaultCase):
    """Answers other than 200."""

    def test_statuses_with_each_body(self) -> None:
        for status in (400, 401, 403, 404, 412, 422, 429, 500, 502, 503, 504):
            for body, content_type in (("json", "application/json"), ("html", "text/html; charset=utf-8"), ("empty", None)):
                with self.subTest(status=status, body=body):
                    reply = self.meet(str(status), body=body)
                    self.assertEqual(reply.status, status)
                    self.assertEqual(bool(reply.body), body != "empty")
                    if content_type:
                        self.assertEqual(reply.headers["Content-Type"], content_type)
        self.assertEqual(self.client.sync(init="true").status, 200)

    def test_rate_limit(self) -> None:
        self.assertNotIn("Retry-After", self.meet("429").headers)
        reply = self.meet("429", retry_after="7", reset="30")
        self.assertEqual((reply.headers["Retry-After"], reply.headers["x-ratelimit-remaining"]), ("7", "0"))
        self.assertAlmostEqual(int(reply.headers["x-ratelimit-reset"]), time.time() + 30, delta=3)
        self.assertTrue(self.meet("429", retry_after="date:5").headers["Retry-After"].endswith("GMT"))

    def test_what_a_refusal_blames(self) -> None:
        for params, code, errors in (
            ({}, 141, {"parameter": ["is not valid."]}),
            ({"errors": "sync_token"}, 141, {"sync_token": ["is not valid."]}),
            ({"errors": "access_token", "reason": "is of another environment."}, 141,
             {"access_token": ["is of another environment."]}),
            ({"errors": "uid", "code": 118}, 118, {"uid": ["is not valid."]}),
        ):  # fmt: skip
            with self.subTest(params=params):
                body = self.meet("422", **params).json()
                self.assertEqual((body["error_code"], body["errors"]), (code, errors))
        self.assertEqual(self.meet("401").json()["error_code"], 105)
        self.assertEqual(self.meet("412").json()["error_code"], 109)

    def test_redirect_and_html(self) -> None:
        reply = self.meet("redirect", to="http://127.0.0.1:1/elsewhere", status=307)
        self.assertEqual((reply.status, reply.headers["Location"]), (307, "http://127.0.0.1:1/elsewhere"))
        reply = self.meet("not-json")
        self.assertEqual((reply.status, reply.body[:9]), (200, b"<!DOCTYPE"))

    def test_times_match_skip_and_clear(self) -> None:
        self.fault("500", times=2, match="init=true", skip=1)
        self.assertEqual(self.client.get("/v3/locales").status, 200)
        self.assertEqual([self.client.sync(init="true").status for _ in range(4)], [200, 500, 500, 200])
        self.fault("503", times=0)
        self.assertEqual([self.client.sync(init="true").status for _ in range(3)], [503] * 3)
        self.assertEqual(self.client.control("faults-clear")["cleared"], 1)
        self.assertEqual(self.client.sync(init="true").status, 200)


class Connections(FaultCase):
    """Connections that end or hang."""

    def test_reset_and_close(self) -> None:
        self.fault("reset")
        with self.ask_raw() as sock, self.assertRaises(ConnectionResetError):
            sock.recv(1)
        self.fault("close")
        with self.ask_raw() as sock:
            self.assertEqual(sock.recv(1), b"")

    def test_reset_in_the_middle(self) -> None:
        self.fault("reset-mid", bytes=300)
        with self.ask_raw() as sock:
            data = b""
            with self.assertRaises(ConnectionResetError):
                while True:
                    data += sock.recv(4096)
        self.assertIn(b'{"items":[', data)

    def test_truncated(self) -> None:
        self.fault("truncate", bytes=50)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.client.sync(init="true")
        self.assertEqual(len(caught.exception.partial), 50)

    def test_stalls_end_when_cleared(self) -> None:
        for kind, want in (("stall", b"HTTP/1.1 200 OK"), ("stall-before", b"")):
            with self.subTest(kind=kind):
                self.fault(kind)
                with self.ask_raw() as sock:
                    sock.settimeout(0.3)
                    data = b""
                    with self.assertRaises(TimeoutError):
                        while True:
                            piece = sock.recv(4096)
                            self.assertTrue(piece)
                            data += piece
                    self.assertTrue(data.startswith(want))
                    self.assertTrue(data.endswith(b"\r\n\r\n") or not want)
                    sock.settimeout(5)
                    self.client.control("faults-clear")
                    self.assertEqual(sock.recv(1), b"")

    def test_stalls_end_with_the_client_and_with_the_server(self) -> None:
        self.fault("stall-before", times=0)
        self.ask_raw().close()
        sockets = [self.ask_raw() for _ in range(5)]
        deadline = time.monotonic() + 5
        while sum(entry["fault"] == "stall-before" for entry in self.stack.journal.report()["requests"]) < 6:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        start = time.monotonic()
        self.stack.stop()
        self.assertLess(time.monotonic() - start, 2)
        for sock in sockets:
            with sock:
                sock.settimeout(5)
                self.assertEqual(sock.recv(1), b"")

    def test_trickle(self) -> None:
        self.fault("trickle", match="locales", bytes=100, delay=10)
        start = time.monotonic()
        self.assertEqual(self.client.get("/v3/locales").status, 200)
        self.assertGreater(time.monotonic() - start, 0.05)

    def test_latency(self) -> None:
        self.client.control("set", option="latency", value=150)
        start = time.monotonic()
        self.client.get("/v3/locales")
        self.assertGreater(time.monotonic() - start, 0.14)

    def test_endless(self) -> None:
        self.fault("endless")
        with self.ask_raw() as sock:
            got = 0
            while got < 4_000_000:
                piece = sock.recv(1 << 16)
                self.assertTrue(piece)
                got += len(piece)

    def test_a_client_that_does_not_read_wedges_nobody(self) -> None:
        self.fault("huge", size=64 << 20)
        with self.ask_raw() as sock:
            self.assertTrue(sock.recv(10))
            self.assertEqual(self.client.sync(init="true").status, 200)


class Bodies(FaultCase):
    """Bodies that are damaged or wrong."""

    def test_huge(self) -> None:
        reply = self.meet("huge", size=3_000_000)
        self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body))
        self.assertTrue(any(len(item["data"].get("title") or "") == 3_000_000 for item in reply.json()["items"]))
        self.fault("huge", size=20_000_000, compressed=True)
        packed = self.client.sync({**AUTH, "Accept-Encoding": "gzip"}, init="true").body
        self.assertLess(len(packed), 1_000_000)
        self.assertGreater(len(gzip.decompress(packed)), 20_000_000)

    def test_bad_gzip(self) -> None:
        for style in CHOICES["bad-gzip", "style"]:
            with self.subTest(style=style):
                reply = self.meet("bad-gzip", style=style)
                self.assertEqual(reply.headers["Content-Encoding"], "gzip")
                self.assertEqual(len(reply.body), int(reply.headers["Content-Length"]))
                with self.assertRaises((zlib.error, EOFError, gzip.BadGzipFile)):
                    gzip.decompress(reply.body)
        right = self.client.sync(init="true").body
        self.assertEqual(zlib.decompressobj(31).decompress(self.meet("bad-gzip", style="unfinished").body), right)

    def test_bad_json_and_utf8(self) -> None:
        for style in CHOICES["bad-json", "style"]:
            with self.subTest(style=style), self.assertRaises(ValueError):
                wire.split_object(self.meet("bad-json", style=style).body.decode())
        for where in CHOICES["bad-utf8", "where"]:
            with self.subTest(where=where):
                body = self.meet("bad-utf8", where=where).body
                with self.assertRaises(UnicodeDecodeError):
                    body.decode()
                page = json.loads(body.decode("utf-8", "replace"))
                self.assertEqual("note" in page, where == "page")

    def test_another_content_type(self) -> None:
        reply = self.meet("content-type", type="text/plain")
        self.assertEqual((reply.headers["Content-Type"], len(reply.json()["items"])), ("text/plain", 100))

    def test_wrong_types(self) -> None:
        for shape, kind in (("array", list), ("string", str), ("number", int), ("null", type(None))):
            with self.subTest(shape=shape):
                self.assertIsInstance(self.meet("wrong-type", shape=shape).json(), kind)
        self.assertIsNone(self.meet("wrong-type", shape="items-null").json()["items"])
        self.assertEqual(self.meet("wrong-type", shape="items-object").json()["items"], {})
        self.assertNotIn("items", self.meet("wrong-type", shape="items-missing").json())
        self.assertEqual(self.meet("wrong-type", shape="item-not-object").json()["items"][0], 42)
        self.assertEqual(list(self.meet("wrong-type", shape="no-token").json())[-1], "total_count")
        page = self.meet("wrong-type", shape="both-tokens").json()
        self.assertEqual(page["sync_token"], page["pagination_token"])
        self.assertEqual(self.meet("wrong-type", shape="empty-token").json()["pagination_token"], "")
        self.assertEqual(self.meet("wrong-type", shape="token-not-string").json()["pagination_token"], 42)

    def test_same_token_again(self) -> None:
        self.fault("wrong-type", shape="same-token")
        first = self.client.sync(init="true").json()["pagination_token"]
        self.assertEqual(self.client.sync(pagination_token=first).json()["pagination_token"], first)
        self.assertIn("sync_token", self.client.sync(pagination_token=first).json())

    def test_tokens_that_lead_back(self) -> None:
        self.client.control("set", option="page-size", value=20)
        self.fault("cycle", times=0)
        tokens = [self.client.sync(init="true").json()["pagination_token"]]
        for _ in range(4):
            tokens.append(self.client.sync(pagination_token=tokens[-1]).json()["pagination_token"])
        self.assertNotEqual(tokens[0], tokens[1])
        self.assertEqual(tokens, [tokens[0], tokens[1]] * 2 + tokens[:1])

    def test_pages_that_repeat_the_one_before(self) -> None:
        self.client.control("set", option="page-size", value=50)
        right = self.client.pages(init="true")
        self.fault("repeat-page", times=len(right))
        pages = [page["items"] for page in self.client.pages(init="true")]
        self.assertEqual(pages[:2], [right[0]["items"], right[0]["items"] + right[1]["items"]])

    def test_odd_items_come_beside_the_right_ones(self) -> None:
        right = self.client.sync(init="true").json()["items"]
        for kind in (
            "no-publish-details", "unknown-item-type", "no-locale-tombstone", "null-data", "no-data", "no-uid", "bad-time",
        ):  # fmt: skip
            with self.subTest(kind=kind):
                items = self.meet(kind).json()["items"]
                odd, = [item for item in items if item not in right]
                self.assertEqual([item for item in items if item != odd], right)
        self.assertEqual(self.meet("repeat-items").json()["items"], right * 2)

    def test_deep(self) -> None:
        self.assertIn(b"[" * 50_000 + b"]" * 50_000, self.meet("deep", depth=50_000).body)

    def test_deletion_without_locale_of_a_real_entry(self) -> None:
        self.fault("no-locale-tombstone", uid="blt1", content_type="story")
        item, = [item for item in self.client.sync(init="true").json()["items"] if item["type"] == "entry_deleted"]
        self.assertEqual((item["content_type_uid"], item["data"]), ("story", {"uid": "blt1"}))


if __name__ == "__main__":
    unittest.main()
