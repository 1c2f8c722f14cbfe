"""boto 2 with its own request logger, for the tests that need the real thing."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.util
import queue
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest

needed = pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="boto 2 itself does not import on Python 3.12 and later (no `imp`, and its copy of six is too old)",
)
"""For tests that import boto 2. On 3.11 a boto that is missing is a failure."""


@functools.cache
def boto() -> ModuleType:
    """Return boto, with the modules that the tests use."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "_SixMetaPathImporter", ImportWarning)
        warnings.filterwarnings("ignore", "the imp module is deprecated", DeprecationWarning)
        for name in ("dynamodb2.layer1", "ec2.connection", "ec2.regioninfo", "plugin", "s3.connection", "utils"):
            importlib.import_module(f"boto.{name}")
    # From now on every import asks boto's copy of six, in a way of which Python warns; later releases of six answer so.
    for finder in sys.meta_path:
        if type(finder).__name__ == "_SixMetaPathImporter" and not hasattr(finder, "find_spec"):
            type(finder).find_spec = _find_spec  # type: ignore[method-assign]
            type(finder).create_module = lambda self, spec: self.load_module(spec.name)  # type: ignore[attr-defined]
            type(finder).exec_module = lambda self, module: None  # type: ignore[attr-defined]
    return sys.modules["boto"]


def _find_spec(self: Any, name: str, path: Any = None, target: Any = None) -> Any:
    return importlib.util.spec_from_loader(name, self) if name in self.known_modules else None


def original() -> ModuleType:
    """Return ``boto.requestlog``, which asks for the queue module by the name that it had in Python 2."""
    boto()
    sys.modules.setdefault("Queue", queue)
    return importlib.import_module("boto.requestlog")


def ec2(port: int, **options: Any) -> Any:
    """Return a connection to an EC2 at a port of this machine."""
    ec2 = boto().ec2
    region = ec2.regioninfo.RegionInfo(name="us-west-2", endpoint="127.0.0.1")
    connection = ec2.connection.EC2Connection("key", "secret", is_secure=False, port=port, region=region, **options)
    # It would read both off the name of the host.
    connection.auth_service_name, connection.auth_region_name = "ec2", "us-west-2"
    return _opened(connection)


def s3(port: int) -> Any:
    """Return a connection to an S3 at a port of this machine."""
    connection = boto().s3.connection
    made = connection.S3Connection(
        "key", "secret", is_secure=False, port=port, host="127.0.0.1",
        calling_format=connection.OrdinaryCallingFormat(),
    )  # fmt: skip
    return _opened(made)


def dynamodb(port: int) -> Any:
    """Return a connection to a DynamoDB at a port of this machine."""
    region = boto().regioninfo.RegionInfo(name="us-west-2", endpoint="127.0.0.1")
    connection = boto().dynamodb2.layer1.DynamoDBConnection(
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        is_secure=False,
        port=port,
        host="127.0.0.1",
        region=region,
    )
    connection.auth_service_name, connection.auth_region_name = "dynamodb", "us-west-2"
    return _opened(connection)


_connections: list[Any] = []


def _opened(connection: Any) -> Any:
    _connections.append(connection)
    return connection


@contextlib.contextmanager
def closing() -> Iterator[None]:
    """Close the sockets of connections in the end, which boto leaves to the collector."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
        yield
        for connection in _connections:
            for pool in connection._pool.host_to_pool.values():
                for http, _ in pool.queue:
                    http.close()
        if _connections:
            _connections.clear()
            gc.collect()  # those that it had replaced


class Request:
    """As much of boto's request as its logger looks at."""

    def __init__(self, action: str | None = "DescribeVolumes", start_time: datetime | None = None) -> None:
        self.params = {} if action is None else {"Action": action}
        self.start_time = datetime.now() if start_time is None else start_time


class Response:
    """As much of boto's response as its logger looks at."""

    def __init__(self, status: int = 200, length: str | None = "183") -> None:
        self.status = status
        self._length = length

    def getheader(self, name: str, default: str | None = None) -> str | None:
        return self._length if name.lower() == "content-length" else default


@contextlib.contextmanager
def attempts(count: int) -> Iterator[None]:
    """Have boto send a request so often at most, without sleeping in between."""
    config = boto().config
    assert not config.has_section("Boto")
    config.add_section("Boto")
    config.set("Boto", "num_retries", str(count - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["boto.connection"], "random", NoChance)  # it sleeps for a random part of a second
        yield
    config.remove_section("Boto")


class NoChance:
    @staticmethod
    def random() -> float:
        return 0.0
