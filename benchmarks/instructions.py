"""``python -m benchmarks instructions``: how many instructions the hot paths take, beside the committed numbers.

valgrind counts them. Unlike times they are the same again, whatever else the machine does. A path is run so many times,
and some more; the difference is what the additional times took, without the start of the interpreter.

They depend on the interpreter, how it was built, and the compiler of the extension. Where all of these are those of
committed numbers, a path may take 3 per cent more. Where only the compilers are others it may take 15 per cent more,
for that is what compilers differ by. Where there is nothing to compare with, that is said, with what to do about it;
on the version of Python that CI uses it is an error.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import goanna
from goanna.bench import listeners
from goanna.bench.loops import Run, loop
from goanna.bench.orders import FIELDS, POSITIONAL, goanna_sent

COMMITTED = Path(__file__).with_name("instructions.json")
FEW, MORE = 1_000, 11_000
"""How often a path is taken: the start differs by some ten thousand instructions from run to run."""
TOLERANCE = 0.03
"""How much more a path may take before it is an error; as much less is told, for the numbers should be committed."""
OTHER_COMPILER = 0.15
"""The same, where the interpreter or the extension was compiled by another compiler than those of the numbers."""
CI_PYTHON = "3.11.7"


ROOM = 100_000


# Not the rivals of ``goanna bench``, whose start is long, and differs by more from run to run.
Sent: Any = goanna_sent(goanna)


class Interface(goanna.Listener):
    @goanna.handles(Sent)
    def sent(self, event: Any) -> None: ...


def listener() -> Any:
    return listeners.listener(listeners.stores, (Interface,))


def publish(count: int) -> Run:
    hub = goanna.Dispatcher(Interface)
    for _ in range(count):
        hub.add(listener())
    return loop(f"publish({POSITIONAL})", {**FIELDS, "publish": hub.publisher(Sent)})


def build() -> Run:
    return loop(f"publish({POSITIONAL})", {**FIELDS, "publish": Sent})


def installed() -> Run:
    from pymongo import monitoring

    from goanna.bench.driver_calls import CALLS

    goanna.install()
    call = CALLS["command_start"]
    there = listeners.listener(listeners.stores, (monitoring.CommandListener,), ("started", "succeeded", "failed"))
    return loop(call.statement, {**call.names, "listeners": monitoring._EventListeners([there])})


def push() -> Run:
    queue = goanna.queued(listener(), maxsize=ROOM, batch=ROOM, delay=3600.0)
    queue.sent(Sent(**FIELDS))
    queue.flush()  # the thread has been started, and sleeps
    return loop("take(event)", {"take": queue.sent, "event": Sent(**FIELDS)})


def reject() -> Run:
    wrapper = goanna.where(listener(), commands="insert")
    return loop("take(event)", {"take": wrapper.sent, "event": Sent(**FIELDS)})


PATHS: dict[str, Callable[[], Run]] = {
    "build": build,
    "publish to 0": partial(publish, 0),
    "publish to 1": partial(publish, 1),
    "publish to 10": partial(publish, 10),
    "installed publish to 1": installed,
    "queued push": push,
    "where reject": reject,
}


def through(name: str, times: int) -> None:
    """Take a path so many times, and end the process: what ends is not counted, above all not a queue's emptying."""
    assert goanna.BACKEND == "c", "this is about the compiled core"
    run = PATHS[name]()
    gc.disable()
    run(times)
    os._exit(0)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks instructions", description=__doc__)
    parser.add_argument("--write", action="store_true", help="have what is counted be the numbers for this interpreter")
    options = parser.parse_args(arguments)
    known: dict[str, dict[str, float]] = json.loads(COMMITTED.read_text())
    here = environment()
    if shutil.which("valgrind") is None:
        print("There is no valgrind here: apt-get install valgrind", file=sys.stderr)
        return 2
    numbers, tolerance = comparable(known, here)
    if not options.write and numbers is None:
        print(f"NOT COMPARED: {COMMITTED.name} has no numbers for {here}; it has some for")
        print("\n".join(f"  {one}" for one in known))
        print("To have some: python -m benchmarks instructions --write, and commit them.")
        return int(platform.python_version() == CI_PYTHON and sys.platform == "linux")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(PATHS, pool.map(counted, PATHS), strict=True))
    if options.write:
        COMMITTED.write_text(json.dumps({**known, here: found}, indent=1, sort_keys=True) + "\n")
        print(f"written to {COMMITTED.name} for {here}: {found}")
        return 0
    assert numbers is not None
    print(f"instructions of a call on {here}")
    if here not in known:
        print(f"compared with those of another compiler, so that {tolerance:.0%} more are let pass")
    return compared(numbers, found, tolerance)


def comparable(known: dict[str, dict[str, float]], here: str) -> tuple[dict[str, float] | None, float]:
    """Return the numbers to compare with, and how much more a path may take; None where there are none.

    The first part of an environment is interpreter, version and how it was built, the last the machine.
    """
    if here in known:
        return known[here], TOLERANCE
    for name, numbers in known.items():
        if (name.split(", ")[0], name.split(", ")[-1]) == (here.split(", ")[0], here.split(", ")[-1]):
            return numbers, OTHER_COMPILER
    return None, TOLERANCE


def compared(known: dict[str, float], found: dict[str, float], tolerance: float = TOLERANCE) -> int:
    """Print both; return 1 if a path takes more than it may, or if there is no number for it, else 0."""
    worse = []
    for name, count in found.items():
        if name not in known:
            print(f"  {name:<24} {count:8.0f}          no number is committed")
            worse.append(name)
            continue
        change = count / known[name] - 1
        word = "more than it may" if change > tolerance else "less: commit it" if change < -tolerance else ""
        print(f"  {name:<24} {count:8.0f} {known[name]:8.0f} {change:+7.1%}  {word}")
        if change > tolerance:
            worse.append(name)
    return int(bool(worse))


def environment() -> str:
    """Return what the counts depend on: interpreter, how it was built, the compiler of the extension."""
    built = "optimised" if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "") else "plain"
    compiler = shutil.which(os.environ.get("CC", "cc"))
    version = ""
    if compiler is not None:
        version = subprocess.run(
            [compiler, "-dumpfullversion"], capture_output=True, text=True, check=True
        ).stdout.strip()
    return (
        f"{platform.python_implementation()} {platform.python_version()} {built}, {platform.python_compiler()}, "
        f"cc {version}, {platform.machine()}"
    )


def counted(name: str) -> float:
    """Return the instructions of one time through a path."""
    return (_total(name, MORE) - _total(name, FEW)) / (MORE - FEW)


def _total(name: str, times: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable]
        done = subprocess.run(
            [*command, "-c", f"from benchmarks.instructions import through; through({name!r}, {times})"],
            env={**os.environ, "PYTHONHASHSEED": "0", "GOANNA_BACKEND": "c", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{name} ended with status {done.returncode}:\n{done.stderr}")
        for one in out.read_text().splitlines():
            if one.startswith(("summary:", "totals:")):
                return int(one.split()[1])
    raise SystemExit(f"valgrind has not counted {name}:\n{done.stderr}")
