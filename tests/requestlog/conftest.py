"""Servers, credentials that are nobody's, and the package under test over each core."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest

from support import boto2
from support.aws_servers import Moto, one_moto


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Moto]:
    yield from one_moto()


@pytest.fixture
def moto(moto_server: Moto) -> Moto:
    """A moto server without any resources."""
    moto_server.reset()
    return moto_server


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Give AWS libraries made-up credentials, and no configuration but the test's."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_sockets_left() -> Iterator[None]:
    with boto2.closing():
        yield


@pytest.fixture
def requestlog(goanna: ModuleType) -> ModuleType:
    """``goanna.requestlog`` over the core under test."""
    return importlib.import_module("goanna.requestlog")


@pytest.fixture
def heard(requestlog: ModuleType) -> Any:
    """A listener that keeps what it hears.

    Attributes:
        calls: the events of calls.
        attempts: those of attempts.
    """

    class Heard(requestlog.RequestListener):
        def __init__(self) -> None:
            self.calls: list[Any] = []
            self.attempts: list[Any] = []

        def completed(self, event: Any) -> None:
            assert type(event) is requestlog.RequestCompleted
            self.calls.append(event)

        def failed(self, event: Any) -> None:
            assert type(event) is requestlog.RequestFailed
            self.calls.append(event)

        def attempted(self, event: Any) -> None:
            assert type(event) is requestlog.RequestAttempt
            self.attempts.append(event)

    return Heard()


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Return what returns the line of boto's logger at a moment; nothing is written."""
    module = boto2.original()

    class NoThread:
        def __init__(self, target: Any) -> None: ...

        def start(self) -> None: ...

    monkeypatch.setattr(module, "Thread", NoThread)
    logger = module.RequestLogger(str(tmp_path / "theirs.csv"))
    logger.request_log_file.close()

    def line(request: Any, response: Any, error: bool = False, now: float | None = None) -> str:
        class Then(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now() if now is None else datetime.fromtimestamp(now)

        monkeypatch.setattr(module, "datetime", Then)
        logger.handle_request_data(request, response, **({"error": True} if error else {}))
        return str(logger.request_log_queue.get_nowait())

    return line
