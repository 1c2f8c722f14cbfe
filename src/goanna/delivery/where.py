"""where: a listener that gets only the events that meet conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from goanna.checks import checked_kind, checked_seconds
from goanna.core import Account, Filter, sampled
from goanna.core.deferred import check_runs, ran
from goanna.delivery.interfaces import interfaces_of
from goanna.delivery.rate_limit import Rate, parsed_rate
from goanna.delivery.wrapper import Wrapper, wrap
from goanna.listeners import check_method, does_nothing, method_of
from goanna.stats import Stats

__all__ = ["Where", "where"]


class Where(Wrapper):
    """What :func:`where` returns: a listener that passes on the events which meet its conditions."""

    _listener: Any
    _account: Account

    @property
    def listener(self) -> Any:
        """The listener behind it."""
        return self._listener

    def stats(self) -> Stats:
        """Return what became of the events that came here, as far as that is over; all counts of one moment.

        What a queue behind it still holds counts as delivered here; its own ``stats`` tell.
        """
        delivered, failed, filtered = self._account.read()
        return Stats(delivered + failed + filtered, delivered, failed, filtered)

    def flush(self, timeout: float | None = None) -> int:
        """Do what ``flush`` of the wrapper behind it does; 0 if there is none."""
        return self._listener.flush(timeout) if isinstance(self._listener, Wrapper) else 0

    def close(self, timeout: float | None = None) -> int:
        """Do what ``close`` of the wrapper behind it does; 0 if there is none."""
        return self._listener.close(timeout) if isinstance(self._listener, Wrapper) else 0

    async def aflush(self, timeout: float | None = None) -> int:
        """Do what ``aflush`` of the wrapper behind it does; 0 if there is none."""
        return await self._listener.aflush(timeout) if isinstance(self._listener, Wrapper) else 0

    async def aclose(self, timeout: float | None = None) -> int:
        """Do what ``aclose`` of the wrapper behind it does; 0 if there is none."""
        return await self._listener.aclose(timeout) if isinstance(self._listener, Wrapper) else 0


def where(
    listener: Any,
    predicate: Callable[[Any], object] | None = None,
    *,
    events: type | Iterable[type] | None = None,
    commands: str | Iterable[str] | None = None,
    databases: str | Iterable[str] | None = None,
    fields: Mapping[str, Any] | None = None,
    min_duration: float | None = None,
    sample: float | None = None,
    rate: str | None = None,
    by: str = "request_id",
    always: Any = (),
) -> Any:
    """Return a listener that hands on to ``listener`` the events that meet all of the conditions given.

    An event that lacks what a condition is about does not meet it. What ``listener`` raises is passed on to whoever
    publishes.

    A Dispatcher tests ``events``, ``commands``, ``databases`` and ``fields`` before an event is built, if they decide
    for everybody who listens; so do PyMongo's publishers with ``commands`` and ``databases`` on the compiled core.

    Args:
        listener: of any interface.
        predicate: called with the event, after all other conditions; true lets it through.
        events: event classes, subclasses included.
        commands: command names, as in the event's ``command_name``.
        databases: database names, as in the event's ``database_name``.
        fields: values that a field of the event may have, by the name of the field: one or several.
        min_duration: seconds that the event's ``duration_micros`` (microseconds) or ``duration`` (seconds) must be, at
            least; so events that have none, like that of a start, are kept out.
        sample: the share of requests to let through, from 0.0 to 1.0. It is decided by the number of the request, so
            that its start and its end stay together; the same requests are chosen each time.
        rate: how many requests to let through in a time at most, like "100/s", "20/min", "5/h"; decided with the first
            event of a request.
        by: the field that says what belongs to one request; events without it are requests of their own.
        always: what ``sample`` and ``rate`` let through in any case: "failed" for events that tell of a failure, a
            number of seconds for events with such a duration or a longer one, a predicate, or several of these. The
            start of such a request may not have been let through.

    Returns:
        A :class:`~goanna.delivery.Where`, which is an instance of the interfaces of ``listener`` too.

    Raises:
        TypeError, ValueError: an argument is none of these, or no condition is given; ``listener`` is no listener.
    """
    interfaces = interfaces_of(listener)
    types = None if events is None else _types(events)
    members: list[tuple[str, frozenset[Any]]] = []
    if commands is not None:
        members.append(("command_name", _strings("commands", commands)))
    if databases is not None:
        members.append(("database_name", _strings("databases", databases)))
    for name, values in _mapping(fields).items():
        members.append((name, _values(name, values)))
    least: list[tuple[str, Any]] = []
    if min_duration is not None:
        seconds = checked_seconds("min_duration", min_duration)
        least = [("duration_micros", seconds * 1e6), ("duration", seconds)]
    if predicate is not None and not callable(predicate):
        raise TypeError(f"predicate must be callable, not {type(predicate).__name__}")
    check_runs(predicate, "predicate")
    if not isinstance(by, str):
        raise TypeError(f"by must be the name of a field, not {type(by).__name__}")
    threshold = None if sample is None else _threshold(sample)
    limit = None if rate is None else Rate(*parsed_rate(rate))
    exempt = _exemptions(always)
    if exempt and threshold is None and limit is None:
        raise ValueError("always exempts from sample and rate, and neither is given")
    if not (types is not None or members or least or threshold is not None or limit or predicate):
        raise ValueError("where() needs at least one condition")
    rest, native = _rest(predicate, threshold, limit, by, exempt)
    account = Account()
    filters: dict[str, Callable[[Any], object] | None] = {}
    for name in interfaces.names:
        method = method_of(listener, name)
        check_method(method, f"{type(listener).__qualname__}.{name}")
        filters[name] = None if does_nothing(method) else Filter(method, account, types, members, least, native, rest)
    wrapper = wrap(Where, interfaces, filters)
    wrapper._listener = listener
    wrapper._account = account
    return wrapper


def _rest(
    predicate: Callable[[Any], object] | None,
    threshold: int | None,
    limit: Rate | None,
    by: str,
    exempt: list[Callable[[Any], object]],
) -> tuple[Callable[[Any], object] | None, tuple[str, int] | None]:
    """Return what is left for Python to test, and what of it the core can do."""
    if not exempt and limit is None:
        return predicate, None if threshold is None else (by, threshold)
    counted = iter(range(1 << 62)).__next__

    def rest(event: Any) -> object:
        if not any(ran(one(event)) for one in exempt):
            request = getattr(event, by, None)
            if threshold is not None and not sampled(counted() if request is None else request, threshold):
                return False
            if limit is not None and not limit.admits(request):
                return False
        return True if predicate is None else predicate(event)

    return rest, None


def _types(events: Any) -> tuple[type, ...]:
    found = tuple(events) if isinstance(events, Iterable) and not isinstance(events, type) else (events,)
    for one in found:
        if not isinstance(one, type):
            raise TypeError(f"events must be event classes, not {one!r}")
    if not found:
        raise ValueError("events is empty; then no event would get through")
    return found


def _strings(name: str, values: Any) -> frozenset[str]:
    found = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    for one in found:
        if not isinstance(one, str):
            raise TypeError(f"{name} must be strings, not {one!r}")
    if not found:
        raise ValueError(f"{name} is empty; then no event would get through")
    return frozenset(found)


def _mapping(fields: Any) -> Mapping[str, Any]:
    if fields is None:
        return {}
    if not isinstance(fields, Mapping) or not all(isinstance(one, str) for one in fields):
        raise TypeError(f"fields must map names of fields to values, not {fields!r}")
    return fields


def _values(name: str, values: Any) -> frozenset[Any]:
    several = isinstance(values, list | tuple | set | frozenset | range)
    try:
        found = frozenset(values if several else [values])
    except TypeError as error:
        raise TypeError(f"the values of field {name!r} must have hashes: {error}") from None
    if not found:
        raise ValueError(f"the values of field {name!r} are empty; then no event would get through")
    return found


def _threshold(sample: Any) -> int:
    checked_kind("sample", sample, int | float, "a number from 0.0 to 1.0")
    if not 0 <= sample <= 1:
        raise ValueError(f"sample is {sample}; it must be from 0.0 to 1.0")
    return min(int(sample * 2**64), 2**64 - 1)


def _exemptions(always: Any) -> list[Callable[[Any], object]]:
    made: list[Callable[[Any], object]] = []
    for one in always if isinstance(always, list | tuple | set | frozenset) else (always,):
        if one == "failed":
            made.append(_tells_of_failure)
        elif isinstance(one, int | float) and not isinstance(one, bool):
            made.append(_longer_than(checked_seconds("always", one)))
        elif callable(one):
            check_runs(one, "a predicate in always")
            made.append(one)
        else:
            raise ValueError(f'always is {one!r}; it must be "failed", a number of seconds or a predicate')
    return made


def _tells_of_failure(event: Any) -> bool:
    """Return whether the event has a failure, or its class says that it is one."""
    return getattr(event, "failure", None) is not None or type(event).__name__.removesuffix("Event").endswith("Failed")


def _longer_than(seconds: float) -> Callable[[Any], bool]:
    def longer(event: Any) -> bool:
        micros = getattr(event, "duration_micros", None)
        if micros is not None:
            return bool(micros >= seconds * 1e6)
        duration = getattr(event, "duration", None)
        return duration is not None and bool(duration >= seconds)

    return longer
