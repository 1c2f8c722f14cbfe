"""The timed loops: one statement, written into a function of its own.

Since 3.11 the interpreter specialises each call and attribute access for what it meets there. Rivals that shared a loop
would spoil it for each other, as a program with one call site per publisher would not. So every loop is compiled anew,
and listeners' methods are copied with their code.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from itertools import repeat
from types import FunctionType
from typing import Any

Run = Callable[[int], object]
"""Does a piece of work as often as told."""

UNROLL = 20
"""How often an unrolled loop holds its statement; the numbers that it is called with must be multiples."""


def loop(statement: str, names: dict[str, Any], unroll: int = 1) -> Run:
    """Return a function that runs ``statement`` as often as told.

    Args:
        statement: one or more lines; they find what they refer to in local variables.
        names: what they refer to.
        unroll: how many copies of it the loop holds, where the loop would cost as much as the statement.
    """
    lines = [
        f"def run(times, {', '.join(f'{name}={name}' for name in names)}):",
        f"    for _ in repeat(None, times // {unroll}):",
        *[textwrap.indent(statement, " " * 8)] * unroll,
    ]
    scope: dict[str, Any] = {**names, "repeat": repeat}
    exec("\n".join(lines), scope)
    run: Run = scope["run"]
    return run


def own_code(function: Callable[..., Any]) -> FunctionType:
    """Return a copy of a function that shares no code object with it, and so no specialisation."""
    assert isinstance(function, FunctionType)
    copy = FunctionType(function.__code__.replace(), function.__globals__, function.__name__)
    copy.__dict__.update(function.__dict__)
    return copy
