"""One release of PyMongo, in a process of its own: stock against installed, over a socket and on tapes.

Run as ``python versions.py PORTION`` with the folder of the release first on PYTHONPATH and ``tests`` behind it. Prints
one JSON object: which release it was, what stayed stock and why, and how much was compared; fails loudly otherwise.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parents[2] / "build" / "pymongo"
"""What is downloaded stays here: one wheel and one folder per release."""

RELEASES = (
    "3.11.4",  # command events have no service_id yet, nothing of hello is redacted
    "3.12.0",  # service_id
    "3.12.1",  # speculative_hello
    "3.12.3",
    "3.13.0",
    "4.0.2",  # publish_pool_ready; service_id of events by keyword only
    "4.1.1",  # the last to call connection_check_out_started for a failed check-out
    "4.2.0",
    "4.5.0",  # the last without awaited in a started heartbeat
    "4.6.3",  # database_name of succeeded and failed; the last without server_connection_id
    "4.7.0",  # server_connection_id, durations of connections
    "4.7.3",  # _SENSITIVE_COMMANDS comes from elsewhere
    "4.9.2",  # and from elsewhere again
    "4.11.3",  # the last before other texts of TypeErrors
    "4.12.1",
    "4.15.5",
    "4.17.0",  # the last to call publish methods in line
    "4.18.0",  # slots in alphabetical order
    "4.20.0",
)

NO_GAIN = "in pure Python nothing is faster than its own constructor"
"""Why the pure publishers leave events of one slot or two alone."""

MAY_STAY_STOCK = {
    # There stock calls connection_check_out_started. Keeping the method stock is a right answer to that.
    release: {"publish_connection_check_out_failed"}
    for release in RELEASES
    if tuple(map(int, release.split("."))) < (4, 2)
}


def unpacked(release: str) -> Path:
    """Return the folder with a release, downloaded and unpacked if this is the first time."""
    folder = CACHE / release
    if (folder / "pymongo").is_dir():
        return folder
    wheels = CACHE / "wheels"
    found = sorted(wheels.glob(f"pymongo-{release}-*.whl"))
    # A release without a wheel for this Python has one for 3.9, and its Python modules run here all the same.
    for older in ((), ("--python-version", "3.9")):
        if found:
            break
        fetch = ("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(wheels))
        done = subprocess.run([sys.executable, *fetch, *older, f"pymongo=={release}"], capture_output=True, text=True)
        found = sorted(wheels.glob(f"pymongo-{release}-*.whl"))
    if not found:
        raise RuntimeError(f"no wheel of pymongo {release}: {done.stderr}")
    unfinished = CACHE / f"{release}.unfinished"
    with zipfile.ZipFile(found[0]) as wheel:
        wheel.extractall(unfinished)
    unfinished.rename(folder)
    return folder


def compare(portion: int) -> dict[str, Any]:
    """Play ``portion`` tapes of a fixed seed, and one session over a socket; raise at the first difference."""
    import pymongo
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from pymongo import monitoring

    import goanna
    from differential.player import play, surface
    from differential.tape import tapes
    from differential.wire import serving, session

    methods = surface(monitoring)
    seen: Counter[str] = Counter()

    with serving() as server:
        expected = session(server)
        report = goanna.install()
        try:
            found = session(server)
        finally:
            goanna.uninstall()
    assert found.keys() == expected.keys() and len(found) == 5, (found.keys(), expected.keys())
    for page, entries in expected.items():
        assert found[page] == entries, f"{page}:\n  stock     {entries}\n  installed {found[page]}"
    assert sorted((*report.fast, *report.stock)) == sorted(methods), report

    @seed(20)
    @settings(
        max_examples=portion,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(tapes)
    def tape_by_tape(tape: Any) -> None:
        stock = play(monitoring, methods, tape)
        goanna.install()
        try:
            ours = play(monitoring, methods, tape)
        finally:
            goanna.uninstall()
        assert ours == stock, "\n".join(str(pair) for pair in zip(stock, ours, strict=False) if pair[0] != pair[1])
        seen.update(one[0] for one in stock)

    tape_by_tape()
    return {
        "release": pymongo.version,
        "core": goanna.BACKEND,
        "stock": report.stock,
        "session": {page: len(entries) for page, entries in expected.items()},
        "tapes": dict(seen),
    }


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]))))
