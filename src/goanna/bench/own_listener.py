"""``goanna bench --listener``: what one's own listener costs for an event, and what of that is dispatch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track

import goanna
from goanna.bench.deliveries import OwnLoop
from goanna.bench.document import DocumentError, check_folders, setting, written
from goanna.bench.figures import Figure, figure
from goanna.bench.jobs import Work
from goanna.bench.loops import Run
from goanna.bench.measure import Timed, take_turns
from goanna.bench.monitored import stock
from goanna.bench.page import listener_page
from goanna.bench.stream import recorded, synthetic
from goanna.bench.terminal import duration, show_setting, table
from goanna.delivery.interfaces import interfaces_of
from goanna.monitoring import _install
from goanna.recording.calls import Call
from goanna.recording.reader import Recording, RecordingError, read
from goanna.recording.target import TargetError, load

__all__ = ["run"]

ROUNDS, QUICK_ROUNDS, FEWEST_ROUNDS = 100, 25, 5
SECONDS, QUICK_SECONDS = 60.0, 15.0
"""How long it may take, about; for slow listeners there are fewer rounds."""
PASS = 0.1
"""Seconds that a pass through the stream may take; for slow listeners it is cut off."""
FLOOR, ALONE = "a call that does nothing", "the listener alone"
IDLE, STOCK, INSTALLED = "installed, a listener that does nothing", "PyMongo's own publishing", "installed"
QUEUED, QUEUED_WHOLE = "installed, queued: the publisher's part", "installed, queued: until it is handled"
ON_LOOP, ON_LOOP_WHOLE = "installed, on_loop: the publisher's part", "installed, on_loop: until it is handled"
_MARK = "goanna_bench_listener"


@dataclass(frozen=True)
class Way:
    """One way for events to come to the listener.

    Args:
        prepare: returns the pass through the stream, and what settles it afterwards.
        whole: whether all that the listener does happens within the pass.
    """

    prepare: Callable[[], Work]
    whole: bool = True


def run(
    name: str,
    *,
    recording: str | None = None,
    quick: bool = False,
    json_file: str | None = None,
    html: str | None = None,
) -> int:
    """Measure a listener, and show what was found.

    Args:
        name: ``package.module:Class``; one is made for each way in which it is measured.
        recording: a file with the events; by default they are made up.
        quick: whether a few seconds must do.
        json_file: where to write the figures.
        html: where to write the page.

    Returns:
        The exit status: 0, or 2 for a listener or a file that can't be used.
    """
    console = Console()
    try:
        check_folders(json_file, html)
        found = None if recording is None else read(recording)
        listener = load(name)
        _check(listener, name)
        calls = _stream(found)
        wanted = _wanted(calls, listener)
        calls = calls[: _fitting(listener, wanted, len(calls))]
        wanted = _wanted(calls, listener)
    except (TargetError, RecordingError, DocumentError) as error:
        print(f"goanna bench: {error}", file=sys.stderr)
        return 2
    source = "made up: finds, with their connections" if recording is None else recording
    ways = _ways(name, listener, calls, wanted)
    rounds = _rounds(listener, wanted, len(ways), quick)
    works = {one: Timed(way.prepare(), len(calls)) for one, way in ways.items()}
    progress = track(range(rounds), description="measuring", console=console, transient=True)
    take_turns([list(works.values())], progress)
    figures = {one: figure(work.costs()) for one, work in works.items()}
    content = {
        _MARK: 1,
        "listener": name,
        "stream": {"source": source, "events": len(calls), "wanted": len(wanted)},
        **setting([works[FLOOR].costs()], rounds),
        "costs": {one: asdict(cost) for one, cost in figures.items()},
        "dispatch": {one: share for one in figures if (share := _dispatch(figures, one, ways[one])) is not None},
    }
    _show(console, content, figures)
    if json_file is not None:
        written(content, json_file)
        console.print("The same as JSON:", escape(json_file))
    if html is not None:
        Path(html).write_text(listener_page(content, FLOOR, ALONE), encoding="utf-8")
        console.print("The same as a page:", escape(html))
    return 0


def _rounds(listener: Any, wanted: list[tuple[str, Any]], ways: int, quick: bool) -> int:
    took = ways * _took(listener, wanted)
    seconds, most = (QUICK_SECONDS, QUICK_ROUNDS) if quick else (SECONDS, ROUNDS)
    return max(FEWEST_ROUNDS, min(most, int(seconds / took)))


def _fitting(listener: Any, wanted: list[tuple[str, Any]], calls: int) -> int:
    """Return how many of the calls make a pass that is not too long; the listener has had the first event before."""
    _took(listener, wanted[:1])
    each = _took(listener, wanted[:20]) / len(wanted[:20])
    return max(20, min(calls, int(PASS / each * calls / len(wanted))))


def _took(listener: Any, wanted: list[tuple[str, Any]]) -> float:
    """Return the seconds that the listener takes for events, never 0."""
    start = time.perf_counter_ns()
    for method, event in wanted:
        try:
            getattr(listener, method)(event)
        except Exception as error:
            name = f"{type(listener).__name__}.{method}"
            raise TargetError(f"--listener: {name} raised {type(error).__name__}: {error}") from error
    return (time.perf_counter_ns() - start + 1) / 1e9


def _check(listener: Any, name: str) -> None:
    from goanna import monitoring

    if not isinstance(listener, monitoring._EventListener):
        raise TargetError(
            f"--listener: {name} is no listener of PyMongo's; derive it from a listener class of pymongo.monitoring"
        )


def _stream(recording: Recording | None) -> list[Call]:
    from goanna.monitoring._names import SOURCE

    made = synthetic(SOURCE) if recording is None else recorded(recording, SOURCE)
    if not made:
        raise RecordingError("the recording holds no event that can be published")
    return made


def _wanted(calls: Sequence[Call], listener: Any) -> list[tuple[str, Any]]:
    """Return the events of the stream that the listener gets, with the names of the methods that it gets them by."""
    got: list[tuple[str, Any]] = []
    taker = _like(listener, lambda method, event: got.append((method, event)))
    _publish(_module(installed=False), taker, calls)(len(calls))
    if not got:
        raise TargetError(
            f"--listener: {type(listener).__name__} takes none of the {len(calls)} events; "
            "record some that it does, see goanna record"
        )
    return got


def _like(listener: Any, take: Callable[[str, Any], object] | None) -> Any:
    """Return a listener of the same interfaces that hands all to ``take``, or does nothing."""
    interfaces = interfaces_of(listener)

    def method(name: str) -> Callable[[Any, Any], None]:
        def handle(self: Any, event: Any) -> None:
            if take is not None:
                take(name, event)

        def nothing(self: Any, event: Any) -> None:
            self.seen = None

        return handle if take is not None else nothing

    return type("Like", interfaces.bases, {name: method(name) for name in interfaces.names})()


def _module(*, installed: bool) -> ModuleType:
    """Return a copy of PyMongo's module of its own, stock or installed into, that takes the real one's listeners."""
    from pymongo import monitoring

    module = stock()
    for name, value in vars(monitoring).items():
        if isinstance(value, type) and name.endswith("Listener"):
            setattr(module, name, value)
    if installed:
        _install.install(module)
    return module


def _ways(name: str, listener: Any, calls: Sequence[Call], wanted: list[tuple[str, Any]]) -> dict[str, Way]:
    first = [listener]

    def fresh() -> Any:
        return first.pop() if first else load(name)

    def whole(module: ModuleType, one: Any) -> Work:
        return Work(_publish(module, one, calls), scaffold=_nothing(calls))

    ways = {
        FLOOR: Way(lambda: Work(_nothing(calls)), False),
        ALONE: Way(lambda: _alone(fresh(), calls, wanted)),
        IDLE: Way(lambda: whole(_module(installed=True), _like(listener, None)), False),
        STOCK: Way(lambda: whole(_module(installed=False), fresh())),
        INSTALLED: Way(lambda: whole(_module(installed=True), fresh())),
    }
    ways[QUEUED] = Way(partial(_queued, fresh, calls, False), False)
    ways[QUEUED_WHOLE] = Way(partial(_queued, fresh, calls, True))
    ways[ON_LOOP] = Way(partial(_on_loop, fresh, calls, False), False)
    ways[ON_LOOP_WHOLE] = Way(partial(_on_loop, fresh, calls, True))
    return ways


def _passes(length: int, made: Sequence[tuple[Callable[..., object], tuple[Any, ...]]]) -> Run:
    """Return what makes the calls once for every ``length`` that it is told to do."""

    def run(times: int) -> None:
        for _ in range(times // length):
            for function, arguments in made:
                function(*arguments)

    return run


def _nothing(calls: Sequence[Call]) -> Run:
    return _passes(len(calls), [(sys.audit, ("", *one.arguments)) for one in calls])


def _publish(module: ModuleType, listener: Any, calls: Sequence[Call]) -> Run:
    listeners = module._EventListeners([listener])
    return _passes(len(calls), [(getattr(listeners, one.method), one.arguments) for one in calls])


def _alone(listener: Any, calls: Sequence[Call], wanted: list[tuple[str, Any]]) -> Work:
    return Work(
        _passes(len(calls), [(getattr(listener, method), (event,)) for method, event in wanted]),
        scaffold=_passes(len(calls), [(sys.audit, ("", event)) for _, event in wanted]),
    )


def _queued(fresh: Callable[[], Any], calls: Sequence[Call], until_handled: bool) -> Work:
    room = 2 * len(calls)
    wrapper = goanna.queued(fresh(), maxsize=room, batch=room, delay=1.0)
    publish = _publish(_module(installed=True), wrapper, calls)

    def run(times: int) -> None:
        publish(times)
        if until_handled:
            wrapper.flush()

    return Work(run, scaffold=_nothing(calls), settle=wrapper.flush)


def _on_loop(fresh: Callable[[], Any], calls: Sequence[Call], until_handled: bool) -> Work:
    loop = OwnLoop()
    wrapper = goanna.on_loop(fresh(), loop.loop, maxsize=2 * len(calls))
    publish = _publish(_module(installed=True), wrapper, calls)

    def settle() -> None:
        loop.loop.run_until_complete(wrapper.aflush())

    def run(times: int) -> None:
        publish(times)
        if until_handled:
            settle()

    return Work(run, scaffold=_nothing(calls), settle=settle)


def _dispatch(figures: dict[str, Figure], name: str, way: Way) -> float | None:
    """Return the share of what a way costs that is not the listener's own work; None where that is not in it."""
    if name == ALONE or not way.whole:
        return None
    return max(0.0, 1 - figures[ALONE].median / figures[name].median)


def _show(console: Console, content: dict[str, Any], figures: dict[str, Figure]) -> None:
    stream = content["stream"]
    console.print(
        f"[bold]{escape(content['listener'])}[/] gets {stream['wanted']} of {stream['events']} events, "
        f"{escape(stream['source'])}",
        highlight=False,
    )
    rows = table("for each event of the stream", "median", "95 %", "best", "dispatch")
    for name, one in figures.items():
        share = content["dispatch"].get(name)
        interval = f"{duration(one.low)} to {duration(one.high)}"
        shown = "" if share is None else f"{share:.0%}"
        rows.add_row(name, duration(one.median), interval, duration(one.best), shown)
    console.print(rows)
    console.print(
        "Dispatch is the share that is not the listener's own work: building the event, finding the listener, the way\n"
        "to it. All is divided by the events of the stream, those that the listener doesn't get included; the first\n"
        "line is taken off from the others.",
        highlight=False,
    )
    show_setting(console, content)
