"""A process that is recorded: what happens in it when its driver has been imported."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Final

from goanna.recording.recorder import Recorder

__all__ = ["VARIABLE", "attach"]

VARIABLE: Final = "GOANNA_RECORDING"
"""The environment variable that holds the arguments of the Recorder, as JSON."""

_attached: dict[str, Recorder] = {}


def attach(name: str) -> None:
    """Install goanna into the driver and begin to record.

    Args:
        name: what has been imported: ``pymongo``, or goanna's own monitoring module where there is no PyMongo.
    """
    if _attached:
        return
    if name == "pymongo":
        module = importlib.import_module("pymongo.monitoring")
        importlib.import_module("goanna.monitoring._install").install(module)
    else:
        module = sys.modules[name]  # it is installed into by the module that imports it
    recorder = _attached[name] = Recorder(**json.loads(os.environ[VARIABLE]))
    recorder.attach(module)
