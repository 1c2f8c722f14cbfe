"""attach() on clients of aiobotocore: the same events, from calls that overlap on one thread."""

from __future__ import annotations

import asyncio
import socket
from types import ModuleType
from typing import Any

import pytest
from aiobotocore.session import get_session
from botocore.exceptions import ClientError

from support.aws_servers import Answer, Moto, scripted

OPTIONS = {"region_name": "us-east-1"}


def test_calls_that_overlap(requestlog: ModuleType, heard: Any, moto: Moto) -> None:
    async def main() -> None:
        session = get_session()
        with requestlog.attach(session, heard, attempts=True):
            async with session.create_client("ec2", endpoint_url=moto.url, **OPTIONS) as client:
                good, bad = await asyncio.gather(
                    client.describe_volumes(),
                    client.describe_volumes(VolumeIds=["vol-00000000"]),
                    return_exceptions=True,
                )
        assert good["Volumes"] == []
        assert isinstance(bad, ClientError)
        failed = next(one for one in heard.calls if isinstance(one, requestlog.RequestFailed))
        assert str(failed.error) == str(bad)

    asyncio.run(main())
    assert sorted((one.operation, one.status, one.attempts, one.code) for one in heard.calls) == [
        ("DescribeVolumes", 200, 1, None),
        ("DescribeVolumes", 400, 1, "InvalidVolume.NotFound"),
    ]
    assert sorted(one.bytes for one in heard.attempts) == sorted(one.bytes for one in heard.calls)


@pytest.mark.parametrize(("operation", "arguments"), [("get_object", {"Key": "key"}), ("list_objects_v2", {})])
def test_a_length_that_is_not_announced(
    requestlog: ModuleType, heard: Any, operation: str, arguments: dict[str, str]
) -> None:
    """The body of a streamed answer can't be looked at; that of another is there, behind a coroutine."""

    async def main(url: str) -> None:
        async with get_session().create_client("s3", endpoint_url=url, **OPTIONS) as client:
            requestlog.attach(client, heard, attempts=True)
            answer = await getattr(client, operation)(Bucket="bucket", **arguments)
            if operation == "get_object":
                assert await answer["Body"].read() == b"<Answer/>"

    with scripted(Answer(200, b"<Answer/>", chunked=True)) as server:
        asyncio.run(main(server.url))
    size = None if operation == "get_object" else 9
    assert [one.bytes for one in heard.calls + heard.attempts] == [size, size]


def test_a_hook_made_for_boto_2(requestlog: ModuleType, moto: Moto) -> None:
    seen = []

    class Old(requestlog.RequestHook):
        def handle_request_data(self, request: Any, response: Any, error: bool = False) -> None:
            seen.append(
                (request.params["Action"], response.status, b"DescribeVolumesResponse" in response.read(), error)
            )

    async def main() -> None:
        async with get_session().create_client("ec2", endpoint_url=moto.url, **OPTIONS) as client:
            requestlog.attach(client, Old())
            await client.describe_volumes()

    asyncio.run(main())
    assert seen == [("DescribeVolumes", 200, True, False)]


@pytest.mark.parametrize("through", ["client", "session"])
@pytest.mark.parametrize("how", ["cancelled", "timed out", "closed"])
def test_a_call_that_is_given_up_has_one_end(requestlog: ModuleType, heard: Any, through: str, how: str) -> None:
    """Nobody answers; botocore tells its handlers of no such end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:

        async def main() -> None:
            session = get_session()
            if through == "session":
                requestlog.attach(session, heard)
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            async with session.create_client("ec2", endpoint_url=url, **OPTIONS) as client:
                if through == "client":
                    requestlog.attach(client, heard)
                sent = asyncio.Event()
                client.meta.events.register("before-send", lambda **_: sent.set())
                call = client.describe_volumes()
                if how == "timed out":
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(call, 0.5)
                elif how == "closed":
                    client.meta.events.register("before-send", lambda **_: asyncio.sleep(0))
                    call.send(None)
                    call.close()
                else:
                    task = asyncio.ensure_future(call)
                    await sent.wait()
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task

        asyncio.run(main())
    (event,) = heard.calls
    assert type(event) is requestlog.RequestFailed
    code = "GeneratorExit" if how == "closed" else "CancelledError"
    assert (event.operation, event.status, event.attempts, event.code) == ("DescribeVolumes", None, 1, code)


def test_a_call_that_is_cancelled_before_it_is_sent_has_none(requestlog: ModuleType, heard: Any) -> None:
    async def main() -> None:
        async with get_session().create_client("ec2", endpoint_url="http://127.0.0.1:1", **OPTIONS) as client:
            requestlog.attach(client, heard)
            client.meta.events.register("before-call", lambda **_: asyncio.sleep(60))
            task = asyncio.ensure_future(client.describe_volumes())
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert heard.calls == []
