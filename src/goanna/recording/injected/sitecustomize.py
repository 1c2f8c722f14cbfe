"""What ``goanna record`` and ``goanna run`` have every Python process run when it starts: it waits for PyMongo.

Whatever other ``sitecustomize`` there is runs as it would have run. A launcher that puts one of its own in front of the
path before it becomes the program, and which then runs no other, finds this one in front again.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from types import ModuleType
from typing import Any

__all__ = ["RUN", "in_children", "stay_in_front"]

_VARIABLE = "GOANNA_RECORDING"
RUN = "GOANNA_RUN"
"""Set to 1 by ``goanna run``: goanna is installed, and nothing is recorded."""
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
        if _VARIABLE in os.environ:
            from goanna.recording import recorder

            recorder.attach(name)
        elif name == "pymongo":  # without it the module that is imported installs by itself
            import goanna

            goanna.install()
    except Exception as error:
        os.write(2, f"goanna {_command()}: {type(error).__name__}: {error}\n".encode())


def _command() -> str:
    return "record: nothing is recorded" if _VARIABLE in os.environ else "run: it is not installed"


def in_children(environment: MutableMapping[str, str]) -> None:
    """Put this folder in front of the path that Python processes with such an environment have."""
    others = [one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one and one != _HERE]
    environment["PYTHONPATH"] = os.pathsep.join([_HERE, *others])


def stay_in_front() -> None:
    """See that the folder is in front again when this process becomes another program."""
    become, become_with = os.execv, os.execve

    def execv(path: Any, argv: Any) -> Any:
        in_children(os.environ)
        return become(path, argv)

    def execve(path: Any, argv: Any, env: Mapping[Any, Any]) -> Any:
        if _HERE in str(env.get("PYTHONPATH", "")).split(os.pathsep):
            env = dict(env)
            in_children(env)
        return become_with(path, argv, env)

    os.execv, os.execve = execv, execve


def _next_one() -> None:
    """Run the sitecustomize that this one stands in front of."""
    sys.path[:] = [one for one in sys.path if os.path.abspath(one or os.curdir) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    if _VARIABLE in os.environ or RUN in os.environ:
        if importlib.util.find_spec("goanna") is None:
            os.write(2, f"goanna {_command()}: there is no goanna for {sys.executable}\n".encode())
        else:
            stay_in_front()
            sys.meta_path.insert(0, _Waiting())
            for _name in _NAMES:
                if _name in sys.modules:
                    _attach(_name)
    _next_one()
