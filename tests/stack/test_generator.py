"""Generated content: any page at once, changes on top, nothing held in memory."""

from __future__ import annotations

import json
import time
import unittest
from urllib.parse import urlencode

from harness import AUTH, PRODUCTION, Plan, Reader, StackCase

import wire
from events import ASSETS, Filter, Key
from generator import Generator, Progression


def _url(asset_uid: str, file_uid: str, name: str) -> str:
    return f"http://127.0.0.1:1/v3/assets/blt/{asset_uid}/{file_uid}/{name}"


class Positions(unittest.TestCase):
    """Arithmetic of the generated layer."""

    def test_progressions_index_as_a_filtered_list(self) -> None:
        cases: list[tuple[int, int, int, list[int], set[int]]] = [
            (0, 100, 1, [0], set()), (0, 100, 1, [0], {0, 1, 50, 99}), (7, 101, 6, [1, 2, 5], {8, 9, 12, 30, 7, 200, 3}),
            (0, 5, 10, [7], set()), (0, 9, 10, [7], {7}), (3, 0, 4, [0, 1], set()), (0, 50, 4, [], {1}),
        ]  # fmt: skip
        for first, count, period, residues, touched in cases:
            with self.subTest(first=first, count=count, period=period):
                want = [p for p in range(first, first + count) if (p - first) % period in residues and p not in touched]
                progression = Progression(first, count, period, residues, touched)
                self.assertEqual([progression.position(index) for index in range(len(progression))], want)

    def test_uids_lead_back_to_their_position(self) -> None:
        generator = Generator(Plan(10_000, 7, 3, assets=50), "bltenv", _url)
        seen = set()
        for position in [*range(0, 10_000, 97), *range(10_000, 10_050)]:
            key = generator.key(position)
            seen.add(key)
            self.assertEqual(generator.find(key), position)
        self.assertEqual(len(seen), 104 + 50)
        key = generator.key(0)
        for wrong in (Key("gen_faq", *key[1:]), key._replace(locale="xx"), key._replace(uid="blt0"), Key(ASSETS, *key[1:])):
            self.assertIsNone(generator.find(wrong))

    def test_items_are_valid_and_about_the_size_asked_for(self) -> None:
        for body in (300, 700, 1500, 20_000):
            generator = Generator(Plan(100, 3, 2, body, 10), "bltenv", _url)
            for position in range(0, 110, 3):
                item = json.loads(generator.item(position))
                event = generator.event(position)
                self.assertEqual(item["data"], json.loads(event.data))
                self.assertEqual(item["event_at"], wire.iso(event.at))
                if position < 100 and body > 500:
                    self.assertAlmostEqual(len(event.data) / body, 1, delta=0.2)

    def test_same_seed_same_content(self) -> None:
        texts = [Generator(Plan(1000, seed=seed), "bltenv", _url).item(500) for seed in (1, 1, 2)]
        self.assertEqual(texts[0], texts[1])
        self.assertNotEqual(texts[0], texts[2])

    def test_half_of_the_entries_can_be_of_one_content_type(self) -> None:
        generator = Generator(Plan(1000, 4, 2, large_type=True), "bltenv", _url)
        keys = [generator.key(position) for position in range(1000)]
        self.assertEqual([generator.find(key) for key in keys], list(range(1000)))
        for uid, count in zip(generator.type_uids, (500, 168, 166, 166)):
            view = generator.view(Filter("production", content_types=(uid,)), set(), set())
            self.assertEqual(list(view.keys()), [key for key in keys if key.content_type == uid])
            self.assertEqual(len(view), count)

    def test_a_million_cost_nothing(self) -> None:
        start = time.perf_counter()
        generator = Generator(Plan(1_000_000, 10, 4, assets=1000), "bltenv", _url)
        view = generator.view(Filter("production"), {5, 500_000}, {"gen_faq"})
        items = view.items(700_000, 700_100)
        self.assertLess(time.perf_counter() - start, 1)
        self.assertEqual((len(view), len(items)), (1_001_000 - 100_000 - 2, 100))


class Generated(StackCase):
    """A stack with generated content."""

    content = "empty"
    plan = Plan(1000, 4, 2, 1400, 30)

    def test_is_served_in_pages_newest_first(self) -> None:
        pages = self.client.pages(init="true")
        items = [item for page in pages for item in page["items"]]
        self.assertEqual((len(items), pages[0]["total_count"]), (1030, 1030))
        times = [item["event_at"] for item in items]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(len({(item["data"]["uid"], item["data"]["publish_details"]["locale"]) for item in items}), 1030)

    def test_filters(self) -> None:
        everything, _ = self.client.run(init="true")
        for query in (
            {"content_type_uid": "gen_author"}, {"locale": "de-de"}, {"type": "asset_published"},
            {"start_from": everything[300]["event_at"], "locale": "en-us"}, {"start_from": everything[1010]["event_at"]},
        ):  # fmt: skip
            with self.subTest(query=query):
                want = [
                    item
                    for item in everything
                    if query.get("content_type_uid") in (None, item["content_type_uid"])
                    and query.get("locale") in (None, item["data"]["publish_details"]["locale"])
                    and query.get("type") in (None, item["type"])
                    and item["event_at"] >= query.get("start_from", "")
                ]
                self.assertTrue(want)
                self.assertEqual(self.client.run(init="true", **query)[0], want)

    def test_changes_on_top(self) -> None:
        reader = Reader()
        first = self.client.sync(init="true")
        token = reader.follow(self.client, init="true")
        self.check_reader(reader)
        for seed in range(4):
            self.client.control("random", count=150, seed=seed)
            token = reader.follow(self.client, sync_token=token)
            self.check_reader(reader)
        self.client.control("delete-content-type", uid="gen_product")
        token = reader.follow(self.client, sync_token=token)
        self.check_reader(reader)
        fresh = Reader()
        fresh.follow(self.client, init="true")
        self.check_reader(fresh)
        page = self.client.sync(pagination_token=first.json()["pagination_token"]).json()
        self.assertEqual((page["total_count"], len(page["items"])), (1030, 100))

    def test_an_entry_can_be_changed_and_deleted_by_name(self) -> None:
        items, token = self.client.run(init="true")
        item = items[500]
        data, owner = item["data"], item["content_type_uid"]
        names = {"content_type": owner, "uid": data["uid"], "locale": data["publish_details"]["locale"]}
        self.client.control("publish", **names, fields={"title": "Changed"})
        changed, = self.client.run(sync_token=token)[0]
        stamped = {name: changed["data"][name] for name in ("updated_at", "updated_by", "_version", "publish_details")}
        self.assertEqual(changed["data"], {**data, **stamped, "title": "Changed"})
        self.assertEqual(self.client.run(init="true")[0][0], changed)
        self.client.control("delete", content_type=owner, uid=data["uid"])
        self.assertEqual(self.client.sync(init="true").json()["total_count"], 1028)

    def test_files(self) -> None:
        items, _ = self.client.run(init="true", type="asset_published")
        for item in items[::7]:
            reply = self.client.download(item["data"]["url"])
            self.assertEqual((reply.status, len(reply.body)), (200, int(item["data"]["file_size"])))

    def test_entries_and_assets_end_points(self) -> None:
        query = urlencode({**PRODUCTION, "include_count": "true", "skip": 20, "limit": 5})
        entries = self.client.get(f"/v3/content_types/gen_author/entries?{query}", AUTH).json()
        self.assertEqual((entries["count"], len(entries["entries"])), (125, 5))
        self.assertEqual(entries["entries"][0]["hero"]["content_type"], "text/plain")
        self.assertEqual(self.client.get(f"/v3/assets?{query}", AUTH).json()["count"], 15)


class SampleAndGenerated(StackCase):
    """Both together."""

    plan = Plan(500, 2, 3, 600, 10)

    def test_run_has_both_newest_first(self) -> None:
        items, _ = self.client.run(init="true")
        self.assertEqual(len(items), self.stack.content.counts()["entries"] + self.stack.content.counts()["assets"])
        times = [item["event_at"] for item in items]
        self.assertEqual(times, sorted(times, reverse=True))


if __name__ == "__main__":
    unittest.main()
