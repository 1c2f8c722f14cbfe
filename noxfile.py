"""Runs the suite on every interpreter that this machine has, each in an environment of its own below ``.nox``.

    make interpreters                        all of them
    make interpreters ONLY="3.12 3.14t"      some of them; others than these, too, by name or by path
    make interpreters ARGS=tests/delivery    what ``make test`` takes

Interpreters are looked for in the folders of PATH and in the installations of pyenv, the newest of these first. Those
that are missing are passed over with a message, unless they were asked for.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = [*nox.project.python_versions(PROJECT), "pypy3.11"]
"""The versions that the classifiers name, free-threaded from 3.14 on too."""


def age(installation: Path) -> list[int]:
    """Return what installations of pyenv are sorted by: the numbers in their names."""
    return [int(number) for number in re.findall(r"\d+", installation.name)]


PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
INSTALLATIONS = sorted(PYENV.glob("versions/*"), key=age, reverse=True)
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *(str(one / "bin") for one in INSTALLATIONS)])


@nox.session(python=PYTHONS, venv_backend="virtualenv", download_python="never", reuse_venv=True)
def tests(session: nox.Session) -> None:
    """Run ``make test``; PyPy gets the pure core only."""
    pure = ["COMPILER=", "GOANNA_BUILD_EXT=no"] if "pypy" in str(session.python) else []
    session.run(
        "make",
        "--no-print-directory",
        "test",
        f"VENV={session.virtualenv.location}",
        f"ARGS={shlex.join(session.posargs)}",
        *pure,
        external=True,
        env=dict.fromkeys(("MAKEFLAGS", "MAKELEVEL", "MFLAGS")),  # what `make interpreters` itself was told
    )
