"""where: a listener that gets only the events that meet conditions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, final

from goanna.checks import checked_kind, checked_seconds
from goanna.core import Account, Filter, sampled
from goanna.core.base import MISSING
from goanna.core.deferred import check_runs, ran
from goanna.core.forks import after_fork
from goanna.delivery.interfaces import Interfaces, interfaces_of
from goanna.delivery.operations import are_told_apart, operation_key
from goanna.delivery.options import methods_of
from goanna.delivery.paired import Paired
from goanna.delivery.rate_limit import Rate, parsed_rate
from goanna.delivery.wrapper import Wrapper, wrap
from goanna.listeners import does_nothing
from goanna.stats import Stats

__all__ = ["Where", "where"]


class Where(Wrapper):
    """What :func:`where` returns: a listener that passes on the events which meet its conditions."""

    _listener: Any
    _account: Account
    _told_by_thread: bool

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

    A condition that a start tells holds for its end, which may not tell it: the ends of commands name their database
    from PyMongo 4.6 on. In front of :func:`paired` all conditions are about operations: a start that its end decides
    about waits for it here, counted as filtered, and is handed on with it; ``predicate`` is asked with the start. The
    latest 10,000 starts are remembered.

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
        TypeError, ValueError: an argument is none of these, or no condition is given; ``listener`` is no listener, or
            none of its events can meet a condition.
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
    methods = methods_of(listener, interfaces, here=True)
    names = [name for name, _ in members]
    _check_possible(interfaces, types, names if by == "request_id" else [*names, by], least)
    account = Account()
    rest, native = _rest(predicate, threshold, limit, by, exempt)
    filters: dict[str, Callable[[Any], object] | None] = {}
    for name, method in methods.items():
        filters[name] = None if does_nothing(method) else Filter(method, account, types, members, least, native, rest)
    spec = _operations(listener, interfaces)
    if spec is not None:
        whole = spec.whole
        first = list(interfaces.events.get(spec.start, ()))
        last = [cls for end in spec.ends for cls in interfaces.events.get(end, ())]
        known = bool(first and last)
        early = [(name, values) for name, values in members if known and _all_have(first, name)]
        common = [(name, values) for name, values in early if _all_have(last, name)]
        torn = (threshold is not None or limit is not None) and known and not _all_have([*first, *last], by)
        of_end = bool(least or exempt or types or len(early) < len(members))
        if len(common) < len(early) or torn or (whole and (of_end or predicate or limit or not known)):
            decisions = _Decisions(spec, members, types, least, predicate, threshold, limit, by, exempt, of_end)
            begin = filters[spec.start]
            target = begin.target if isinstance(begin, Filter) else _ignored
            decisions.begin = target
            # A start that the listener does not want is looked at, and not counted.
            counted = account if isinstance(begin, Filter) else Account()
            filters[spec.start] = Filter(target, counted, None, early, (), None, decisions.start)
            for end in spec.ends:
                one = filters[end]
                if isinstance(one, Filter):
                    filters[end] = Filter(one.target, account, None, common, (), None, decisions.end)
    wrapper = wrap(Where, interfaces, filters)
    wrapper._listener = listener
    wrapper._account = account
    wrapper._told_by_thread = getattr(listener, "_told_by_thread", False) is True
    return wrapper


class _Spec(NamedTuple):
    """What begins and ends at a listener.

    Attributes:
        start: the method that takes the beginning.
        ends: the methods that take an end.
        key: what the events of one operation have in common.
        whole: whether the listener can do nothing with one of the events without the other.
    """

    start: str
    ends: tuple[str, ...]
    key: Callable[[Any], Any]
    whole: bool


def _operations(listener: Any, interfaces: Interfaces) -> _Spec | None:
    behind = listener
    while isinstance(behind, Wrapper):
        if isinstance(behind, Paired):
            pairs = behind._pairs
            return _Spec(pairs.first, pairs.last, pairs.key, True)
        behind = behind.listener
    start, ends = "started", ("succeeded", "failed")
    if all(name in interfaces.names for name in (start, *ends)) and are_told_apart(interfaces, start, ends):
        return _Spec(start, ends, operation_key, False)
    return None


def _all_have(classes: Iterable[type], name: str) -> bool:
    return all(hasattr(one, name) for one in classes)


def _ignored(event: Any) -> None: ...


@final
class _Decisions:
    """Decides for operations: what a start tells is remembered until its end, which may not tell it again.

    A listener of whole operations gets the start together with its end, if the end decides.
    """

    def __init__(
        self,
        spec: _Spec,
        members: list[tuple[str, frozenset[Any]]],
        types: tuple[type, ...] | None,
        least: list[tuple[str, Any]],
        predicate: Callable[[Any], object] | None,
        threshold: int | None,
        limit: Rate | None,
        by: str,
        exempt: list[Callable[[Any], object]],
        of_end: bool,
    ) -> None:
        self._spec = spec
        self._members = members
        self._types = types
        self._least = least
        self._predicate = predicate
        self._exempt = exempt
        self._of_end = of_end
        self._chosen = _rest(None, threshold, limit, by, exempt, always_here=True)[0]
        self._open: dict[Any, tuple[Any, bool, frozenset[str]]] = {}
        # Re-entrant, because a finalizer may publish while it is held.
        self._lock = threading.RLock()
        self.begin: Callable[[Any], object] = _ignored
        after_fork(self)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()

    def start(self, event: Any) -> bool:
        """Decide as far as the start of an operation tells; return whether it is to be delivered now."""
        met = frozenset([name for name, _ in self._members if hasattr(event, name)])
        if not self._matches([one for one in self._members if one[0] in met], event):
            return False
        whole = self._spec.whole
        if whole and self._predicate is not None and not ran(self._predicate(event)):
            return False
        chosen = self._chosen is None or bool(self._chosen(event))
        if not chosen and not self._exempt:
            return False
        held = event if whole and self._of_end else None
        out = None
        with self._lock:
            key = self._spec.key(event)
            self._open.pop(key, None)
            self._open[key] = held, chosen, met
            if len(self._open) > _REMEMBERED:
                out = self._open.pop(next(iter(self._open)))
        del out  # without the lock, since what goes away may run any code
        if whole:
            return held is None
        return (
            chosen
            and len(met) == len(self._members)
            and not self._least
            and (self._types is None or isinstance(event, self._types))
            and (self._predicate is None or bool(ran(self._predicate(event))))
        )

    def end(self, event: Any) -> bool:
        """Decide for an operation that has ended; hand on its start if that has waited for it."""
        with self._lock:
            found = self._open.pop(self._spec.key(event), None)
        if found is None:
            return False
        held, chosen, met = found
        if not chosen and not any(ran(one(event)) for one in self._exempt):
            return False
        if not self._matches([one for one in self._members if one[0] not in met], event):
            return False
        if self._least and not _lasted(event, self._least):
            return False
        if self._types is not None and not (isinstance(event, self._types) or isinstance(held, self._types)):
            return False
        if held is not None:
            self.begin(held)
        return self._spec.whole or self._predicate is None or bool(ran(self._predicate(event)))

    @staticmethod
    def _matches(members: list[tuple[str, frozenset[Any]]], event: Any) -> bool:
        for name, values in members:
            try:
                if getattr(event, name, MISSING) not in values:
                    return False
            except TypeError:  # it has no hash
                return False
        return True


_REMEMBERED: Final = 10_000
"""How many operations under way are remembered."""


def _lasted(event: Any, least: list[tuple[str, Any]]) -> bool:
    for name, smallest in least:
        value = getattr(event, name, None)
        if value is not None:
            return bool(value >= smallest)
    return False


def _check_possible(
    interfaces: Interfaces, types: tuple[type, ...] | None, names: list[str], least: list[tuple[str, Any]]
) -> None:
    """Raise TypeError for a condition that no event of the interfaces can meet, as far as these are known."""
    if not all(name in interfaces.events for name in interfaces.names):
        return
    classes: list[Any] = list(dict.fromkeys([cls for found in interfaces.events.values() for cls in found]))
    for cls in classes:  # grows: an event of a subclass comes to the same method
        classes += [one for one in cls.__subclasses__() if one not in classes]
    shown = ", ".join(dict.fromkeys([cls.__name__ for found in interfaces.events.values() for cls in found]))
    if types is not None:
        for one in types:
            if not any(issubclass(cls, one) or issubclass(one, cls) for cls in classes):
                raise TypeError(f"events has {one.__name__}, and no event is one; the listener gets {shown}")
    for name in names:
        if not any(_may_have(cls, name) for cls in classes):
            raise TypeError(f"no event of the listener has a field {name!r}; it gets {shown}")
    if least and not any(_may_have(cls, name) for cls in classes for name, _ in least):
        raise TypeError(f"no event of the listener has a duration; it gets {shown}")


def _may_have(cls: type, name: str) -> bool:
    return hasattr(cls, name) or hasattr(cls, "__getattr__") or bool(getattr(cls, "__dictoffset__", 1))


def _rest(
    predicate: Callable[[Any], object] | None,
    threshold: int | None,
    limit: Rate | None,
    by: str,
    exempt: list[Callable[[Any], object]],
    *,
    always_here: bool = False,
) -> tuple[Callable[[Any], object] | None, tuple[str, int] | None]:
    """Return what is left for Python to test, and what of it the core can do, unless all of it is to be done here."""
    if not exempt and limit is None and not (always_here and threshold is not None):
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
