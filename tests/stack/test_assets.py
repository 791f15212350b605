"""Assets: odd names and sizes, records that are wrong, the faults of their bytes, and what the journal tells of them."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import socket
import time
import unittest
from typing import Any, Optional

from harness import AUTH, DEFAULT, Client, Reply, StackCase

import wire
from files import Part, Pattern

SIZE = 300_000


class AssetCase(StackCase):
    """A test with an asset of 300,000 bytes."""

    def setUp(self) -> None:
        super().setUp()
        self.url = self.publish("blt1", file_bytes=SIZE)
        self.right = self.client.download(self.url).body
        self.assertEqual(len(self.right), SIZE)

    def publish(self, uid: str, **values: Any) -> str:
        """Publishes an asset; its URL."""
        self.client.control("publish-asset", uid=uid, locale="en-us", **values)
        return str(self.record(uid)["url"])

    def record(self, uid: str) -> dict[str, Any]:
        """The data of an asset."""
        return dict(json.loads(self.client.truth()[f"assets/en-us/{uid}.json"]["data"]))

    def fault(self, kind: str, times: int = 1, **params: Any) -> None:
        """Orders a fault of an asset's bytes."""
        self.client.control("fault", kind=kind, times=times, match="/assets/", params=params)

    def meet(self, kind: str, asked: Optional[str] = None, **params: Any) -> Reply:
        """Orders a fault and downloads."""
        self.fault(kind, **params)
        return self.client.download(self.url, **({"Range": asked} if asked else {}))

    def last(self) -> dict[str, Any]:
        """The newest request."""
        return dict(self.stack.journal.report()["requests"][-1])

    def counts(self, *names: str) -> list[int]:
        """Some counts of the status."""
        status = self.client.get("/_control/status").json()
        return [status[name] for name in names]


class Blobs(unittest.TestCase):
    """Bytes that are computed."""

    def test_parts_are_the_same_bytes(self) -> None:
        blob = Pattern(SIZE, "seed")
        whole = b"".join(blob.read(0, SIZE))
        self.assertEqual(blob.sha256(), hashlib.sha256(whole).hexdigest())
        for start, end in ((0, 10), (65_530, 131_080), (SIZE - 1, SIZE), (5, 5)):
            part = Part(blob, start, end)
            self.assertEqual((part.size, b"".join(part.read(0, part.size))), (end - start, whole[start:end]))
        self.assertEqual(b"".join(Part(blob, 100, 200).read(10, 500)), whole[110:200])


class Sample(AssetCase):
    """What the sample has for those who make files of assets."""

    def setUp(self) -> None:
        super().setUp()
        body = self.client.get("/_control/truth?sha256=1", {}).body.decode()
        self.assets = [line for line in map(json.loads, filter(None, body.split("\n"))) if "filename" in line]

    def test_names_that_are_raw_in_their_urls(self) -> None:
        names = [line["filename"] for line in self.assets]
        for character in "()&;@!~$" + "ßÜ東خ🚀":
            self.assertTrue(any(character in name for name in names), character)
        self.assertTrue(all(line["url"].endswith("/" + line["filename"]) for line in self.assets))
        self.assertIn(255, [len(name.encode()) for name in names])
        self.assertFalse([name for name in names if set(name) & set("#%^+\\/?*:|\"'<> {}=,")])

    def test_sizes_and_places(self) -> None:
        sizes = {line["size"] for line in self.assets}
        self.assertLessEqual({0, 1 << 18, (1 << 18) + 1, 1 << 20}, sizes)
        places = [line["locale"] for line in self.assets if line["size"] == 1 << 20]
        self.assertEqual(len(places), 4)
        self.assertEqual({line["locale"] for line in self.assets if line["uid"].endswith(".json")}, {"en-us", "de-de"})

    def test_every_file_is_what_the_truth_says(self) -> None:
        for line in self.assets:
            with self.subTest(name=line["filename"]):
                body = self.client.download(line["url"]).body
                self.assertEqual((len(body), hashlib.sha256(body).hexdigest()), (line["size"], line["sha256"]))


class Records(AssetCase):
    """Records that are wrong about their file."""

    def test_sizes_that_are_wrong(self) -> None:
        for how, want in (
            ("zero", "0"), ("negative", "-1"), ("words", "abc"), ("null", None), ("small", "150000"), ("large", "600001"),
            ("huge", "9" * 30), ("number", SIZE), ("missing", "none"), ("right", str(SIZE)),
        ):  # fmt: skip
            with self.subTest(how=how):
                self.client.control("missize-asset", uid="blt1", locale="en-us", how=how)
                record = self.record("blt1")
                self.assertEqual((record.get("file_size", "none"), record["url"]), (want, self.url))
        self.assertEqual(self.client.download(self.url).body, self.right)
        for values in ({"how": "odd"}, {"how": "zero", "uid": "nonsense"}):
            names = {"uid": "blt1", "locale": "en-us", **values}
            self.assertEqual(self.client.command("missize-asset", json.dumps(names)).status, 400)

    def test_members_that_are_missing(self) -> None:
        self.client.control("publish-asset", uid="blt1", locale="en-us", without=["filename", "url"])
        self.assertLess({"uid", "title"}, set(self.record("blt1")))
        line = self.client.truth()["assets/en-us/blt1.json"]
        self.assertEqual((line["filename"], line["url"]), ("null", "null"))
        self.assertEqual(self.client.get("/_control/truth?sha256=1", {}).status, 200)

    def test_names_that_stay_as_they_are(self) -> None:
        name = "it's 100% «raw» #1, +.txt"
        stored = self.publish("blt2", fields={"filename": name})
        self.assertTrue(stored.endswith("/it_s_100__«raw»__1___.txt"), stored)
        url = self.publish("blt2", fields={"filename": name}, file_bytes=10, as_is=True)
        self.assertTrue(url.endswith("/" + name), url)
        escaped = url[len(self.client.url) :].replace("%", "%25").replace("#", "%23").replace(" ", "%20")
        escaped = escaped.replace("«", "%C2%AB").replace("»", "%C2%BB")
        self.assertEqual(len(self.client.get(escaped, {}).body), 10)


class Faults(AssetCase):
    """Each fault of an asset's bytes."""

    def test_bodies_that_break_off_at_a_share(self) -> None:
        for part in (0, 33, 66, 100):
            want = min(SIZE - 1, SIZE * part // 100)
            with self.subTest(part=part), self.assertRaises(http.client.IncompleteRead) as caught:
                self.meet("truncate", part=part)
            self.assertEqual(caught.exception.partial, self.right[:want])
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.meet("truncate", "bytes=1000-1999", part=50)
        self.assertEqual(caught.exception.partial, self.right[1000:1500])
        with self.assertRaises(ConnectionResetError):
            self.meet("reset-mid", part=66)
        reply = self.client.command("fault", '{"kind":"truncate","params":{"part":101}}')
        self.assertEqual(reply.status, 400)

    def test_a_stall_in_the_middle(self) -> None:
        self.fault("stall", part=33)
        path = self.url[len(self.client.url) :]
        with self.client.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as sock:
            sock.settimeout(0.3)
            data = b""
            with self.assertRaises(TimeoutError):
                while piece := sock.recv(1 << 16):
                    data += piece
            self.assertEqual(data.partition(b"\r\n\r\n")[2], self.right[: SIZE * 33 // 100])
            self.client.control("faults-clear")
            sock.settimeout(5)
            self.assertEqual(sock.recv(1), b"")

    def test_a_large_body_breaks_off_without_being_held(self) -> None:
        url = self.publish("blt80", file_bytes=2_000_000_000)
        self.fault("stall", part=90)
        path = url[len(self.client.url) :]
        with self.client.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as sock:
            self.assertIn(b"Content-Length: 2000000000\r\n", sock.recv(4096))

    def test_wrong_lengths(self) -> None:
        reply = self.meet("length", by=-1000)
        self.assertEqual((reply.headers["Content-Length"], reply.body), (str(SIZE - 1000), self.right[:-1000]))
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.meet("length", by=1000)
        self.assertEqual((caught.exception.partial, caught.exception.expected), (self.right, 1000))
        reply = self.meet("length", "bytes=0-99", by=-10)
        self.assertEqual((reply.headers["Content-Range"], len(reply.body)), (f"bytes 0-99/{SIZE}", 90))

    def test_lengths_that_are_not_told(self) -> None:
        for style in ("close", "chunked"):
            reply = self.meet("unsized", style=style)
            self.assertEqual((reply.headers["Content-Length"], reply.body), (None, self.right))
        self.assertEqual(len(self.meet("unsized", style="close", part=50).body), SIZE // 2)
        with self.assertRaises(http.client.IncompleteRead):
            self.meet("unsized", style="chunked", part=50)

    def test_compressed_although_nobody_asked(self) -> None:
        reply = self.meet("gzip", "bytes=10-99")
        self.assertEqual((reply.status, reply.headers["Content-Encoding"]), (206, "gzip"))
        self.assertEqual(gzip.decompress(reply.body), self.right[10:100])
        self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body))
        large = self.publish("blt5", file_bytes=5 << 20)
        self.fault("gzip")
        reply = self.client.download(large)
        self.assertEqual(reply.headers["Transfer-Encoding"], "chunked")
        self.assertEqual(len(gzip.decompress(reply.body)), 5 << 20)

    def test_ranges_that_are_refused_or_ignored(self) -> None:
        reply = self.meet("416", "bytes=0-9")
        self.assertEqual((reply.status, reply.headers["Content-Range"]), (416, f"bytes */{SIZE}"))
        self.assertNotIn("Content-Range", self.meet("416", "bytes=0-9", size=False).headers)
        reply = self.meet("range-ignored", "bytes=100-199")
        self.assertEqual((reply.status, reply.headers["Content-Range"], reply.body), (200, None, self.right))

    def test_faults_of_ranges_wait_for_a_range(self) -> None:
        self.fault("416")
        self.assertEqual(self.client.download(self.url).status, 200)
        self.assertEqual(self.client.sync(init="true").status, 200)
        self.assertEqual(self.client.download(self.url, Range=f"bytes={SIZE}-").headers["Content-Range"], f"bytes */{SIZE}")
        self.assertEqual(len(self.stack.faults.describe()), 1)
        self.assertEqual(self.client.download(self.url, Range="bytes=1-1").status, 416)
        self.assertEqual(self.stack.faults.describe(), [])

    def test_ranges_that_are_wrong(self) -> None:
        def told(style: str, asked: str, by: int = 1) -> tuple[Optional[str], bytes]:
            reply = self.meet("wrong-range", asked, style=style, by=by)
            self.assertEqual((reply.status, int(reply.headers["Content-Length"])), (206, len(reply.body)))
            return reply.headers["Content-Range"], reply.body

        right = self.right
        self.assertEqual(told("shifted", "bytes=10-19"), (f"bytes 11-20/{SIZE}", right[11:21]))
        self.assertEqual(told("shifted", "bytes=-5"), (f"bytes {SIZE - 4}-{SIZE - 1}/{SIZE}", right[-4:]))
        self.assertEqual(told("shifted", "bytes=-1"), (f"bytes {SIZE - 2}-{SIZE - 2}/{SIZE}", right[-2:-1]))
        self.assertEqual(told("start", "bytes=10-19", 5), (f"bytes 15-24/{SIZE}", right[10:20]))
        self.assertEqual(told("total", "bytes=10-19", 7), (f"bytes 10-19/{SIZE + 7}", right[10:20]))
        self.assertEqual(told("garbage", "bytes=10-19")[1], right[10:20])
        self.assertEqual(told("missing", "bytes=10-19"), (None, right[10:20]))

    def test_another_file_behind_the_url(self) -> None:
        etag = self.client.download(self.url).headers["ETag"]
        for by in (0, 10, -10):
            with self.subTest(by=by):
                self.fault("changed", times=0, by=by)
                first = self.client.download(self.url)
                self.assertEqual(len(first.body), SIZE + by)
                self.assertNotEqual((first.headers["ETag"], first.body[:1000]), (etag, self.right[:1000]))
                part = self.client.download(self.url, Range="bytes=500-599", **{"If-Range": first.headers["ETag"]})
                self.assertEqual((part.status, part.body), (206, first.body[500:600]))
                old = self.client.download(self.url, Range="bytes=500-599", **{"If-Range": etag})
                self.assertEqual((old.status, old.body), (200, first.body))
                self.client.control("faults-clear")
                self.assertEqual(self.client.download(self.url).body, self.right)

    def test_redirects_to_a_mirror_that_needs_no_token(self) -> None:
        self.client.control("set", option="secure-assets", value="on")
        path = self.url[len(self.client.url) :]
        secret = f"{path}?access_token={DEFAULT.token}&environment={DEFAULT.environment}"
        self.fault("redirect", to="http://localhost:1/mirror{file}", status=307)
        reply = self.client.get(secret, {})
        self.assertEqual((reply.status, reply.headers["Location"]), (307, f"http://localhost:1/mirror{path[10:]}"))
        mirrored = self.client.get("/mirror" + path[10:], {"Range": "bytes=5-9"})
        self.assertEqual((mirrored.status, mirrored.body), (206, self.right[5:10]))

    def test_other_faults_befall_assets_too(self) -> None:
        self.assertEqual(self.meet("429", **{"retry-after": "1"}).headers["Retry-After"], "1")
        self.assertEqual(self.meet("503").status, 503)
        self.assertEqual(self.meet("not-json").body[:9], b"<!DOCTYPE")
        self.assertEqual(self.meet("content-type", type="text/html").headers["Content-Type"], "text/html")
        self.assertEqual(self.meet("trickle", bytes=100_000, delay=1).body, self.right)
        self.fault("endless")
        path = self.url[len(self.client.url) :]
        with self.client.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as sock:
            got = 0
            while got < 2_000_000:
                piece = sock.recv(1 << 16)
                self.assertTrue(piece)
                got += len(piece)


class Switches(AssetCase):
    """What is open about assets."""

    def test_a_server_without_ranges(self) -> None:
        self.client.control("set", option="asset-ranges", value="off")
        reply = self.client.download(self.url, Range="bytes=0-9")
        self.assertEqual((reply.status, reply.headers["Accept-Ranges"], reply.body), (200, "none", self.right))

    def test_entity_tags(self) -> None:
        self.client.control("set", option="asset-etags", value="weak")
        weak = self.client.download(self.url, Range="bytes=0-9")
        self.assertEqual((weak.status, weak.headers["ETag"][:3]), (206, 'W/"'))
        again = self.client.download(self.url, Range="bytes=0-9", **{"If-Range": weak.headers["ETag"]})
        self.assertEqual(again.status, 200)
        self.client.control("set", option="asset-etags", value="none")
        self.assertEqual(self.client.download(self.url, Range="bytes=0-9").headers["ETag"], None)
        self.assertEqual(self.client.download(self.url, Range="bytes=0-9", **{"If-Range": '"x"'}).status, 200)

    def test_both_token_and_environment_are_needed(self) -> None:
        self.client.control("set", option="secure-assets", value="on")
        path = self.url[len(self.client.url) :]
        for query, status in (
            ("", 403), (f"?access_token={DEFAULT.token}", 403), (f"?access_token={DEFAULT.token}&environment=staging", 403),
            (f"?access_token={DEFAULT.other_token}&environment=staging", 403),
            (f"?environment=production&access_token={DEFAULT.token}", 200),
        ):  # fmt: skip
            with self.subTest(query=query):
                self.assertEqual(self.client.get(path + query, {}).status, status)


class Journal(AssetCase):
    """What is told of the requests."""

    def test_assets_are_counted_on_their_own(self) -> None:
        self.client.control("requests-clear")
        self.client.sync(init="true")
        self.assertEqual(self.counts("asset_requests", "asset_bytes"), [0, 0])
        self.client.download(self.url, Range="bytes=0-999")
        self.assertEqual((self.last()["range"], self.last()["body_bytes"]), ("bytes=0-999", 1000))
        self.client.download("/".join([self.client.url, "mirror", *self.url.split("/")[5:]]))
        with self.assertRaises(http.client.IncompleteRead):
            self.meet("truncate", bytes=500)
        self.assertEqual(self.counts("asset_requests", "asset_bytes"), [3, 1000 + SIZE + 500])
        self.assertEqual(self.stack.journal.report()["counters"], {"sync_init": 1, "asset_bytes": 2, "asset_mirror": 1})

    def test_tells_where_a_token_stood_but_not_which(self) -> None:
        path, query = self.url[len(self.client.url) :], f"access_token={DEFAULT.token}&environment=production"
        host = self.client.url[7:]
        mirror = "/mirror" + path[10:]
        other = {"Host": "localhost:1"}
        cases: list[tuple[str, dict[str, str], list[str], bool]] = [
            (path, {}, [], False),
            (f"{path}?{query}", {}, ["query"], False),
            (f"{path}?{query}", other, ["query"], True),
            (path, AUTH, ["access_token"], True),
            (f"{mirror}?{query}", {}, ["query"], True),
            (mirror, {"X-Forwarded": f"/{DEFAULT.token}/"}, ["x-forwarded"], True),
            ("/v3/locales", AUTH, ["access_token"], False),
            (f"/v3/locales?api_key={DEFAULT.api_key}&{query}", {}, ["query"], True),
            (f"/v3/nonsense/{DEFAULT.token}", {}, ["path"], True),
            ("/v3/nonsense?access_token=another", {}, ["query"], True),
        ]
        for target, headers, places, astray in cases:
            with self.subTest(target=target, headers=headers):
                self.client.get(target, headers)
                entry = self.last()
                self.assertEqual((entry["token"], entry["astray"]), (places, astray))
                self.assertEqual(entry["host"], headers.get("Host", host))
        self.assertEqual(self.counts("astray"), [7])
        self.assertNotIn(DEFAULT.token, json.dumps(self.stack.journal.report()))

    def test_counts_what_was_sent_before_the_client_left(self) -> None:
        url = self.publish("blt80", file_bytes=200_000_000)
        self.client.control("requests-clear")
        sock = self.client.raw(f"GET {url[len(self.client.url) :]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        sock.recv(1000)
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()
        deadline = time.monotonic() + 10
        while self.last()["body_bytes"] == 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.assertLess(self.counts("asset_bytes")[0], 20_000_000)


class Twins(StackCase):
    """Two stacks, one of which plays another host."""

    def test_have_the_same_sample_at_the_same_paths(self) -> None:
        twin = StackCase()
        twin.setUp()
        self.addCleanup(twin.doCleanups)
        (line,) = [line for line in self.client.truth().values() if line.get("filename") == '"visitor-guide.pdf"']
        url = wire.plain_string(line["url"])
        mine = self.client.download(url).body
        self.assertEqual(Client(twin.client.url).download(url.replace(self.client.url, twin.client.url)).body, mine)


if __name__ == "__main__":
    unittest.main()
