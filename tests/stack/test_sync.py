"""The Sync API: who may ask what, pages, tokens, deltas, filters, and the switches."""

from __future__ import annotations

import unittest
from typing import Any

from harness import AUTH, DEFAULT, PRODUCTION, Reader, StackCase

import wire
from events import TYPES


class Access(StackCase):
    """Section 2 of the API: credentials and their errors."""

    def test_refuses_wrong_credentials(self) -> None:
        other = DEFAULT.other_environment
        cases: list[tuple[dict[str, str], dict[str, str], int, int, str]] = [
            ({"access_token": DEFAULT.token}, PRODUCTION, 412, 109, "api_key"),
            ({**AUTH, "api_key": "bltwrong"}, PRODUCTION, 412, 109, "api_key"),
            ({"api_key": DEFAULT.api_key}, PRODUCTION, 401, 105, "access_token"),
            ({**AUTH, "access_token": "cswrong"}, PRODUCTION, 401, 105, "access_token"),
            ({**AUTH, "access_token": DEFAULT.other_token}, PRODUCTION, 422, 141, "access_token"),
            (AUTH, {"environment": other}, 422, 141, "access_token"),
            (AUTH, {"environment": "nowhere"}, 422, 141, "environment"),
            ({**AUTH, "branch": "nowhere"}, PRODUCTION, 422, 141, "branch"),
        ]
        for headers, query, status, code, culprit in cases:
            with self.subTest(culprit=culprit, query=query):
                self.check_error(self.client.sync(headers, init="true", **query), status, code, culprit)

    def test_needs_an_environment(self) -> None:
        self.check_error(self.client.get("/v3/stacks/sync?init=true"), 422, 141, "environment")

    def test_takes_credentials_from_the_query(self) -> None:
        reply = self.client.sync({}, init="true", **AUTH, branch=DEFAULT.branch)
        self.assertEqual(reply.status, 200)

    def test_other_environment_is_empty(self) -> None:
        headers = {**AUTH, "access_token": DEFAULT.other_token}
        reply = self.client.sync(headers, init="true", environment=DEFAULT.other_environment)
        self.assertEqual((reply.status, reply.json()["total_count"]), (200, 0))
        self.check_error(self.client.sync(sync_token=reply.json()["sync_token"]), 422, 141, "sync_token")


class Strictness(StackCase):
    """Section 3: what a sync call may look like."""

    def test_refuses_wrong_queries(self) -> None:
        cases: list[tuple[dict[str, str], int, str]] = [
            ({}, 141, "init"),
            ({"init": "false"}, 141, "init"),
            ({"init": "true", "sync_token": "cs0"}, 141, "sync_token"),
            ({"pagination_token": "cs0", "sync_token": "cs0"}, 141, "sync_token"),
            ({"sync_token": ""}, 141, "sync_token"),
            ({"sync_token": "cs00112233445566778899aabbccddeeff"}, 141, "sync_token"),
            ({"pagination_token": "cs00112233445566778899aabbccddeeff"}, 141, "pagination_token"),
            ({"init": "true", "type": "entry_published,nonsense"}, 141, "type"),
            ({"init": "true", "content_type_uid": "nonsense"}, 118, "uid"),
            ({"init": "true", "content_type_uid": "object,story"}, 118, "uid"),
            ({"init": "true", "locale": "xx-xx"}, 141, "locale"),
            ({"init": "true", "locale": "en-us,de-de"}, 141, "locale"),
            ({"init": "true", "start_from": "yesterday"}, 141, "start_from"),
            ({"init": "true", "start_from": "2017-11-23T00:00:000Z"}, 141, "start_from"),
            ({"init": "true", "start_from": "2025-02-30"}, 141, "start_from"),
            ({"init": "true", "start_date": "2025-02-10"}, 141, "start_date"),
            ({"init": "true", "seq_id": "true"}, 141, "seq_id"),
            ({"sync_token": "cs0", "start_from": "2025-02-10"}, 141, "start_from"),
        ]
        for query, code, culprit in cases:
            with self.subTest(query=query):
                self.check_error(self.client.sync(**query), 422, code, culprit)

    def test_refuses_a_parameter_given_twice(self) -> None:
        reply = self.client.get("/v3/stacks/sync?init=true&environment=production&locale=en-us&locale=de-de")
        self.check_error(reply, 422, 141, "locale")

    def test_tolerates_what_clients_send_beside_a_token(self) -> None:
        page = self.client.sync(init="true").json()
        extras = {"include_count": "true", "type": "entry_published", "locale": "en-us", "limit": "3"}
        again = self.client.sync(pagination_token=page["pagination_token"], **extras).json()
        self.assertEqual(again["skip"], 100)

    def test_refuses_unencoded_paths_and_other_methods(self) -> None:
        sock = self.client.raw("GET /v3/assets/ü HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with sock:
            self.assertIn(b"400", sock.recv(100))
        self.assertEqual(self.client.get("/v3/stacks/sync", method="POST").status, 405)
        self.assertEqual(self.client.get("/v3/nonsense").status, 404)


class Paging(StackCase):
    """Pages, and the run as a snapshot."""

    def test_pages_have_counts_and_end_with_the_token(self) -> None:
        pages = self.client.pages(init="true")
        self.assertEqual([list(page)[:4] for page in pages], [["items", "skip", "limit", "total_count"]] * len(pages))
        self.assertEqual([list(page)[4:] for page in pages], [["pagination_token"], ["sync_token"]])
        total = pages[0]["total_count"]
        counts = [(page["skip"], page["limit"], page["total_count"]) for page in pages]
        self.assertEqual(counts, [(0, 100, total), (100, 100, total)])
        self.assertEqual(sum(len(page["items"]) for page in pages), total)
        for page in pages:
            self.assertRegex(page.get("sync_token") or page["pagination_token"], "^cs[0-9a-f]{32}$")

    def test_newest_first_with_ties_and_varying_key_order(self) -> None:
        items, _ = self.client.run(init="true")
        times = [item["event_at"] for item in items]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertLess(len(set(times)), len(times))
        self.assertGreater(len({tuple(item) for item in items}), 2)
        later = [item for item in items if item["event_at"] > item["data"]["publish_details"]["time"]]
        self.assertGreater(len(later), 3)

    def test_a_page_can_be_fetched_again_and_stays_as_it_was(self) -> None:
        first = self.client.sync(init="true").json()
        page = self.client.sync(pagination_token=first["pagination_token"])
        self.client.control("random", count=50, seed=1)
        again = self.client.sync(pagination_token=first["pagination_token"])
        self.assertEqual(page.body, again.body)
        self.assertEqual(again.headers["x-cache"], "MISS, HIT")

    def test_changes_during_a_run_come_with_the_next_delta(self) -> None:
        reader = Reader()
        first = self.client.sync(init="true")
        self.client.control("random", count=80, seed=2)
        rest = self.client.sync(pagination_token=first.json()["pagination_token"])
        reader.apply([first.body, rest.body])
        reader.follow(self.client, sync_token=rest.json()["sync_token"])
        self.check_reader(reader)

    def test_page_size_and_honoured_limit(self) -> None:
        self.client.control("set", option="page-size", value=7)
        self.assertEqual(len(self.client.sync(init="true", limit="3").json()["items"]), 7)
        self.client.control("set", option="honour-limit", value="on")
        page = self.client.sync(init="true", limit="3").json()
        self.assertEqual((len(page["items"]), page["limit"]), (3, 3))

    def test_empty_pages_in_between(self) -> None:
        self.client.control("set", option="empty-pages", value=2)
        pages = self.client.pages(init="true")
        self.assertEqual([bool(page["items"]) for page in pages], [False, False, True] * 2)

    def test_oldest_first(self) -> None:
        newest = self.client.run(init="true")[0]
        self.client.control("set", option="order", value="oldest")
        self.assertEqual(self.client.run(init="true")[0], newest[::-1])

    def test_shuffled(self) -> None:
        newest = self.client.run(init="true")[0]
        self.client.control("set", option="order", value="shuffled")
        shuffled = self.client.run(init="true")[0]
        self.assertEqual(sorted(map(repr, shuffled)), sorted(map(repr, newest)))
        self.assertNotIn(shuffled, (newest, newest[::-1]))


class Deltas(StackCase):
    """What a sync token brings."""

    def setUp(self) -> None:
        super().setUp()
        self.token = self.client.run(init="true")[1]

    def _items(self) -> list[dict[str, Any]]:
        return self.client.run(sync_token=self.token)[0]

    def test_no_news_is_short_and_keeps_the_token(self) -> None:
        reply = self.client.sync(sync_token=self.token)
        self.assertEqual(reply.body.decode(), f'{{"items":[],"sync_token":"{self.token}"}}')

    def test_no_news_in_full_brings_a_new_token(self) -> None:
        self.client.control("set", option="empty-delta", value="full")
        page = self.client.sync(sync_token=self.token).json()
        self.assertEqual((page["items"], page["skip"], page["limit"], page["total_count"]), ([], 0, 100, 0))
        self.assertNotEqual(page["sync_token"], self.token)
        self.assertEqual(page, self.client.sync(sync_token=self.token).json())
        self.client.control("publish", content_type="page", uid="p1", locale="en-us")
        self.assertEqual(len(self.client.run(sync_token=page["sync_token"])[0]), 1)

    def test_same_token_twice_gives_the_same(self) -> None:
        self.client.control("random", count=300, seed=3)
        first, second = self.client.pages(sync_token=self.token), self.client.pages(sync_token=self.token)
        self.assertEqual(first, second)
        self.assertGreater(len(first), 1)
        self.assertNotEqual(first[-1]["sync_token"], self.token)

    def test_all_events_or_the_newest(self) -> None:
        for text in ("one", "two", "three"):
            self.client.control("publish", content_type="page", uid="p1", locale="en-us", fields={"title": text})
        self.assertEqual([item["data"]["title"] for item in self._items()], ["three", "two", "one"])
        self.client.control("set", option="order", value="oldest")
        self.assertEqual([item["data"]["title"] for item in self._items()], ["one", "two", "three"])
        self.client.control("set", option="delta-events", value="newest")
        self.assertEqual([item["data"]["title"] for item in self._items()], ["three"])

    def test_tombstones_hold_uid_locale_and_title(self) -> None:
        self.client.control("publish", content_type="page", uid="p1", locale="de-de", fields={"title": "Hallo"})
        self.client.control("unpublish", content_type="page", uid="p1")
        self.client.control("publish-asset", uid="a1", locale="de-de", fields={"filename": "a.txt", "title": "A"})
        self.client.control("delete", content_type="sys_assets", uid="a1", locale="de-de")
        deleted, _, unpublished, _ = self._items()
        self.assertEqual(unpublished["data"], {"uid": "p1", "locale": "de-de", "title": "Hallo"})
        self.assertEqual((unpublished["type"], unpublished["content_type_uid"]), ("entry_unpublished", "page"))
        self.assertEqual(deleted["data"], {"uid": "a1", "locale": "de-de", "title": "A", "filename": "a.txt"})
        self.assertEqual((deleted["type"], deleted["content_type_uid"]), ("asset_deleted", "sys_assets"))

    def test_deletions_with_and_without_locale(self) -> None:
        for uid in ("p1", "p2"):
            for locale in ("en-us", "de-de"):
                self.client.control("publish", content_type="page", uid=uid, locale=locale, fields={"title": uid})
        self.client.control("delete", content_type="page", uid="p1")
        self.client.control("set", option="deletions", value="no-locale")
        self.client.control("delete", content_type="page", uid="p2")
        deletions = [item["data"] for item in self._items() if item["type"] == "entry_deleted"]
        self.assertEqual([deletion.get("locale") for deletion in deletions], [None, "de-de", "en-us"])

    def test_content_type_deletion_with_entries_or_alone(self) -> None:
        self.client.control("delete-content-type", uid="page")
        kinds = [item["type"] for item in self._items()]
        self.assertEqual(kinds.count("content_type_deleted"), 1)
        self.assertGreater(kinds.count("entry_deleted"), 3)
        self.client.control("set", option="type-deletions", value="alone")
        self.token = self.client.run(sync_token=self.token)[1]
        self.client.control("delete-content-type", uid="story")
        item, = self._items()
        self.assertEqual((item["type"], item["content_type_uid"], item["data"]), ("content_type_deleted", "story", {}))

    def test_bare_asset_tombstones(self) -> None:
        self.client.control("set", option="asset-tombstones", value="bare")
        self.client.control("publish-asset", uid="a1", locale="en-us")
        self.client.control("unpublish", content_type="sys_assets", uid="a1")
        self.assertNotIn("content_type_uid", self._items()[0])

    def test_lagging_cdn(self) -> None:
        self.client.control("set", option="cdn-lag", value=2)
        self.client.control("publish", content_type="page", uid="p1", locale="en-us")
        counts = [len(self._items())]
        self.client.control("publish", content_type="page", uid="p2", locale="en-us")
        counts += [len(self._items()) for _ in range(4)]
        self.assertEqual(counts, [0, 0, 1, 2, 2])

    def test_frozen_deltas(self) -> None:
        self.client.control("publish", content_type="page", uid="p1", locale="en-us")
        counts = [len(self._items())]
        self.client.control("set", option="freeze", value=True)
        self.client.control("publish", content_type="page", uid="p2", locale="en-us")
        self.client.control("publish", content_type="page", uid="p3", locale="en-us")
        counts += [len(self._items()) for _ in range(2)]
        self.client.control("set", option="freeze", value=False)
        self.assertEqual([*counts, len(self._items())], [1, 1, 1, 3])

    def test_tokens_refused_for_a_while_and_for_ever(self) -> None:
        self.client.control("refuse-tokens", which="sync", times=2)
        self.assertEqual([self.client.sync(sync_token=self.token).status for _ in range(3)], [422, 422, 200])
        page = self.client.sync(init="true").json()["pagination_token"]
        self.client.control("refuse-tokens", which="all")
        self.check_error(self.client.sync(sync_token=self.token), 422, 141, "sync_token")
        self.check_error(self.client.sync(pagination_token=page), 422, 141, "pagination_token")
        again = self.client.run(init="true")[1]
        self.assertNotEqual(again, self.token)
        self.assertEqual(self.client.sync(sync_token=again).status, 200)


class Filters(StackCase):
    """Filters of init, and that they stay."""

    def test_content_type_excludes_assets(self) -> None:
        items, token = self.client.run(init="true", content_type_uid="story")
        self.assertEqual({item["content_type_uid"] for item in items}, {"story"})
        self.client.control("publish", content_type="page", uid="p1", locale="en-us")
        self.assertEqual(self.client.run(sync_token=token), ([], token))
        self.client.control("publish", content_type="story", uid="s1", locale="en-us")
        self.assertEqual(len(self.client.run(sync_token=token)[0]), 1)

    def test_locale_is_that_of_the_publication_for_entries_and_assets(self) -> None:
        items, _ = self.client.run(init="true", locale="de-de")
        self.assertEqual({item["data"]["publish_details"]["locale"] for item in items}, {"de-de"})
        self.assertEqual({item["type"] for item in items}, {"entry_published", "asset_published"})
        self.assertIn("en-us", {item["data"].get("locale") for item in items})

    def test_types_stay_with_the_token(self) -> None:
        items, token = self.client.run(init="true", type="entry_published, asset_deleted")
        self.assertEqual({item["type"] for item in items}, {"entry_published"})
        for name in ("a1", "a2"):
            self.client.control("publish-asset", uid=name, locale="en-us")
        self.client.control("delete", content_type="sys_assets", uid="a1")
        self.client.control("unpublish", content_type="sys_assets", uid="a2")
        self.assertEqual([item["type"] for item in self.client.run(sync_token=token)[0]], ["asset_deleted"])

    def test_listed_types_bring_tombstones_with_init(self) -> None:
        self.client.control("publish", content_type="page", uid="p1", locale="en-us")
        self.client.control("unpublish", content_type="page", uid="p1")
        self.assertEqual(self.client.run(init="true", type=",".join(TYPES))[0][0]["type"], "entry_unpublished")
        self.assertNotIn("entry_unpublished", {item["type"] for item in self.client.run(init="true")[0]})

    def test_start_from(self) -> None:
        items, _ = self.client.run(init="true")
        start = items[30]["event_at"]
        later, _ = self.client.run(init="true", start_from=start)
        self.assertEqual(later, [item for item in items if item["event_at"] >= start])

    def test_several_values_only_when_switched_on(self) -> None:
        self.client.control("set", option="multi-value", value="on")
        items, _ = self.client.run(init="true", content_type_uid="story,page", locale="en-us,de-de")
        self.assertEqual({item["content_type_uid"] for item in items}, {"story", "page"})
        self.assertEqual({item["data"]["publish_details"]["locale"] for item in items}, {"en-us", "de-de"})


class Replay(StackCase):
    """A reader that follows the rules ends with what is published, under every switch."""

    def test_reader_matches_the_truth(self) -> None:
        settings: list[dict[str, Any]] = [
            {},
            {"delta-events": "newest", "order": "oldest", "empty-delta": "full"},
            {"deletions": "no-locale", "delta-events": "newest", "asset-tombstones": "bare"},
            {"deletions": "no-locale", "empty-pages": "1", "page-size": "7"},
            {"type-deletions": "alone", "cdn-lag": "3"},
            {"order": "shuffled", "page-size": "7"},
        ]
        reader = Reader()
        token = reader.follow(self.client, init="true")
        self.check_reader(reader)
        for number, values in enumerate(settings):
            with self.subTest(settings=values):
                for name, value in {**self.stack.settings.all(), **values}.items():
                    self.client.control("set", option=name, value=value)
                for part in range(3):
                    self.client.control("random", count=60, seed=number * 10 + part)
                    token = reader.follow(self.client, sync_token=token)
                self.client.control("delete-content-type", uid=("story", "event", "room", "page", "object", "person")[number])
                for _ in range(4):
                    token = reader.follow(self.client, sync_token=token)
                self.check_reader(reader)

    def test_times_rise_strictly_for_each_item(self) -> None:
        token = self.client.run(init="true")[1]
        for number in range(30):
            self.client.control("publish", content_type="page", uid="p1", locale="en-us", fields={"n": number})
        times = [item["event_at"] for item in self.client.run(sync_token=token)[0]]
        self.assertEqual(len(set(times)), 30)
        self.client.control("random", count=500, seed=1)
        events: dict[tuple[str, str, Any], list[int]] = {}
        for event in self.stack.content.log:
            events.setdefault((event.content_type, event.uid, event.locale), []).append(event.at)
        for key, moments in events.items():
            self.assertEqual(moments, sorted(set(moments)), key)
        every = [event.at for event in self.stack.content.log]
        self.assertLess(len(set(every)), len(every))
        self.assertEqual(every[-500:], sorted(every[-500:]))

    def test_a_deletion_in_all_locales_is_older_than_what_comes_after_it(self) -> None:
        editor, clock = self.stack.editor, self.stack.content.clock
        self.stack.settings.set("deletions", "no-locale")
        editor.publish_entry("page", "p1", "en-us")
        clock.note(clock.now() + 1_000_000)  # it stands still from here on
        deleted = editor.delete("page", "p1")[0]
        self.assertGreater(editor.publish_entry("page", "p1", "de-de").at, deleted.at)

    def test_published_details_follow_the_wire(self) -> None:
        for path, line in self.client.truth().items():
            if not path.startswith("content_types/"):
                details = wire.split_object(wire.split_object(line["data"])["publish_details"])
                self.assertEqual(details["time"], line["mtime"])


if __name__ == "__main__":
    unittest.main()
