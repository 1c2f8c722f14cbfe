"""Which core is loaded, why the other is not, and what the command line says of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from support.cores import Copy, backends, copy_of
from support.garbage import CPYTHON
from support.programs import python


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with a copy of the package that has no extension module."""
    with copy_of("py").active() as package:
        assert package is not None
        source = Path(package.__file__ or "").parent
    shutil.copytree(source, tmp_path / "goanna", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    return tmp_path


SHOW = "import goanna; print(goanna.BACKEND)"


@pytest.mark.parametrize("choice", ["", "auto"])
def test_auto_takes_the_best_there_is(choice: str) -> None:
    assert python("-c", SHOW, GOANNA_BACKEND=choice).stdout.strip() == backends()[0]


@pytest.mark.parametrize("choice", backends())
def test_the_environment_chooses(choice: str) -> None:
    done = python("-c", SHOW, GOANNA_BACKEND=choice)
    assert (done.stdout.strip(), done.stderr) == (choice, "")


def test_another_value_is_an_error() -> None:
    done = python("-c", SHOW, GOANNA_BACKEND="C")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ImportError: GOANNA_BACKEND is 'C'; it must be one of auto, c, py"


def test_without_the_extension_auto_is_pure_and_c_is_an_error(copied: Path) -> None:
    assert python("-c", SHOW, PYTHONPATH=str(copied)).stdout.strip() == "py"
    done = python("-c", SHOW, PYTHONPATH=str(copied), GOANNA_BACKEND="c")
    assert done.returncode == 1
    assert "ImportError: GOANNA_BACKEND=c asks for the compiled core, but the installed goanna has no " in done.stderr


def test_a_broken_extension_is_reported_and_not_fatal(copied: Path) -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    (copied / "goanna" / "core" / f"_compiled{suffix}").write_bytes(b"this is no shared object")
    assert python("-c", SHOW, PYTHONPATH=str(copied)).stdout.strip() == "py"
    done = python("-m", "goanna", "doctor", PYTHONPATH=str(copied))
    assert "the compiled core is not used: the extension module did not load:" in done.stdout
    assert f"_compiled{suffix}" in done.stdout


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A folder with a copy of the package, extension modules included."""
    with copy_of("c").active() as package:
        assert package is not None
        source = Path(package.__file__ or "").parent
    shutil.copytree(source, tmp_path / "goanna", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


compiled_only = pytest.mark.skipif("c" not in backends(), reason="there are no extension modules here")


def other_stamp(extension: Path) -> None:
    """Have an extension module say that it was built from other sources."""
    content = extension.read_bytes()
    start = content.index(b" built from ") + len(b" built from ")
    extension.write_bytes(content[:start] + b"0" * 16 + content[start + 16 :])


@compiled_only
def test_an_extension_of_another_version_is_not_used(whole: Path) -> None:
    path = whole / "goanna" / "core" / "build.py"
    text = path.read_text()
    path.write_text(text.replace('__version__ = "0.1.0"', '__version__ = "99.0.0"'))
    assert path.read_text() != text
    assert python("-c", SHOW, PYTHONPATH=str(whole)).stdout.strip() == "py"
    why = "the extension module did not load: it was built for goanna 0.1.0, and this is goanna 99.0.0"
    done = python("-c", SHOW, PYTHONPATH=str(whole), GOANNA_BACKEND="c")
    assert done.stderr.splitlines()[-1] == f"ImportError: GOANNA_BACKEND=c asks for the compiled core, but {why}"
    assert f"the compiled core is not used: {why}" in python("-m", "goanna", "doctor", PYTHONPATH=str(whole)).stdout
    assert why in python("-c", "import goanna; goanna.require_compiled()", PYTHONPATH=str(whole)).stderr


@compiled_only
@pytest.mark.parametrize("broken", ["other", "missing"])
def test_an_extension_of_another_build_is_told(whole: Path, broken: str) -> None:
    """That of monitoring; that of the core is whole, so an import of goanna can't know yet."""
    [extension] = (whole / "goanna" / "monitoring").glob("_compiled.*")
    if broken == "other":
        other_stamp(extension)
    else:
        extension.unlink()
    settings = {"PYTHONPATH": str(whole)}
    done = python("-m", "goanna", "doctor", "--require-compiled", **settings)
    assert "  but           goanna.monitoring " in done.stdout
    assert done.returncode == 1
    done = python("-c", "import goanna; goanna.require_compiled()", **settings)
    assert "goanna.monitoring has no extension module of the same build as that of goanna.core" in done.stderr
    half = "import goanna.monitoring, goanna.core; print(goanna.core.half_of('goanna.monitoring').__name__)"
    done = python("-c", half, **settings)
    assert (done.stdout, done.stderr) == ("goanna.monitoring._pure\n", "")
    assert "ImportError: GOANNA_BACKEND=c asks for" in python("-c", half, GOANNA_BACKEND="c", **settings).stderr


@compiled_only
def test_other_sources_in_a_checkout_are_told(whole: Path) -> None:
    """Imports don't read the sources; who insists on the compiled core does."""
    (whole / "src").mkdir()
    (whole / "goanna").rename(whole / "src" / "goanna")
    (whole / "ext" / "core").mkdir(parents=True)
    (whole / "ext" / "core" / "_compiled.pyx").write_text("# of later")
    settings = {"PYTHONPATH": str(whole / "src")}
    assert python("-c", SHOW, **settings).stdout == "c\n"
    told = f"the extension modules were built from other sources than those in {whole / 'ext'}"
    done = python("-m", "goanna", "doctor", "--require-compiled", **settings)
    assert told in done.stdout
    assert f"GOANNA_BUILD_EXT=require pip install --editable {whole}" in done.stdout
    assert done.returncode == 1
    assert told in python("-c", "import goanna; goanna.require_compiled()", **settings).stderr


def test_doctor_in_an_archive(copied: Path) -> None:
    archive = shutil.make_archive(str(copied / "packed"), "zip", copied, "goanna")
    done = python("-m", "goanna", "doctor", PYTHONPATH=archive)
    assert done.returncode == 0, done.stderr
    assert "not used: goanna is in an archive, and extension modules load from folders only" in done.stdout
    assert "install goanna into a folder" in done.stdout


FOUND = """
import json, modulefinder, sys
sys.setrecursionlimit(5000)
finder = modulefinder.ModuleFinder(excludes=sys.argv[2:])
finder.run_script(sys.argv[1])
print(json.dumps(sorted(finder.modules)))
"""
FROZEN = """
import goanna
goanna.install()
from goanna import audit, requestlog
class Ping(goanna.Event):
    number: int
class Pings(goanna.Listener):
    @goanna.handles(Ping)
    def ping(self, event): print(event)
goanna.queued(Pings()).close(5)
goanna.Publisher
"""
LOADED = "\nimport json, sys; print(json.dumps([one for one in sys.modules if one.partition('.')[0] == 'goanna']))"


def test_every_module_is_found_by_import_statements(tmp_path: Path) -> None:
    """As what freezes programs looks for them, so that a bundle has all of goanna that the program will load."""
    (tmp_path / "program.py").write_text(FROZEN)
    others = ["pymongo", "bson", "dbally", "asyncio", "trio", "tornado", "typing", "email", "http", "ssl", "concurrent"]
    source = str(Path(copy_of("py").package.__file__ or "").parents[1])
    done = python("-c", FOUND, str(tmp_path / "program.py"), *others, PYTHONPATH=source)
    found = set(json.loads(done.stdout))
    for choice in backends():
        done = python("-c", FROZEN + LOADED, GOANNA_BACKEND=choice, GOANNA_INSTALL="0")
        assert done.stderr == ""
        loaded = json.loads(done.stdout)
        assert len(loaded) > 30
        assert set(loaded) - found == set(), choice


def test_require_compiled(copied: Path) -> None:
    code = "import goanna; goanna.require_compiled(); print('fine')"
    done = python("-c", code, PYTHONPATH=str(copied))
    assert "RuntimeError: goanna runs on its pure core: the installed goanna has no extension module" in done.stderr
    remedy = "GOANNA_BUILD_EXT=require pip install" if CPYTHON else "the extension is built for CPython only"
    assert remedy in done.stderr
    done = python("-c", code, GOANNA_BACKEND="py")
    assert "GOANNA_BACKEND=py asks for the pure core; unset GOANNA_BACKEND or set it to c" in done.stderr
    if "c" in backends():
        assert python("-c", code).stdout == "fine\n"


def test_require_compiled_in_both(goanna: ModuleType, backend: str) -> None:
    if backend == "c":
        assert goanna.require_compiled() is None
    else:
        with pytest.raises(RuntimeError, match="goanna runs on its pure core"):
            goanna.require_compiled()


def test_doctor_says_which_core_and_from_where(both: dict[str, Copy]) -> None:
    compiled, pure = python("-m", "goanna", "doctor"), python("-m", "goanna", "doctor", GOANNA_BACKEND="py")
    assert compiled.stdout.startswith("goanna 0.1.0 runs on its compiled core\n  loaded from   /")
    assert "_compiled." in compiled.stdout.splitlines()[1]
    assert "set GOANNA_BACKEND=py" in compiled.stdout
    assert pure.stdout.startswith("goanna 0.1.0 runs on its pure core\n")
    assert "_pure" in pure.stdout.splitlines()[1]
    assert "unset GOANNA_BACKEND or set it to c" in pure.stdout
    assert "  found " in pure.stdout
    assert (compiled.returncode, pure.returncode) == (0, 0)
    assert compiled.stderr == pure.stderr == ""


def test_doctor_can_insist(both: dict[str, Copy]) -> None:
    assert python("-m", "goanna", "doctor", "--require-compiled").returncode == 0
    assert python("-m", "goanna", "doctor", "--require-compiled", GOANNA_BACKEND="py").returncode == 1


def test_an_unknown_command_says_what_there_is() -> None:
    done = python("-m", "goanna", "dcotor")
    assert done.returncode == 2
    assert "invalid choice: 'dcotor'" in done.stderr
    assert "(choose from " in done.stderr


@pytest.mark.parametrize("choice", backends())
def test_the_demo_of_own_events_runs(choice: str) -> None:
    done = python("-m", "goanna", "demo", "--own-events", "--quick", GOANNA_BACKEND=choice, COLUMNS="150")
    assert done.returncode == 0, done.stderr
    assert "counted for Audit: 2 delivered, 0 failed" in done.stdout
    assert "counted for Broken: 0 delivered, 2 failed" in done.stdout
    assert "OrderPlaced(order_id=2, customer='Grace', total=19.0" in done.stdout
    assert ("compiled core" in done.stdout) is (choice == "c")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("command", ["doctor", "doctor >&-", "bench --help"])
def test_output_that_cannot_be_written_is_no_traceback(command: str) -> None:
    words = command.removesuffix(" >&-")
    where = ">&-" if command.endswith(">&-") else ">/dev/full"
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$1" -m goanna {words} {where}', "sh", sys.executable],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    if where == ">&-":
        assert (done.returncode, done.stderr) == (0, "")
    elif "--help" not in words:  # argparse itself lets that pass
        assert done.returncode == 1
        assert done.stderr.endswith("the output can't be written: No space left on device\n")


def test_the_wire_server_has_help_without_docstrings() -> None:
    done = python("-OO", "-m", "goanna.cli.demo.wire_server", "--help")
    assert done.returncode == 0, done.stderr


IMPORTS = """
import sys
import __future__, collections.abc, contextvars, copyreg, functools, heapq, mmap, reprlib, threading, types, weakref
before = set(sys.modules)
import goanna
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("choice", backends())
def test_importing_goanna_imports_little(choice: str) -> None:
    """Beside these modules, which have to be there, its own: that is what keeps the import short."""
    loaded = set(python("-c", IMPORTS, GOANNA_BACKEND=choice).stdout.split())
    own = {one for one in loaded if one.partition(".")[0] == "goanna"}
    core = "goanna.core._pure" if choice == "py" else "goanna.core._compiled"
    assert {"goanna.dispatch.dispatcher", core} <= own
    assert not own & {"goanna.monitoring", "goanna.requestlog", "goanna.audit", "goanna.delivery", "goanna.cli"}
    assert len(own) < (40 if choice == "py" else 32)  # the pure core is a dozen files, the compiled one is one
    others = {one for one in loaded - own if one != "cython_runtime" and not one.startswith("_cython_")}
    # PyPy's own modules import one another in other ways.
    assert not (others if CPYTHON else others & {"bson", "pymongo", "rich", "asyncio"})


SECOND = """
import goanna, sys
code = sys.stdin.read()
print(goanna.BACKEND, flush=True)
try:
    from concurrent import interpreters  # 3.14
except ImportError:
    try:
        import _interpreters as interpreters  # 3.13
    except ImportError:
        import _xxsubinterpreters as interpreters
    number = interpreters.create()
    failed = interpreters.run_string(number, code)
    assert failed is None, failed
    if sys.version_info[:2] == (3, 12):
        import os
        os._exit(0)  # the end of a second interpreter that has imported ssl (asyncio and PyMongo do) crashes 3.12
    interpreters.destroy(number)
else:
    second = interpreters.create()
    second.exec(code)
    second.close()
"""


def second_interpreter(code: str) -> list[str]:
    """Run code in a second interpreter of a process that has goanna loaded; return the lines that it prints."""
    done = subprocess.run([sys.executable, "-c", SECOND], input=code, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == backends()[0]
    return lines


SHAPES = """
import goanna
class Ping(goanna.Event):
    number: int
class Pings(goanna.Listener):
    @goanna.handles(Ping)
    def ping(self, event): print(event, goanna.BACKEND, flush=True)
hub = goanna.Dispatcher(Pings)
"""

no_second_interpreter = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="PyPy has no second interpreter in a process"
)


@no_second_interpreter
def test_a_second_interpreter_gets_the_pure_core() -> None:
    """The compiled one loads once in a process; a second interpreter must work all the same."""
    assert second_interpreter(SHAPES + "hub.add(Pings())\nhub.publisher(Ping)(number=1)") == ["Ping(number=1) py"]


@no_second_interpreter
def test_a_second_interpreter_can_install() -> None:
    code = "import pymongo, goanna\nprint(len(goanna.install().fast) > 0, flush=True)"
    assert second_interpreter(code) == ["True"]


@no_second_interpreter
def test_a_second_interpreter_says_why() -> None:
    [line] = second_interpreter(
        "import goanna\ntry: goanna.require_compiled()\nexcept RuntimeError as error: print(error, flush=True)"
    )
    assert line.startswith("goanna runs on its pure core: ")
    if "c" in backends():
        assert "interpreter" in line


FIRST = """
import os, sys
code = sys.stdin.read()
try:
    import _interpreters as interpreters  # 3.13
    number = interpreters.create("legacy")
except ImportError:
    import _xxsubinterpreters as interpreters
    number = interpreters.create(isolated=False)
assert interpreters.run_string(number, code) is None
exec(code)
sys.stdout.flush()
os._exit(0)  # how such an interpreter ends is no business of ours
"""


@no_second_interpreter
def test_a_second_interpreter_that_comes_first_leaves_the_pure_core_to_the_main_one() -> None:
    """Where extension modules may be loaded at all, as in those of mod_wsgi, the compiled core is had once."""
    code = SHAPES + "hub.add(Pings())\nhub.publisher(Ping)(number=1)"
    done = subprocess.run([sys.executable, "-c", FIRST], input=code, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.splitlines() == [f"Ping(number=1) {core}" for core in (backends()[0], "py")]


no_threads_there = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="before Python 3.12 a second interpreter has no threads and no public name"
)


@no_second_interpreter
@no_threads_there
def test_queues_and_loops_work_in_a_second_interpreter() -> None:
    code = """
import asyncio
queued = goanna.queued(Pings())
hub.add(queued)
for number in range(3):
    hub.publisher(Ping)(number=number)
print("left", queued.close(30), flush=True)
class Later(Pings):
    async def ping(self, event): print("loop", event.number, flush=True)
async def main():
    hub = goanna.Dispatcher(Pings)
    looped = goanna.on_loop(Later())
    hub.add(looped)
    hub.publisher(Ping)(number=7)
    print("left", await looped.aclose(30), flush=True)
asyncio.run(main())
"""
    pings = [f"Ping(number={number}) py" for number in range(3)]
    assert second_interpreter(SHAPES + code) == [*pings, "left 0", "loop 7", "left 0"]


@no_second_interpreter
@no_threads_there
@pytest.mark.skipif(sys.version_info[:2] == (3, 12), reason="3.12 crashes at the end of such an interpreter by itself")
def test_a_queue_that_nobody_closes_is_emptied_when_a_second_interpreter_ends() -> None:
    """There are no daemon threads there, so the thread has to be told, or the interpreter would wait for ever."""
    code = "hub.add(goanna.queued(Pings()))\nfor number in range(3): hub.publisher(Ping)(number=number)"
    assert second_interpreter(SHAPES + code) == [f"Ping(number={number}) py" for number in range(3)]
