"""The HTTP server: one thread per connection, HTTP/1.1 with keep-alive."""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional

from access import ApiError, Credentials
from answers import Answer
from commandline import CommandLine
from connection import Connection, ConnectionOver
from control import Control, ControlError
from delivery import Delivery, Segments, kind_of, split_path
from faults import Fault, FaultQueue
from journal import Journal
from oddities import Asked, can_befall, odd_answer
from ratelimit import RateLimit, told_until
from switches import Settings
from transport import Terms, accepts_gzip, send_answer, send_chunks, send_to_end

MAX_BODY = 256 << 20  # of a control request
IDLE_SECONDS = 120
_CONTROL = "/_control/"


class Server(ThreadingHTTPServer):
    """Binds at once; answers after `serve_forever` was called, once the parts are set."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    delivery: Delivery
    control: Control
    command_line: CommandLine
    credentials: Credentials
    settings: Settings
    faults: FaultQueue
    journal: Journal
    rate_limit: RateLimit

    def __init__(self, port: int, verbose: bool) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.stop = threading.Event()
        self.verbose = verbose
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._cached: set[str] = set()

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def opened(self, sock: socket.socket) -> None:
        """A connection began."""
        with self._lock:
            self._open.add(sock)

    def closed(self, sock: socket.socket) -> None:
        """A connection ended."""
        with self._lock:
            self._open.discard(sock)

    def is_cached(self, target: str) -> bool:
        """Whether the CDN has the answer: pages of a run are cached from their first fetch on."""
        if "pagination_token=" not in target:
            return False
        with self._lock:
            known = target in self._cached
            if len(self._cached) > 10_000:
                self._cached.clear()
            self._cached.add(target)
        return known

    def close(self) -> None:
        """Ends everything at once: no more connections, and those that are open are cut."""
        self.stop.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            for sock in self._open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no news; anything else is a bug of this program and is shown."""
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ConnectionOver)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def setup(self) -> None:
        """Begins the connection."""
        super().setup()
        self._wire = Connection(self.connection, self.server.stop)
        self.server.opened(self.connection)

    def finish(self) -> None:
        """Ends the connection."""
        self.server.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        """GET of the API, of an asset, or of the control."""
        self._answer()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        try:
            if path.startswith(_CONTROL):
                self._control(path[len(_CONTROL) :], query)
            else:
                self._deliver(path, query)
        except ConnectionOver:
            self.close_connection = True

    # -- the API ------------------------------------------------------------------------------------------------

    def _deliver(self, path: str, query: str) -> None:
        server = self.server
        try:
            segments = split_path(path)
            refusal: Optional[ApiError] = None
        except ApiError as error:
            segments, refusal = [], error
        kind = kind_of(segments, query)
        headers, limited = server.rate_limit.admit()
        fault = None if limited else server.faults.take(self.path, kind)
        misfortune = fault.kind.name if fault else None
        entry = server.journal.arrived(kind, self.command, path, query, self.headers.items(), misfortune)
        before = self._wire.sent
        self._wire.note_body = lambda count: server.journal.sending(entry, count)
        try:
            self._discard_body()
            if latency := server.settings.number("latency"):
                self._wire.wait(latency / 1000)
            self._break_off(fault)
            answer = limited or (Answer.error(refusal) if refusal else self._ask(segments, query))
            if fault is not None and not can_befall(fault, answer):
                server.faults.give_back(fault)
                fault = entry["fault"] = None
            if fault is not None:
                answer = odd_answer(fault, answer, Asked(path, _token_of(query), self.headers))
            answer.headers = {**headers, **answer.headers}
            server.journal.told_to_wait(told_until(answer))
            server.journal.answering(entry, answer.status)
            send_answer(self._wire, answer, self._terms(), fault)
        finally:
            if fault is not None:
                server.faults.done(fault)
            self._wire.note_body = lambda _: None
            server.journal.answered(entry, self._wire.sent - before)
            if server.verbose:
                print(f"{self.command} {self.path} {entry['status']} {entry['bytes']}", file=sys.stderr, flush=True)

    def _ask(self, segments: Segments, query: str) -> Answer:
        if self.command not in ("GET", "HEAD"):
            return Answer.error(ApiError(405, 405, "Only GET is allowed here."))
        try:
            return self.server.delivery.answer(segments, query, self.headers)
        except ApiError as error:
            return Answer.error(error)

    def _break_off(self, fault: Optional[Fault]) -> None:
        name = fault.kind.name if fault else ""
        if name == "reset":
            self._wire.reset()
        if name == "close":
            raise ConnectionOver
        if fault is not None and name == "stall-before":
            self._wire.wait(fault.number_of("seconds"), fault.released)
            raise ConnectionOver

    def _terms(self) -> Terms:
        compress = accepts_gzip(self.headers.get("Accept-Encoding", ""))
        return Terms(
            self.server.credentials.organization,
            self.server.settings.number("gzip-level") if compress else 0,
            self.command == "HEAD",
            self.server.is_cached(self.path),
            not self.close_connection,
        )

    # -- the control --------------------------------------------------------------------------------------------

    def _control(self, command: str, query: str) -> None:
        terms = self._terms()
        if command == "ctl" and self.command == "POST":
            self._command(terms)
            return
        try:
            body = self._body()
            if command == "truth" and self.command == "GET":
                lines = self.server.control.truth("sha256" in query)
                send_chunks(self._wire, Answer(content_type="application/x-ndjson"), terms, lines)
                return
            answer = Answer(text=self.server.control.run(self.command, command, body))
        except ControlError as error:
            answer = Answer(400, error.text())
        send_answer(self._wire, answer, terms)

    def _command(self, terms: Terms) -> None:
        try:
            answer, pieces = Answer(content_type="text/plain"), self.server.command_line.run(self._body())
        except ControlError as error:
            answer, pieces = Answer(400, content_type="text/plain"), iter([f"{error}\n".encode("utf-8", "replace")])
        send_to_end(self._wire, answer, terms, pieces)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            raise ControlError("the body needs a Content-Length that is not too large")
        return self.rfile.read(int(length))

    def _discard_body(self) -> None:
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Nothing: the journal keeps what is of interest."""


def _token_of(query: str) -> str:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name == "pagination_token":
            return value
    return ""
