"""A method behind conditions, in pure Python: the same as in the compiled core."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from goanna.core._pure.account import Account
from goanna.core._pure.reporting import in_block, reporting
from goanna.core.base import MISSING, TORN_INCREMENT, TYPE_CHECKING, Skip, final, uncopied
from goanna.core.deferred import ran
from goanna.core.fields import check_conditions

if TYPE_CHECKING:
    from typing import Any, Final

    from goanna.core.fields import Field

__all__ = ["Filter", "sampled"]

_MASK: Final = (1 << 64) - 1


def sampled(value: Any, threshold: int) -> bool:
    """Return whether a value belongs to the sample: always the same answer for the same value in one process.

    Args:
        value: an int, or anything else that has a hash.
        threshold: the share of all values that belong to it, times 2**64.
    """
    number = (value if isinstance(value, int) else hash(value)) & _MASK
    # The finalizer of splitmix64: consecutive numbers, as request ids are, come out evenly spread.
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31) < threshold


@final
class Filter:
    """One method of a listener behind conditions, all of which must hold.

    Called with an event it hands it to ``target`` or not, and counts which. A table and a publisher look into it and
    reject events before they are built where the arguments tell.

    Args:
        target: the method.
        account: counts what becomes of the events; that of the wrapper, shared by its methods.
        types: classes of which the event must be an instance, or None.
        members: pairs of an attribute of the event and the frozenset in which its value must be. An event without
            the attribute does not match, nor does one whose value has no hash.
        least: pairs of an attribute and the smallest value that it may have; the first attribute that the event has
            counts, an event with none of them does not match.
        sample: an attribute and a threshold, see :func:`sampled`, or None; events without the attribute are sampled by
            their number.
        rest: called with the event for all that can't be said with these, or None.

    Raises:
        TypeError: ``target`` or ``rest`` can't be called, ``account`` is no Account, or a condition is not as
            described.
    """

    __slots__ = ("_seen", "account", "least", "members", "rest", "sample", "target", "types")

    def __init__(
        self,
        target: Callable[[Any], object],
        account: Account,
        types: tuple[type, ...] | None = None,
        members: Iterable[tuple[str, frozenset[Any]]] = (),
        least: Iterable[tuple[str, Any]] = (),
        sample: tuple[str, int] | None = None,
        rest: Callable[[Any], object] | None = None,
    ) -> None:
        if not callable(target):
            raise TypeError(f"the target of a Filter must be callable, not {type(target).__name__}")
        if not isinstance(account, Account):
            raise TypeError(f"the account of a Filter must be an Account, not {type(account).__name__}")
        if rest is not None and not callable(rest):
            raise TypeError(f"the rest of a Filter must be callable or None, not {type(rest).__name__}")
        self.target = target
        self.account = account
        self.types = types
        self.members = tuple(members)
        self.least = tuple(least)
        check_conditions(types, self.members, self.least, sample)
        self.sample = sample
        self.rest = rest
        self._seen = 0

    def __call__(self, event: Any) -> None:
        """Hand the event to the target if the conditions hold; what the target or a condition raises propagates."""
        if reporting and in_block():
            return
        if self.admits(event):
            self.pass_on(event)
        else:
            self.account.add(0, 0, 1)

    def pass_on(self, event: Any) -> None:
        """Hand the event to the target, whatever the conditions say, and count."""
        try:
            result = self.target(event)
            if result is not None:
                ran(result)
        except Skip:
            raise
        except BaseException:
            if TORN_INCREMENT:
                self.account.add(0, 1, 0)
            else:  # without a call, for which a RecursionError may have left no room
                self.account.failed += 1
            raise
        if TORN_INCREMENT:
            self.account.add(1, 0, 0)
        else:  # without a call, so that no signal comes in between
            self.account.delivered += 1

    def admits(self, event: Any) -> bool:
        """Return whether the conditions hold; count nothing unless one raises.

        Raises:
            BaseException: what ``rest`` or a comparison raised, counted as a failure.
        """
        try:
            return self._holds(event)
        except BaseException:
            if TORN_INCREMENT:
                self.account.add(0, 1, 0)
            else:  # without a call, for which a RecursionError may have left no room
                self.account.failed += 1
            raise

    def _holds(self, event: Any) -> bool:
        if self.types is not None and not isinstance(event, self.types):
            return False
        for name, values in self.members:
            if not _contains(values, getattr(event, name, MISSING)):
                return False
        if self.least:
            for name, smallest in self.least:
                value = getattr(event, name, None)
                if value is not None:
                    if value < smallest:
                        return False
                    break
            else:
                return False
        if self.sample is not None:
            name, threshold = self.sample
            value = getattr(event, name, None)
            if value is None:
                self._seen += 1
                value = self._seen
            if not sampled(value, threshold):
                return False
        return self.rest is None or bool(ran(self.rest(event)))

    def before(self, target: Callable[[Any], object]) -> Filter:
        """Return a Filter with the same conditions and account before another target."""
        return Filter(target, self.account, self.types, self.members, self.least, self.sample, self.rest)

    def early(self, event_type: type, fields: Iterable[Field]) -> tuple[bool, tuple[tuple[int, frozenset[Any]], ...]]:
        """Return what can be said of events of a class before they are built.

        Returns:
            Whether none of them will be admitted, and pairs of the index of a field and the values it must have.
        """
        if self.types is not None and not issubclass(event_type, self.types):
            return True, ()
        places = {one.name: index for index, one in enumerate(fields)}
        early = tuple([(places[name], values) for name, values in self.members if name in places])
        return any(not hasattr(event_type, name) for name, _ in self.members), early

    def __reduce__(self) -> str:
        return uncopied(self)

    def __repr__(self) -> str:
        return f"<Filter before {self.target!r}>"


def _contains(values: frozenset[Any], value: Any) -> bool:
    try:
        return value in values
    except TypeError:
        return False


for _public in (Filter, sampled):
    _public.__module__ = "goanna.core"
