"""Programs in processes of their own: how they are run, and the evidence that they leave."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]

LONG = 120
"""Seconds after which a program counts as hanging; nothing here takes more than a few."""


def environment(backend: str, evidence: Path) -> dict[str, str]:
    """Return the environment of a program that imports ``delivery.listeners``."""
    return {**os.environ, "GOANNA_BACKEND": backend, "PYTHONPATH": str(TESTS), "EVIDENCE": str(evidence)}


class Done:
    """How a program ended, and what it left."""

    def __init__(self, completed: subprocess.CompletedProcess[str], evidence: Path) -> None:
        self.status = completed.returncode
        self.stdout = completed.stdout
        self.stderr = completed.stderr
        self.evidence = evidence

    def seen(self) -> dict[int, dict[str, list[int]]]:
        """Return the numbers that were noted, in their order, by process and source."""
        return noted(self.evidence)

    def of(self, source: str) -> list[list[int]]:
        """Return the numbers of one source, a list for each process that noted some."""
        return [by_source[source] for by_source in self.seen().values() if source in by_source]


def noted(evidence: Path) -> dict[int, dict[str, list[int]]]:
    """Return what is in a file of evidence."""
    found: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for line in evidence.read_text().splitlines() if evidence.exists() else ():
        pid, source, number = line.split()
        found[int(pid)][source].append(int(number))
    return {pid: dict(sources) for pid, sources in found.items()}


def run(program: str, backend: str, folder: Path, *arguments: str) -> Done:
    """Run a program to its end; the test fails if it hangs."""
    file = folder / "program.py"
    file.write_text(textwrap.dedent(program))
    evidence = folder / "evidence"
    completed = subprocess.run(
        # From 3.12 on os.fork warns where there are other threads, which is what half of the tests are about.
        [sys.executable, "-X", "faulthandler", "-W", "error", "-W", "ignore:This process", str(file), *arguments],
        env=environment(backend, evidence),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LONG,
    )
    return Done(completed, evidence)


def ended_well(done: Done) -> bool:
    """Return True, or fail with what the program wrote."""
    assert (done.status, done.stderr) == (0, ""), f"status {done.status}\n{done.stdout}\n{done.stderr}"
    return True
