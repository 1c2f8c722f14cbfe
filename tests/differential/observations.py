"""What can be seen of an event, an exception or a printed traceback, as plain data by which plays are compared."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from differential.tape import METHODS

ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
FRAME = re.compile(r'^(?P<bar>[ |+-]*)  File "(?P<file>.*)", line (?P<line>\d+)(?:, in (?P<name>.*))?$')
SOURCE = re.compile(r"^[ |]*    ")
PLAIN = (type(None), bool, int, float, str, bytes)
LISTENER_METHODS = frozenset(name for names in METHODS.values() for name in names)


def scrub(text: str) -> str:
    """Leave out what differs between two plays of anything: addresses in memory."""
    return ADDRESS.sub("0x", text)


class Names:
    """Names of the objects of one play, so that a record can say which object it saw, not just what it looked like."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, object]] = {}

    def give(self, value: Any, name: str) -> Any:
        if type(value) not in PLAIN:
            self._known.setdefault(id(value), (name, value))
        return value

    def of(self, value: object) -> str | None:
        known = self._known.get(id(value))
        return None if known is None else known[0]

    def show(self, value: Any, depth: int = 4) -> Any:
        if type(value) in PLAIN:
            return repr(value)
        if (name := self.of(value)) is not None:
            return f"<{name}>"
        if depth and type(value) is dict:
            return [(self.show(key, depth - 1), self.show(one, depth - 1)) for key, one in value.items()]
        if depth and type(value) in (list, tuple):
            return type(value).__name__, [self.show(one, depth - 1) for one in value]
        if isinstance(value, type):
            return f"class {value.__module__}.{value.__qualname__}"
        return f"{type(value).__module__}.{type(value).__qualname__}", self.attempt(lambda: scrub(repr(value)))

    def attempt(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except Exception as error:
            return "raised", type(error).__name__, scrub(str(error))


def read_only(outcome: Any) -> Any:
    """Return the outcome without the text that differs: a property and a reader refuse in different words."""
    if isinstance(outcome, tuple) and outcome[1] == "AttributeError":
        return re.sub(r"^(readonly attribute|property .* has no (setter|deleter))$", "read-only", outcome[2])
    return outcome


def slots_of(event: object) -> list[tuple[str, Any]]:
    """Return every slot under its mangled name with its value; a slot that isn't set says so."""
    found = []
    for cls in type(event).__mro__:
        for slot in cls.__dict__.get("__slots__", ()):
            owner = cls.__name__.lstrip("_")
            mangled = f"_{owner}{slot}" if slot.startswith("__") and not slot.endswith("__") else slot
            try:
                found.append((mangled, getattr(event, mangled)))
            except AttributeError as error:
                found.append((mangled, f"unset: {error}"))
    return found


def public_of(cls: type) -> list[str]:
    return sorted(name for name in dir(cls) if not name.startswith("_"))


def look(event: Any, monitoring: ModuleType, names: Names, *, deep: bool) -> dict[str, Any]:
    """Describe an event. ``deep`` adds what leaves traces in the documents, as a pickle inflates a RawBSONDocument."""
    cls = type(event)
    seen: dict[str, Any] = {
        "class": (cls.__module__, cls.__qualname__, getattr(monitoring, cls.__name__, None) is cls),
        "slots": [(name, names.show(value)) for name, value in slots_of(event)],
        "public": [
            (name, names.attempt(lambda name=name: names.show(getattr(event, name)))) for name in public_of(cls)
        ],
        "tracked": gc.is_tracked(event) if hasattr(gc, "is_tracked") else None,  # PyPy has no such question
        "dict": hasattr(event, "__dict__"),
    }
    if not deep or not hasattr(cls, "__slots__"):
        return seen
    seen |= {
        "repr": names.attempt(lambda: scrub(repr(event))),
        "hash": hash(event) == object.__hash__(event),
        "eq": (event == event, event == copy.copy(event), event != 1),
        "copy": names.attempt(lambda: [(name, names.show(one)) for name, one in slots_of(copy.copy(event))]),
        "deepcopy": names.attempt(lambda: type(copy.deepcopy(event)) is cls),
        "pickle": [names.attempt(lambda number=number: _pickled(event, names, number)) for number in (0, 2, 5)],
        "weakref": names.attempt(lambda: bool(weakref.ref(event))),
        "new attribute": names.attempt(lambda: setattr(event, "zz", 1)),
        "set": [read_only(names.attempt(lambda name=name: setattr(event, name, 1))) for name in public_of(cls)],
        "del": [read_only(names.attempt(lambda name=name: delattr(event, name))) for name in public_of(cls)],
        "size": event.__sizeof__() if hasattr(event, "__sizeof__") else None,
    }
    return seen


def _pickled(event: object, names: Names, protocol: int) -> Any:
    again = pickle.loads(pickle.dumps(event, protocol))
    return type(again) is type(event), [(name, names.show(value)) for name, value in slots_of(again)]


def error_of(error: BaseException, names: Names, ours: str, depth: int = 3) -> Any:
    """Describe an exception: type, arguments, text, what it came from, and its frames in the file ``ours``."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == ours:
            frames.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
        trace = trace.tb_next
    before, cause = error.__context__, error.__cause__
    return {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "args": names.show(error.args),
        "text": names.attempt(lambda: scrub(str(error))),
        "name": getattr(error, "name", None),
        "frames": frames,
        "context": None if before is None or not depth else error_of(before, names, ours, depth - 1),
        "cause": None if cause is None else type(cause).__name__,
        "suppressed": error.__suppress_context__,
    }


def printed(text: str, ours: str) -> list[str]:
    """Return a printed traceback without what can't be equal: the frames of the publisher, and of whoever prints.

    Frames in the file ``ours`` stay with line, source and markers; frames of stock listener methods (the base class
    raises NotImplementedError) stay by name; every other frame goes, with the source lines that belong to it.
    """
    kept: list[str] = []
    dropping = False
    for line in scrub(text).splitlines():
        frame = FRAME.match(line)
        if frame is not None and frame["file"] == ours:
            dropping = False
            kept.append(f"{frame['bar']}{frame['name']}:{frame['line']}")
        elif frame is not None:
            dropping = True
            if frame["name"] in LISTENER_METHODS:
                kept.append(f"{frame['bar']}in {frame['name']}")
        elif not (dropping and SOURCE.match(line)):
            dropping = False
            kept.append(line)
    return kept
