"""The sample, the plain end points, asset files, and exact JSON text."""

from __future__ import annotations

import io
import json
import re
import unittest
import wave
import zipfile
import zlib
from collections import Counter
from typing import Any

from harness import DEFAULT, StackCase

import wire


class Wire(unittest.TestCase):
    """Text tools."""

    def test_objects_come_apart_and_together_exactly(self) -> None:
        text = '{"a":1.10,"b":[-0,1e21,"\\u0000\\ud800"],"":{"x":{}},"c":"\\/\\u00e9"}'
        self.assertEqual(wire.join_object(wire.split_object(text)), text)
        self.assertEqual(wire.split_object(' { "a" : [ 1 , 2 ] } '), {"a": "[ 1 , 2 ]"})
        self.assertEqual(wire.split_array(' [ 1.0 , "]" , {} ] '), ["1.0", '"]"', "{}"])
        self.assertEqual(wire.minify('{ "a b" : [ 1 ,\n "\\" " ] }'), '{"a b":[1,"\\" "]}')

    def test_refuses_what_is_no_object(self) -> None:
        for text in ("", "[]", "{", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1}x', '{"a":NaN}', "{1:2}", '{"a":' + "[" * 9999):
            with self.subTest(text=text[:20]), self.assertRaises(wire.WireError):
                wire.split_object(text)

    def test_escapes_everything(self) -> None:
        text = '{"é/":"\\/ \\" 日 👩"}'
        self.assertEqual(wire.escape_all(text), '{"\\u00e9\\/":"\\/ \\" \\u65e5 \\ud83d\\udc69"}')
        self.assertEqual(wire.quote("a\ud800é\0"), '"a\\ud800é\\u0000"')

    def test_times(self) -> None:
        self.assertEqual(wire.iso(wire.parse_iso("2025-03-01T09:12:33.120Z")), "2025-03-01T09:12:33.120Z")
        self.assertEqual(wire.iso(wire.parse_iso("2025-03-01T01:30:00+02:00")), "2025-02-28T23:30:00.000Z")
        self.assertEqual(wire.iso(wire.parse_iso("2024-02-29")), "2024-02-29T00:00:00.000Z")


class Sample(StackCase):
    """That the sample holds what it is to hold."""

    def setUp(self) -> None:
        super().setUp()
        self.items, _ = self.client.run(init="true")
        self.data = [item["data"] for item in self.items]
        self.raw = self.client.get("/_control/truth", {}).body.decode()

    def test_is_large_and_varied_enough(self) -> None:
        entries = {item["data"]["uid"] for item in self.items if item["type"] == "entry_published"}
        assets = {item["data"]["uid"] for item in self.items if item["type"] == "asset_published"}
        self.assertGreaterEqual(len(entries), 70)
        self.assertGreaterEqual(len(assets), 14)
        self.assertGreaterEqual(len({item["content_type_uid"] for item in self.items}), 7)
        self.assertGreaterEqual(len({data["publish_details"]["locale"] for data in self.data}), 3)
        uids = [uid for uid in entries if not re.fullmatch("blt[0-9a-f]{16}", uid)]
        self.assertEqual(sorted(uid[:3] + str(len(uid)) for uid in uids), ["blt21", "cs618"])

    def test_five_entries_are_published_where_they_are_not_written(self) -> None:
        odd = [data for data in self.data if "locale" in data and data["locale"] != data["publish_details"]["locale"]]
        self.assertEqual(len(odd), 5)

    def test_assets_look_like_assets(self) -> None:
        assets = [item["data"] for item in self.items if item["type"] == "asset_published"]
        for asset in assets:
            self.assertNotIn("locale", asset)
            self.assertIsInstance(asset["file_size"], str)
            self.assertTrue(asset["url"].startswith(self.client.url + "/v3/assets/" + DEFAULT.api_key))
        self.assertIn(148.5, [asset.get("dimension", {}).get("height") for asset in assets])
        self.assertIn("東京_灯台.png", "".join(asset["url"] for asset in assets))

    def test_text_is_on_the_wire_as_written(self) -> None:
        for text in (
            "12345678901234567890", ":1.10,", ":1e21,", ":-0,", ":0.1e-7,", "before\\u0000after", '"a\\ud83db"', "\\/",
            "Gr\\u00f6\\u00dfe", '"":"an empty key"', ":{}", ":[]", '"title":"Bottle post\\n(unopened)"', "👩‍👩‍👧‍👦",
            "مصباح", "מנורה", "दीपक", "лампа", '"k\\u00e9y"',
        ):  # fmt: skip
            with self.subTest(text=text):
                self.assertIn(text, self.raw)

    def test_extremes(self) -> None:
        titles = Counter(data.get("title") for data in self.data)
        self.assertGreaterEqual(titles["Untitled"], 2)
        self.assertTrue(any("/" in (title or "") for title in titles))
        long = next(data for data in self.data if data.get("title") == "The long log")
        self.assertTrue(400_000 < len(long["text"].encode()) < 700_000)
        deep: Any = next(data for data in self.data if data.get("title") == "Fifty levels down")["deep"]
        depth = 0
        while isinstance(deep, (dict, list)):
            deep, depth = next(iter(deep.values())) if isinstance(deep, dict) else deep[0], depth + 1
        self.assertEqual(depth, 50)

    def test_references_point_to_something(self) -> None:
        known = {data["uid"] for data in self.data}
        found = set(re.findall(r'"uid":"([^"]+)","_content_type_uid"', self.raw))
        found |= set(re.findall(r'"asset-uid":"([^"]+)"', self.raw))
        self.assertGreater(len(found), 15)
        self.assertLessEqual(found, known)
        self.assertNotIn('"@', self.raw)


class EndPoints(StackCase):
    """Content types, locales, entries and assets."""

    def _get(self, path: str, query: str = "") -> Any:
        reply = self.client.get(f"/v3/{path}?environment=production{query}")
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def test_content_types(self) -> None:
        types = self._get("content_types", "&include_count=true")
        self.assertEqual((types["count"], len(types["content_types"])), (9, 9))
        self.assertEqual(len(self._get("content_types", "&skip=2&limit=3")["content_types"]), 3)
        plain = self._get("content_types/story")["content_type"]
        filled = self._get("content_types/story", "&include_global_field_schema=true")["content_type"]
        seo = [next(part for part in body["schema"] if part["uid"] == "seo") for body in (plain, filled)]
        self.assertEqual(["schema" in part for part in seo], [False, True])
        self.assertLessEqual({"options", "abilities", "DEFAULT_ACL", "SYS_ACL", "last_activity"}, set(plain))
        self.check_error(self.client.get("/v3/content_types/nonsense?environment=production"), 422, 118, "uid")

    def test_schema_changes_make_no_item(self) -> None:
        token = self.client.run(init="true")[1]
        before = self._get("content_types/story")["content_type"]
        self.client.control("change-schema", uid="story")
        after = self._get("content_types/story")["content_type"]
        self.assertEqual(len(after["schema"]), len(before["schema"]) + 1)
        self.assertGreater(after["updated_at"], before["updated_at"])
        self.assertEqual(self.client.run(sync_token=token), ([], token))

    def test_locales(self) -> None:
        codes = [locale["code"] for locale in self._get("locales")["locales"]]
        self.assertEqual(codes, ["en-us", "de-de", "ja-jp", "ar-eg"])

    def test_entries_hold_their_files(self) -> None:
        entries = self._get("content_types/object/entries", "&include_count=true")
        self.assertEqual(entries["count"], len(entries["entries"]))
        lens = next(entry for entry in entries["entries"] if entry["url"].endswith("first-order-lens"))
        self.assertEqual(lens["photo"]["filename"], "first-order-lens.png")
        japanese = self._get(f"content_types/object/entries/{lens['uid']}", "&locale=ja-jp")["entry"]
        self.assertEqual(japanese["locale"], "ja-jp")
        path = f"/v3/content_types/object/entries/{lens['uid']}?environment=production"
        self.check_error(self.client.get(f"{path}&locale=ar-eg"), 422, 141, "uid")
        self.assertEqual(self.client.get(f"{path}&locale=ar-eg&include_fallback=true").status, 200)
        nothing = self.client.get("/v3/content_types/object/entries/bltnone?environment=production")
        self.check_error(nothing, 422, 141, "uid")

    def test_assets(self) -> None:
        assets = self._get("assets", "&locale=de-de")["assets"]
        self.assertEqual(len(assets), 6)
        uid = assets[0]["uid"]
        self.assertEqual(self._get(f"assets/{uid}", "&locale=de-de")["asset"], assets[0])
        self.check_error(self.client.get(f"/v3/assets/{uid}?environment=production&locale=ja-jp"), 404, 145, "uid")

    def test_answers_look_like_the_cdn(self) -> None:
        reply = self.client.sync({**dict(self._auth()), "Accept-Encoding": "gzip, br"}, init="true")
        for name in "x-ratelimit-limit x-ratelimit-remaining x-cache x-runtime Via Age X-Contentstack-Organization".split():
            self.assertIn(name, reply.headers)
        self.assertEqual((reply.headers["Content-Encoding"], reply.headers["Vary"]), ("gzip", "Accept-Encoding"))
        self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body))
        self.assertEqual(zlib.decompress(reply.body, 31), self.client.sync(init="true").body)

    @staticmethod
    def _auth() -> dict[str, str]:
        return {"api_key": DEFAULT.api_key, "access_token": DEFAULT.token}


class Files(StackCase):
    """Asset bytes."""

    def setUp(self) -> None:
        super().setUp()
        items, _ = self.client.run(init="true", type="asset_published")
        self.assets = {item["data"]["filename"]: item["data"] for item in items}

    def test_every_file_is_what_it_says(self) -> None:
        signs = {"image/png": b"\x89PNG", "application/pdf": b"%PDF", "image/svg+xml": b"<?xml", "audio/x-wav": b"RIFF"}
        for name, asset in self.assets.items():
            with self.subTest(name=name):
                reply = self.client.download(asset["url"])
                self.assertEqual((reply.status, len(reply.body)), (200, int(asset["file_size"])))
                self.assertEqual(reply.headers["Content-Type"], asset["content_type"])
                self.assertIn("Content-Disposition", reply.headers)
                self.assertTrue(reply.body.startswith(signs.get(asset["content_type"], b"")))
        with wave.open(io.BytesIO(self.client.download(self.assets["old-grete.wav"]["url"]).body)) as sound:
            self.assertGreater(sound.getnframes(), 1000)
        with zipfile.ZipFile(io.BytesIO(self.client.download(self.assets["press-images.zip"]["url"]).body)) as archive:
            self.assertIsNone(archive.testzip())

    def test_ranges(self) -> None:
        url = self.assets["visitor-guide.pdf"]["url"]
        whole = self.client.download(url)
        size = len(whole.body)
        cases = [("bytes=0-9", 0, 10), ("bytes=100-", 100, size), ("bytes=-7", size - 7, size), ("bytes=5-999999", 5, size)]
        for header, start, end in cases:
            with self.subTest(header=header):
                part = self.client.download(url, Range=header)
                self.assertEqual((part.status, part.body), (206, whole.body[start:end]))
                self.assertEqual(part.headers["Content-Range"], f"bytes {start}-{end - 1}/{size}")
        beyond = self.client.download(url, Range=f"bytes={size}-")
        self.assertEqual((beyond.status, beyond.headers["Content-Range"]), (416, f"bytes */{size}"))
        etag = whole.headers["ETag"]
        self.assertEqual(self.client.download(url, **{"If-None-Match": etag}).status, 304)
        self.assertEqual(self.client.download(url, Range="bytes=0-1", **{"If-Range": '"old"'}).status, 200)
        self.assertEqual(self.client.download(url, Range="bytes=0-1", **{"If-Range": etag}).status, 206)

    def test_a_replaced_file_gets_another_url(self) -> None:
        old = self.assets["visitor-guide.pdf"]
        self.client.control("publish-asset", uid=old["uid"], locale="en-us", file_bytes=300_000)
        new = self.client.run(init="true")[0][0]["data"]
        self.assertNotEqual(new["url"], old["url"])
        self.assertEqual((new["file_size"], new["_version"]), ("300000", old["_version"] + 1))
        reply = self.client.download(new["url"])
        self.assertEqual(len(reply.body), 300_000)
        self.assertEqual(self.client.download(new["url"], Range="bytes=65530-131080").body, reply.body[65530:131081])

    def test_a_deleted_asset_has_no_file(self) -> None:
        asset = self.assets["old-grete.wav"]
        self.client.control("delete", content_type="sys_assets", uid=asset["uid"])
        self.check_error(self.client.download(asset["url"]), 404, 145, "uid")
        self.assertEqual(self.client.download(asset["url"].replace("old-grete", "other")).status, 404)

    def test_secured_assets_need_a_token(self) -> None:
        self.client.control("set", option="secure-assets", value="on")
        url = self.assets["old-grete.wav"]["url"]
        self.assertEqual(self.client.download(url).status, 403)
        path = url.split(self.client.url)[1]
        reply = self.client.get(f"{path}?access_token={DEFAULT.token}&environment={DEFAULT.environment}", {})
        self.assertEqual(reply.status, 200)


class Changes(StackCase):
    """What publishing does to an entry."""

    def test_merges_and_keeps_the_text_of_numbers(self) -> None:
        body = '{"content_type":"page","uid":"p1","locale":"en-us","fields":{"n":1.10,"s":"\\u0000\\ud800","big":1e400}}'
        self.assertEqual(self.client.command("publish", body).status, 200)
        self.client.control("publish", content_type="page", uid="p1", locale="en-us", fields={"title": "Two"})
        data = self.client.truth()["entries/page/en-us/p1.json"]["data"]
        for text in ('"n":1.10,', '"s":"\\u0000\\ud800",', '"big":1e400', '"title":"Two"', '"_version":2'):
            self.assertIn(text, data)

    def test_publishes_where_it_is_not_written(self) -> None:
        self.client.control("publish", content_type="page", uid="p1", locale="en-us", fields={"title": "One"})
        self.client.control("publish", content_type="page", uid="p1", locale="de-de")
        self.assertIn('"locale":"en-us"', self.client.truth()["entries/page/de-de/p1.json"]["data"])
        self.client.control("publish", content_type="page", uid="p1", locale="de-de", fields={"title": "Eins"})
        data = json.loads(self.client.truth()["entries/page/de-de/p1.json"]["data"])
        self.assertEqual((data["locale"], data["title"], data["publish_details"]["locale"]), ("de-de", "Eins", "de-de"))

    def test_refuses_what_cannot_be(self) -> None:
        cases = [
            ("publish", '{"content_type":"nonsense","uid":"p1","locale":"en-us"}'),
            ("publish", '{"content_type":"page","uid":"p1","locale":"xx"}'),
            ("publish", '{"content_type":"page","uid":"p1","locale":"en-us","fields":[1]}'),
            ("publish", '{"content_type":"page","uid":"p1","locale":"en-us","filds":{}}'),
            ("publish", "{"),
            ("unpublish", '{"content_type":"page","uid":"p1"}'),
            ("delete", '{"content_type":"page","uid":"p1"}'),
            ("add-content-type", '{"uid":"page"}'),
            ("set", '{"option":"order","value":"sideways"}'),
            ("set", '{"option":"nonsense","value":1}'),
            ("fault", '{"kind":"nonsense"}'),
            ("fault", '{"kind":"429","params":{"depth":3}}'),
            ("refuse-tokens", '{"which":"some"}'),
            ("nonsense", "{}"),
        ]
        for command, body in cases:
            with self.subTest(command=command, body=body):
                reply = self.client.command(command, body)
                self.assertEqual((reply.status, reply.json()["ok"]), (400, False))


if __name__ == "__main__":
    unittest.main()
