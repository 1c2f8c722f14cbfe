"""install() and uninstall(): the fast publishers in place of a monitoring module's own methods, and back.

Nothing but attributes of classes is changed: the ``publish_*`` methods of ``_EventListeners``, so that clients which
exist already profit, and the properties of the event classes, which become readers of the same slots. Each method is
replaced only if calling it shows what it does (see ``_plan``) and if its replacement builds equal events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import Any, Final, Literal, final

from goanna.core import BACKEND, choose_half, reader
from goanna.core.forks import ForkLock
from goanna.install_report import InstallReport
from goanna.monitoring import _plan
from goanna.monitoring._names import SOURCE

__all__ = ["Report", "install", "refresh", "uninstall"]

Resolve = Literal["publish", "registration"]


def _load_compiled() -> Any:
    from goanna.monitoring import _compiled as half  # type: ignore[attr-defined]

    return half


def _load_pure() -> Any:
    from goanna.monitoring import _pure as half

    return half


_HALF: Final[Any] = choose_half("goanna.monitoring", _load_compiled, _load_pure)

_LOCK = ForkLock()

_installed: dict[str, _Installation] = {}
"""By the name of the module."""


@final
class Report(InstallReport):
    """What install() has done to a module.

    Attributes:
        module: its name.
        resolve: when listeners' methods are looked up.
        fast: the methods that were replaced.
        stock: those that were not, and why.
        readers: the properties that are read like slots now, as ``Class.name``.
    """

    __slots__ = ("module", "readers", "resolve")

    def __init__(
        self,
        module: str,
        resolve: Resolve,
        fast: tuple[str, ...],
        stock: dict[str, str],
        readers: tuple[str, ...],
    ) -> None:
        super().__init__(fast, stock)
        self.module: str = module
        self.resolve = resolve
        self.readers: tuple[str, ...] = readers

    def _library(self) -> str:
        return self.module

    def _summary(self) -> str:
        when = "at each publish" if self.resolve == "publish" else "at registration"
        return (
            f"{len(self.fast)} publish methods made fast, {len(self.stock)} left as they were, "
            f"{len(self.readers)} fields read like slots; listeners' methods are looked up {when}"
        )


@final
class _Installation:
    """What has been put into a module, and what was there before.

    Attributes:
        resolve: of what is in place; None after uninstalling.
        replaced: by class and name of the attribute what was found there and what was put there instead.
        earlier: the same pairs of installations that are over, where somebody else had replaced what was put there, and
            so has it and may put it there again.
        refused: by name a method that is not understood, and why.
        stock: what else was left as it is, and why.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.listeners: Any = getattr(module, "_EventListeners", None)
        self.resolve: Resolve | None = None
        self.replaced: dict[tuple[type, str], tuple[Any, Any]] = {}
        self.earlier: dict[tuple[type, str], list[tuple[Any, Any]]] = {}
        self.refused: dict[str, tuple[Any, str]] = {}
        self.stock: dict[str, str] = {}
        if not isinstance(self.listeners, type):
            self.listeners = object
            self.stock["_EventListeners"] = "there is no such class in this version"

    def put(self, resolve: Resolve) -> None:
        """Replace what can be replaced and has not been."""
        self.resolve = resolve
        self._put_back_earlier()
        self._put_methods(resolve)
        if BACKEND == "c":
            self._put_readers()

    def _put_methods(self, resolve: Resolve) -> None:
        cls = self.listeners
        found = {}
        for name, value in sorted(vars(cls).items()):
            if not name.startswith("publish_"):
                continue
            original, made = self.replaced.get((cls, name), (None, None))
            if made is not None:
                if value is original:
                    setattr(cls, name, made)
            elif name not in self.refused or self.refused[name][0] is not value:
                self.refused.pop(name, None)
                try:
                    one = _plan.plan(self.module, name)
                    made = _HALF.publish_method(one, vars(self.module), resolve=resolve)
                    _compare(cls, one, made)
                except _plan.UnrecognisedError as why:
                    self.refused[name] = value, str(why)
                except Exception as error:  # a version like none that we know: it must keep working
                    self.refused[name] = value, f"looking at it raised {type(error).__name__}: {error}"
                else:
                    found[name] = (one.original, made)
        for name, pair in found.items():
            self.replaced[cls, name] = pair
            setattr(cls, name, pair[1])

    def _put_readers(self) -> None:
        """Make the fields of events readable at the speed of slots."""
        for cls in _event_classes(self.module):
            try:
                for name, (found, slot) in _fields(cls).items():
                    made = reader(cls, slot, name, found.__doc__)
                    self.replaced[cls, name] = (found, made)
                    setattr(cls, name, made)
            except Exception as error:  # as above
                self.stock[f"the fields of {cls.__qualname__}"] = f"looking at them raised {error!r}"

    def _put_back_earlier(self) -> None:
        for (owner, name), pairs in self.earlier.items():
            for original, made in pairs:
                if vars(owner).get(name) is made:
                    setattr(owner, name, original)

    def take_out(self) -> dict[str, str]:
        """Put back what is ours, also if it only is so again; return what is neither that nor as it was, and why."""
        self._put_back_earlier()
        for (owner, name), (original, made) in self.replaced.items():
            now = vars(owner).get(name)
            if now is made:
                setattr(owner, name, original)
            elif now is not original:
                self.earlier.setdefault((owner, name), []).append((original, made))
        self.resolve = None
        self.replaced.clear()
        self.refused.clear()
        return {
            self._shown(owner, name): "somebody has replaced it since"
            for (owner, name), pairs in self.earlier.items()
            if all(vars(owner).get(name) is not original for original, _ in pairs)
        }

    def _shown(self, owner: type, name: str) -> str:
        return name if owner is self.listeners else f"{owner.__qualname__}.{name}"

    def report(self) -> Report:
        """Return what is in place now."""
        fast: list[str] = []
        readers: list[str] = []
        stock = {**self.stock, **{name: why for name, (_, why) in self.refused.items()}}
        for (owner, name), (_, made) in self.replaced.items():
            if vars(owner).get(name) is not made:
                stock[self._shown(owner, name)] = "somebody has replaced it since"
            else:
                (fast if owner is self.listeners else readers).append(self._shown(owner, name))
        return Report(self.module.__name__, self.resolve or "publish", tuple(fast), stock, tuple(readers))


def install(module: ModuleType = SOURCE, resolve: Resolve | None = None) -> Report:
    """Put the fast publishers and readers into a monitoring module.

    A second call puts in what could not be before, because somebody else had replaced it, and nothing else.

    Args:
        module: ``pymongo.monitoring``, or goanna's own; by default the one whose names are used.
        resolve: "publish" looks listeners' methods up at each publish, as the module does; "registration" looks them up
            when a client's list of listeners has changed or after :func:`refresh`, without those that do nothing. None
            is what is installed already, and "publish" where nothing is.

    Raises:
        ValueError: another ``resolve``.
    """
    if resolve not in ("publish", "registration", None):
        raise ValueError(f'resolve is {resolve!r}; it must be "publish" or "registration"')
    with _LOCK.now:
        known = _installed.get(module.__name__)
        if known is None or known.module is not module:
            if known is not None:
                known.take_out()
            known = _installed[module.__name__] = _Installation(module)
        elif known.resolve is not None and resolve not in (None, known.resolve):
            known.take_out()
        known.put(resolve or known.resolve or "publish")
        report = known.report()
    report.warn_if_idle()
    return report


def uninstall(module: ModuleType = SOURCE) -> dict[str, str]:
    """Put the module's own methods and properties back.

    Returns:
        What could not be put back, because somebody else has replaced it since, and why.
    """
    with _LOCK.now:
        known = _installed.get(module.__name__)
        return {} if known is None else known.take_out()


def refresh() -> None:
    """Look listeners' methods up again at the next publish, where ``resolve="registration"`` keeps them."""
    _HALF.refresh()


def _compare(cls: type, one: _plan.Plan, made: Callable[..., Any]) -> None:
    """Raise UnrecognisedError unless a replacement does what the original does."""
    for arguments in _plan.trials(one):
        listeners, method, event = _plan.probe(cls, one.original, arguments)
        listeners_too, method_too, event_too = _plan.probe(cls, made, arguments)
        if (listeners, method, type(event)) != (listeners_too, method_too, type(event_too)):
            raise _plan.UnrecognisedError("its replacement did something else")
        for (slot, value), (_, other) in zip(_plan.contents(event), _plan.contents(event_too), strict=True):
            if value is not other and not (type(value) is type(other) and value == other):
                raise _plan.UnrecognisedError(f"its replacement put {other!r} into {slot} instead of {value!r}")


def _event_classes(module: ModuleType) -> Iterator[type]:
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__name__.endswith("Event") and "__slots__" in vars(value):
            yield value


def _fields(cls: type) -> dict[str, tuple[property, str]]:
    """Return the properties of an event class that do nothing but read a slot, with that slot."""
    marks: dict[str, object] = {}
    event: Any = object.__new__(cls)
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, MemberDescriptorType) and name.startswith("_"):  # the others are readers of ours
                marks[name] = object()
                value.__set__(event, marks[name])
    found = {}
    for name, value in vars(cls).items():
        if type(value) is property and type(value.fget) is FunctionType and value.fset is None and value.fdel is None:
            try:
                read = value.fget(event)
            except Exception:  # a property that computes something: it stays
                continue
            slots = [slot for slot, mark in marks.items() if mark is read]
            if slots:
                found[name] = (value, slots[0])
    return found
