"""Delivery: what stands between a publisher and a listener that is slow, asynchronous or wants only some of the events.

:func:`queued` hands events to a thread, :func:`on_loop` to an event loop, :func:`where` lets through those that meet
conditions, :func:`paired` brings the beginning and the end of an operation together. Each takes a listener of any
interface and returns one of the same, so that it goes wherever the listener went, and they nest.

Other loops than asyncio's and Tornado's come in by :class:`Loop`: an object with its methods is all that
:func:`on_loop` needs. :class:`TaskGroupLoop` is one, for trio and anyio.
"""

import inspect

from goanna.delivery.at_exit import close, flush
from goanna.delivery.documents import redacted
from goanna.delivery.events_lost import EventsLost
from goanna.delivery.loops import Loop, LoopClosedError, TaskGroupLoop
from goanna.delivery.on_loop import OnLoop, on_loop
from goanna.delivery.paired import Operation, Paired, paired
from goanna.delivery.queued import Queued, QueueFullError, queued
from goanna.delivery.where import Where, where
from goanna.delivery.wrapper import Wrapper

__all__ = [
    "EventsLost",
    "Loop",
    "LoopClosedError",
    "OnLoop",
    "Operation",
    "Paired",
    "QueueFullError",
    "Queued",
    "TaskGroupLoop",
    "Where",
    "Wrapper",
    "close",
    "flush",
    "on_loop",
    "paired",
    "queued",
    "redacted",
    "where",
]

_OF_GOANNA = ("EventsLost", "Operation", "close", "flush", "on_loop", "paired", "queued", "where")

for _name in __all__:
    _one = globals()[_name]
    if isinstance(_one, type) and (_hints := inspect.get_annotations(_one, eval_str=True)):
        _one.__annotations__ = _hints  # what they name is in the module that the class is written in
    # Where programs import it from, and where pickles find it.
    _one.__module__ = "goanna" if _name in _OF_GOANNA else __name__
