"""hub.add(timed=, slow=, quarantine=): what is measured, reported and isolated."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

import pytest

from support.recorders import check, recorder


def failing(event: Any) -> None:
    if event.order_id < 0:
        raise ValueError(event.order_id)


def test_time_is_measured_where_it_is_asked_for(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: None)
    plain = hub.add(recorder(shapes, failing))
    timed = hub.add(recorder(shapes, failing), timed=True)
    for number in range(-3, 7):
        hub.publisher(shapes.OrderPlaced)(number)
    assert plain.stats().time is None
    stats = check(timed.stats())
    assert (stats.delivered, stats.failed) == (7, 3)
    assert sum(stats.time.histogram) == 10
    assert 0 < stats.time.longest <= stats.time.total
    longest = max(bits for bits, count in enumerate(stats.time.histogram) if count)
    assert longest == min(stats.time.longest.bit_length(), len(stats.time.histogram) - 1)


def test_the_first_slow_call_is_reported(
    goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    hub = goanna.Dispatcher()
    registration = hub.add(recorder(shapes), slow=1e-9)
    hub.add(recorder(shapes), slow=1e6)
    for number in range(5):
        hub.publisher(shapes.OrderPlaced)(number)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("goanna", "WARNING")
    assert record.getMessage().startswith(f"{registration.listener!r} took 0.")
    assert record.getMessage().endswith(" s for OrderPlaced; later slow calls are not reported")


def test_quarantine(goanna: ModuleType, shapes: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: None)
    listener = recorder(shapes, failing)
    registration = hub.add(listener, quarantine=3)
    other = hub.add(recorder(shapes))
    publish = hub.publisher(shapes.OrderPlaced)
    for number in (-1, -2, 1, -3, -4):
        publish(number)
    assert not registration.quarantined
    publish(-5)
    assert registration.quarantined
    assert registration.active
    for number in (2, 3):
        publish(number)
    publish.publish(shapes.OrderPlaced(4))
    assert listener.log == [-1, -2, 1, -3, -4, -5]
    stats = check(registration.stats())
    assert (stats.delivered, stats.failed, stats.dropped) == (1, 5, {"quarantined": 3})
    assert check(other.stats()).delivered == 9
    assert [one.getMessage() for one in caplog.records] == [
        f"{listener!r} failed 3 times in a row and gets no more events"
    ]
    other.remove()
    publish(5)  # nobody is left who gets it, and it is counted
    assert check(registration.stats()).dropped == {"quarantined": 4}
    registration.remove()
    assert not publish


def test_quarantine_of_a_listener_with_conditions(goanna: ModuleType, shapes: ModuleType) -> None:
    hub = goanna.Dispatcher(errors=lambda *args: None)
    wrapper = goanna.where(recorder(shapes, failing), fields={"order_id": range(-10, 0)})
    registration = hub.add(wrapper, quarantine=2)
    publish = hub.publisher(shapes.OrderPlaced)
    for number in (-1, 5, -2, -3, 6):
        publish(number)
    assert registration.quarantined
    stats = check(registration.stats())
    assert (stats.failed, stats.filtered, stats.dropped) == (2, 1, {"quarantined": 2})


def test_a_handler_of_the_log_that_publishes(goanna: ModuleType, shapes: ModuleType) -> None:
    """What a report publishes does not come back to the listener that the report is about."""
    hub = goanna.Dispatcher()
    listener = recorder(shapes, failing)
    registration = hub.add(listener, slow=1e-9, quarantine=2)
    queue = goanna.queued(recorder(shapes))
    queued = hub.add(queue)
    publish = hub.publisher(shapes.OrderPlaced)

    class Publishes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            publish(100)

    handler = Publishes()
    logging.getLogger("goanna").addHandler(handler)
    try:
        for number in (-1, -2, -3):
            publish(number)
    finally:
        logging.getLogger("goanna").removeHandler(handler)
    assert listener.log == [-1, -2]
    assert registration.quarantined
    check(registration.stats())
    queue.flush(30)
    stats = check(queue.stats())
    assert queue.listener.log == [-1, -2, -3]
    assert set(stats.dropped) == {"reentrant"}
    assert check(queued.stats()).published == stats.published
    queue.close(30)


@pytest.mark.parametrize("once", [False, True])
def test_together_with_once_and_weak(goanna: ModuleType, shapes: ModuleType, once: bool) -> None:
    hub = goanna.Dispatcher()
    listener = recorder(shapes)
    registration = hub.add(listener, timed=True, weak=True, once=once)
    for number in range(3):
        hub.publisher(shapes.OrderPlaced)(number)
    assert listener.log == ([0] if once else [0, 1, 2])
    stats = check(registration.stats())
    assert sum(stats.time.histogram) == stats.delivered == len(listener.log)
    del listener
    import gc

    gc.collect()
    assert not registration.active
