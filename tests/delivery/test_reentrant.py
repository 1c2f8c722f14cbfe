"""A listener does not feed itself: what it publishes while it handles an event does not come back to its wrapper."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from support.programs import python
from support.recorders import Gate, check, recorder
from support.threads import PATIENCE

OPTIONS: list[dict[str, Any]] = [{}, {"context": "capture"}, {"documents": "shallow"}, {"maxsize": 1, "batch": 1}]


@pytest.mark.parametrize("options", OPTIONS)
def test_what_the_thread_of_a_queue_publishes(goanna: ModuleType, shapes: ModuleType, options: dict[str, Any]) -> None:
    listener = recorder(shapes, lambda event: wrapper.placed(shapes.OrderPlaced("again")))
    wrapper = goanna.queued(listener, **options)
    for number in range(3):
        wrapper.placed(shapes.OrderPlaced(number))
        assert wrapper.flush(PATIENCE) == 0
    assert wrapper.close(PATIENCE) == 0
    stats = check(wrapper.stats())
    assert listener.log == [0, 1, 2]
    assert (stats.delivered, stats.dropped) == (3, {"reentrant": 3})


def test_batches_gaps_and_error_policies_count_too(goanna: ModuleType, shapes: ModuleType) -> None:
    gate = Gate()

    def handle_batch(self: Any, events: list[Any]) -> None:
        gate()
        wrapper.placed(shapes.OrderPlaced("batch"))
        raise ValueError

    def publishes(*_: Any) -> None:
        wrapper.placed(shapes.OrderPlaced("other"))

    listener = recorder(shapes, handle_batch=handle_batch, events_lost=publishes)
    wrapper = goanna.queued(listener, maxsize=1, batch=1, errors=publishes)
    wrapper.placed(shapes.OrderPlaced(0))
    gate.wait_for_it()
    for number in (1, 2):
        wrapper.placed(shapes.OrderPlaced(number))
    gate.open.set()
    assert wrapper.close(PATIENCE) == 0
    stats = check(wrapper.stats())
    assert (stats.failed, stats.dropped) == (2, {"overflow": 1, "reentrant": 5})


def test_what_others_publish_meanwhile_is_delivered(goanna: ModuleType, shapes: ModuleType) -> None:
    """Also what a thread publishes that the listener waits for, and another queue's listener."""
    others = recorder(shapes)
    other = goanna.queued(others)

    def does(event: Any) -> None:
        if event.order_id == 0:
            other.placed(shapes.OrderPlaced("other"))
            thread = threading.Thread(target=wrapper.placed, args=[shapes.OrderPlaced(1)])
            thread.start()
            thread.join()

    listener = recorder(shapes, does)
    wrapper = goanna.queued(listener)
    wrapper.placed(shapes.OrderPlaced(0))
    assert wrapper.flush(PATIENCE) == 0
    assert wrapper.close(PATIENCE) == other.close(PATIENCE) == 0
    assert (listener.log, others.log) == ([0, 1], ["other"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_a_listener_forks_has_events_of_its_own(goanna: ModuleType, shapes: ModuleType) -> None:
    status: list[int] = []

    def does(event: Any) -> None:
        if event.order_id != 0:
            return
        child = os.fork()
        if child:
            status.append(os.waitpid(child, 0)[1])
            return
        wrapper.placed(shapes.OrderPlaced(1))
        left = wrapper.flush(PATIENCE)
        os._exit(0 if (left, listener.log, "reentrant" in wrapper.stats().dropped) == (0, [0, 1], False) else 1)

    listener = recorder(shapes, does)
    wrapper = goanna.queued(listener)
    wrapper.placed(shapes.OrderPlaced(0))
    assert wrapper.close(PATIENCE) == 0
    assert status == [0]


@pytest.mark.parametrize("options", [{}, {"context": "capture"}, {"concurrency": 3}])
@pytest.mark.parametrize("how", ["call", "coroutine", "task", "thread"])
def test_what_comes_of_a_call_on_a_loop(
    goanna: ModuleType, shapes: ModuleType, how: str, options: dict[str, Any]
) -> None:
    tasks: list[Any] = []

    async def publish() -> None:
        await asyncio.sleep(0)
        wrapper.placed(shapes.OrderPlaced("again"))

    async def placed(self: Any, event: Any) -> None:
        self.log.append(event.order_id)
        if how == "coroutine":
            await publish()
        elif how == "task":  # which goes on when the call has returned
            tasks.append(asyncio.ensure_future(publish()))
        else:
            await asyncio.to_thread(wrapper.placed, shapes.OrderPlaced("again"))

    def does(event: Any) -> None:
        wrapper.placed(shapes.OrderPlaced("again"))

    async def main() -> None:
        nonlocal wrapper
        wrapper = goanna.on_loop(listener, **options)
        for number in range(3):
            await asyncio.to_thread(wrapper.placed, shapes.OrderPlaced(number))
            wrapper.placed(shapes.OrderPlaced(number))
            assert await wrapper.aflush(PATIENCE) == 0
        await asyncio.gather(*tasks)
        stats = check(wrapper.stats())
        assert (stats.delivered, stats.dropped) == (6, {"reentrant": 6})
        assert "again" not in listener.log

    wrapper: Any = None
    listener = recorder(shapes, does) if how == "call" else recorder(shapes, placed=placed)
    listener.log = []
    asyncio.run(main())


def test_other_tasks_of_the_loop_are_heard(goanna: ModuleType, shapes: ModuleType) -> None:
    async def main() -> None:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def placed(self: Any, event: Any) -> None:
            self.log.append(event.order_id)
            entered.set()
            await leave.wait()

        listener = recorder(shapes, placed=placed)
        wrapper = goanna.on_loop(listener)
        wrapper.placed(shapes.OrderPlaced(0))
        await entered.wait()
        wrapper.placed(shapes.OrderPlaced(1))
        leave.set()
        assert await wrapper.aflush(PATIENCE) == 0
        assert listener.log == [0, 1]

    asyncio.run(main())


def test_a_thread_that_gets_the_place_of_a_queues_thread(goanna: ModuleType, shapes: ModuleType) -> None:
    """Numbers of threads are used again; who has one is not thereby the queue's."""
    listener = recorder(shapes)
    wrapper = goanna.queued(listener)
    ring = wrapper._worker.ring
    threading.Thread(target=ring.enter).start()
    ring.leave(ring.enter())
    wrapper.placed(shapes.OrderPlaced(1))
    assert wrapper.close(PATIENCE) == 0
    assert listener.log == [1]


# muted


def test_a_muted_block(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher()
    plain, filtered, waiting = recorder(shapes), recorder(shapes), recorder(shapes)
    queue = goanna.queued(waiting)
    registrations = [hub.add(one) for one in (plain, goanna.where(filtered, predicate=lambda event: True), queue)]
    alone = goanna.where(recorder(shapes), predicate=lambda event: True)
    publish = hub.publisher(shapes.OrderPlaced)

    def everywhere(number: int) -> None:
        publish(number)
        publish.publish(shapes.OrderPlaced(number))
        hub.publish(shapes.OrderPlaced(number))
        queue.placed(shapes.OrderPlaced(number))
        alone.placed(shapes.OrderPlaced(number))

    with goanna.muted():
        everywhere(1)
        with goanna.muted():
            everywhere(2)
        everywhere(3)
        with pytest.raises(TypeError):
            publish()
        thread = threading.Thread(target=everywhere, args=[4])
        thread.start()
        thread.join()
    with pytest.raises(ZeroDivisionError), goanna.muted():
        _ = 1 / 0
    everywhere(5)
    assert queue.close(PATIENCE) == 0
    inherits = [4] * bool(not getattr(sys.flags, "thread_inherit_context", False))
    for listener in (plain, filtered):
        assert listener.log == [one for one in (*inherits, 5) for _ in range(3)]
    assert waiting.log == [one for one in (*inherits, 5) for _ in range(4)]
    assert alone.listener.log == [*inherits, 5]
    for one in (*registrations, queue, alone):
        assert check(one.stats()).dropped == {}


def test_a_muted_block_of_a_task(goanna: ModuleType, shapes: ModuleType) -> None:
    listener = recorder(shapes)
    hub = goanna.Dispatcher()
    hub.add(listener)

    async def later(number: int, event: asyncio.Event) -> None:
        hub.publish(shapes.OrderPlaced(number))
        await event.wait()
        hub.publish(shapes.OrderPlaced(-number))

    async def main() -> None:
        left = asyncio.Event()
        before = asyncio.ensure_future(later(1, left))
        with goanna.muted():
            inherited = asyncio.ensure_future(later(2, left))
            await asyncio.to_thread(hub.publish, shapes.OrderPlaced(3))
            await asyncio.sleep(0)
        left.set()  # the block is over, for those who have inherited it as well
        await asyncio.gather(before, inherited)

    asyncio.run(main())
    assert listener.log == [1, -1, -2]


def test_a_block_that_is_left_in_another_context(goanna: ModuleType, shapes: ModuleType) -> None:
    import contextvars

    listener = recorder(shapes)
    hub = goanna.Dispatcher()
    hub.add(listener)
    block = goanna.muted()
    here, there = contextvars.copy_context(), contextvars.copy_context()
    for number in range(3):
        here.run(block.__enter__)
        here.run(hub.publish, shapes.OrderPlaced(number))
        there.run(block.__exit__, None, None, None)
        here.run(hub.publish, shapes.OrderPlaced(-number))
    assert listener.log == [0, -1, -2]


FORKED_IN_A_BLOCK = """
import os, threading
import goanna

class Sent(goanna.Event):
    number: int

class Interface(goanna.Listener):
    @goanna.handles(Sent)
    def sent(self, event): ...

class Keeps(Interface):
    def __init__(self): self.log = []
    def sent(self, event): self.log.append(event.number)

listener = Keeps()
queue = goanna.queued(listener)
entered, leave = threading.Event(), threading.Event()

def other():
    with goanna.muted():
        entered.set()
        leave.wait(30)

thread = threading.Thread(target=other)
thread.start()
assert entered.wait(30)
with goanna.muted():
    child = os.fork()
    if not child:
        queue.sent(Sent(1))
if not child:
    queue.sent(Sent(2))
    left = queue.flush(30)
    print(listener.log, left, queue.stats().dropped, flush=True)
    os._exit(0)
leave.set()
thread.join()
os.waitpid(child, 0)
queue.close(30)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_block_in_which_a_process_is_forked_off(backend: str) -> None:
    """The child is in the block, too; blocks of other threads are not in it."""
    done = python("-W", "ignore", "-c", FORKED_IN_A_BLOCK, GOANNA_BACKEND=backend)
    assert (done.stdout, done.stderr) == ("[2] 0 {}\n", "")


def test_paired_is_muted(goanna: ModuleType) -> None:
    class Began(goanna.Event):
        request_id: int

    class Ended(goanna.Event):
        request_id: int

    class Interface(goanna.Listener):
        @goanna.handles(Began)
        def started(self, event: Any) -> None: ...

        @goanna.handles(Ended)
        def succeeded(self, event: Any) -> None: ...

    class Counts(Interface):
        def command(self, operation: Any) -> None:
            raise AssertionError(operation)

    wrapper = goanna.paired(Counts(), ends="succeeded")
    with goanna.muted():
        wrapper.started(Began(1))
        wrapper.succeeded(Ended(1))
    assert wrapper.stats().published == 0
