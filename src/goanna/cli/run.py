"""``goanna run``: a program as it is, with goanna installed before its first line."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence

import goanna

__all__ = ["execute"]


def execute(program: str, arguments: Sequence[str], *, module: bool = False) -> None:
    """Run a file, or a module by name, the way that Python itself would.

    Args:
        program: the path of the file, or the name of the module.
        arguments: what ``sys.argv`` holds after the program.
        module: whether ``program`` names a module.
    """
    goanna.install()
    sys.argv = [program, *arguments]
    if module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
        runpy.run_path(program, run_name="__main__")
