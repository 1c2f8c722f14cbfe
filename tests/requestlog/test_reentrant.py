"""What a listener calls itself, of a client that it listens to, it is not told of."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

import boto3
import pytest

from support.aws_servers import Moto


@pytest.fixture
def client(moto: Moto) -> Any:
    return boto3.client("ec2", endpoint_url=moto.url)


@pytest.mark.parametrize("attempts", [False, True])
def test_a_listener_that_calls_the_client(
    goanna: ModuleType, requestlog: ModuleType, client: Any, attempts: bool
) -> None:
    class Ships(requestlog.RequestListener):
        told = 0

        def completed(self, event: Any) -> None:
            self.told += 1
            client.describe_volumes()

        attempted = completed

    for listener in (Ships(), goanna.queued(Ships()), goanna.queued(Ships(), context="capture")):
        ships = getattr(listener, "listener", listener)
        with requestlog.attach(client, listener, attempts=attempts):
            client.describe_volumes()
            if listener is not ships:
                assert listener.close(60) == 0
                assert listener.stats().failed == 0
            client.describe_volumes()
        assert ships.told == (1 + attempts) * (1 + (listener is ships))


def test_a_hook_that_calls_the_client(requestlog: ModuleType, client: Any) -> None:
    class Hook:
        told = 0

        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            self.told += 1
            client.describe_volumes()

    hook = Hook()
    with requestlog.attach(client, hook):
        client.describe_volumes()
    assert hook.told == 1


def test_a_log_handler_that_ships_with_boto3(requestlog: ModuleType, client: Any) -> None:
    class Ships(logging.Handler):
        told = 0

        def emit(self, record: logging.LogRecord) -> None:
            self.told += 1
            client.describe_volumes()

    handler = Ships()
    logger = requestlog.RequestLogger(handler=handler)
    with requestlog.attach(client, logger):
        client.describe_volumes()
        assert logger.flush(60) == 0
        logger.close(60)
    assert handler.told == 1
    assert logger.stats().dropped == {"reentrant": 1}


def test_who_asks_for_it_is_told_of_all(requestlog: ModuleType, client: Any) -> None:
    class Ships(requestlog.RequestListener):
        told = 0

        def completed(self, event: Any) -> None:
            self.told += 1
            if self.told < 4:
                client.describe_volumes()

    ships = Ships()
    with requestlog.attach(client, ships, reentrant="deliver"):
        client.describe_volumes()
    assert ships.told == 4
    for make in (
        lambda: requestlog.attach(client, ships, reentrant="no"),
        lambda: requestlog.RequestHooks(reentrant=1),
    ):
        with pytest.raises(ValueError, match='reentrant is .*; it must be "drop" or "deliver"'):
            make()


def test_a_muted_call(goanna: ModuleType, requestlog: ModuleType, client: Any, heard: Any) -> None:
    with requestlog.attach(client, heard):
        with goanna.muted():
            client.describe_volumes()
        client.describe_volumes()
    assert len(heard.calls) == 1


def test_hooks_of_boto_2(goanna: ModuleType, requestlog: ModuleType, heard: Any) -> None:
    """A hook that makes requests of its own is not told of them."""

    class Hook:
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            self.seen.append(request)
            if len(self.seen) < 5:
                hooks.handle_request_data("nested", None, True)

    for options, count in (({}, 1), ({"reentrant": "deliver"}, 5)):
        hook = Hook()
        hooks = requestlog.RequestHooks(hooks=[hook], **options)
        hooks.handle_request_data("first", None, True)
        assert len(hook.seen) == count
    with goanna.muted():
        hooks.handle_request_data("muted", None, True)
    assert len(hook.seen) == 5
