"""The wire server with documents of the tests, and with a command that it holds until it is told to answer."""

from __future__ import annotations

import threading
from typing import Any

from goanna.cli.demo import wire_server

DOCUMENTS = [{"_id": number, "total": number * 1.5} for number in range(5)]


class Server(wire_server.Server):
    """``stop`` and ``start`` on the same port, ``hold`` and ``release`` of the commands called hold."""

    def __init__(self) -> None:
        super().__init__(documents=DOCUMENTS, replies={"hold": self._held})
        self._released = threading.Event()
        self.hold = self._released.clear
        self.release = self._released.set
        self.start()

    def _held(self, command: dict[str, Any]) -> dict[str, Any]:
        self._released.wait()
        return {"ok": 1.0}

    def close(self) -> None:
        self.stop()
        self.release()
