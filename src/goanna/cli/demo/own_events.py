"""``goanna demo --own-events``: an event of one's own, from the definition to the figures."""

from __future__ import annotations

import contextlib
import io
import logging

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import track
from rich.table import Table

import goanna
from goanna.bench.cores import NAMES

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
    _measure(console, rounds=15 if quick else 150)
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


def _measure(console: Console, rounds: int) -> None:
    """Print what one publish costs, as the best of interleaved rounds."""
    with contextlib.redirect_stderr(io.StringIO()):  # which core is there and which is not has been said
        from goanna.bench.jobs import Job, publish
        from goanna.bench.measure import turns
        from goanna.bench.rivals import PLAIN
    shown = {PLAIN: "dataclass and a loop", NAMES["py"]: "goanna, pure core"}
    if goanna.BACKEND == "c":
        shown[NAMES["c"]] = "goanna, compiled core"
    jobs = {count: publish(count) for count in (1, 3, 10)}
    progress = track(range(rounds), description="measuring", console=console, transient=True)
    timed = turns([Job(job.name, {name: job.works[name] for name in shown}) for job in jobs.values()], progress)
    table = Table(title="one publish of an 8-field event, ns (listeners keep the event; best of interleaved rounds)")
    table.add_column("listeners", justify="right")
    for name in shown.values():
        table.add_column(name, justify="right")
    for count, job in jobs.items():
        best = {name: min(one.costs()) for name, one in timed[job.name].items()}
        table.add_row(str(count), *(f"{one:.0f} ({best[PLAIN] / one:.1f}x)" for one in best.values()))
    console.print(table)
