"""``goanna replay``: recorded events, published again to any listener."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from goanna.recording.calls import Call, calls
from goanna.recording.reader import Recording, RecordingError, read
from goanna.recording.target import TargetError, load
from goanna.texts import escaped

__all__ = ["parsed_speed", "publish", "replay"]


class UnpublishableError(ValueError):
    """An event that the driver can't make of what was recorded."""


def replay(path: str, listener: str | None, speed: str) -> int:
    """Publish what a file holds, through goanna, and say how long that took.

    Args:
        path: of the recording.
        listener: ``package.module:Class``; None only says what the file holds.
        speed: "full", "original", or how many times the original.

    Returns:
        The exit status: 2 for a file or a listener that can't be used, 1 if an event could not be published.
    """
    try:
        factor = parsed_speed(speed)
        recording = read(path)
        target = None if listener is None else load(listener)
        return _replayed(recording, target, factor)
    except (RecordingError, TargetError, ValueError) as error:
        print(f"goanna replay: {escaped(str(error))}", file=sys.stderr)
        return 2


def _replayed(recording: Recording, target: Any, factor: float | None) -> int:
    print(escaped(f"{recording.path}: {recording.summary()}"))
    shown = ", ".join(f"{name} {recording.header.get(name)}" for name in ("python", "pymongo", "platform", "began"))
    print(escaped(f"  recorded with {shown}"))
    if target is None:
        for name, count in recording.counted().most_common():
            print(escaped(f"  {count:>8}  {name}"))
        print("To publish them: goanna replay FILE --listener package.module:Class")
        return 0
    from goanna import install, monitoring

    install()
    made, unknown = calls(recording, monitoring)
    listeners = monitoring._EventListeners([target])
    start = time.perf_counter()
    try:
        publish(listeners, made, factor)
    except UnpublishableError as error:
        raise RecordingError(f"{recording.path}, {error}") from error
    took = time.perf_counter() - start
    print(f"published {len(made)} events in {took:.3f} s" + (f", {len(made) / took:,.0f} per second" if made else ""))
    if hasattr(target, "flush") and hasattr(target, "stats"):
        left = target.flush(60.0)
        print(f"  flushed in {time.perf_counter() - start - took:.3f} s, {left} left: {target.stats()}")
    for name, count in unknown.items():
        print(
            escaped(f"goanna replay: {count} {name} could not be published: unknown to this PyMongo"), file=sys.stderr
        )
    return int(bool(unknown))


def parsed_speed(speed: str) -> float | None:
    """Return how many times the original speed is wanted, None for as fast as it goes.

    Raises:
        ValueError: it is neither "full", "original" nor a number above 0.
    """
    if speed in ("full", "original"):
        return None if speed == "full" else 1.0
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise ValueError(f"--speed is {speed!r}; it must be full, original or a number above 0")
    return factor


def publish(listeners: Any, made: Sequence[Call], factor: float | None = None) -> None:
    """Make the calls.

    Args:
        listeners: an ``_EventListeners``.
        made: the calls.
        factor: how many times the original speed, None for as fast as it goes.

    Raises:
        UnpublishableError: the driver takes no such arguments.
    """
    begin = time.perf_counter_ns() - (made[0].at / factor if made and factor else 0)
    for one in made:
        if factor:
            early = begin + one.at / factor - time.perf_counter_ns()
            if early > 0:
                time.sleep(early / 1e9)
        try:
            getattr(listeners, one.method)(*one.arguments)
        except Exception as error:  # of the event's making: what a listener raises, the driver handles
            why = f"{type(error).__name__}: {error}"
            raise UnpublishableError(f"line {one.line}: {one.event} can't be published: {why}") from error
