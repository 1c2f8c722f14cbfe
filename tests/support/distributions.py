"""Helpers to install distributions in clean environments and to run programs there.

Nothing here is imported from the checkout: programs are started in folders of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, path: str | None = None, cwd: str | Path = "/", **environment: str) -> Any:
    """Run a program with nothing of goanna in its environment; return its subprocess.CompletedProcess."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("GOANNA_", "PYTHONPATH"))}
    if path is not None:
        inherited["PATH"] = path
    done = subprocess.run(
        [str(one) for one in command],
        capture_output=True,
        text=True,
        env={**inherited, **environment},
        cwd=cwd,
        timeout=1800,
    )
    print(done.stdout, done.stderr, sep="\n")
    return done


def environment(folder: Path) -> Path:
    """Return the Python of a new virtual environment."""
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def settings() -> dict[str, Any]:
    """Return what pyproject.toml says for cibuildwheel on this machine's platform."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["cibuildwheel"]
    return {**found, **found[{"linux": "linux", "darwin": "macos", "win32": "windows"}[sys.platform]]}


class Installed:
    """A clean environment with one wheel and what the tests need, and a folder with the tests.

    Beside them is what `also` names, such as the examples that tests run; never the sources of the package.
    """

    def __init__(self, folder: Path, wheel: Path, sdist: Path, group: str, also: tuple[str, ...] = ()) -> None:
        self.python = environment(folder / "env")
        pip = (
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.python,
            "install",
            "--group",
            f"{ROOT}/pyproject.toml:{group}",
        )
        assert run(*pip, wheel).returncode == 0
        self.tests = folder / "tests"
        with tarfile.open(sdist) as archive:
            archive.extractall(folder / "sdist", filter="data")
        [unpacked] = (folder / "sdist").iterdir()
        self.tests.mkdir()
        for name in (*settings()["test-sources"], *also):
            shutil.move(unpacked / name, self.tests / name)
        shutil.rmtree(unpacked)

    def run(self, *arguments: str, **more: str) -> Any:
        """Run the environment's Python among the tests; the only programs on PATH are the environment's."""
        assert shutil.which("cc", path=str(self.python.parent)) is None
        return run(self.python, *arguments, path=str(self.python.parent), cwd=self.tests, **more)
