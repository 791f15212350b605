"""What the tests of the stack share: a running stack, a strict little client, and a reader that replays runs."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import unittest
from pathlib import Path
from typing import Any, NamedTuple, Optional
from urllib.parse import quote, urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parent))

import wire  # noqa: E402
from access import Credentials  # noqa: E402
from generator import Plan as Plan  # noqa: E402  (for the tests, too)
from stack import Options, Stack  # noqa: E402
from switches import Settings  # noqa: E402

TIMEOUT = 10
DEFAULT = Credentials()
AUTH = {"api_key": DEFAULT.api_key, "access_token": DEFAULT.token}
PRODUCTION = {"environment": DEFAULT.environment}


class Reply(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body as a Python value."""
        return json.loads(self.body)


class Client:
    """Asks a stack, one connection per request unless it is kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 0)

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection(*self.address, timeout=TIMEOUT)

    def get(self, target: str, headers: Optional[dict[str, str]] = None, method: str = "GET") -> Reply:
        """One request to a raw target."""
        connection = self.connect()
        try:
            connection.request(method, target, headers=AUTH if headers is None else headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def sync(self, headers: Optional[dict[str, str]] = None, /, **query: str) -> Reply:
        """One call of the Sync API, in the production environment."""
        return self.get("/v3/stacks/sync?" + urlencode({**PRODUCTION, **query}), headers)

    def pages(self, **query: str) -> list[dict[str, Any]]:
        """All pages of a run."""
        pages = []
        while True:
            reply = self.sync(**query)
            assert reply.status == 200, (reply.status, reply.body[:300])
            pages.append(reply.json())
            if "sync_token" in pages[-1]:
                return pages
            query = {"pagination_token": pages[-1]["pagination_token"]}
            assert len(pages) < 10_000

    def run(self, **query: str) -> tuple[list[dict[str, Any]], str]:
        """All items of a run, and the token at its end."""
        pages = self.pages(**query)
        return [item for page in pages for item in page["items"]], pages[-1]["sync_token"]

    def control(self, command: str, **values: Any) -> dict[str, Any]:
        """One control command; AssertionError when it is refused."""
        reply = self.command(command, json.dumps(values))
        assert reply.status == 200, reply.body
        return dict(reply.json())

    def command(self, command: str, body: str) -> Reply:
        """One control command with a raw body."""
        connection = self.connect()
        try:
            connection.request("POST", f"/_control/{command}", body.encode())
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def truth(self) -> dict[str, dict[str, str]]:
        """What is published, by path: the members of each line as exact texts."""
        body = self.get("/_control/truth", {}).body.decode()
        lines = [wire.split_object(line) for line in body.split("\n") if line]
        return {wire.plain_string(line["path"]): line for line in lines}

    def raw(self, request: bytes) -> socket.socket:
        """A socket on which these bytes were sent."""
        sock = socket.create_connection(self.address, TIMEOUT)
        sock.sendall(request)
        return sock

    def download(self, url: str, **headers: str) -> Reply:
        """A raw asset URL, encoded as official clients do it."""
        path = url.split(self.url, 1)[1]
        return self.get(quote(path, safe="/()&;@!~$'*:,+="), headers)


class Reader:
    """Applies items as a right client does: the newest event of each key wins, whatever the order of arrival."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str, str], str] = {}
        self._times: dict[tuple[str, str, str], str] = {}

    def apply(self, bodies: list[bytes]) -> None:
        """The pages of one run."""
        removed: dict[tuple[str, str], str] = {}
        for item in (item for body in bodies for item in self._items(body)):
            data = wire.split_object(item["data"])
            kind, at = wire.plain_string(item["type"]), wire.plain_string(item["event_at"])
            owner = wire.plain_string(item.get("content_type_uid"), "sys_assets")
            if kind == "content_type_deleted":
                removed[(owner, "")] = max(at, removed.get((owner, ""), ""))
                continue
            uid = wire.plain_string(data["uid"])
            if kind.endswith("_published"):
                locale = wire.plain_string(wire.split_object(data["publish_details"])["locale"])
                self._set((owner, locale, uid), at, item["data"])
            elif "locale" in data:
                self._set((owner, wire.plain_string(data["locale"]), uid), at, None)
            else:
                removed[(owner, uid)] = max(at, removed.get((owner, uid), ""))
        for (owner, uid), at in removed.items():
            for key in [key for key in self._times if key[0] == owner and uid in ("", key[2])]:
                self._set(key, at, None)

    @staticmethod
    def _items(body: bytes) -> list[dict[str, str]]:
        return [wire.split_object(item) for item in wire.split_array(wire.split_object(body.decode())["items"])]

    def _set(self, key: tuple[str, str, str], at: str, data: Optional[str]) -> None:
        if at >= self._times.get(key, ""):
            self._times[key] = at
            self.files.pop(key, None)
            if data is not None:
                self.files[key] = data

    def follow(self, client: Client, **query: str) -> str:
        """Reads a run and applies it; returns its sync token."""
        bodies = []
        while True:
            reply = client.sync(**query)
            assert reply.status == 200, reply.body[:300]
            bodies.append(reply.body)
            tail = wire.split_object('{"items":0,' + reply.body[reply.body.rindex(b"]") + 2 :].decode())
            if "sync_token" in tail:
                self.apply(bodies)
                return wire.plain_string(tail["sync_token"])
            query = {"pagination_token": wire.plain_string(tail["pagination_token"])}

    def by_path(self) -> dict[str, str]:
        """The files by path, as in the truth."""
        return {
            f"assets/{locale}/{uid}.json" if owner == "sys_assets" else f"entries/{owner}/{locale}/{uid}.json": data
            for (owner, locale, uid), data in self.files.items()
        }


class StackCase(unittest.TestCase):
    """A test with a stack of its own, in this process."""

    content = "sample"
    plan: Optional[Plan] = None
    switches: dict[str, str] = {}

    def setUp(self) -> None:
        """Starts the stack."""
        settings = Settings()
        for name, value in self.switches.items():
            settings.set(name, value)
        self.stack = Stack(Options(content=self.content, plan=self.plan, settings=settings))
        self.stack.start()
        self.addCleanup(self.stack.stop)
        self.client = Client(self.stack.url)

    def check_error(self, reply: Reply, status: int, code: int, culprit: str) -> None:
        """The reply is the API's error of that status and code, naming `culprit`."""
        body = reply.json()
        self.assertEqual((reply.status, body["error_code"], list(body["errors"])), (status, code, [culprit]), body)
        self.assertTrue(body["error_message"])

    def check_reader(self, reader: Reader) -> None:
        """The reader has exactly what the stack publishes."""
        want = {path: line["data"] for path, line in self.client.truth().items() if not path.startswith("content_types/")}
        got = reader.by_path()
        self.assertEqual(sorted(got), sorted(want))
        self.assertEqual(got, want)
