"""``python -m benchmarks apart``: a push into a queue whose worker runs on the publisher's processor, or on another.

On a virtual machine two processors may be near to each other at one time and far at another; then so is the difference.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from goanna.bench import deliveries
from goanna.bench.cores import NAMES
from goanna.bench.jobs import Work
from goanna.bench.measure import Timed, take_turns

QUEUES, ROUNDS = 6, 30


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks apart", description=__doc__).parse_args(arguments)
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(processors) < 2 or not Path("/proc/self/task").is_dir():
        print("It takes Linux, and two processors.", file=sys.stderr)
        return 2
    (job,) = (one for one in deliveries.every() if one.name == deliveries.QUEUED)
    for name in NAMES.values():
        if name in job.works:
            together, apart = (
                [push(job.works[name], processors[0], other) for _ in range(QUEUES)] for other in processors[:2]
            )
            print(f"{name}: medians of {QUEUES} queues, ns")
            print(f"  on one processor   {'  '.join(f'{one:5.1f}' for one in together)}")
            print(f"  on two of them     {'  '.join(f'{one:5.1f}' for one in apart)}")
    return 0


def push(make: Callable[[], Work], publisher: int, worker: int) -> float:
    """Return what a push costs into a new queue, with the two threads on these processors."""
    main_thread, before = threading.get_native_id(), threads()
    allowed = os.sched_getaffinity(0)
    work = make()
    try:
        timed = Timed(work)  # it starts the worker
        for one in threads() - before:
            os.sched_setaffinity(one, {worker})
        os.sched_setaffinity(main_thread, {publisher})
        take_turns([[timed]], range(ROUNDS))
    finally:
        os.sched_setaffinity(main_thread, allowed)
        work.close()
    return statistics.median(timed.costs())


def threads() -> set[int]:
    """Return the threads of this process."""
    return {int(one.name) for one in Path("/proc/self/task").iterdir()}
