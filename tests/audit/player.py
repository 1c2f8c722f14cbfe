"""Random scripts of requests, played on a tracker step by step; all that can be observed goes into one log.

A script is made from a number alone, so two players with the same number do the same. There is no event loop: the
player steps the coroutines of the script's tasks in an order that is part of the script, and throws or closes where it
says so.
"""

from __future__ import annotations

import asyncio
import random
import re
import types
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

ERRORS: dict[str, Callable[[], BaseException]] = {
    "value": lambda: ValueError("wrong value"),
    "key": lambda: KeyError("wrong key"),
    "stop": lambda: StopIteration("stopped"),
    "astop": lambda: StopAsyncIteration("stopped"),
    "cancelled": lambda: asyncio.CancelledError("cancelled"),
    "exit": lambda: GeneratorExit("closed"),
    "runtime": lambda: RuntimeError("wrong time"),
    "keyboard": lambda: KeyboardInterrupt("stop it"),
}
KINDS = ["equal", "equal", "equal", "unhashable", "missing", "sync", "awaitable", "awaitable", "future-like"]


@types.coroutine
def pause(token: object) -> Iterator[Any]:
    return (yield token)


class Awaitable:
    """Awaitable, and no coroutine."""

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine

    def __await__(self) -> Any:
        return self.coroutine.__await__()


class Iterated:
    """Awaitable by an iterator without send, throw and close."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Any:
        return iter(())


def make_handler(base: type, kind: str, name: str, plan: dict[str, Any], log: list[Any]) -> Any:
    """Return a handler that does in each method what its plan says, and logs how it was called."""
    counter = iter(range(10_000))

    def method(stage: str) -> Any:
        pauses, error = plan[stage]

        async def coroutine(self: Any, *args: Any, **kwargs: Any) -> Any:
            log.append((name, stage, [shown(one) for one in args], [(key, shown(one)) for key, one in kwargs.items()]))
            for number in range(pauses):
                try:
                    sent = await pause((name, stage, number))
                    log.append((name, stage, "resumed with", shown(sent)))
                except BaseException as thrown:
                    log.append((name, stage, "thrown", shown(thrown)))
                    if plan["swallows"] and (plan["stubborn"] or not isinstance(thrown, GeneratorExit)):
                        return "swallowed"
                    raise
            if error is not None:
                raise ERRORS[error]()
            return f"{name} {stage} {next(counter)}"

        if kind == "awaitable":
            return lambda self, *args, **kwargs: Awaitable(coroutine(self, *args, **kwargs))
        if kind == "future-like" and stage == "event_start":
            return lambda self, *args, **kwargs: Iterated(name)
        if kind == "sync" and stage == plan["sync"]:

            def sync(self: Any, *args: Any, **kwargs: Any) -> Any:
                log.append((name, stage, "sync"))
                if error is not None:
                    raise ERRORS[error]()
                return "no awaitable"

            return sync
        return coroutine

    stages = ("request_start", "event_start", "event_end", "request_end")
    namespace: dict[str, Any] = {stage: method(stage) for stage in stages}
    namespace["__repr__"] = lambda self: f"<{name}>"
    if kind == "equal":  # all of them are the same key
        namespace["__eq__"] = lambda self, other: getattr(other, "kind", None) == "equal"
        namespace["__hash__"] = lambda self: 7
        namespace["kind"] = "equal"
    if kind == "unhashable":
        namespace["__hash__"] = None
    bases = (base,)
    if kind == "missing":
        del namespace[plan["missing"]]
        bases = (object,)
    return type(name, bases, namespace)()


def shown(value: Any) -> Any:
    """A value in a form that is the same for both players."""
    if isinstance(value, BaseException):
        cause = None if value.__cause__ is None else shown(value.__cause__)
        return type(value).__name__, text(value), cause
    return text(repr(value))


def text(value: object) -> str:
    return re.sub(r" at 0x[0-9a-f]+", " at 0x", str(value).replace("goanna.audit.", "dbally.audit.events."))


class Player:
    """Plays the script of a number.

    Args:
        names: the module with the classes of events.
        tracker_type: the tracker under test.
        seed: the number.
        wild: whether handlers may lack methods, be taken out of the list, and go on when their coroutine is closed.
    """

    def __init__(self, names: ModuleType, tracker_type: type, seed: int, wild: bool = True) -> None:
        self.names = names
        self.random = random.Random(seed)
        self.wild = wild
        # A handler that raises something else while its coroutine is being closed leaves it half closed, and when it is
        # closed for good is up to the collector. So tame scripts have either the one or the other.
        self.closes = wild or seed % 2 == 0
        errors = sorted(ERRORS)
        self.body_errors = errors if self.closes else [one for one in errors if one != "exit"]
        stops = ("cancelled", "exit", "keyboard") if self.closes else ("exit",)
        self.handler_errors = errors if wild else [one for one in errors if one not in stops]
        self.log: list[Any] = []
        self.tracker = tracker_type()
        self.handlers = [self.handler(f"H{number}") for number in range(self.random.randrange(5))]
        for handler in self.handlers:
            self.tracker.subscribe(handler)
        if self.handlers and self.random.random() < 0.2:
            self.tracker.subscribe(self.random.choice(self.handlers))

    def handler(self, name: str) -> Any:
        pick = self.random
        stages = ("request_start", "event_start", "event_end", "request_end")
        likely = 0.02 if pick.random() < 0.7 else 0.3
        plan: dict[str, Any] = {
            stage: (
                pick.choice((0, 0, 1, 2)),
                pick.choice(self.handler_errors)
                if pick.random() < (likely if stage != "request_start" else 0.02)
                else None,
            )
            for stage in stages
        }
        plan["swallows"] = pick.random() < 0.2
        plan["stubborn"] = self.wild
        plan["sync"] = pick.choice(stages)
        plan["missing"] = pick.choice(stages)
        kind = pick.choice(KINDS) if pick.random() < 0.25 else "plain"
        if not self.wild and kind == "missing":
            kind = "plain"
        return make_handler(self.names.EventHandler, kind, name, plan, self.log)

    def script(self, depth: int) -> list[tuple[Any, ...]]:
        """Return steps for one task."""
        pick = self.random
        steps: list[tuple[Any, ...]] = []
        for _ in range(pick.randrange(1, 4)):
            what = pick.random()
            if what < 0.55 and depth < 3:
                error = pick.choice(self.body_errors) if pick.random() < 0.15 else None
                steps.append(("span", pick.randrange(3), pick.random() < 0.8, self.script(depth + 1), error))
            elif what < 0.7:
                steps.append(("pause",))
            elif what < 0.78:
                steps.append(("subscribe", self.handler(f"L{len(self.log)}{depth}{pick.randrange(100)}")))
            elif what < 0.82 and self.wild:
                steps.append(("remove",))
            elif what < 0.86:
                steps.append(("again",))
            elif what < 0.9:
                steps.append(("twice",))
            else:
                steps.append(("span", 0, True, [("pause",)], None))
        return steps

    def event(self, number: int) -> Any:
        if number == 0:
            return self.names.LLMEvent(prompt="p", type="T")
        if number == 1:
            return self.names.SimilarityEvent(store="s", fetcher="f", input_value="i")
        return self.names.FallbackEvent("c", "v", "f", "e")

    async def run(self, steps: list[tuple[Any, ...]], name: str) -> None:
        for step in steps:
            if step[0] == "pause":
                self.log.append((name, "body resumed", shown(await pause((name, "body")))))
            elif step[0] == "subscribe":
                self.tracker.subscribe(step[1])
            elif step[0] == "remove":
                if self.tracker._handlers:
                    del self.tracker._handlers[0]
            elif step[0] == "again":
                await self.tracker.request_start(self.names.RequestStart("again", "?"))
            elif step[0] == "twice":
                await self.decorated(name)
            else:
                _, number, calls, body, error = step
                event = self.event(number)
                try:
                    async with self.tracker.track_event(event) as span:
                        self.log.append((name, "body", type(span).__name__, shown(span.data), sorted(vars(span))))
                        await self.run(body, name)
                        if calls:
                            span(event)
                        if error is not None:
                            raise ERRORS[error]()
                except (ValueError, KeyError, RuntimeError) as caught:
                    self.log.append((name, "caught", shown(caught)))

    async def decorated(self, name: str) -> None:
        @self.tracker.track_event(self.event(0))
        async def inner(value: int) -> int:
            self.log.append((name, "decorated"))
            return value

        if await inner(3) != 3:
            raise AssertionError

    async def request(self, steps: list[list[tuple[Any, ...]]]) -> None:
        if self.random.random() < 0.95:
            await self.tracker.request_start(self.names.RequestStart("c", "q"))

    def play(self) -> list[Any]:
        """Play it to its end and return the log."""
        pick = self.random
        self.drive({"start": self.request([])})
        tasks: dict[str, Any] = {f"T{number}": self.script(0) for number in range(pick.randrange(1, 4))}
        self.drive({name: self.run(steps, name) for name, steps in tasks.items()})
        self.drive({"end": self.tracker.request_end(self.names.RequestEnd(result="result"))})
        self.log.append(sorted(shown(one) for one in self.tracker._request_contexts.values()))
        return self.log

    def drive(self, tasks: dict[str, Any]) -> None:
        """Step the tasks until all have ended."""
        pick = self.random
        steps = 0
        while tasks:
            steps += 1
            name = pick.choice(sorted(tasks))
            task = tasks[name]
            what = pick.random()
            try:
                if what < (0.99 if name == "start" else 0.95) or steps > 500:
                    got = task.send(None)
                elif what < 0.98 or not self.closes:
                    thrown = ("cancelled", "value", "exit") if self.closes else ("cancelled", "value")
                    got = task.throw(ERRORS[pick.choice(thrown)]())
                else:
                    task.close()
                    self.log.append((name, "closed"))
                    del tasks[name]
                    continue
                self.log.append((name, "yielded", got))
            except StopIteration as stop:
                self.log.append((name, "returned", shown(stop.value)))
                del tasks[name]
            except BaseException as error:
                self.log.append((name, "raised", shown(error)))
                del tasks[name]
