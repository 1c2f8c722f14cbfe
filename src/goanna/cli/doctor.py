"""``goanna doctor``: which core is loaded, from which file, why the other is not, and what it would take."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator

import goanna
from goanna import core

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor", help="say which core is loaded, why the other is not, and what it would take"
    )
    parser.add_argument(
        "--require-compiled", action="store_true", help="exit with status 1 unless it is the compiled one"
    )
    parser.set_defaults(func=_doctor)


def _doctor(chosen: argparse.Namespace) -> int:
    """Print the report; return 1 if the compiled core was required and is not there whole, else 0."""
    for line in lines():
        print(line)
    return int(chosen.require_compiled and (goanna.BACKEND != "c" or bool(core.doubts())))


def lines() -> Iterator[str]:
    """Yield the report line by line."""
    names = {"c": "compiled", "py": "pure"}
    yield f"goanna {goanna.__version__} runs on its {names[goanna.BACKEND]} core"
    yield f"  loaded from   {core.half_of('goanna.core').__file__}"
    if core.COMPILED_MISSING is None:
        yield "  the pure core is not used, because the compiled one loaded"
        yield f"  to use it     set {core.VARIABLE}=py"
        for wrong in core.doubts():
            yield f"  but           {wrong}"
            yield f"  to mend it    {core.what_it_takes()}"
    else:
        yield f"  the compiled core is not used: {core.COMPILED_MISSING}"
        yield f"  to use it     {core.what_it_takes()}"
        for found in core.extensions("core"):
            yield f"  found         {found}"
    yield f"Python {platform.python_version()} ({platform.python_implementation()}) on {platform.platform()}"
    yield f"  executable    {sys.executable}"
    yield f"  extensions    are called _compiled{sysconfig.get_config_var('EXT_SUFFIX') or '(none)'} here"
    if "free-threading" in sys.version:
        off = not getattr(sys, "_is_gil_enabled", lambda: True)()
        yield f"  the GIL       is {'off' if off else 'on, though this build can do without'}"
    yield f"  {core.VARIABLE:<13} {os.environ.get(core.VARIABLE) or 'not set (auto)'}"
    if importlib.util.find_spec("pymongo") is None:
        yield "PyMongo is not installed; goanna.monitoring is goanna's own"
    else:
        import pymongo

        yield f"PyMongo {pymongo.version}, after goanna.install():"
        yield from (f"  {line}" for line in str(goanna.install()).splitlines())
