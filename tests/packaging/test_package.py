"""The sdist and what is built from it, in clean environments. Slow and in need of a package index: `make package`."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]

CHECK = """
import goanna, sys
class Ping(goanna.Event):
    number: int
class Pings(goanna.Listener):
    @goanna.handles(Ping)
    def ping(self, event): print(event, goanna.BACKEND)
hub = goanna.Dispatcher(Pings)
hub.add(Pings())
hub.publisher(Ping)(number=1)
assert not sys.modules["goanna"].__file__.startswith(sys.argv[1]), "that is the checkout, not what was installed"
"""


def run(*command: str | Path, path: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("GOANNA_", "PYTHONPATH"))}
    if path is not None:
        inherited["PATH"] = path
    done = subprocess.run(
        [str(one) for one in command],
        capture_output=True,
        text=True,
        env={**inherited, **environment},
        cwd="/",
        timeout=600,
    )
    print(done.stdout, done.stderr, sep="\n")
    return done


def environment(folder: Path) -> Path:
    """Return the Python of a new virtual environment."""
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    done = run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT)
    assert done.returncode == 0, done.stderr
    [made] = folder.glob("*.tar.gz")
    return made


def wheel(sdist: Path, folder: Path, choice: str, **environment: str) -> Path:
    """Build a wheel from the sdist as it is unpacked elsewhere."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    [source] = folder.iterdir()
    out = folder / "out"
    done = run(
        sys.executable, "-m", "build", "--wheel", "--outdir", out, source, GOANNA_BUILD_EXT=choice, **environment
    )
    assert done.returncode == 0, done.stderr
    [made] = out.glob("*.whl")
    return made


def test_the_sdist_has_the_source_and_nothing_generated(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for wanted in (
        "ext/_core.pyx", "ext/_native.h", "ext/_tracker.pyx", "ext/_drive.h",
        "examples/dbally_audit.py", "src/goanna/_core_py.py", "src/goanna/py.typed", "tests/conftest.py",
        "tests/shapes.py", "benchmarks", "setup.py", "pyproject.toml", "README.md", "CHANGES.md", "LICENSE", "Makefile",
        "docs",
    ):  # fmt: skip
        assert wanted in names, wanted
    wrong = [name for name in names if name.endswith((".c", ".so", ".pyc", ".html", ".o")) or "/build/" in name]
    assert wrong == []


def test_a_wheel_from_the_sdist_has_the_compiled_core(sdist: Path, tmp_path: Path) -> None:
    made = wheel(sdist, tmp_path / "unpacked", "require")
    names = zipfile.ZipFile(made).namelist()
    for extension in ("goanna/_core.", "goanna/monitoring/_publish.", "goanna/audit/_tracker."):
        assert [name for name in names if name.startswith(extension) and name.endswith(".so")]
    assert not [name for name in names if name.endswith((".c", ".pyx", ".h"))]
    assert "goanna/py.typed" in names
    python = environment(tmp_path / "env")
    assert run(python, "-m", "pip", "install", "--no-index", made, path="/nowhere").returncode == 0
    assert run(python, "-c", CHECK, ROOT, path="/nowhere").stdout.strip() == "Ping(number=1) c"
    assert "compiled core" in run(python, "-m", "goanna", "doctor").stdout
    assert run(sys.executable, "-m", "twine", "check", "--strict", sdist, made).returncode == 0


def test_a_pure_wheel_fits_every_machine(sdist: Path, tmp_path: Path) -> None:
    made = wheel(sdist, tmp_path / "unpacked", "no")
    assert made.name.endswith("-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(made).namelist() if name.endswith(".so")]
    python = environment(tmp_path / "env")
    assert run(python, "-m", "pip", "install", "--no-index", made).returncode == 0
    assert run(python, "-c", CHECK, ROOT).stdout.strip() == "Ping(number=1) py"
    done = run(python, "-c", "import goanna; goanna.require_compiled()")
    assert "the installed goanna has no extension module for this interpreter" in done.stderr


def test_without_a_compiler_the_install_succeeds_and_says_so(sdist: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    done = run(python, "-m", "pip", "install", "--verbose", sdist, CC="/nowhere/cc", GOANNA_BUILD_EXT="auto")
    assert done.returncode == 0
    warned = "goanna is installed without its compiled core, because it could not be built here"
    assert warned in done.stdout + done.stderr
    assert run(python, "-c", CHECK, ROOT).stdout.strip() == "Ping(number=1) py"


def test_without_a_compiler_require_is_an_error(sdist: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    assert run(python, "-m", "pip", "install", sdist, CC="/nowhere/cc", GOANNA_BUILD_EXT="require").returncode != 0


def test_another_choice_is_an_error(sdist: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    done = run(python, "-m", "pip", "install", sdist, GOANNA_BUILD_EXT="maybe")
    assert done.returncode != 0
    assert "GOANNA_BUILD_EXT is 'maybe'; it must be one of auto, require, no" in done.stderr + done.stdout
