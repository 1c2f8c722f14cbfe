"""What a request log costs the thread of a boto 2 request.

boto's logger makes the caller wait when 100 lines do, and writes them one by one on a thread that competes with the
caller for the interpreter. So there are bursts that fit into that queue, which is empty before, as it is in a program
that does other things, too; and floods, up to the moment when every line has been written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from goanna.bench.figures import FLOOR
from goanna.bench.jobs import Job, Work
from goanna.bench.request_hooks import (
    BURST,
    COMPILED,
    EVENTS,
    NOTHING,
    ORIGINAL,
    PURE,
    PURE_EVENTS,
    Hook,
    exchange,
    makers,
)

LOG, HAND = "write a line for a request", "make a request an event, 1 listener"
FLOORED = "a hook that does nothing"

_RIVALS = {
    LOG: {FLOOR: NOTHING, ORIGINAL: ORIGINAL, COMPILED: COMPILED, PURE: PURE},
    HAND: {FLOOR: NOTHING, COMPILED: EVENTS, PURE: PURE_EVENTS},
}


def every() -> Iterator[Job]:
    """Yield the jobs of bursts."""
    there = makers()
    for job, names in _RIVALS.items():
        yield Job(job, {rival: partial(_work, there[name], BURST) for rival, name in names.items() if name in there})


def hooks(name: str, calls: int, drained: bool) -> Job:
    """Call every hook so many times in a turn, which with ``drained`` is over when everything is written."""
    return Job(
        name,
        {
            FLOOR if rival == NOTHING else rival: partial(_work, make, calls, drained)
            for rival, make in makers().items()
        },
    )


def _work(make: Callable[[Path], Hook], calls: int, drained: bool = False) -> Work:
    folder = tempfile.TemporaryDirectory()
    hook = make(Path(folder.name, "requests.csv"))
    call = hook.loop(*exchange())

    def run(times: int) -> None:
        call(times)
        hook.drain()

    def check() -> None:
        hook.drain()
        before = hook.count()
        call(BURST)
        hook.drain()
        assert hook.count() - before == BURST or hook.count is int, "a hook that does nothing counts nothing"

    def close() -> None:
        hook.close()
        folder.cleanup()

    return Work(run if drained else call, check, settle=hook.drain, close=close, calls=calls)
