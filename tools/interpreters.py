"""Runs the suite on every interpreter that this machine has, each in a virtual environment of its own.

    make interpreters                        all of them
    make interpreters ONLY="3.12 3.14t"      some of them
    make interpreters ARGS=tests/delivery    what ``make test`` takes

Interpreters are looked for as ``python3.11``, ``python3.12`` and so on, their free-threaded twins (``python3.14t``) and
``pypy3`` in the folders of PATH, in the installations of pyenv (``$PYENV_ROOT/versions``, by default
``~/.pyenv/versions``) and in those that the variable INTERPRETERS names, paths with ``:`` between them. Of several with
the same name the newest is taken. PyPy gets the pure core only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
NEWEST_LOOKED_FOR = 20

ASK = """
import json, sys, sysconfig
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print(json.dumps([sys.implementation.name, list(sys.version_info[:3]), free_threaded]))
"""


class Interpreter(NamedTuple):
    """One interpreter: its name in reports, its exact version and where it is."""

    name: str
    version: tuple[int, int, int]
    path: str

    @property
    def compiled(self) -> bool:
        """Whether the compiled core is for it."""
        return not self.name.startswith("pypy")


def ask(path: str) -> Interpreter | None:
    """Return what the program at `path` says that it is; None if it is no Python that goanna is for."""
    done = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None  # such as a shim of a version that is not selected
    implementation, version, free_threaded = json.loads(done.stdout)
    if tuple(version) < OLDEST:
        return None
    name = f"{version[0]}.{version[1]}{'t' if free_threaded else ''}"
    return Interpreter(name if implementation == "cpython" else f"{implementation}{name}", tuple(version), path)


def candidates() -> Iterator[str]:
    """Yield the programs that may be interpreters."""
    for minor in range(OLDEST[1], NEWEST_LOOKED_FOR):
        for name in (f"python3.{minor}", f"python3.{minor}t"):
            if (found := shutil.which(name)) is not None:
                yield found
    if (found := shutil.which("pypy3")) is not None:
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(str(one) for one in pyenv.glob("versions/*/bin/python3"))
    for named in filter(None, os.environ.get("INTERPRETERS", "").split(os.pathsep)):
        if shutil.which(named) is None:
            raise SystemExit(f"INTERPRETERS names {named!r}, which is no program")
        yield named


def find() -> list[Interpreter]:
    """Return the newest interpreter of each name, oldest version first."""
    newest: dict[str, Interpreter] = {}
    for one in filter(None, map(ask, candidates())):
        if one.name not in newest or newest[one.name].version < one.version:
            newest[one.name] = one
    return sorted(newest.values(), key=lambda one: (one.compiled, one.version, one.name))


def test(interpreter: Interpreter, arguments: list[str]) -> tuple[str, int]:
    """Run ``make test`` on it; return pytest's closing line (or the last line there is) and the exit code."""
    command = ["make", "--no-print-directory", "test", f"PYTHON={interpreter.path}", f"VENV=.venv-{interpreter.name}"]
    command.append(f"ARGS={' '.join(arguments)}")
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    if not interpreter.compiled:
        command += ["COMPILER=", "GOANNA_BUILD_EXT=no"]
    last = ""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if " in " in line and ("passed" in line or "failed" in line or "error" in line):
                last = line.strip("= \n")
    return last or "ended before any test", process.returncode


def main() -> int:
    """Return 0 if the suite passed on all, 1 if not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="such as 3.12, 3.14t or pypy3.11")
    parser.add_argument("--args", default="", metavar="ARGUMENTS", help="for pytest, in one string")
    options = parser.parse_args()
    found = find()
    for one in found:
        print(f"{one.name:10} {'.'.join(map(str, one.version)):8} {one.path}", flush=True)
    if missing := set(options.only) - {one.name for one in found}:
        raise SystemExit(f"not found: {', '.join(sorted(missing))}")
    chosen = [one for one in found if not options.only or one.name in options.only]
    if not chosen:
        raise SystemExit("no interpreter found")
    if options.list:
        return 0
    results = []
    for one in chosen:
        print(f"\n=== {one.name}", flush=True)
        begun = time.monotonic()
        results.append((one, *test(one, options.args.split()), time.monotonic() - begun))
    print()
    for one, line, code, seconds in results:
        verdict = "passed" if code == 0 else "FAILED"
        print(f"{one.name:10} {'.'.join(map(str, one.version)):8} {verdict}  {seconds:4.0f} s  {line}")
    return int(any(code for _, _, code, _ in results))


if __name__ == "__main__":
    sys.exit(main())
