"""mypy --strict finds in the example the errors that it announces, and no others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).with_name("example.py")


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="what mypy finds does not depend on what it runs on")
def test_mypy_finds_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(EXAMPLE)],
        capture_output=True,
        text=True,
    )
    found = {(int(line), code) for line, code in re.findall(r":(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.M)}
    announced = {
        (number, line.rpartition("# error: ")[2])
        for number, line in enumerate(EXAMPLE.read_text().splitlines(), start=1)
        if "# error: " in line
    }
    assert found == announced, done.stdout + done.stderr
    assert len(announced) == 6
