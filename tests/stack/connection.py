"""One client's connection: sending, waiting and breaking off, with nothing that can outlast the server or the client."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
from typing import Callable, Optional

_TICK = 0.05  # how long a stop or a disconnect can go unnoticed, seconds


class ConnectionOver(Exception):
    """The connection cannot be used any more; the handler returns."""


class Connection:
    """Wraps a connected socket. Used by one thread; `stop` is set by another when the server ends."""

    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self._socket = sock
        self._stop = stop
        self.sent = 0
        self.note_body: Callable[[int], None] = lambda _: None  # told how much of a body is about to be sent

    def send(self, data: bytes, head: int = 0) -> None:
        """Sends all of it, or raises ConnectionOver. So many bytes of it, the first ones, are of no body."""
        self.note_body(len(data) - head)
        try:
            self._socket.sendall(data)
        except OSError:
            raise ConnectionOver from None
        self.sent += len(data)

    def wait(self, seconds: float, released: Optional[threading.Event] = None) -> None:
        """Waits that long; ConnectionOver as soon as the server stops, the client leaves or `released` is set."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if self._stop.is_set() or (released is not None and released.is_set()) or self._left():
                raise ConnectionOver
            if left <= 0:
                return
            self._stop.wait(min(left, _TICK))

    def _left(self) -> bool:
        """Whether the client has closed its side. More requests waiting to be read do not count as that."""
        try:
            readable, _, _ = select.select([self._socket], [], [], 0)
            return bool(readable) and not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except (OSError, ValueError):
            return True

    def reset(self) -> None:
        """Ends the connection with a RST, at once."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self._socket.detach())
        except OSError:
            pass
        raise ConnectionOver
