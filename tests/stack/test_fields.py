"""Fields of pages and items with another value, as a client meets them."""

from __future__ import annotations

import json
import unittest
from typing import Any

from faults import VALUES
from harness import StackCase

SIZE, DEPTH = 5000, 900
ITEM_FIELDS = (
    "type event_at content_type_uid data data.uid data.locale data.title data.updated_at data._version "
    "data.publish_details data.publish_details.locale data.publish_details.time"
).split()


def at(value: Any, path: list[str]) -> Any:
    """The value at the end of a path; KeyError when it is not there."""
    for name in path:
        value = value[name]
    return value


class Fields(StackCase):
    """One field at a time."""

    switches = {"page-size": "10"}

    def meet(self, field: str, value: str, uid: str = "", **query: str) -> Any:
        """Orders the fault and asks for a page of a run."""
        params = {"field": field, "value": value, "uid": uid, "size": SIZE, "depth": DEPTH}
        self.client.control("fault", kind="field", params=params)
        return self.client.sync(**(query or {"init": "true"})).json()

    def check(self, value: str, holder: Any, path: list[str]) -> None:
        """The end of the path has the value."""
        if value == "missing":
            self.assertNotIn(path[-1], at(holder, path[:-1]))
            return
        got = at(holder, path)
        want = {
            "null": None, "number": 42, "digits": int("9" * 400), "string": "a string", "empty": "",
            "control": "a\0b\nc", "array": ["element", 7], "object": {"a": 42}, "large": "x" * SIZE,
        }  # fmt: skip
        if value == "deep":
            self.assertEqual(json.dumps(got), "[" * DEPTH + "]" * DEPTH)
        else:
            self.assertEqual(got, want[value])

    def test_every_field_of_a_page(self) -> None:
        right = self.client.sync(init="true").json()
        for field in ("items", "skip", "limit", "total_count", "token"):
            for value in VALUES:
                with self.subTest(field=field, value=value):
                    page = self.meet(field, value)
                    name = "pagination_token" if field == "token" else field
                    self.check(value, page, [name])
                    others = {key: member for key, member in right.items() if key != name}
                    self.assertEqual({key: member for key, member in page.items() if key != name}, others)

    def test_every_field_of_an_item(self) -> None:
        right = self.client.sync(init="true").json()["items"]
        uid = right[7]["data"]["uid"]
        place = next(index for index, item in enumerate(right) if item["data"]["uid"] == uid)
        for field in ITEM_FIELDS:
            for value in VALUES:
                with self.subTest(field=field, value=value):
                    items = self.meet(f"item.{field}", value, uid)["items"]
                    self.check(value, items[place], field.split("."))
                    self.assertEqual(items[:place] + items[place + 1 :], right[:place] + right[place + 1 :])

    def test_waits_for_the_item(self) -> None:
        token = self.client.run(init="true")[1]
        self.assertEqual(self.meet("item.type", "null", "p1", sync_token=token)["items"], [])
        self.client.control("publish", content_type="page", uid="p2", locale="en-us")
        self.assertEqual(self.client.run(sync_token=token)[0][0]["type"], "entry_published")
        self.client.control("publish", content_type="page", uid="p1", locale="en-us")
        items = self.client.sync(sync_token=token).json()["items"]
        self.assertEqual([(item["type"], item["data"]["uid"]) for item in items], [(None, "p1"), ("entry_published", "p2")])
        self.assertEqual(self.client.run(sync_token=token)[0][0]["type"], "entry_published")
        met = [entry["fault"] for entry in self.stack.journal.report()["requests"]]
        self.assertEqual(met.count("field"), 1)


if __name__ == "__main__":
    unittest.main()
