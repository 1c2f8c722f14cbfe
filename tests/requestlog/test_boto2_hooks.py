"""Hooks on real connections of boto 2: what they are told, and that nothing they do comes back."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from support import boto2
from support.aws_servers import EC2_EMPTY, UNAVAILABLE, Answer, Moto, scripted
from support.boto2 import Request, Response

ZONE = "us-west-2a"


@pytest.fixture
def two_attempts() -> Iterator[None]:
    with boto2.attempts(2):
        yield


def facts(event: Any) -> tuple[Any, ...]:
    return type(event).__name__, event.service, event.operation, event.status, event.bytes


@pytest.fixture
def hub(goanna: ModuleType, requestlog: ModuleType, heard: Any) -> Any:
    hub = goanna.Dispatcher(requestlog.RequestListener)
    hub.add(heard)
    return hub


@boto2.needed
def test_what_listeners_hear(requestlog: ModuleType, hub: Any, heard: Any, moto: Moto) -> None:
    connection = boto2.ec2(moto.port)
    connection.set_request_hook(requestlog.RequestHooks(hub))
    assert connection.get_all_volumes() == []
    with pytest.raises(boto2.boto().exception.EC2ResponseError):
        connection.get_all_volumes(["vol-00000000"])
    completed, failed = heard.calls
    assert facts(completed) == ("RequestCompleted", "ec2", "DescribeVolumes", 200, completed.bytes)
    assert facts(failed) == ("RequestFailed", "ec2", "DescribeVolumes", 400, failed.bytes)
    for event in heard.calls:
        assert event.bytes > 0
        assert 0 < event.duration < 60
        assert event.attempts is event.error is event.code is None


@boto2.needed
def test_s3_and_dynamodb_have_operations_too(requestlog: ModuleType, hub: Any, heard: Any, moto: Moto) -> None:
    hook = requestlog.RequestHooks(hub)
    storage, tables = boto2.s3(moto.port), boto2.dynamodb(moto.port)
    storage.set_request_hook(hook)
    tables.set_request_hook(hook)
    bucket = storage.create_bucket("bucket")
    key = bucket.new_key("some/key")
    key.set_contents_from_string("hello")
    assert key.get_contents_as_string() == b"hello"
    bucket.get_acl()
    assert [one.name for one in bucket.list()] == ["some/key"]
    storage.get_all_buckets()
    key.delete()
    tables.list_tables()
    assert [one.operation for one in heard.calls] == [
        "PUT Bucket", "PUT Object", "GET Object", "GET Bucket acl", "GET Bucket", "GET Service", "DELETE Object",
        "ListTables",
    ]  # fmt: skip
    assert heard.calls[2].bytes == 5
    assert heard.calls[-1].service == "dynamodb"


@boto2.needed
@pytest.mark.usefixtures("two_attempts")
def test_an_oserror_in_a_hook_makes_boto_send_again(moto: Moto) -> None:
    """What the original does: this is why ours let nothing out."""

    class Hook(boto2.boto().utils.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            raise OSError("the disk is full")

    connection = boto2.ec2(moto.port)
    connection.set_request_hook(Hook())
    with pytest.raises(OSError, match="the disk is full"):
        connection.create_volume(1, ZONE)
    connection.set_request_hook(None)
    assert len(connection.get_all_volumes()) == 2


@boto2.needed
@pytest.mark.usefixtures("two_attempts")
@pytest.mark.parametrize("way", ["subclass", "subclass of it", "listener", "raising dispatcher", "foreign hook"])
def test_nothing_that_a_hook_of_ours_does_makes_boto_send_again(
    goanna: ModuleType, requestlog: ModuleType, moto: Moto, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    class Hook(requestlog.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            calls.append(error)
            raise OSError("the disk is full")

    class Below(Hook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            super().handle_request_data(request, response, error=error)
            raise ConnectionResetError("the disk is full, below")

    class Foreign:
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            calls.append(error)
            raise OSError("the disk is full")

    class Listener(requestlog.RequestListener):
        def completed(self, event: Any) -> None:
            calls.append(False)
            raise OSError("the disk is full")

    hub = goanna.Dispatcher(requestlog.RequestListener, errors="raise" if way == "raising dispatcher" else "log")
    hook = requestlog.RequestHooks(hub, [Foreign()] if way == "foreign hook" else [])
    if way in ("listener", "raising dispatcher"):
        hub.add(Listener())
    elif way != "foreign hook":
        hook = Hook() if way == "subclass" else Below()
    connection = boto2.ec2(moto.port)
    connection.set_request_hook(hook)
    with caplog.at_level(logging.ERROR, "goanna"):
        volume = connection.create_volume(1, ZONE)
    assert volume.id.startswith("vol-")
    assert calls == [False]
    connection.set_request_hook(None)
    assert [one.id for one in connection.get_all_volumes()] == [volume.id], "it was created once"
    assert "the disk is full" in caplog.text
    assert len(caplog.records) == (2 if way == "subclass of it" else 1)


@boto2.needed
@pytest.mark.usefixtures("two_attempts")
def test_retries_are_one_call(requestlog: ModuleType, hub: Any, heard: Any) -> None:
    with scripted(UNAVAILABLE, EC2_EMPTY) as server:
        connection = boto2.ec2(server.port)
        connection.set_request_hook(requestlog.RequestHooks(hub))
        assert connection.get_all_volumes() == []
    assert len(server.requests) == 2
    (event,) = heard.calls
    assert facts(event) == ("RequestCompleted", "ec2", "DescribeVolumes", 200, len(EC2_EMPTY.body))
    assert event.request_id == "12345"


@boto2.needed
@pytest.mark.usefixtures("two_attempts")
def test_giving_up_after_errors(requestlog: ModuleType, hub: Any, heard: Any) -> None:
    with scripted(UNAVAILABLE) as server:
        connection = boto2.ec2(server.port)
        connection.set_request_hook(requestlog.RequestHooks(hub))
        with pytest.raises(boto2.boto().exception.BotoServerError):
            connection.get_all_volumes()
    assert len(server.requests) == 2
    (event,) = heard.calls
    assert facts(event) == ("RequestFailed", "ec2", "DescribeVolumes", 503, 0)


@boto2.needed
@pytest.mark.usefixtures("two_attempts")
def test_giving_up_without_an_answer(requestlog: ModuleType, hub: Any, heard: Any) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        connection = boto2.ec2(nobody.getsockname()[1])
        connection.set_request_hook(requestlog.RequestHooks(hub))
        with pytest.raises(ConnectionRefusedError):
            connection.get_all_volumes()
    (event,) = heard.calls
    assert facts(event) == ("RequestFailed", "ec2", "DescribeVolumes", None, 0)


@boto2.needed
def test_a_redirect_is_no_call_of_its_own(requestlog: ModuleType, hub: Any, heard: Any) -> None:
    with scripted(EC2_EMPTY) as there, scripted(Answer(302, b"", {"Location": f"{there.url}/"})) as here:
        connection = boto2.ec2(here.port)
        connection.set_request_hook(requestlog.RequestHooks(hub))
        connection.get_all_volumes()
    assert len(here.requests) == len(there.requests) == 1
    assert [one.status for one in heard.calls] == [200]


@boto2.needed
def test_a_chunked_answer_has_no_length_and_its_body_stays(requestlog: ModuleType, hub: Any, heard: Any) -> None:
    with scripted(EC2_EMPTY._replace(chunked=True)) as server:
        connection = boto2.ec2(server.port)
        connection.set_request_hook(requestlog.RequestHooks(hub))
        assert connection.get_all_volumes() == []
    assert [one.bytes for one in heard.calls] == [None]


@boto2.needed
def test_any_number_of_hooks(requestlog: ModuleType, hub: Any, heard: Any, moto: Moto) -> None:
    seen = []

    class Hook(requestlog.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            seen.append((request.params["Action"], response.status, response.read(), error))

    connection = boto2.ec2(moto.port)
    connection.set_request_hook(requestlog.RequestHooks(hub, [Hook(), Hook()]))
    assert connection.get_all_volumes() == []
    assert len(heard.calls) == 1
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert seen[0][:2] == ("DescribeVolumes", 200)


def test_a_base_exception_is_not_held_back(requestlog: ModuleType) -> None:
    class Hook(requestlog.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Hook().handle_request_data(Request(), Response())


@pytest.mark.parametrize("kind", [RecursionError, MemoryError])
def test_an_exhausted_stack_ends_the_row_of_hooks(
    goanna: ModuleType, requestlog: ModuleType, kind: type[Exception]
) -> None:
    class Hook(requestlog.RequestHook):  # type: ignore[name-defined,misc]
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            called.append(self)
            raise kind

    called: list[Any] = []
    hooks = requestlog.RequestHooks(goanna.Dispatcher(requestlog.RequestListener), [Hook(), Hook()])
    with pytest.raises(kind):
        hooks.handle_request_data(Request(), Response())
    assert len(called) == 1


def test_the_base_does_nothing(requestlog: ModuleType) -> None:
    assert requestlog.RequestHook().handle_request_data(None, None, error=True) is None


def test_a_guarded_hook_keeps_its_name(requestlog: ModuleType) -> None:
    class Hook(requestlog.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            """Say what it does."""

    assert Hook.handle_request_data.__doc__ == "Say what it does."
    assert Hook.handle_request_data.__qualname__.endswith("Hook.handle_request_data")


def test_a_hook_that_would_have_to_be_awaited(requestlog: ModuleType) -> None:
    with pytest.raises(TypeError, match=r"handle_request_data\(\) must be an ordinary function"):

        class Hook(requestlog.RequestHook):
            async def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None: ...


def test_nothing_is_built_for_nobody(goanna: ModuleType, requestlog: ModuleType) -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    requestlog.RequestHooks(goanna.Dispatcher(requestlog.RequestListener)).handle_request_data(
        Untouchable(), Untouchable()
    )


def test_a_request_that_is_unlike_any_other_is_logged(
    requestlog: ModuleType, hub: Any, heard: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Awkward(Response):
        def __init__(self) -> None: ...

    with caplog.at_level(logging.ERROR, "goanna"):
        requestlog.RequestHooks(hub).handle_request_data(Request(), Awkward())
    assert not heard.calls
    assert "failed on Request" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((object(),), r"RequestHooks\(\) takes a goanna.Dispatcher, not object"),
        ((None, [object()]), r"RequestHooks\(\) takes a hook with a method handle_request_data"),
        ((None, [Request]), r"RequestHooks\(\) takes a hook object, not the class Request; call it first"),
    ],
)
def test_wrong_arguments(requestlog: ModuleType, arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        requestlog.RequestHooks(*arguments)


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("ec2.us-west-2.amazonaws.com", "ec2"),
        ("ec2.amazonaws.com:443", "ec2"),
        ("ec2.cn-north-1.amazonaws.com.cn", "ec2"),
        ("s3.amazonaws.com", "s3"),
        ("s3-us-west-2.amazonaws.com", "s3"),
        ("bucket.name.s3.amazonaws.com", "s3"),
        ("queue.amazonaws.com", "queue"),
        ("127.0.0.1", None),
        ("amazonaws.com", None),
        ("storage.googleapis.com", None),
        (None, None),
    ],
)
@pytest.mark.usefixtures("backend")
def test_the_service_is_read_off_the_host(host: str | None, service: str | None) -> None:
    from goanna.requestlog import _boto2

    assert _boto2._service(host) == service


@pytest.mark.parametrize(
    ("service", "path", "operation"),
    [
        ("s3", "/", "GET Service"),
        ("s3", "/bucket/", "GET Bucket"),
        ("s3", "/bucket", "GET Bucket"),
        ("s3", "/bucket/?acl", "GET Bucket acl"),
        ("s3", "/bucket/?prefix=a&delimiter=/", "GET Bucket"),
        ("s3", "/bucket/a/b", "GET Object"),
        ("s3", "/bucket/a?uploadId=1&partNumber=2", "GET Object"),
        ("s3", "/bucket/a?torrent", "GET Object torrent"),
        (None, "/bucket/a", "GET Object"),
        ("glacier", "/-/vaults", "GET /-/vaults"),
        ("cloudsearch", "/?Action=DescribeDomains", "DescribeDomains"),
    ],
)
@pytest.mark.usefixtures("backend")
def test_operations_of_services_without_actions(service: str | None, path: str, operation: str) -> None:
    from goanna.requestlog import _boto2

    assert _boto2._operation(service, "GET", path, None) == operation


@pytest.mark.usefixtures("backend")
def test_the_target_names_the_operation() -> None:
    from goanna.requestlog import _boto2

    for target in ("DynamoDB_20120810.ListTables", b"DynamoDB_20120810.ListTables", "ListTables"):
        assert _boto2._operation("dynamodb", "POST", "/", target) == "ListTables"
