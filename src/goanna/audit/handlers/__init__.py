"""Handlers to be used as they are; each is an ordinary EventHandler, for db-ally's tracker and goanna's.

What a handler needs beyond goanna is imported when one is made: ``pip install goanna[console]`` for ConsoleHandler and
BufferHandler, ``goanna[otel]`` for OpenTelemetryHandler; JSONLinesHandler needs nothing. All of them are told what went
wrong by a tracker in guaranteed mode.
"""

from goanna.audit.handlers.console import BufferHandler, ConsoleHandler
from goanna.audit.handlers.jsonlines import JSONLinesHandler
from goanna.audit.handlers.otel import OpenTelemetryHandler

__all__ = ["BufferHandler", "ConsoleHandler", "JSONLinesHandler", "OpenTelemetryHandler"]

for _one in (BufferHandler, ConsoleHandler, JSONLinesHandler, OpenTelemetryHandler):
    _one.__module__ = __name__
