"""The program as a process: serving, its command line, its end. Run as a program, it runs every test of this folder."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import signal
import subprocess
import sys
import tempfile
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
    """Runs a command to its end, in this process: a new one for each would take most of the time of these tests."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = PROGRAM.main(list(arguments))
    return Done(status, out.getvalue(), errors.getvalue())


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
        done = stack("ctl", self.url, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return json.loads(done.stdout) if done.stdout else None

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
        command = [sys.executable, str(HERE), "env", self.url]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=20, check=True)
        shown = subprocess.run(
            ["sh", "-c", f"{done.stdout}\nenv"], capture_output=True, text=True, timeout=10, check=True
        ).stdout.splitlines()
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
        out = self.folder / "truth"
        self.ctl("truth", "--out", str(out), "--sha256")
        lines = [line for line in out.read_text("utf-8").split("\n") if line]
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
        for arguments in (
            ("ctl", self.url, "publish", "nonsense", "p1", "en-us"),
            ("ctl", self.url, "publish", "page", "p1", "en-us", "{"),
            ("ctl", self.url, "fault", "nonsense"),
            ("ctl", self.url, "fault", "429", "--depth", "3"),
            ("ctl", self.url, "set", "order", "sideways"),
            ("ctl", self.url, "random", "many"),
            ("ctl", self.url, "wait-requests", "locales", "1", "--timeout", "0.1"),
            ("ctl", "http://127.0.0.1:1", "status"),
            ("ctl", "nonsense", "status"),
            ("serve", "--order", "sideways"),
            ("serve", "--port", self.url.rsplit(":", 1)[1]),
        ):
            with self.subTest(arguments=arguments):
                done = stack(*arguments)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertTrue(done.stderr.startswith("tests/stack: "), done.stderr)


class Switched(ProcessCase):
    """Options of `serve`."""

    arguments = ("--content", "empty", "--page-size", "9", "--order", "oldest", "--multi-value", "--token", "cssecret")

    def test_options_are_in_force(self) -> None:
        status = self.ctl("status")
        self.assertEqual(status["entries"], 0)
        settings = {name: status["settings"][name] for name in ("page-size", "order", "multi-value")}
        self.assertEqual(settings, {"page-size": 9, "order": "oldest", "multi-value": True})
        self.assertEqual(self.client.sync(init="true").status, 401)
        self.assertIn("cssecret", stack("env", self.url, "--token", "cssecret").stdout)


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
