"""Handlers for tests: what each call was given goes into a list."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from support.programs import environment


def recorder(audit: ModuleType, name: str, log: list[Any], **methods: Callable[..., Any]) -> Any:
    """Return a handler whose methods log their name and arguments and return a context of their own.

    Args:
        audit: whose EventHandler it is.
        name: comes first in each entry.
        log: where the entries go.
        methods: replacements; they are called after the entry is made, with what the method was given.
    """
    numbers = iter(range(10_000))

    def method(stage: str) -> Any:
        async def coroutine(self: Any, *args: Any, **kwargs: Any) -> Any:
            log.append((name, stage, *args, kwargs))
            if stage in methods:
                result = methods[stage](*args, **kwargs)
                if asyncio.iscoroutine(result):
                    result = await result
                return result
            return f"{name}{next(numbers)}"

        return coroutine

    stages = ("request_start", "event_start", "event_end", "request_end")
    made = type(name, (audit.EventHandler,), {stage: method(stage) for stage in stages})
    made.__repr__ = lambda self: f"<{name}>"  # type: ignore[method-assign, assignment]
    return made()


def calls(log: list[Any]) -> list[tuple[str, str]]:
    """Return who was called for what, in order."""
    return [entry[:2] for entry in log]


def raising(error: BaseException) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        raise error

    return method


def child_environment(**more: str) -> dict[str, str]:
    """Return the environment of a Python that finds what this one does, without what these tests have set."""
    return environment(PYTHONPATH=os.pathsep.join(sys.path), **more)
