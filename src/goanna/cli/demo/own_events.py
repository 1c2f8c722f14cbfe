"""``goanna demo --own-events``: an event of one's own, from the definition to the figures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import make_dataclass
from timeit import timeit
from typing import Any

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import track
from rich.table import Table

import goanna
from goanna import core
from goanna.core import _pure

__all__ = ["run"]


class OrderPlaced(goanna.Event):
    """What the demonstration publishes."""

    order_id: int
    customer: str
    total: float = 0.0
    currency: str = "EUR"
    items: int = 1
    country: str = "NL"
    channel: str = "web"
    rush: bool = False


class OrderListener(goanna.Listener):
    """The interface of those who care about orders."""

    @goanna.handles(OrderPlaced)
    def placed(self, event: OrderPlaced) -> None:
        """Take an order that has just been placed."""


class Audit(OrderListener):
    """Prints what it gets."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def placed(self, event: OrderPlaced) -> None:
        """Print the event."""
        self.console.print("  Audit got", event)


class Broken(OrderListener):
    """Raises."""

    def placed(self, event: OrderPlaced) -> None:
        """Fail."""
        raise RuntimeError(f"no stock for order {event.order_id}")

    def __repr__(self) -> str:
        return "Broken()"


def run(*, quick: bool = False) -> int:
    """Show a dispatcher at work, then what it costs; return the exit status."""
    console = Console()
    console.rule(f"goanna {goanna.__version__}, {'compiled' if goanna.BACKEND == 'c' else 'pure'} core")
    _show(console)
    _measure(console, rounds=3 if quick else 30)
    if goanna.BACKEND != "c":
        console.print("This is the pure core; [bold]goanna doctor[/] says what it takes to get the compiled one.")
    console.print("Next: [bold]python -m goanna doctor[/], and the README for what else there is.")
    return 0


def _show(console: Console) -> None:
    """Publish to a listener that works and to one that does not."""
    hub = goanna.Dispatcher(OrderListener)
    publish = hub.publisher(OrderPlaced)
    console.print(f"nobody listens yet, so the publisher is {bool(publish)} and builds nothing:", publish)
    publish(order_id=0, customer="nobody")
    logger = logging.getLogger("goanna")
    handler = RichHandler(console=console, show_time=False, show_path=False)
    logger.addHandler(handler)
    try:
        with hub.add(Audit(console)) as audit, hub.add(Broken(), before=audit) as broken:
            console.print("two listeners, the first of them broken; its error is logged and stops nobody:")
            for number, customer in enumerate(("Ada", "Grace"), start=1):
                publish(number, customer, total=9.5 * number)
            for name, one in (("Audit", audit.stats()), ("Broken", broken.stats())):
                console.print(f"counted for {name}: {one.delivered} delivered, {one.failed} failed")
    finally:
        logger.removeHandler(handler)


def _keeper(number: int) -> OrderListener:
    """Return a listener of a class of its own that keeps the last event."""

    def placed(self: Any, event: OrderPlaced) -> None:
        self.last = event

    made: OrderListener = type(f"Keeper{number}", (OrderListener,), {"placed": placed})()
    return made


def _candidates(count: int) -> dict[str, Callable[..., object]]:
    """Return ways to publish an order to ``count`` listeners of as many classes."""
    listeners = [_keeper(number) for number in range(count)]
    methods = [one.placed for one in listeners]
    fields = goanna.fields(OrderPlaced)
    plain = make_dataclass("OrderPlaced", [one.name for one in fields], slots=True)

    def loop(*args: Any) -> None:
        event = plain(*args)
        for method in methods:
            method(event)

    def channel(kind: Any) -> Callable[..., object]:
        account = kind.Account()
        table = kind.Table([kind.Call(method, account, None) for method in methods])
        made: Callable[..., object] = kind.Channel(kind.Maker(OrderPlaced, fields), table, None)
        return made

    found = {"dataclass and a loop": loop, "goanna, pure core": channel(_pure)}
    if goanna.BACKEND == "c":
        found["goanna, compiled core"] = channel(core)
    return found


def _measure(console: Console, rounds: int) -> None:
    """Print what one publish costs, as the best of interleaved rounds."""
    counts = (1, 3, 10)
    table = Table(title="one publish of an 8-field event, ns (listeners keep the event; best of interleaved rounds)")
    table.add_column("listeners", justify="right")
    candidates = {count: _candidates(count) for count in counts}
    for name in candidates[1]:
        table.add_column(name, justify="right")
    best: dict[tuple[int, str], float] = {}
    for _ in track(range(rounds), description="measuring", console=console, transient=True):
        for count in counts:
            for name, publish in candidates[count].items():
                best[count, name] = min(best.get((count, name), float("inf")), _time(publish))
    for count in counts:
        reference = best[count, "dataclass and a loop"]
        table.add_row(
            str(count), *(f"{best[count, name]:.0f} ({reference / best[count, name]:.1f}x)" for name in candidates[1])
        )
    console.print(table)


def _time(publish: Callable[..., object], calls: int = 20_000) -> float:
    """Return the nanoseconds of one call."""
    call = "publish(7, 'Ada', 9.5, 'EUR', 1, 'NL', 'web', False)"
    return timeit(call, "publish = given", number=calls, globals={"given": publish}) / calls * 1e9
