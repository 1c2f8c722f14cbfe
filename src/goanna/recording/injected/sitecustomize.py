"""What ``goanna record`` has every Python process run when it starts: it waits until PyMongo is imported.

Whatever other ``sitecustomize`` there is runs as it would have run.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_VARIABLE = "GOANNA_RECORDING"
_HERE = os.path.dirname(os.path.abspath(__file__))
_NAMES = ("pymongo", "goanna.monitoring._standalone")
"""The one whose import is over when PyMongo's monitoring can be used, and the one without PyMongo."""


class _Waiting:
    """Finds nothing, but has the recorder attached when one of the modules has been imported."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if name not in _NAMES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        loader: Any = None if spec is None else spec.loader
        if loader is not None and hasattr(loader, "exec_module"):
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                del loader.exec_module
                execute(module)
                _attach(name)

            loader.exec_module = exec_module
        return spec


def _attach(name: str) -> None:
    """Install goanna and begin to record; a program is never ended because that fails, but it is told."""
    try:
        from goanna.recording import recorder

        recorder.attach(name)
    except Exception as error:
        os.write(2, f"goanna record: nothing is recorded: {type(error).__name__}: {error}\n".encode())


def _next_one() -> None:
    """Run the sitecustomize that this one stands in front of."""
    sys.path[:] = [one for one in sys.path if os.path.abspath(one or os.curdir) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if _VARIABLE in os.environ:
    if importlib.util.find_spec("goanna") is None:
        os.write(2, f"goanna record: goanna is not installed for {sys.executable}: nothing is recorded\n".encode())
    else:
        sys.meta_path.insert(0, _Waiting())
        for _name in _NAMES:
            if _name in sys.modules:
                _attach(_name)
_next_one()
