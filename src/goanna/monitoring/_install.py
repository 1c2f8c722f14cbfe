"""install() and uninstall(): the fast publishers in place of a monitoring module's own methods, and back.

Nothing but attributes of classes is changed: the ``publish_*`` methods of ``_EventListeners``, so that clients which
exist already profit, and the properties of the event classes, which become readers of the same slots. Each method is
replaced only if calling it shows what it does (see ``_plan``) and if its replacement builds equal events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import Any, Literal, final

from goanna.core import BACKEND, half_of, reader
from goanna.core.forks import ForkLock
from goanna.install_report import InstallReport
from goanna.monitoring import _plan
from goanna.monitoring._names import SOURCE

__all__ = ["Report", "install", "refresh", "uninstall"]

Resolve = Literal["publish", "registration"]

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
        return (
            f"{len(self.fast)} publish methods made fast, {len(self.stock)} left as they were, "
            f"{len(self.readers)} fields read like slots"
        )


@final
class _Installation:
    """What has been put into a module, and what was there before."""

    def __init__(self, module: ModuleType, resolve: Resolve) -> None:
        self.module = module
        self.listeners: Any = getattr(module, "_EventListeners", None)
        self.resolve = resolve
        self.stock: dict[str, str] = {}
        self.methods: dict[str, tuple[Any, Any]] = {}
        self.readers: dict[tuple[type, str], tuple[Any, Any]] = {}

    def put_methods(self) -> None:
        """Replace what can be replaced."""
        cls = self.listeners
        if not isinstance(cls, type):
            self.listeners = object
            self.stock["_EventListeners"] = "there is no such class in this version"
            return
        for name in sorted(vars(cls)):
            if name.startswith("publish_"):
                try:
                    one = _plan.plan(self.module, name)
                    made = half_of("goanna.monitoring").publish_method(one, vars(self.module), resolve=self.resolve)
                    _compare(cls, one, made)
                except _plan.UnrecognisedError as why:
                    self.stock[name] = str(why)
                except Exception as error:  # a version like none that we know: it must keep working
                    self.stock[name] = f"looking at it raised {type(error).__name__}: {error}"
                else:
                    self.methods[name] = (one.original, made)
        for name, (_, made) in self.methods.items():
            setattr(cls, name, made)

    def put_readers(self) -> None:
        """Make the fields of events readable at the speed of slots, where the core can."""
        if BACKEND != "c":
            return
        for cls in _event_classes(self.module):
            try:
                for name, (found, slot) in _fields(cls).items():
                    made = reader(cls, slot, name, found.__doc__)
                    setattr(cls, name, made)
                    self.readers[cls, name] = (found, made)
            except Exception as error:  # as above
                self.stock[f"the fields of {cls.__qualname__}"] = f"looking at them raised {error!r}"

    def take_out(self) -> dict[str, str]:
        """Put back what is still ours; return what is not, and why."""
        left = {}
        cls = self.listeners
        for name, (original, made) in self.methods.items():
            if vars(cls).get(name) is made:
                setattr(cls, name, original)
            else:
                left[name] = "somebody has replaced it since"
        for (owner, name), (found, made) in self.readers.items():
            if vars(owner).get(name) is made:
                setattr(owner, name, found)
            else:
                left[f"{owner.__qualname__}.{name}"] = "somebody has replaced it since"
        return left

    def report(self) -> Report:
        """Return what is in place now."""
        now = vars(self.listeners)
        fast = tuple([name for name, (_, made) in self.methods.items() if now.get(name) is made])
        replaced = {name: "somebody has replaced it since" for name in self.methods if name not in fast}
        readers = tuple([f"{owner.__qualname__}.{name}" for owner, name in self.readers])
        return Report(self.module.__name__, self.resolve, fast, {**self.stock, **replaced}, readers)


def install(module: ModuleType = SOURCE, resolve: Resolve = "publish") -> Report:
    """Put the fast publishers and readers into a monitoring module; a second call changes nothing.

    Args:
        module: ``pymongo.monitoring``, or goanna's own; by default the one whose names are used.
        resolve: "publish" looks listeners' methods up at each publish, as the module does; "registration" looks them up
            when a client's list of listeners has changed or after :func:`refresh`, without those that do nothing.

    Raises:
        ValueError: another ``resolve``.
    """
    if resolve not in ("publish", "registration"):
        raise ValueError(f'resolve is {resolve!r}; it must be "publish" or "registration"')
    with _LOCK.now:
        known = _installed.get(module.__name__)
        if known is not None and known.resolve == resolve and known.module is module:
            return known.report()
        if known is not None:
            uninstall(module)
        made = _Installation(module, resolve)
        made.put_methods()
        made.put_readers()
        _installed[module.__name__] = made
        return made.report()


def uninstall(module: ModuleType = SOURCE) -> dict[str, str]:
    """Put the module's own methods and properties back.

    Returns:
        What could not be put back, because somebody else has replaced it since, and why.
    """
    with _LOCK.now:
        known = _installed.pop(module.__name__, None)
        return {} if known is None else known.take_out()


def refresh() -> None:
    """Look listeners' methods up again at the next publish, where ``resolve="registration"`` keeps them."""
    half_of("goanna.monitoring").refresh()


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
