"""What threads cost each other: a fixed number of publishes, divided among 1, 2 and 4 threads.

``python -m benchmarks.contention`` prints the seconds that the whole of it takes and their ratio to one thread. Where
there is no GIL and a processor for each thread, 0.5 and 0.25 would be no contention at all; 1.0 is what a GIL gives.
Rounds are interleaved and the best counts.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from goanna.bench.cores import active, copies

COUNTS = (1, 2, 4)


def jobs(core: ModuleType) -> Iterator[tuple[str, Callable[[int], None]]]:
    """Yield a name and what publishes so many times."""
    handles, event_base, listener_base = core.handles, core.Event, core.Listener

    class Order(event_base):  # type: ignore[misc,valid-type]
        number: int
        total: float = 0.0

    class Orders(listener_base):  # type: ignore[misc,valid-type]
        @handles(Order)  # type: ignore[untyped-decorator]
        def placed(self, event: Any) -> None: ...

    class Idle(Orders):
        def placed(self, event: Any) -> Any:
            return event  # a method that does nothing at all would be left out

    def publishing(publish: Any) -> Callable[[int], None]:
        def job(times: int) -> None:
            for number in range(times):
                publish(number, 1.0)

        return job

    for listeners in (1, 3):
        hub = core.Dispatcher()
        for _ in range(listeners):
            hub.add(Idle())
        if len(hub.publisher(Order).table) != listeners:
            raise AssertionError("a listener was left out")
        yield f"publish to {listeners}", publishing(hub.publisher(Order))
    with active(core.BACKEND):
        ring = importlib.import_module("goanna.core")
    inlet = ring.Ring(1000, lambda: None, lambda *args: None, newest=True).inlet(lambda event: None)

    def push(times: int) -> None:
        for number in range(times):
            inlet(number)

    yield "push into a full ring", push


def bare(times: int) -> None:
    """The floor: a loop that calls a function which nobody else has."""

    def nothing(number: int, total: float) -> None:
        return None

    for number in range(times):
        nothing(number, 1.0)


def timed(job: Callable[[int], None], threads: int, total: int) -> float:
    """Return the seconds that ``total`` calls take, divided among so many threads."""
    barrier = threading.Barrier(threads + 1)

    def run() -> None:
        barrier.wait()
        job(total // threads)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for one in workers:
        one.start()
    start = time.perf_counter()
    barrier.wait()
    for one in workers:
        one.join()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rounds")
    quick = parser.parse_args().quick
    total, rounds = (8_000, 2) if quick else (200_000, 7)
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"CPython {sys.version.split()[0]}, GIL {'on' if gil else 'off'}, {os.cpu_count()} processors, {total} calls")
    print(f"{'':<32}" + "".join(f"{count} thread{'s' if count > 1 else ' '}".rjust(18) for count in COUNTS))
    everything: list[tuple[str, Callable[[int], None]]] = [("bare call", bare)]
    for name, core in copies().items():
        everything += [(f"{name}: {job}", call) for job, call in jobs(core)]
    best: dict[tuple[str, int], float] = {}
    for _ in range(rounds):
        for name, job in everything:
            for count in COUNTS:
                best[name, count] = min(best.get((name, count), 1e9), timed(job, count, total))
    for name, _ in everything:
        cells = [f"{best[name, count] * 1e3:8.1f} ms {best[name, count] / best[name, 1]:5.2f}" for count in COUNTS]
        print(f"{name:<32}" + "".join(cell.rjust(18) for cell in cells))


if __name__ == "__main__":
    main()
