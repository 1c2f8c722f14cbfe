"""What a request log costs the thread of a boto 2 request.

All is measured in bursts that fit into the queue of boto's logger, which is empty before, as it is in a program that
does other things, too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from goanna.bench.jobs import FLOOR, Job, Work
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

_RIVALS = {
    LOG: {FLOOR: NOTHING, ORIGINAL: ORIGINAL, COMPILED: COMPILED, PURE: PURE},
    HAND: {FLOOR: NOTHING, COMPILED: EVENTS, PURE: PURE_EVENTS},
}


def every() -> Iterator[Job]:
    """Yield all jobs. The floor is a hook that does nothing."""
    there = makers()
    for job, names in _RIVALS.items():
        yield Job(job, {rival: partial(_work, there[name]) for rival, name in names.items() if name in there})


def _work(make: Callable[[Path], Hook]) -> Work:
    folder = tempfile.TemporaryDirectory()
    hook = make(Path(folder.name, "requests.csv"))
    run = hook.loop(*exchange())

    def check() -> None:
        hook.drain()
        before = hook.count()
        run(BURST)
        hook.drain()
        assert hook.count() - before == BURST or hook.count is int, "a hook that does nothing counts nothing"

    def close() -> None:
        hook.close()
        folder.cleanup()

    return Work(run, check, settle=hook.drain, close=close, calls=BURST)
