"""``goanna run``: a program as it is, with goanna installed before its first line."""

from __future__ import annotations

import argparse
import os
import runpy
import sys

import goanna

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("run", help="run a program unchanged, with goanna installed")
    parser.add_argument("-m", dest="module", action="store_true", help="PROGRAM is the name of a module")
    parser.add_argument("program", metavar="PROGRAM", help="a file, or with -m a module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the program is given")
    parser.set_defaults(func=_run)


def _run(chosen: argparse.Namespace) -> int:
    """Run a file, or a module by name, the way that Python itself would."""
    from goanna.recording.injected.sitecustomize import RUN, in_children, stay_in_front

    os.environ[RUN] = "1"
    in_children(os.environ)  # processes that the program starts, or becomes
    stay_in_front()
    goanna.install()
    sys.argv = [chosen.program, *chosen.arguments]
    if chosen.module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(chosen.program, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(chosen.program)))
        runpy.run_path(chosen.program, run_name="__main__")
    return 0
