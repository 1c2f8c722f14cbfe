"""mypy and pyright, as strict as they are, find in the examples the errors that these announce, and no others."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ON_CPYTHON = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="what a type checker finds does not depend on what it runs on"
)

NOT_FOR_USERS = re.compile(
    r"""goanna\.(?:
        (?:bench|cli|recording)\..*                # programs, not a library
        | _.*                                      # private modules
        | core\..*                                 # what events and dispatchers are made of, for this package
        | delivery\.\w+\.(?:ThreadWorker|LoopWorker|Consumer|everybody)\b.*  # behind queued and on_loop
        | requestlog\.(?:logger\.)?RequestLogger(?:\.(?:completed|failed|attempted))?  # attributes in place of methods
    )""",
    re.VERBOSE,
)


def announced(name: str, checker: int) -> set[tuple[int, str]]:
    """Return the lines of an example with the error that mypy (0) or pyright (1) should find there."""
    lines = enumerate((HERE / name).read_text().splitlines(), start=1)
    return {
        (number, text.partition("# error: ")[2].split(", ")[checker]) for number, text in lines if "# error" in text
    }


def pyright(*arguments: str | Path) -> dict[str, Any]:
    """Return pyright's own account of what it found; the package that is imported here is the one that it sees."""
    spec = importlib.util.find_spec("goanna")
    assert spec is not None
    assert spec.origin is not None
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "--outputjson", *map(str, arguments)],
        capture_output=True,
        text=True,
        # With --verifytypes it asks the python of PATH, whatever --pythonpath says.
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": str(Path(spec.origin).parents[1]),
        },
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@ON_CPYTHON
@pytest.mark.parametrize("name", ["example.py", "drivers.py"])
def test_mypy_finds_what_is_wrong_and_nothing_else(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(HERE / name)],
        capture_output=True,
        text=True,
    )
    found = {(int(line), code) for line, code in re.findall(r":(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.M)}
    assert found == announced(name, 0), done.stdout + done.stderr
    assert ("Success: no issues found" in done.stdout) == (not found)


@ON_CPYTHON
@pytest.mark.parametrize("name", ["example.py", "drivers.py"])
def test_pyright_finds_what_is_wrong_and_nothing_else(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text((HERE / name).read_text())
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": [name]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    report = pyright("--project", tmp_path)
    found = {(one["range"]["start"]["line"] + 1, one.get("rule")) for one in report["generalDiagnostics"]}
    assert found == announced(name, 1), report["generalDiagnostics"]
    assert report["summary"]["filesAnalyzed"] == 1


def test_the_example_announces_errors() -> None:
    assert len(announced("example.py", 0)) == len(announced("example.py", 1)) == 6
    assert announced("drivers.py", 0) == set()


@ON_CPYTHON
def test_every_public_name_has_a_type_that_checkers_agree_on() -> None:
    seen = pyright("--ignoreexternal", "--verifytypes", "goanna")["typeCompleteness"]
    assert Path(seen["pyTypedPath"]).name == "py.typed"
    public = [one for one in seen["symbols"] if one["isExported"] and not NOT_FOR_USERS.fullmatch(one["name"])]
    assert {"goanna.Dispatcher.add", "goanna.delivery.Queued", "goanna.requestlog.attach"} <= {
        one["name"].replace("goanna.dispatch.dispatcher.", "goanna.") for one in public
    }
    unclear = [one["name"] for one in public if not one["isTypeKnown"] or one["isTypeAmbiguous"]]
    assert unclear == []
