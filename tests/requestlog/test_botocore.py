"""attach() on real boto3 clients, against moto and against a server that answers as told."""

from __future__ import annotations

import gc
import io
import logging
import socket
import threading
import weakref
from types import ModuleType
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from support.aws_servers import EC2_EMPTY, UNAVAILABLE, Answer, Moto, scripted

RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=5)
S3_PATHS = Config(s3={"addressing_style": "path"})


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore try again at once."""
    from botocore.retries import standard

    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda self, context: 0.001)


def ec2(url: str, config: Config | None = None) -> Any:
    return boto3.client("ec2", endpoint_url=url, config=config)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def facts(event: Any) -> tuple[Any, ...]:
    return event.service, event.operation, event.status, event.attempts, event.code


def test_a_call_that_succeeds(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client = ec2(moto.url)
    requestlog.attach(client, heard)
    answer = client.describe_volumes()
    (event,) = heard.calls
    assert type(event) is requestlog.RequestCompleted
    assert facts(event) == ("ec2", "DescribeVolumes", 200, 1, None)
    assert event.error is None
    assert event.request_id == answer["ResponseMetadata"]["RequestId"]
    assert event.bytes == int(answer["ResponseMetadata"]["HTTPHeaders"]["content-length"])
    assert 0 < event.duration < 60
    assert not heard.attempts, "nobody asked for them"


def test_an_answer_that_is_an_error(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client = ec2(moto.url)
    requestlog.attach(client, heard)
    with pytest.raises(ClientError) as caught:
        client.describe_volumes(VolumeIds=["vol-00000000"])
    (event,) = heard.calls
    assert type(event) is requestlog.RequestFailed
    assert facts(event) == ("ec2", "DescribeVolumes", 400, 1, "InvalidVolume.NotFound")
    assert event.bytes > 0
    assert isinstance(event.error, ClientError)
    assert str(event.error) == str(caught.value)
    assert event.error.response == caught.value.response


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("mode", ["standard", "legacy"])
def test_two_errors_and_then_an_answer(
    requestlog: ModuleType, heard: Any, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore import retryhandler

    monkeypatch.setattr(retryhandler, "delay_exponential", lambda base, growth_factor, attempts: 0.001)
    config = RETRIES.merge(Config(retries={"mode": mode, "total_max_attempts": 3}))
    with scripted(UNAVAILABLE, UNAVAILABLE, EC2_EMPTY) as server:
        client = ec2(server.url, config)
        requestlog.attach(client, heard, attempts=True)
        client.describe_volumes()
    assert len(server.requests) == 3
    (event,) = heard.calls
    assert facts(event) == ("ec2", "DescribeVolumes", 200, 3, None)
    assert event.request_id == "12345"
    assert [facts(one) for one in heard.attempts] == [
        ("ec2", "DescribeVolumes", 503, 1, "Unavailable"),
        ("ec2", "DescribeVolumes", 503, 2, "Unavailable"),
        ("ec2", "DescribeVolumes", 200, 3, None),
    ]
    assert [type(one.error) for one in heard.attempts] == [ClientError, ClientError, type(None)]
    assert sum(one.duration for one in heard.attempts) <= event.duration
    assert [one.bytes for one in heard.attempts] == [len(one.body) for one in (UNAVAILABLE, UNAVAILABLE, EC2_EMPTY)]


@pytest.mark.usefixtures("no_backoff")
def test_errors_to_the_end(requestlog: ModuleType, heard: Any) -> None:
    with scripted(UNAVAILABLE) as server:
        client = ec2(server.url, RETRIES)
        requestlog.attach(client, heard)
        with pytest.raises(ClientError):
            client.describe_volumes()
    (event,) = heard.calls
    assert facts(event) == ("ec2", "DescribeVolumes", 503, 3, "Unavailable")


@pytest.mark.usefixtures("no_backoff")
def test_a_refused_connection(requestlog: ModuleType, heard: Any) -> None:
    client = ec2(f"http://127.0.0.1:{free_port()}", RETRIES)
    requestlog.attach(client, heard, attempts=True)
    with pytest.raises(EndpointConnectionError) as caught:
        client.describe_volumes()
    (event,) = heard.calls
    assert type(event) is requestlog.RequestFailed
    assert facts(event) == ("ec2", "DescribeVolumes", None, 3, "EndpointConnectionError")
    assert event.error is caught.value
    assert event.bytes is event.request_id is None
    assert [facts(one) for one in heard.attempts] == [
        ("ec2", "DescribeVolumes", None, number, "EndpointConnectionError") for number in (1, 2, 3)
    ]


def test_a_streamed_body_stays_the_callers(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client = boto3.client("s3", endpoint_url=moto.url, config=S3_PATHS)
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="key", Body=b"x" * 1000)
    requestlog.attach(client, heard)
    answer = client.get_object(Bucket="bucket", Key="key")
    (event,) = heard.calls
    assert facts(event) == ("s3", "GetObject", 200, 1, None)
    assert event.bytes == 1000
    assert answer["Body"].read() == b"x" * 1000


@pytest.mark.parametrize(
    ("operation", "arguments", "size"), [("get_object", {"Key": "key"}, None), ("list_objects_v2", {}, 9)]
)
def test_a_length_that_is_not_announced(
    requestlog: ModuleType, heard: Any, operation: str, arguments: dict[str, str], size: int | None
) -> None:
    body = b"<Answer/>"
    with scripted(Answer(200, body, chunked=True)) as server:
        client = boto3.client("s3", endpoint_url=server.url, config=S3_PATHS)
        requestlog.attach(client, heard, attempts=True)
        answer = getattr(client, operation)(Bucket="bucket", **arguments)
        if size is None:
            assert answer["Body"].read() == body
    assert [one.bytes for one in heard.calls + heard.attempts] == [size, size]


def test_each_page_is_a_call(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client = boto3.client("s3", endpoint_url=moto.url, config=S3_PATHS)
    client.create_bucket(Bucket="bucket")
    for number in range(5):
        client.put_object(Bucket="bucket", Key=str(number), Body=b"")
    requestlog.attach(client, heard)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": 2})
    assert [one["Key"] for page in pages for one in page["Contents"]] == ["0", "1", "2", "3", "4"]
    assert [one.operation for one in heard.calls] == ["ListObjectsV2"] * 3


def test_a_transfer_in_worker_threads(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    from boto3.s3.transfer import TransferConfig

    threads = set()
    completed = heard.completed
    heard.completed = lambda event: (threads.add(threading.current_thread().name), completed(event))[1]
    client = boto3.client("s3", endpoint_url=moto.url, config=S3_PATHS)
    client.create_bucket(Bucket="bucket")
    requestlog.attach(client, heard)
    mb = 1024 * 1024
    data = bytes(11 * mb)
    config = TransferConfig(multipart_threshold=5 * mb, multipart_chunksize=5 * mb, max_concurrency=3)
    client.upload_fileobj(io.BytesIO(data), "bucket", "key", Config=config)
    assert sorted(one.operation for one in heard.calls) == [
        "CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart", "UploadPart", "UploadPart",
    ]  # fmt: skip
    assert threads
    assert threading.current_thread().name not in threads
    got = io.BytesIO()
    client.download_fileobj("bucket", "key", got, Config=config)
    assert got.getvalue() == data
    assert {one.status for one in heard.calls} == {200, 206}


def test_dynamodb_and_sqs(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    session = boto3.Session()
    requestlog.attach(session, heard)
    tables = session.client("dynamodb", endpoint_url=moto.url)
    tables.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.put_item(TableName="t", Item={"k": {"S": "1"}})
    with pytest.raises(tables.exceptions.ResourceNotFoundException):
        tables.get_item(TableName="u", Key={"k": {"S": "1"}})
    queues = session.resource("sqs", endpoint_url=moto.url)
    queues.create_queue(QueueName="q").send_message(MessageBody="hello")
    assert [(one.service, one.operation, one.code) for one in heard.calls] == [
        ("dynamodb", "CreateTable", None),
        ("dynamodb", "PutItem", None),
        ("dynamodb", "GetItem", "ResourceNotFoundException"),
        ("sqs", "CreateQueue", None),
        ("sqs", "SendMessage", None),
    ]


def test_a_wrong_parameter_is_no_call_and_leaves_nothing(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    from goanna.requestlog import _botocore

    made: list[weakref.ref[Any]] = []

    class Call(_botocore._Call):
        __slots__ = ("__weakref__",)

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(weakref.ref(self))

    client = ec2(moto.url)
    requestlog.attach(client, heard)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_botocore, "_Call", Call)
        for _ in range(3):
            with pytest.raises(ParamValidationError):
                client.describe_volumes(VolumeIds="no list")
        client.describe_volumes()
    gc.collect()
    assert len(made) == 4
    assert [one() for one in made] == [None] * 4
    assert [one.operation for one in heard.calls] == ["DescribeVolumes"]


def test_an_error_that_comes_before_anything_is_sent(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    from botocore.exceptions import NoCredentialsError
    from botocore.session import Session

    session = Session()
    session.get_component("credential_provider").providers.clear()
    client = session.create_client("ec2", "us-east-1", endpoint_url=moto.url)
    requestlog.attach(client, heard, attempts=True)
    with pytest.raises(NoCredentialsError) as caught:
        client.describe_volumes()
    (event,) = heard.calls
    assert facts(event) == ("ec2", "DescribeVolumes", None, 0, "NoCredentialsError")
    assert event.error is caught.value
    assert not heard.attempts, "none was sent"


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("mode", ["standard", "legacy"])
def test_an_answer_of_200_with_an_error_in_its_body(
    requestlog: ModuleType, heard: Any, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore import retryhandler

    monkeypatch.setattr(retryhandler, "delay_exponential", lambda base, growth_factor, attempts: 0.001)
    kind = {"Content-Type": "application/xml"}
    bad = Answer(200, b"<Error><Code>InternalError</Code><Message>later</Message></Error>", kind)
    good = Answer(200, b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>", kind)
    config = S3_PATHS.merge(Config(retries={"mode": mode, "total_max_attempts": 2}))
    with scripted(bad, good, bad) as server:
        client = boto3.client("s3", endpoint_url=server.url, config=config)
        requestlog.attach(client, heard, attempts=True)
        client.copy_object(Bucket="bucket", Key="key", CopySource="bucket/other")
        with pytest.raises(ClientError):
            client.copy_object(Bucket="bucket", Key="key", CopySource="bucket/other")
    failed = ("s3", "CopyObject", 500, 1, "InternalError")
    assert [facts(one) for one in heard.attempts] == [
        failed, ("s3", "CopyObject", 200, 2, None), failed, ("s3", "CopyObject", 500, 2, "InternalError"),
    ]  # fmt: skip
    assert [one.error is not None for one in heard.attempts] == [True, False, True, True]
    assert [facts(one) for one in heard.calls] == [
        ("s3", "CopyObject", 200, 2, None), ("s3", "CopyObject", 500, 2, "InternalError"),
    ]  # fmt: skip


class Interrupt(BaseException):
    """Such as KeyboardInterrupt, or the one of a greenlet's end."""


@pytest.mark.parametrize("through", ["client", "session", "resource", "both"])
@pytest.mark.parametrize(
    ("step", "raised", "status"),
    [("before-send", Interrupt, None), ("after-call", Interrupt, 200), ("after-call", RuntimeError, 200)],
)
def test_what_was_sent_has_one_end(
    requestlog: ModuleType, heard: Any, moto: Moto, through: str, step: str, raised: type[BaseException], status: Any
) -> None:
    session = boto3.Session()
    if through in ("session", "both"):
        requestlog.attach(session, heard)
    made = session.resource("ec2", endpoint_url=moto.url)
    client = made.meta.client
    if through in ("client", "both"):
        requestlog.attach(client, heard)
    elif through == "resource":
        requestlog.attach(made, heard)
    ends = 2 if through == "both" else 1
    old = Old()
    requestlog.attach(client, old)
    error = raised("stop")

    def stop(**_: Any) -> None:
        raise error

    client.meta.events.register(step, stop)
    with pytest.raises(raised):
        client.describe_volumes()
    assert [facts(one) for one in heard.calls] == [("ec2", "DescribeVolumes", status, 1, raised.__name__)] * ends
    assert all(one.error is error and one.duration > 0 for one in heard.calls)
    assert old.told == [(None, True)]
    client.meta.events.unregister(step, stop)
    client.describe_volumes()
    assert [one.status for one in heard.calls[ends:]] == [200] * ends


class Old:
    """A hook made for boto 2."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
        self.told.append((response, error))


@pytest.mark.parametrize("through", ["client", "session"])
def test_what_was_not_sent_has_no_end(requestlog: ModuleType, heard: Any, moto: Moto, through: str) -> None:
    def stop(**_: Any) -> None:
        raise RuntimeError("stop")

    session = boto3.Session()
    if through == "session":
        requestlog.attach(session, heard)
    client = session.client("ec2", endpoint_url=moto.url)
    if through == "client":
        requestlog.attach(client, heard)
    client.meta.events.register("before-call", stop)
    with pytest.raises(RuntimeError):
        client.describe_volumes()
    assert heard.calls == []


def test_a_call_within_a_call_has_an_end_of_its_own(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client, other = ec2(moto.url), ec2(moto.url)
    for one in (client, other):
        requestlog.attach(one, heard)

    def ask(**_: Any) -> None:
        other.describe_regions()
        raise Interrupt

    client.meta.events.register("before-send", ask)
    with pytest.raises(Interrupt):
        client.describe_volumes()
    assert [(one.operation, one.code) for one in heard.calls] == [
        ("DescribeRegions", None),
        ("DescribeVolumes", "Interrupt"),
    ]


def test_the_guard_of_a_client_goes_with_the_last_attachment(
    requestlog: ModuleType, heard: Any, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.client import BaseClient

    client = ec2(moto.url)
    one, two = requestlog.attach(client, heard), requestlog.attach(client, heard)
    one.detach()
    assert "_make_api_call" in vars(client)
    with monkeypatch.context() as patch:  # as test suites do, at any time
        patch.setattr(BaseClient, "_make_api_call", lambda self, name, parameters: name)
        assert client.describe_volumes() == "DescribeVolumes"
    two.detach()
    assert "_make_api_call" not in vars(client)
    client._make_api_call = theirs = lambda *arguments: arguments
    with requestlog.attach(client, heard):
        assert client.describe_volumes() == ("DescribeVolumes", {})
    assert vars(client)["_make_api_call"] is theirs
    third = requestlog.attach(client, heard)
    client._make_api_call = later = lambda *arguments: None
    third.detach()
    assert vars(client)["_make_api_call"] is later, "what somebody has put there since stays"


def test_a_session_serves_the_clients_that_are_made_later(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    session = boto3.Session()
    before = session.client("ec2", endpoint_url=moto.url)
    attachment = requestlog.attach(session, heard)
    after = session.client("ec2", endpoint_url=moto.url)
    before.describe_volumes()
    assert heard.calls == []
    after.describe_volumes()
    assert len(heard.calls) == 1
    requestlog.attach(before, heard)
    before.describe_volumes()
    assert len(heard.calls) == 2
    attachment.detach()
    after.describe_volumes()
    assert len(heard.calls) == 2, "the client has botocore's copy of the handlers, and they do nothing any more"
    session.client("ec2", endpoint_url=moto.url).describe_volumes()
    assert len(heard.calls) == 2


def test_everything_that_can_be_attached_to(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    core = botocore.session.Session()
    session, resource = boto3.Session(), boto3.resource("ec2", endpoint_url=moto.url)
    client = ec2(moto.url)
    for target in (core, session, resource, client):
        requestlog.attach(target, heard)
    core.create_client("ec2", "us-east-1", endpoint_url=moto.url).describe_volumes()
    session.client("ec2", endpoint_url=moto.url).describe_volumes()
    list(session.resource("ec2", endpoint_url=moto.url).volumes.all())
    list(resource.volumes.all())
    client.describe_volumes()
    assert len(heard.calls) == 5


def test_detaching(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client = ec2(moto.url)
    emitter = client.meta.events
    before = {name: len(emitter._emitter._handlers.prefix_search(f"{name}.ec2.X")) for name in _NAMES}
    with requestlog.attach(client, heard, attempts=True) as attachment:
        assert attachment.active
        client.describe_volumes()
    assert not attachment.active
    client.describe_volumes()
    attachment.detach()
    assert len(heard.calls) == len(heard.attempts) == 1
    assert {name: len(emitter._emitter._handlers.prefix_search(f"{name}.ec2.X")) for name in _NAMES} == before


_NAMES = ("before-parameter-build", "request-created", "response-received", "after-call", "after-call-error")


def test_detaching_during_a_call(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    session = boto3.Session()
    attachment = requestlog.attach(session, heard, attempts=True)
    client = session.client("ec2", endpoint_url=moto.url)
    client.meta.events.register("before-send", lambda **_: attachment.detach())
    client.describe_volumes()
    with pytest.raises(ClientError):
        client.describe_volumes(VolumeIds=["vol-00000000"])
    assert heard.calls == heard.attempts == []


def test_two_listeners_on_one_client(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client = ec2(moto.url)
    one, two = requestlog.attach(client, heard), requestlog.attach(client, heard)
    client.describe_volumes()
    assert len(heard.calls) == 2
    assert heard.calls[0] is not heard.calls[1]
    one.detach()
    client.describe_volumes()
    assert len(heard.calls) == 3
    two.detach()


def test_handlers_return_none(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    client = ec2(moto.url)
    returned = []

    class Spy:
        def register_last(self, name: str, handler: Any) -> None:
            def spied(**kwargs: Any) -> Any:
                returned.append((name, handler(**kwargs)))
                return returned[-1][1]

            client.meta.events.register_last(name, spied)

    class Target:
        class meta:
            events = Spy()

    heard.completed = lambda event: 0  # an answer that would have botocore try again, if it got that far
    requestlog.attach(Target(), heard, attempts=True)
    client.describe_volumes()
    assert {name for name, _ in returned} == {*_NAMES} - {"after-call-error"}
    assert {value for _, value in returned} == {None}


def test_nothing_that_a_listener_does_reaches_the_caller(
    goanna: ModuleType, requestlog: ModuleType, moto: Moto, caplog: pytest.LogCaptureFixture
) -> None:
    class Bad(requestlog.RequestListener):
        def completed(self, event: Any) -> None:
            raise OSError("the disk is full")

        attempted = failed = completed

    class BadHook:
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            raise OSError("the disk is full")

    hub = goanna.Dispatcher(requestlog.RequestListener, errors="raise")
    hub.add(Bad())
    client = boto3.client("ec2", endpoint_url=moto.url)
    for listener in (Bad(), BadHook(), hub, requestlog.RequestHooks(hub, [BadHook()])):
        with requestlog.attach(client, listener, attempts=True), caplog.at_level(logging.ERROR, "goanna"):
            caplog.clear()
            client.create_volume(AvailabilityZone="us-east-1a", Size=1)
            assert "the disk is full" in caplog.text
            with pytest.raises(ClientError):
                client.delete_volume(VolumeId="vol-00000000")
    assert len(client.describe_volumes()["Volumes"]) == 4, "each was created once"


def test_errors_go_where_they_are_sent(requestlog: ModuleType, moto: Moto) -> None:
    class Bad(requestlog.RequestListener):
        def completed(self, event: Any) -> None:
            raise OSError("the disk is full")

    errors = []
    client = ec2(moto.url)
    requestlog.attach(client, Bad(), errors=lambda *what: errors.append(what))
    client.describe_volumes()
    ((error, listener, event),) = errors
    assert str(error) == "the disk is full"
    assert type(listener) is Bad
    assert event.operation == "DescribeVolumes"


def test_a_call_that_another_handler_answers(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    from botocore.awsrequest import AWSResponse

    client = ec2(moto.url)
    answered = (AWSResponse("", 200, {}, None), {"Volumes": []})
    client.meta.events.register("before-call", lambda **_: answered)
    requestlog.attach(client, heard)
    assert client.describe_volumes() == {"Volumes": []}
    (event,) = heard.calls
    assert facts(event) == ("ec2", "DescribeVolumes", 200, 0, None)
    assert event.bytes is event.request_id is None


def test_a_hook_made_for_boto_2(requestlog: ModuleType, moto: Moto, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []

    class Old:
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            seen.append((request, response, error))

    client = ec2(moto.url)
    requestlog.attach(client, Old())
    answer = client.describe_volumes()
    request, response, error = seen[0]
    assert error is False
    assert (request.method, request.protocol, request.host, request.port) == ("POST", "http", "127.0.0.1", moto.port)
    assert (request.path, request.auth_path, request.service_name) == ("/", "/", "ec2")
    assert request.params["Action"] == "DescribeVolumes"
    assert request.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert (response.status, response.reason) == (200, "OK")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert response.getheader("CONTENT-LENGTH") == headers["content-length"] == str(response.length)
    assert response.getheader("x-nothing") is None
    assert response.getheader("x-nothing", "else") == "else"
    assert {name.lower() for name, _ in response.getheaders()} == {*headers}
    assert b"DescribeVolumesResponse" in response.read()
    with pytest.raises(ClientError):
        client.describe_volumes(VolumeIds=["vol-00000000"])
    assert (seen[1][1].status, seen[1][2]) == (400, False), "as with boto 2"


@pytest.mark.usefixtures("no_backoff")
def test_a_hook_made_for_boto_2_hears_of_failures(requestlog: ModuleType) -> None:
    seen: list[Any] = []

    class Old(requestlog.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            seen.append((request.params["Action"], response and response.status, error))

    with scripted(UNAVAILABLE) as server:
        for url in (server.url, f"http://127.0.0.1:{free_port()}"):
            client = ec2(url, RETRIES)
            requestlog.attach(client, Old())
            with pytest.raises((ClientError, EndpointConnectionError)):
                client.describe_volumes()
    assert seen == [("DescribeVolumes", 503, True), ("DescribeVolumes", None, True)]


def test_a_hook_made_for_boto_2_leaves_a_streamed_body_alone(requestlog: ModuleType, moto: Moto) -> None:
    seen: list[Any] = []

    class Old(requestlog.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            with pytest.raises(io.UnsupportedOperation, match="streamed to the caller"):
                response.read()
            seen.append(response.getheader("content-length"))

    client = boto3.client("s3", endpoint_url=moto.url, config=S3_PATHS)
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="key", Body=b"hello")
    requestlog.attach(client, Old())
    assert client.get_object(Bucket="bucket", Key="key")["Body"].read() == b"hello"
    assert seen == ["5"]


@pytest.mark.parametrize("target", [object(), None, boto3.Session, "ec2"])
def test_what_cannot_be_attached_to(requestlog: ModuleType, heard: Any, target: Any) -> None:
    with pytest.raises(TypeError, match=r"attach\(\) takes a session, client or resource of boto3 or botocore, not "):
        requestlog.attach(target, heard)


def test_a_connection_of_boto_2_has_its_own_way(requestlog: ModuleType, heard: Any) -> None:
    class Connection:
        def set_request_hook(self, hook: Any) -> None: ...

    with pytest.raises(TypeError, match=r"not Connection; with boto 2, use connection.set_request_hook\(hook\)$"):
        requestlog.attach(Connection(), heard)


def test_listeners_that_cannot_be_told(goanna: ModuleType, requestlog: ModuleType) -> None:
    client = boto3.client("ec2")

    class Takes2:
        def handle_request_data(self, request: Any, response: Any) -> None: ...

    class Awaited:
        async def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None: ...

    class Other(goanna.Event):
        number: int

    class OtherListener(goanna.Listener):
        @goanna.handles(Other)
        def other(self, event: Any) -> None: ...

    for listener, text in (
        (object(), r"a hook with a method handle_request_data\(request, response, error=False\); object has none"),
        (
            Takes2(),
            r"Takes2.handle_request_data\(\) must take request, response and error=False; its signature is \(re",
        ),
        (Awaited(), r"Awaited.handle_request_data\(\) must be an ordinary method"),
        (requestlog.RequestHook, r"attach\(\) takes a hook object, not the class RequestHook; call it first"),
        (goanna.Dispatcher(OtherListener), r"RequestCompleted is handled by no method of OtherListener"),
    ):
        with pytest.raises(TypeError, match=text):
            requestlog.attach(client, listener)
    with pytest.raises(ValueError, match="errors is 'loud'"):
        requestlog.attach(client, requestlog.RequestHook(), errors="loud")


def test_an_attachment_says_what_it_is(requestlog: ModuleType, heard: Any) -> None:
    attachment = requestlog.attach(boto3.client("ec2"), heard)
    assert repr(attachment) == "<Attachment of <Dispatcher(RequestListener) with 1 listeners>>"
    attachment.detach()
    assert repr(attachment) == "<Attachment of <Dispatcher(RequestListener) with 1 listeners>, detached>"


def test_a_session_guards_for_as_long_as_anything_is_attached(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    def guarded() -> int:
        client = session.client("ec2", endpoint_url=moto.url)
        client.describe_volumes()
        return sum("_make_api_call" in vars(cls) for cls in type(client).__mro__) - 1  # botocore's own

    session = boto3.Session()
    assert guarded() == 0
    one, two = requestlog.attach(session, heard), requestlog.attach(session, heard)
    assert guarded() == 1
    one.detach()
    assert guarded() == 1
    two.detach()
    assert guarded() == 0
    assert len(heard.calls) == 3
