"""What all wrappers are: listeners of the same interfaces as the one behind them."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from goanna.core import REASONS
from goanna.core.base import uncopied
from goanna.delivery.interfaces import Interfaces
from goanna.stats import Stats, Time

__all__ = ["Wrapper", "stats_of", "wrap"]

_W = TypeVar("_W", bound="Wrapper")


class Wrapper:
    """A listener in front of a listener.

    It is an instance of the interfaces that the other implements. Its methods for events were decided when it was
    made and can't be replaced.
    """

    __methods__: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, listener: Any) -> None:
        raise NotImplementedError

    @property
    def listener(self) -> Any:
        """The listener behind it, which may be a wrapper too."""
        raise NotImplementedError

    def stats(self) -> Stats:
        """Return what became of the events that came here, all counts of one moment."""
        raise NotImplementedError

    def flush(self, timeout: float | None = None) -> int:
        """Wait until the events that have come so far are dealt with.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many of them were left when the time was up.
        """
        raise NotImplementedError

    def close(self, timeout: float | None = None) -> int:
        """Take no more events, wait like :meth:`flush`, and give up what is left then.

        Events that come later are counted as dropped, "closed". Closing again does no harm.

        Args:
            timeout: seconds, None for as long as it takes.

        Returns:
            How many events were left when the time was up; what waited of them is dropped, what the listener has at
            that moment is counted when it returns.
        """
        raise NotImplementedError

    async def aflush(self, timeout: float | None = None) -> int:
        """Do what :meth:`flush` does, without holding up the event loop that awaits it."""
        raise NotImplementedError

    async def aclose(self, timeout: float | None = None) -> int:
        """Do what :meth:`close` does, without holding up the event loop that awaits it."""
        raise NotImplementedError

    def _through(self, name: str) -> Callable[[Any], object] | None:
        """Return what hands an object to another method of the listener in the way of this wrapper, or None.

        Raises:
            TypeError: the listener has such a method, and it can't be called here; or no wrapper of this kind can.
        """
        raise TypeError(f"a {type(self).__name__} takes no operations; put it in front: where(paired(...), ...)")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self).__methods__:
            raise AttributeError(f"{name} of a {type(self).__name__} can't be replaced; wrap another listener instead")
        object.__setattr__(self, name, value)

    def __enter__(self: _W) -> _W:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self) -> str:
        return uncopied(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.listener!r}>"


Method = Callable[[Any], object]


def wrap(kind: type[_W], interfaces: Interfaces, methods: Mapping[str, Method | None]) -> _W:
    """Return a new, uninitialised wrapper that is a listener of these interfaces.

    Args:
        kind: the wrapper class.
        interfaces: what it is to be an instance of.
        methods: what its methods do; None for one that need not be called at all.

    Raises:
        TypeError: a method has a name that the wrapper needs for itself.
    """
    for name in methods:
        if hasattr(Wrapper, name):
            raise TypeError(
                f"a method for events can't be called {name!r} here, because {kind.__name__} has one of its own"
            )
    namespace: dict[str, Any] = {
        "__methods__": frozenset(methods),
        "__interfaces__": interfaces,
        "__module__": kind.__module__,
        "__doc__": kind.__doc__,
    }
    for name, method in methods.items():
        namespace[name] = _nothing(name) if method is None else _delegate(name)
    if interfaces.handles:
        namespace["__handled__"] = interfaces.handles
    cls: Any = types.new_class(kind.__name__, (kind, *interfaces.bases), exec_body=lambda body: body.update(namespace))
    # goanna's interfaces may have code of their own, which a wrapper is not to inherit: for isinstance this is enough.
    one: Any
    for one in interfaces.registered:
        one.register(cls)
    wrapper: _W = cls.__new__(cls)
    # In the instance, where an interpreter and a dispatcher find what to call without a step in between.
    wrapper.__dict__.update({name: method for name, method in methods.items() if method is not None})
    return wrapper


def _delegate(name: str) -> Callable[[Any, Any], object]:
    def method(self: Any, event: Any) -> object:
        return self.__dict__[name](event)

    method.__name__ = name
    return method


def _nothing(name: str) -> Callable[[Any, Any], object]:
    def method(self: Any, event: Any) -> object: ...

    method.__name__ = name
    return method


def stats_of(counts: tuple[Any, ...]) -> Stats:
    """Return the Stats that a ring's counts mean."""
    published, delivered, failed, dropped, pending, high_water, oldest, total, longest, histogram = counts
    return Stats(
        published,
        delivered,
        failed,
        0,
        {reason: count for reason, count in zip(REASONS, dropped, strict=True) if count},
        pending,
        high_water,
        oldest / 1e9,
        Time(total, longest, histogram),
    )
