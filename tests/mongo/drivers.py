"""The four clients of one driver, so far as a scenario needs them to look alike."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from motor.motor_tornado import MotorClient
from pymongo import AsyncMongoClient, MongoClient
from tornado.ioloop import IOLoop


async def do(value: Any) -> Any:
    """Return the result of a call, whether it was one that has to be awaited or not."""
    return await value if inspect.isawaitable(value) else value


def start(call: Callable[[], Any]) -> Awaitable[Any]:
    """Start a call that will take its time; a blocking one gets a thread."""

    async def run() -> Any:
        return await do(await asyncio.to_thread(call))

    return asyncio.ensure_future(run())


def start_here(call: Callable[[], Any]) -> Awaitable[Any]:
    """Start a call that returns at once with something to await."""
    return asyncio.ensure_future(call())


def run_in_tornado(main: Coroutine[Any, Any, Any]) -> None:
    loop = IOLoop(make_current=False)
    try:
        loop.run_sync(lambda: main, timeout=60)
    finally:
        loop.close()


class Driver:
    """A kind of client: how it is made, how a program with it is run, and how it does something in the background."""

    def __init__(self, client: Callable[..., Any], run: Callable[..., object], start: Callable[..., Any]) -> None:
        self.client = client
        self.run = run
        self.start = start


DRIVERS = {
    "MongoClient": Driver(MongoClient, asyncio.run, start),
    "AsyncMongoClient": Driver(AsyncMongoClient, asyncio.run, start_here),
    "Motor-asyncio": Driver(AsyncIOMotorClient, asyncio.run, start_here),
    "Motor-Tornado": Driver(MotorClient, run_in_tornado, start_here),
}
