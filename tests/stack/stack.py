"""The composition root: builds the parts of a stack in order, and ends them."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import Any, Optional

import sample
from access import Credentials
from changes import Editor
from commandline import CommandLine
from content import Content
from control import Control
from delivery import Delivery
from faults import FaultQueue
from generator import Generator, Plan
from journal import Journal
from ratelimit import RateLimit
from server import Server
from switches import Settings
from sync import SyncService


@dataclass
class Options:
    """What a stack is started with."""

    port: int = 0
    content: str = "sample"  # or "empty"
    plan: Optional[Plan] = None
    credentials: Credentials = field(default_factory=Credentials)
    settings: Settings = field(default_factory=Settings)
    verbose: bool = False


class Stack:
    """A running stack. `start` is called once; `stop` after it, and may be called again."""

    def __init__(self, options: Options) -> None:
        self._server = Server(options.port, options.verbose)
        self.url = self._server.url
        self.credentials = options.credentials
        self.settings = options.settings
        self.content = self._load(options)
        self.editor = Editor(self.content, options.settings)
        self.sync = SyncService(self.content, options.settings, secrets.token_hex(16))
        credentials = options.credentials
        tokens = (credentials.token, credentials.other_token)
        self.faults, self.journal = FaultQueue(), Journal(tokens, self.url.partition("//")[2])
        server = self._server
        server.credentials, server.settings = options.credentials, options.settings
        server.faults, server.journal = self.faults, self.journal
        server.rate_limit = RateLimit(options.settings)
        server.delivery = Delivery(self.content, self.sync, options.credentials, options.settings)
        server.control = Control(
            self.content,
            self.editor,
            self.sync,
            options.settings,
            self.faults,
            self.journal,
            self._describe,
            lambda: dict(credentials.client_environment(self.url)),
        )
        server.command_line = CommandLine(server.control)
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="accept", daemon=True)

    def _load(self, options: Options) -> Content:
        credentials = options.credentials

        def file_url(asset_uid: str, file_uid: str, name: str) -> str:
            return f"{self.url}/v3/assets/{credentials.api_key}/{asset_uid}/{file_uid}/{name}"

        content = Content(credentials.environment, credentials.environment_uid, file_url)
        if options.plan is not None:
            content.generator = Generator(options.plan, credentials.environment_uid, file_url)
        sample.load(content, with_entries=options.content == "sample")
        return content

    def _describe(self) -> dict[str, Any]:
        credentials = self.credentials
        return {"url": self.url, "api_key": credentials.api_key, "environment": credentials.environment}

    def start(self) -> None:
        """Begins to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Ends at once; requests that are under way are cut."""
        self.faults.clear()
        self._server.close()
        self._thread.join(5)
