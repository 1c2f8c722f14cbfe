"""Says how large wheels are, and how long importing goanna takes in an interpreter that has it.

    python tools/footprint.py --python env/bin/python dist/*.whl

The time is that of a whole process which imports goanna less that of one which does nothing, each the least of several,
taken in turns: processor time where the system tells it (other work matters less to it), and by the clock.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

try:
    import resource
except ModuleNotFoundError:  # there is none on Windows
    resource = None  # type: ignore[assignment]

LIMIT_MS = 20.0


def size(wheel: Path) -> str:
    """Return a line on a wheel: what is downloaded, what is unpacked, and how much of that are libraries."""
    with zipfile.ZipFile(wheel) as archive:
        files = archive.infolist()
    unpacked = sum(one.file_size for one in files)
    libraries = [one for one in files if one.filename.endswith((".so", ".pyd"))]
    line = f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB, unpacked {unpacked / 1024:.0f} KiB"
    shares = ", ".join(f"{one.filename.split('.')[0]} {one.file_size / 1024:.0f}" for one in libraries)
    return f"{line} ({shares})" if shares else line


class Cost(NamedTuple):
    """Milliseconds of a process, by the clock and of the processor; the same twice where the system does not tell."""

    clock: float
    processor: float


def process(python: str, code: str) -> Cost:
    """Return what a process that runs `code` takes."""
    begun, before = time.perf_counter(), spent()
    subprocess.run([python, "-I", "-c", code], check=True)
    clock = (time.perf_counter() - begun) * 1e3
    return Cost(clock, clock if before is None else ((spent() or 0.0) - before) * 1e3)


def spent() -> float | None:
    """Return the seconds of the processor that all processes so far took which this one has started and awaited."""
    if resource is None:
        return None
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def imports(python: str, times: int) -> tuple[Cost, Cost]:
    """Return what an empty process takes, and how much more it is if it imports goanna."""
    empty, full = [], []
    for _ in range(times):
        empty.append(process(python, "pass"))
        full.append(process(python, "import goanna"))
    least = Cost(*map(min, zip(*empty, strict=True)))
    return least, Cost(*(min(ones) - least[which] for which, ones in enumerate(zip(*full, strict=True))))


def main() -> None:
    """Print one line for each wheel and one for the import."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", nargs="*", type=Path)
    parser.add_argument("--python", default=sys.executable, help="an interpreter in which goanna is installed")
    parser.add_argument("--times", default=20, type=int, help="how often each process is run")
    options = parser.parse_args()
    for one in options.wheels:
        print(size(one))
    empty, more = imports(options.python, options.times)
    core = subprocess.run(
        [options.python, "-I", "-c", "import goanna; print(goanna.BACKEND)"], capture_output=True, text=True, check=True
    ).stdout.strip()
    verdict = "within" if more.processor < LIMIT_MS else "OVER"
    line = f"import of goanna [{core}]: {more.processor:.1f} ms more than {empty.processor:.1f} ms of an empty process"
    print(f"{line}; {verdict} {LIMIT_MS:.0f} ms ({more.clock:.1f} more than {empty.clock:.1f} by the clock)")


if __name__ == "__main__":
    main()
