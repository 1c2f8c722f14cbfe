"""Plays a tape against one ``_EventListeners`` of a monitoring module, and writes down everything observable.

The module can be stock ``pymongo.monitoring`` (with or without goanna's methods on it) or any object with its names.
Whatever a tape patches is put back when the play ends, so two plays in one process start from the same state.
"""

from __future__ import annotations

import copy
import gc
import inspect
import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from bson.son import SON

from differential.observations import Names, error_of, look, printed, slots_of
from differential.tape import KINDS, METHODS, PUBLISH, Step, Tape, Value
from support.garbage import catch_up

Record = tuple[Any, ...]
Surface = dict[str, list[tuple[str, bool]]]

MOST_CALLS = 120
"""After so many calls listeners only look: a tape in which they publish and insert each other would have no end."""
MOST_DEPTH = 2
ABSENT = object()


def surface(monitoring: Any) -> Surface:
    """Return the publish methods of a module: for each parameter after self its name and whether it is required.

    Take it from stock and hand it to every play: what is installed over stock must take the same arguments.
    """
    found = {}
    for name in PUBLISH:
        if (method := getattr(monitoring._EventListeners, name, None)) is not None:
            parameters = list(inspect.signature(method).parameters.values())[1:]
            found[name] = [(one.name, one.default is one.empty) for one in parameters]
    return found


class Stop(BaseException):
    """Stands for asyncio.CancelledError, GreenletExit and their like."""


class Odd(Exception):
    """What the hostile arguments raise."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise Odd("no text")


class Token:
    """An argument that only its identity tells from others, and that can be watched for being freed."""

    loop: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Token, ()


class EqualsNone:
    def __eq__(self, other: object) -> bool:
        return other is None

    __hash__ = None  # type: ignore[assignment]


class RaisesBool:
    def __bool__(self) -> bool:
        raise Odd("no truth")


class Name(str):
    """A command name with a ``lower`` of its own, as a subclass of str may have."""

    __slots__ = ("note",)
    note: Callable[..., None]

    def lower(self) -> str:
        self.note("lower", str(self))
        return str(self).lower()


class RaisesLower:
    def lower(self) -> str:
        raise Odd("no lower")


class Lasts:
    """A duration that says something else than a timedelta would."""

    def __init__(self, note: Callable[..., None], seconds: Any) -> None:
        self.note, self.seconds = note, seconds

    def total_seconds(self) -> Any:
        self.note("total_seconds")
        return self.seconds


class SpyDocument:
    """A document that writes down every question, in order, and refuses one of them."""

    def __init__(self, note: Callable[..., None], name: str, refuses: str = "") -> None:
        self.note, self.name, self.refuses = note, name, refuses

    def _asked(self, question: str, *details: Any) -> None:
        self.note("asked", question, *details)
        if question == self.refuses:
            raise Odd(question)

    def __bool__(self) -> bool:
        self._asked("__bool__")
        return True

    def __iter__(self) -> Iterator[str]:
        self._asked("__iter__")
        return iter([] if self.refuses == "first" else [self.name])

    def __contains__(self, key: object) -> bool:
        self._asked("__contains__", key)
        return True


class BackwardsDict(dict[str, Any]):
    """A dict whose iteration isn't that of dict."""

    def __iter__(self) -> Iterator[str]:
        return reversed(list(super().__iter__()))


class Stream:
    """sys.stderr that writes down its text, and fails as it is told to."""

    def __init__(self, how: str) -> None:
        self.how, self.text, self.writes = how, "", 0

    def __bool__(self) -> bool:
        return self.how != "falsy"

    def write(self, text: str) -> int:
        self.writes += 1
        if self.how == "oserror" or (self.how == "flaky" and self.writes > 2):
            raise OSError(28, "full")
        if self.how == "valueerror":
            raise ValueError("closed")
        if self.how == "stop":
            raise Stop("stderr")
        self.text += text
        return len(text)


class Player:
    """One play: its objects, its listeners, its instance and what was seen."""

    def __init__(self, monitoring: Any, methods: Surface, tape: Tape) -> None:
        self.monitoring, self.methods, self.tape = monitoring, methods, tape
        self.seen: list[Record] = []
        self.names = Names()
        self.events: list[Any] = []
        self.calls = self.depth = 0
        self.observing = True
        self.kind: list[str] = []
        self.undo: list[Callable[[], None]] = []
        self.errors: dict[int, Exception] = {}
        self.looping: Any = None
        self.ours = sys._getframe().f_code.co_filename
        self.stream: Any = None

    # The start and the end.

    def play(self) -> list[Record]:
        stderr, hooks = sys.stderr, gc.isenabled()
        gc.disable()  # what a cycle's end looks like must not depend on when a collection happens to come
        self.put(self.monitoring, "_LISTENERS", self.monitoring._Listeners([], [], [], [], []))
        self.standing = len(self.undo)
        try:
            self.set_stderr("capture")
            self.listeners = [self.listener(*one) for one in enumerate(self.tape["listeners"])]
            self.instance = self.make_instance()
            for number, step in enumerate(self.tape["steps"]):
                self.seen.append(("step", number, step[0]))
                self.step(step, number)
            self.flush()
            self.state()
        finally:
            self.restore(0)
            sys.stderr = stderr
            if hooks:
                gc.enable()
        return self.seen

    def note(self, *record: Any) -> None:
        self.seen.append(record)

    def make_instance(self) -> Any:
        player, stock = self, self.monitoring._EventListeners

        class Subclass(stock):  # type: ignore[misc]
            def publish_pool_closed(self, *args: Any, **kwargs: Any) -> Any:
                player.note("subclass", player.names.show(args), player.names.show(kwargs))
                return super().publish_pool_closed(*args, **kwargs)

        class Property(stock):  # type: ignore[misc]
            @property
            def _EventListeners__cmap_listeners(self) -> Any:
                player.note("read the list")
                return self.__dict__["elsewhere"]

            @_EventListeners__cmap_listeners.setter
            def _EventListeners__cmap_listeners(self, value: Any) -> None:
                self.__dict__["elsewhere"] = value

        def pick(indexes: list[int], *, strays: bool) -> list[Any]:
            found = [self.listeners[index % len(self.listeners)] for index in indexes]
            return [one for one in found if isinstance(one, self.monitoring._EventListener) is not strays]

        for one in pick(self.tape["register"], strays=False):
            self.monitoring.register(one)
        made = {"subclass": Subclass, "property": Property}.get(self.tape["instance"], stock)(
            pick(self.tape["client"], strays=False)
        )
        for one in pick(self.tape["register"] + self.tape["client"], strays=True):
            for kind in one.kinds:
                getattr(made, self.mangled(kind)).append(one)
        if self.tape["instance"] == "copy":
            made = copy.copy(made)
        return self.names.give(made, "instance")

    @staticmethod
    def mangled(kind: str) -> str:
        return f"_EventListeners__{kind}_listeners"

    def put(self, owner: Any, name: str, value: Any) -> None:
        """Set or, with ABSENT, delete an attribute, and remember how to undo that."""
        before = vars(owner).get(name, ABSENT)
        if value is not ABSENT:
            setattr(owner, name, value)
        elif before is not ABSENT:
            delattr(owner, name)

        def undo() -> None:
            if before is not ABSENT:
                setattr(owner, name, before)
            elif name in vars(owner):
                delattr(owner, name)

        self.undo.append(undo)

    def restore(self, upto: int) -> None:
        while len(self.undo) > upto:
            self.undo.pop()()

    def state(self) -> None:
        """Record what is left: the lists, the flags, the boxes of built-in methods."""
        for kind in KINDS:
            found = getattr(self.instance, self.mangled(kind), None)
            content = (
                [self.names.of(one) for one in found] if isinstance(found, (list, tuple)) else type(found).__name__
            )
            self.note("list", kind, content, getattr(self.instance, f"enabled_for_{self.flag(kind)}"))
        for listener in self.listeners:
            self.note("box", len(listener.box), self.names.of(listener))

    @staticmethod
    def flag(kind: str) -> str:
        return "commands" if kind == "command" else kind

    # Objects.

    def make(self, value: Value, label: str) -> Any:
        return self.names.give(self._make(*value), label)

    def _make(self, kind: str, name: Any = None) -> Any:
        body = {"x": [1, {"y": None}], "speculativeAuthenticate": {"secret": 1}}
        if "speculative" not in kind:
            del body["speculativeAuthenticate"]
        if kind == "plain":
            return name
        if kind in ("dict", "speculative"):
            return {name: 1, **body}
        if kind in ("raw", "raw_speculative"):
            return RawBSONDocument(bson.encode({name: 1, **body}))
        if kind == "ordered":
            moved = OrderedDict(x=1, **{name: 1})
            moved.move_to_end(name, last=False)
            return moved
        if kind == "deleted":
            shrunk = {0: 0, name: 1, "x": 1}
            del shrunk[0]
            return shrunk
        if kind == "str_subclass":
            made = Name(name)
            made.note = self.note
            return made
        makers: dict[str, Callable[[], Any]] = {
            "none": lambda: None,
            "empty": dict,
            "number": lambda: 5,
            "token": Token,
            "equals_none": EqualsNone,
            "raises_bool": RaisesBool,
            "raises_lower": RaisesLower,
            "bytes_key": lambda: {b"find": 1},
            "int_key": lambda: {1: 1},
            "none_key": lambda: {None: 1},
            "son": lambda: SON([(name, 1), ("x", 2)]),
            "subclass": lambda: BackwardsDict([("x", 1), (name, 1)]),
            "list": lambda: [name, "speculativeAuthenticate"],
            "tuple": lambda: (name, 2),
            "str": lambda: name,
            "iterator": lambda: iter([name, "y", "speculativeAuthenticate", "z"]),
            "spy": lambda: SpyDocument(self.note, name),
            "spy_raises": lambda: SpyDocument(self.note, "hello", name),
            "micros": lambda: timedelta(microseconds=name),
            "lasts": lambda: Lasts(self.note, name),
        }
        return makers[kind]()

    # Listeners.

    def listener(self, number: int, spec: dict[str, Any]) -> Any:
        player, how = self, spec["make"]
        names = sorted({name for kind in spec["kinds"] for name in METHODS[kind]})

        def hearing(name: str) -> Callable[..., Any]:
            def heard(this: Any, event: Any) -> Any:
                return player.called(number, this, name, event)

            return heard

        def refusing(error: type[BaseException]) -> Any:
            def refused(this: Any) -> Any:
                player.note("property", number)
                raise error("property")

            return property(refused)

        space: dict[str, Any] = {"box": [], "kinds": spec["kinds"], "spec": spec, "number": number}
        if how in ("plain", "counting"):
            space |= {name: hearing(name) for name in names}
        if how in ("property", "property_stop"):
            space |= dict.fromkeys(names, refusing(Odd if how == "property" else Stop))
        if how == "not_callable":
            space |= dict.fromkeys(names, 5)
        if how == "arity":
            space |= dict.fromkeys(names, lambda this: None)
        if how == "static":
            space |= {name: staticmethod(partial(hearing(name), None)) for name in names}
        if how == "class_as_method":
            space |= dict.fromkeys(names, Token)
        if how in ("counting", "getattribute", "getattribute_stop"):

            def looked_up(this: Any, name: str) -> Any:
                if name in names:
                    player.note("looked up", number, name)
                    if how != "counting":
                        raise (Stop if how == "getattribute_stop" else Odd)("no " + name)
                return object.__getattribute__(this, name)

            space["__getattribute__"] = looked_up
        if how == "getattr":

            def missing(this: Any, name: str) -> Any:
                if name not in names:
                    raise AttributeError(name)
                player.note("missed", number, name)
                return partial(hearing(name), this)

            space["__getattr__"] = missing
        bases = [getattr(self.monitoring, KINDS[kind]) for kind in spec["kinds"]]
        if how in ("stray", "getattr"):
            bases = []
        made = type(f"L{number}", tuple(bases), space)()
        for name in names:
            if how == "builtin":
                setattr(made, name, made.box.append)
            if how == "partial":
                setattr(made, name, partial(hearing(name), made))
            if how == "callable":
                setattr(made, name, type("Callable", (), {"__call__": staticmethod(partial(hearing(name), made))})())
        return self.names.give(made, f"L{number}")

    def called(self, number: int, this: Any, name: str, event: Any) -> Any:
        self.calls += 1
        if self.looping is not None:
            self.looping.loop = event
        if not self.observing:
            self.note("heard", number, name)
            return None
        # Documents first: looking at an event inflates what it holds.
        inflated = [
            one._RawBSONDocument__inflated_doc is not None
            for _, one in slots_of(event)
            if isinstance(one, RawBSONDocument)
        ]
        known = next((index for index, one in enumerate(self.events) if one is event), None)
        if known is None:
            known = len(self.events)
            self.events.append(event)
        self.note("called", number, name, known, inflated, [type(one).__name__ for one in sys.exc_info()[:2]])
        self.note("event", look(event, self.monitoring, self.names, deep=False))
        if self.calls > MOST_CALLS or not self.kind:
            return None
        does = self.tape["listeners"][number]["does"]
        made = self.listeners[number]
        turn = len(made.box)
        if type(made.box) is list and made.spec["make"] != "builtin":
            made.box.append(name)
        return self.act(number, this, does[turn % len(does)], name, event)

    def act(self, number: int, this: Any, action: Step, name: str, event: Any) -> Any:
        what, *rest = action
        made, kind = self.listeners[number], self.kind[-1]
        live = getattr(self.instance, self.mangled(kind), None)
        live = live if isinstance(live, list) else []
        if what == "raise":
            self.fail(rest[0])
        elif what == "stop":
            raise {one.__name__: one for one in (Stop, KeyboardInterrupt, SystemExit, GeneratorExit)}[rest[0]](number)
        elif what == "same_error":
            raise self.errors.setdefault(number, ValueError("again", number))
        elif what == "patch_self":
            setattr(made, name, partial(self.called, number, None, name))
        elif what == "patch_class":
            setattr(type(made), name, lambda this, event: self.called(number, this, name, event))
        elif what == "unpatch_class":
            if name in vars(type(made)):
                delattr(type(made), name)
        elif what == "remove_self":
            if made in live:
                live.remove(made)
        elif what == "remove_next":
            if made in live and live.index(made) + 1 < len(live):
                del live[live.index(made) + 1]
        elif what == "insert":
            if len(live) < 8:
                live.insert(rest[0], self.listeners[rest[1] % len(self.listeners)])
        elif what == "clear":
            live.clear()
        elif what == "disable":
            setattr(self.instance, f"_EventListeners__enabled_for_{self.flag(kind)}", False)
        elif what == "mutate":
            # The redacted document is a plain dict of this event alone: what is put in must not show up in the next.
            for _, one in slots_of(event):
                if type(one) is dict:
                    one[f"put in by {number}"] = len(one)
        elif what == "write_slots":
            for slot, one in slots_of(event)[:2]:
                setattr(event, slot, ("rewritten", one))
        elif what == "raise_after_catching":
            try:
                raise KeyError("first")
            except KeyError:
                raise ValueError("second")
        elif what == "hide_error":
            try:
                raise KeyError("hidden")
            except KeyError:
                self.note("inside", type(sys.exc_info()[1]).__name__)
        elif what == "publish":
            if self.depth < MOST_DEPTH:
                self.depth += 1
                try:
                    self.publish(rest[0], f"n{self.calls}")
                finally:
                    self.depth -= 1
        elif what in ("patch", "list", "stderr"):
            self.step(action, -1)
        return number  # which no publish may hand on

    def fail(self, how: str) -> None:
        if how == "group":
            raise ExceptionGroup("two", [ValueError(1), KeyError(2)])
        if how == "chained":
            raise ValueError("with a cause") from KeyError("the cause")
        if how == "unprintable":
            raise Unprintable("x")
        if how == "AttributeError":
            raise AttributeError("no such thing", name="started", obj=self.instance)
        raise {one.__name__: one for one in (ValueError, KeyError, StopIteration, MemoryError)}[how]("on purpose")

    # Steps.

    def step(self, step: Step, number: int) -> None:
        what, *rest = step
        if what == "publish":
            self.publish(step, str(number))
        elif what == "handling":
            try:
                raise Odd("being handled")
            except Odd:
                self.publish(rest[0], str(number))
        elif what == "unbound":
            # The functions only need an object with the mangled list.
            space = {self.mangled(kind): getattr(self.instance, self.mangled(kind), []) for kind in KINDS}
            self.publish(rest[0], str(number), SimpleNamespace(**space))
        elif what == "queued":
            self.publish(rest[0], str(number), queued=True)
        elif what == "lifetime":
            self.lifetime(rest[0])
        elif what == "cycle":
            self.cycle(rest[0])
        elif what == "patch":
            self.patch(*rest[0])
        elif what == "list":
            self.change_list(*rest)
        elif what == "restore":
            self.restore(self.standing)
        elif what == "stderr":
            self.set_stderr(rest[0])

    def arguments(self, step: Step, label: str) -> tuple[list[Any], dict[str, Any]]:
        _, name, shape, values = step
        parameters = self.methods[name]
        made = {one: self.make(values.get(one, ("token",)), f"{label}.{one}") for one, _ in parameters}
        required = sum(needed for _, needed in parameters)
        count = min(max(required + shape["extra"], 0), len(parameters))
        positional = [made[one] for one, _ in parameters[:count]]
        keywords = {}
        for index, (one, needed) in enumerate(parameters[count:]):
            wanted = {"none": False, "all": True, "odd": index % 2 == 1}.get(
                shape["optional"], one == shape["optional"]
            )
            if needed or wanted:
                keywords[one] = made[one]
        flaw = shape["flaw"]
        if flaw == "missing":
            if keywords:
                del keywords[next(iter(keywords))]
            else:
                del positional[-1:]
        elif flaw == "extra":
            positional += [1] * (len(parameters) - count + 1)
        elif flaw == "unknown":
            keywords["zz"] = 1
        elif flaw == "twice":
            keywords[parameters[0][0]] = 1
        elif flaw == "self_twice":
            keywords["self"] = 1
        elif flaw == "not_str":
            keywords[2] = 1  # type: ignore[index]
        if shape["uninterned"] and flaw != "not_str":
            keywords = {"".join([*one]): value for one, value in reversed(keywords.items())}
        return positional, keywords

    def publish(self, step: Step, label: str, target: Any = None, *, queued: bool = False) -> None:
        name = step[1]
        if name not in self.methods:
            self.note("no such method", name)
            return
        positional, keywords = self.arguments(step, label)
        first = len(self.events)
        self.kind.append(PUBLISH[name][0])
        try:
            if target is not None:
                positional.insert(0, target)
                function = getattr(self.monitoring._EventListeners, name)
            else:
                function = getattr(self.instance, name)
            if queued:
                # The driver puts some of the methods, bound, into a queue and calls them from another thread.
                function = partial(function, *positional)
                positional = []
            returned = function(*positional, **keywords)
        except BaseException as error:
            self.note("raised", error_of(error, self.names, self.ours))
        else:
            self.note("returned", self.names.show(returned))
        finally:
            self.kind.pop()
        self.flush()
        for event in self.events[first:]:
            self.note("after", look(event, self.monitoring, self.names, deep=True))

    def lifetime(self, step: Step) -> None:
        """Publish to listeners that keep nothing: nothing may stay alive."""
        if step[1] not in self.methods:
            return
        held = [Token() for _ in self.methods[step[1]]]
        watched = [weakref.ref(one) for one in held]
        arguments: list[Any] = []
        for (one, _), token in zip(self.methods[step[1]], held, strict=True):
            document = one in ("command", "failure") or (one == "reply" and "command" in step[1])
            value: Any = {"find": 1, "token": token} if document else token
            value = timedelta(seconds=1) if one == "duration" and "command" in step[1] else value
            arguments.append("find" if one == "command_name" else value)
        del held, token, value
        self.quietly(step, arguments)
        del arguments
        self.flush()
        catch_up()
        self.note("freed", [one() is None for one in watched])

    def cycle(self, step: Step) -> None:
        """Let an event be part of a cycle with its argument, and see that the collector finds it."""
        names = [one for one, _ in self.methods.get(step[1], ())]
        free = [one for one in names if one not in ("command", "failure", "reply", "command_name", "duration")]
        if not free:
            return
        arguments: list[Any] = []
        for one in names:
            value: Any = {"find": 1} if one in ("command", "failure", "reply") else None
            value = timedelta(seconds=1) if one == "duration" else value
            arguments.append("find" if one == "command_name" else value)
        self.looping = Token()
        watched = weakref.ref(self.looping)
        arguments[names.index(free[-1])] = self.looping
        self.quietly(step, arguments)
        looped = self.looping.loop is not None
        self.looping = None
        del arguments
        self.flush()
        gc.collect(0)
        self.note("cycle", looped, watched() is None)

    def quietly(self, step: Step, arguments: list[Any]) -> None:
        self.observing = False
        self.kind.append(PUBLISH[step[1]][0])
        try:
            getattr(self.instance, step[1])(*arguments)
        except BaseException as error:
            self.note("raised", type(error).__name__)
        finally:
            self.observing = True
            self.kind.pop()

    def change_list(self, kind: str, how: str) -> None:
        name = self.mangled(kind)
        found = getattr(self.instance, name, None)
        content = (
            [one for one in found if one in self.listeners] if isinstance(found, (list, tuple)) else self.listeners
        )

        class Iterable:
            def __iter__(this) -> Iterator[Any]:
                self.note("iterated")
                yield from content
                if how == "raises":
                    raise Odd("end of the list")

        class Sub(list[Any]):
            def __iter__(this) -> Iterator[Any]:
                self.note("iterated")
                return reversed(content)

        if how == "missing":
            if name in vars(self.instance):
                delattr(self.instance, name)
            return
        made: dict[str, Callable[[], Any]] = {
            "same": lambda: content,
            "tuple": lambda: tuple(content),
            "generator": lambda: (one for one in content),
            "none": lambda: None,
            "iterable": Iterable,
            "raises": Iterable,
            "subclass": lambda: Sub(content),
            "reversed": lambda: content[::-1],
        }
        setattr(self.instance, name, made[how]())

    def set_stderr(self, how: str) -> None:
        self.flush()
        self.stream = Stream(how)
        if how == "missing":
            if hasattr(sys, "stderr"):
                del sys.stderr
        else:
            sys.stderr = {"none": None, "no_write": SimpleNamespace()}.get(how, self.stream)  # type: ignore[assignment]

    def flush(self) -> None:
        if self.stream is not None and self.stream.text:
            self.note("printed", printed(self.stream.text, self.ours))
            self.stream.text = ""

    # Patches of the module, its classes and the instance.

    def patch(self, what: str, *how: str) -> None:
        getattr(self, f"patch_{what}")(*how)

    def patch_sensitive(self, how: str) -> None:
        player = self

        class Spy:
            def __contains__(self, name: object) -> bool:
                player.note("sensitive?", name)
                if how == "raises":
                    raise Odd("not telling")
                return name == "find"

        live = self.monitoring._SENSITIVE_COMMANDS
        if how in ("clear", "add"):
            if isinstance(live, set):
                before = set(live)
                self.undo.append(lambda: (live.clear(), live.update(before)))  # type: ignore[arg-type,return-value]
                if how == "clear":
                    live.clear()
                else:
                    live.add("find")
            return
        made: dict[str, Any] = {
            "empty": set(),
            "find": {"find"},
            "list": ["ping", "find"],
            "frozen": frozenset(["insert"]),
            "none": None,
        }
        self.put(self.monitoring, "_SENSITIVE_COMMANDS", made[how] if how in made else Spy())

    def patch_handler(self, how: str) -> None:
        def handler() -> None:
            error = sys.exc_info()[1]
            self.note("handler", None if error is None else error_of(error, self.names, self.ours))
            if how == "raise":
                raise Odd("from the handler")
            if how == "stop":
                raise Stop("from the handler")

        self.put(self.monitoring, "_handle_exception", {"none": None, "missing": ABSENT}.get(how, handler))

    def patch_class(self, name: str, how: str) -> None:
        stock = getattr(self.monitoring, name, None)
        if stock is None or not isinstance(stock, type):
            return
        note = self.note

        def called(*args: Any, **kwargs: Any) -> Any:
            note("factory", self.names.show(args), [(key, self.names.show(one)) for key, one in kwargs.items()])
            if how == "raises":
                raise Odd("no event")
            return None if how == "none" else stock(*args, **kwargs)

        def init(this: Any, *args: Any, **kwargs: Any) -> None:
            note("init", len(args), sorted(kwargs))
            stock.__init__(this, *args, **kwargs)

        made: Any = called
        if how in ("subclass", "subclass_init"):
            body: dict[str, Any] = {"__slots__": ()} if how == "subclass" else {"__init__": init}
            made = type(name, (stock,), {**body, "__module__": __name__})
        self.put(self.monitoring, name, ABSENT if how == "missing" else made)

    def patch_in_place(self, name: str) -> None:
        """Replace ``__init__`` of a stock class. (``__new__`` can't be put back: CPython leaves the class broken.)"""
        cls = getattr(self.monitoring, name, None)
        if not isinstance(cls, type):
            return
        original = cls.__init__  # type: ignore[misc]

        def init(this: Any, *args: Any, **kwargs: Any) -> None:
            self.note("in place", name, len(args), sorted(kwargs))
            original(this, *args, **kwargs)

        self.put(cls, "__init__", init)

    def patch_function(self, name: str) -> None:
        original = getattr(self.monitoring, name, None)
        if original is None:
            return

        def replaced(*args: Any) -> Any:
            self.note(name, len(args))
            return original(*args)

        self.put(self.monitoring, name, replaced)

    def patch_method(self, name: str, where: str) -> None:
        if name not in self.methods:
            return
        owner = self.instance if where == "instance" else self.monitoring._EventListeners
        original = getattr(owner, name, None)
        if original is None:
            return

        def replaced(*args: Any, **kwargs: Any) -> Any:
            self.note("replaced", name, len(args), sorted(map(str, kwargs)))
            return original(*args, **kwargs)

        self.put(owner, name, ABSENT if where == "missing" else replaced)


def play(monitoring: ModuleType | Mapping[str, Any] | Any, methods: Surface, tape: Tape) -> list[Record]:
    """Play a tape and return everything that was seen, in order."""
    return Player(monitoring, methods, tape).play()
