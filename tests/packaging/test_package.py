"""The sdist and what is built from it, in clean environments. Slow and in need of a package index: `make package`."""

from __future__ import annotations

import importlib.machinery
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.distributions import ROOT, environment, run

pytestmark = pytest.mark.packaging

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


def extensions() -> list[str]:
    """Return the files, less the suffix, that setup.py builds."""
    names = [f"goanna/{source.parent.name}/_compiled" for source in (ROOT / "ext").glob("*/_compiled.pyx")]
    assert "goanna/core/_compiled" in names
    return names


def test_the_sdist_has_the_source_and_nothing_generated(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for wanted in (
        "ext/core/_compiled.pyx", "ext/core/table.pxi", "ext/include/native.h", "ext/audit/_compiled.pyx",
        "ext/audit/drive.h",
        "examples/dbally_audit.py", "src/goanna/core/_pure/channel.py", "src/goanna/py.typed", "tests/conftest.py",
        "tests/support/shapes.py", "benchmarks", "setup.py", "pyproject.toml", "README.md", "CHANGES.md", "LICENSE",
        "Makefile", "docs", "tools/footprint.py",
    ):  # fmt: skip
        assert wanted in names, wanted
    wrong = [name for name in names if name.endswith((".c", ".so", ".pyc", ".html", ".o")) or "/build/" in name]
    assert wrong == []


def test_the_binary_wheel_has_every_extension_and_works_without_a_compiler(compiled: Path, tmp_path: Path) -> None:
    names = zipfile.ZipFile(compiled).namelist()
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    assert sorted(name for name in names if name.endswith((".so", ".pyd"))) == sorted(e + suffix for e in extensions())
    assert not [name for name in names if name.endswith((".c", ".pyx", ".pxi", ".h"))]
    assert "goanna/py.typed" in names
    python = environment(tmp_path / "env")
    assert run(python, "-m", "pip", "install", "--no-index", compiled, path="/nowhere").returncode == 0
    assert run(python, "-c", CHECK, ROOT, path="/nowhere").stdout.strip() == "Ping(number=1) c"
    assert "compiled core" in run(python, "-m", "goanna", "doctor").stdout


def test_the_pure_wheel_fits_every_machine(pure: Path, tmp_path: Path) -> None:
    assert pure.name.endswith("-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(pure).namelist() if name.endswith((".so", ".pyd"))]
    python = environment(tmp_path / "env")
    assert run(python, "-m", "pip", "install", "--no-index", pure, path="/nowhere").returncode == 0
    assert run(python, "-c", CHECK, ROOT, path="/nowhere").stdout.strip() == "Ping(number=1) py"
    done = run(python, "-c", "import goanna; goanna.require_compiled()")
    assert "the installed goanna has no extension module for this interpreter" in done.stderr


def test_where_both_fit_the_binary_one_is_taken(compiled: Path, pure: Path, tmp_path: Path) -> None:
    for one in (compiled, pure):
        (tmp_path / one.name).write_bytes(one.read_bytes())
    chosen = run(sys.executable, "-m", "pip", "download", "--no-deps", "--no-index", "--find-links", tmp_path, "-d",
                 tmp_path / "out", "goanna")  # fmt: skip
    assert chosen.returncode == 0
    assert [one.name for one in (tmp_path / "out").iterdir()] == [compiled.name]


def test_the_checkers_find_nothing(sdist: Path, compiled: Path, pure: Path) -> None:
    done = run(sys.executable, "-m", "twine", "check", "--strict", sdist, compiled, pure)
    assert (done.returncode, done.stdout.count("PASSED")) == (0, 3)
    for one in (compiled, pure):
        assert run(Path(sys.executable).parent / "check-wheel-contents", one).stdout == f"{one}: OK\n"


@pytest.mark.skipif(sys.platform != "linux", reason="manylinux and musllinux are policies for Linux")
def test_the_binary_wheel_is_portable_and_stripped(compiled: Path, tmp_path: Path) -> None:
    assert "manylinux" in compiled.name or "musllinux" in compiled.name
    done = run(Path(sys.executable).parent / "auditwheel", "show", compiled)
    assert done.returncode == 0
    assert re.search(r'consistent with the following platform\s+tag:\s+"(many|musl)linux_', done.stdout), done.stdout
    assert not [name for name in zipfile.ZipFile(compiled).namelist() if ".libs/" in name]  # it needs libc only
    zipfile.ZipFile(compiled).extractall(tmp_path)
    for one in extensions():
        [library] = tmp_path.glob(f"{one}.*")
        assert b".symtab\0" not in library.read_bytes()
        assert b".debug_info\0" not in library.read_bytes()


def test_there_is_nothing_for_abi3audit_to_check(compiled: Path) -> None:
    """It checks wheels that promise to work with later versions of CPython too. These promise it for one version."""
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"-{tag}-{tag}{sys.abiflags}-" in compiled.name
    assert "abi3" not in "".join(zipfile.ZipFile(compiled).namelist())


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
