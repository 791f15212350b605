"""The program as a process: serving, its command line, its end. Run as a program, it runs every test of this folder."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any, NamedTuple

from harness import DEFAULT, Client

HERE = Path(__file__).parent


class Done(NamedTuple):
    """What a command printed, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


def _load_program() -> Any:
    spec = importlib.util.spec_from_file_location("program", HERE / "__main__.py")
    assert spec and spec.loader
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


PROGRAM = _load_program()


def stack(*arguments: str) -> Done:
    """Runs the program to its end, in this process."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = PROGRAM.main(list(arguments))
    return Done(status, out.getvalue(), errors.getvalue())


def ctl(*arguments: str) -> Done:
    """Runs the client to its end."""
    done = subprocess.run([str(HERE / "ctl"), *arguments], capture_output=True, text=True, timeout=20, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


class ProcessCase(unittest.TestCase):
    """A test with a stack in a process of its own."""

    arguments: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Starts it, and waits until it is ready."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        ready = self.folder / "ready"
        command = [sys.executable, str(HERE), "serve", "--ready-file", str(ready), *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.kill)
        deadline = time.monotonic() + 20
        while not ready.exists():
            self.assertIsNone(self.process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.url = ready.read_text().strip()
        self.client = Client(self.url)

    def kill(self) -> None:
        """Ends it, if it still runs."""
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()

    def ctl(self, *arguments: str) -> Any:
        """A control command that works."""
        return json.loads(self.text(*arguments))

    def text(self, *arguments: str) -> str:
        """What a control command that works prints."""
        done = ctl(self.url, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def memory(self) -> int:
        """Its resident memory in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1024
        return 0


class Serving(ProcessCase):
    """Start and end."""

    def test_prints_its_url_and_ends_at_once_on_a_signal(self) -> None:
        assert self.process.stdout
        self.assertEqual(self.process.stdout.readline().strip(), self.url)
        self.client.control("fault", kind="stall-before", times=0)
        sock = self.client.raw(b"GET /v3/locales HTTP/1.1\r\nHost: x\r\n\r\n")
        self.ctl("wait-requests", "locales", "1")
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(5), 0)
        self.assertLess(time.monotonic() - start, 2)
        sock.close()

    def test_environment_for_clients(self) -> None:
        command = ["sh", "-c", f"{self.text('env')}\nenv"]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.splitlines()
        for line in (
            f"CONTENTSTACK_API_KEY={DEFAULT.api_key}", f"CONTENTSTACK_DELIVERY_TOKEN={DEFAULT.token}",
            f"CONTENTSTACK_ENVIRONMENT={DEFAULT.environment}", f"CONTENTSTACK_HOST={self.url}",
        ):  # fmt: skip
            self.assertIn(line, shown)

    def test_every_command(self) -> None:
        token = self.client.run(init="true")[1]
        self.ctl("publish", "page", "ü/..", "en-us", '{"price":1.10,"big":12345678901234567890}')
        self.ctl("publish", "page", "p2", "de-de")
        self.ctl("publish-asset", "a1", "en-us", '{"filename":"ä b.txt"}', "--file-bytes", "5000", "--mime", "text/plain")
        self.ctl("unpublish", "page", "p2", "de-de")
        self.ctl("delete", "page", "p2")
        self.ctl("unpublish-asset", "a1")
        self.ctl("delete-asset", "a1")
        self.ctl("add-content-type", "note", "Notes")
        self.ctl("change-schema", "note")
        self.ctl("publish", "note", "n1", "en-us")
        self.ctl("delete-content-type", "note")
        done = self.ctl("random", "25", "--seed", "5")["done"]
        self.assertEqual(sum(done.values()), 25)
        items, _ = self.client.run(sync_token=token)
        self.assertGreaterEqual(len(items), 34)
        lines = [line for line in self.text("truth", "--sha256").split("\n") if line]
        self.assertTrue(all(isinstance(json.loads(line)["data"], dict) for line in lines))
        mine, = [line for line in lines if '"price":1.10,"big":12345678901234567890' in line]
        self.assertEqual(json.loads(mine)["uid"], "ü/..")
        self.assertTrue(any('"sha256"' in line for line in lines))
        self.ctl("set", "order", "oldest")
        self.ctl("latency", "5")
        self.assertEqual((self.ctl("status")["settings"]["order"], self.ctl("status")["settings"]["latency"]), ("oldest", 5))
        self.ctl("refuse-tokens", "all", "--times", "1")
        self.assertEqual(self.client.sync(sync_token=token).status, 422)
        self.ctl("fault", "429", "--times", "forever", "--match", "sync", "--retry-after", "3", "--body", "html")
        self.assertEqual(self.client.sync(init="true").headers["Retry-After"], "3")
        self.assertEqual(self.ctl("faults")["faults"][0]["left"], None)
        self.ctl("faults-clear")
        self.assertEqual(self.client.sync(init="true").status, 200)

    def test_requests_tell_what_was_asked(self) -> None:
        self.client.sync(init="true")
        self.client.get("/v3/nonsense?a=b", {"X-Odd": DEFAULT.token, "Accept-Encoding": "br"})
        report = self.ctl("requests")
        self.assertEqual(report["counters"], {"sync_init": 1, "other": 1})
        last = report["requests"][-1]
        self.assertEqual((last["method"], last["path"], last["query"], last["status"]), ("GET", "/v3/nonsense", "a=b", 404))
        self.assertEqual((last["accept_encoding"], "X-Odd" in last["headers"]), ("br", True))
        self.assertNotIn(DEFAULT.token, json.dumps(report))
        self.ctl("requests", "--clear")
        self.assertEqual(self.ctl("requests")["total"], 0)

    def test_errors_have_a_message_and_a_status(self) -> None:
        for program, arguments, text in (
            (ctl, (self.url, "publish", "nonsense", "p1", "en-us"), "nonsense"),
            (ctl, (self.url, "publish", "page", "p1", "en-us", "{"), "not a JSON object"),
            (ctl, (self.url, "publish", "page", "p1", "en-us", os.fsdecode(b'{"title": "\xff"}')), "not a JSON object"),
            (ctl, (self.url, "publish", "page"), "required: uid, locale"),
            (ctl, (self.url, "fault", "nonsense"), "nonsense"),
            (ctl, (self.url, "fault", "429", "--depth", "3"), "depth"),
            (ctl, (self.url, "set", "order", "sideways"), "sideways"),
            (ctl, (self.url, "random", "many"), "'many'"),
            (ctl, (self.url, "wait-requests", "locales", "1", "--timeout", "0"), "0 of 1 locales requests"),
            (ctl, (self.url, "wait-requests", "locales", "1", "--timeout", "1"), "0 of 1 locales requests"),
            (ctl, (self.url, "nonsense"), "nonsense"),
            (ctl, (self.url, ""), "invalid choice: ''"),
            (ctl, (self.url,), "Usage"),
            (ctl, ("http://127.0.0.1:1", "status"), "no stack answers"),
            (ctl, ("nonsense", "status"), "not the URL"),
            (stack, ("serve", "--order", "sideways"), "sideways"),
            (stack, ("serve", "--port", self.url.rsplit(":", 1)[1]), "in use"),
        ):
            with self.subTest(arguments=arguments):
                done = program(*arguments)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertTrue(done.stderr.startswith("tests/stack"), done.stderr)
                self.assertIn(text, done.stderr)

    def test_help(self) -> None:
        self.assertIn("delete-content-type", self.text("--help"))
        self.assertIn("--retry-after", self.text("fault", "--help"))
        self.assertEqual(ctl("--help").returncode, 0)

    def test_waits_for_requests(self) -> None:
        waiting = threading.Thread(target=self.ctl, args=("wait-requests", "sync_init", "2", "--timeout", "15"))
        waiting.start()
        self.client.sync(init="true")
        waiting.join(0.2)
        self.assertTrue(waiting.is_alive())
        self.client.sync(init="true")
        waiting.join(10)
        self.assertFalse(waiting.is_alive())


class Switched(ProcessCase):
    """Options of `serve`."""

    arguments = ("--content", "empty", "--page-size", "9", "--order", "oldest", "--multi-value", "--token", "cssecret")

    def test_options_are_in_force(self) -> None:
        status = self.ctl("status")
        self.assertEqual(status["entries"], 0)
        settings = {name: status["settings"][name] for name in ("page-size", "order", "multi-value")}
        self.assertEqual(settings, {"page-size": 9, "order": "oldest", "multi-value": True})
        self.assertEqual(self.client.sync(init="true").status, 401)
        self.assertIn("CONTENTSTACK_DELIVERY_TOKEN=cssecret\n", self.text("env"))


class Million(ProcessCase):
    """A million entries."""

    arguments = ("--generate", "1000000", "--locales", "4", "--content-types", "20", "--assets", "1000")

    def test_costs_little_memory_and_is_quick(self) -> None:
        self.assertLess(self.memory(), 100)
        connection = self.client.connect()
        headers = {"api_key": DEFAULT.api_key, "access_token": DEFAULT.token}
        query, start, pages = "init=true", time.monotonic(), 60
        for _ in range(pages):
            connection.request("GET", f"/v3/stacks/sync?environment=production&{query}", headers=headers)
            tail = connection.getresponse().read()[-80:].decode()
            query = "pagination_token=" + tail.split('"pagination_token":"')[1].split('"')[0]
        rate = pages * 100 / (time.monotonic() - start)
        connection.close()
        self.assertGreater(rate, 3000, "far slower than the 20,000 items/s that it is built for")
        self.assertLess(self.memory(), 100)


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.discover(str(HERE))
    sys.exit(not unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful())
