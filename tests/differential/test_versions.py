"""Releases of PyMongo on both sides of each change to its publish methods. Needs a package index: `make matrix`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from differential.versions import MAY_STAY_STOCK, NO_GAIN, RELEASES, unpacked

pytestmark = pytest.mark.matrix

TESTS = Path(__file__).parents[1]
TAPES = 60


@pytest.mark.parametrize("release", RELEASES)
def test_stock_and_installed_are_the_same(backend: str, release: str) -> None:
    path = [unpacked(release), TESTS, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    done = subprocess.run(
        # Old releases warn about what has changed in Python since.
        [sys.executable, "-W", "ignore", str(TESTS / "differential" / "versions.py"), str(TAPES)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "GOANNA_BACKEND": backend},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    said = json.loads(done.stdout)
    print(said)
    assert (said["release"], said["core"]) == (release, backend)
    left = {name for name, why in said["stock"].items() if (backend, why) != ("py", NO_GAIN)}
    assert left <= MAY_STAY_STOCK.get(release, set())
    assert len(said["session"]) == 5
    assert sum(said["session"].values()) > 30
    assert said["tapes"]["step"] >= 300
    assert {"called", "returned", "raised", "printed", "after"} <= said["tapes"].keys()
