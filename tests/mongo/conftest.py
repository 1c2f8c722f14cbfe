"""Servers, the stock methods and goanna's in turn, and a look at what a test leaves behind."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import common, monitoring

from mongo.server import Server
from support.cores import backends, copy_of

REAL = os.environ.get("GOANNA_TEST_MONGODB_URI")
"""A real server to run the same tests against."""


def published() -> dict[str, Any]:
    """Return the methods that the driver publishes with."""
    return {name: member for name, member in vars(monitoring._EventListeners).items() if name.startswith("publish_")}


STOCK = published()


@pytest.fixture(params=["stock", *backends()])
def installed(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test with PyMongo as it is, and with its methods replaced by those over each core."""
    mode: str = request.param
    if mode == "stock":
        assert published() == STOCK
        yield mode
        assert published() == STOCK
        return
    with copy_of(mode).active() as goanna:
        assert goanna is not None
        goanna.install()
        try:
            assert published() != STOCK
            yield mode
        finally:
            goanna.uninstall()
    assert published() == STOCK


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a registry of its own: what is registered can't be taken back."""
    mine = monitoring._Listeners(*(list(one) for one in monitoring._LISTENERS))
    monkeypatch.setattr(monitoring, "_LISTENERS", mine)


@pytest.fixture(scope="session")
def server() -> Iterator[Server | None]:
    """A server of our own, unless there is a real one to use."""
    if REAL:
        yield None
        return
    with contextlib.closing(Server()) as mine:
        yield mine


@pytest.fixture(scope="session")
def uri(server: Server | None) -> str:
    return REAL or server.uri  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver's threads look every few milliseconds whether there is something to do, or whether to end."""
    for name in ("MIN_HEARTBEAT_INTERVAL", "KILL_CURSOR_FREQUENCY", "EVENTS_QUEUE_FREQUENCY"):
        monkeypatch.setattr(common, name, 0.02)


@pytest.fixture(autouse=True)
def nothing_left_behind(no_rest: None) -> Iterator[None]:
    """Fail if a client's threads outlive the test."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("pymongo"):
            thread.join(10)
            assert not thread.is_alive(), thread
