"""The reference has every public name, every command with its options, and nothing that is not there."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference.md"

MODULES = (
    "goanna",
    "goanna.audit",
    "goanna.audit.handlers",
    "goanna.delivery",
    "goanna.requestlog",
)
"""Those that users import from. What the others have is imported from these."""

AUTOMATIC = ("goanna.monitoring", "goanna.monitoring.loggers")
"""Modules of which all members are taken."""

DIRECTIVE = re.compile(r"^\.\. (?:auto\w+|data):: (goanna[\w.]*)$", re.MULTILINE)


def test_it_has_every_public_name(goanna: ModuleType) -> None:
    named = set(DIRECTIVE.findall(REFERENCE.read_text("utf-8")))
    documented = {id(found(one)): one for one in named}
    for module in map(importlib.import_module, MODULES):
        for name in set(module.__all__) - {"__version__"}:
            assert f"{module.__name__}.{name}" in named or id(getattr(module, name)) in documented, name


def found(name: str) -> object:
    """Return the module, or what is in one, of that name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, last = name.rpartition(".")
        return getattr(importlib.import_module(module), last)


@pytest.mark.parametrize("name", AUTOMATIC)
def test_it_takes_all_members_of_modules_with_many(name: str) -> None:
    text = REFERENCE.read_text("utf-8")
    assert re.search(rf"^\.\. automodule:: {re.escape(name)}\n   :members:", text, re.MULTILINE)


def shown(*arguments: str) -> str:
    """Return what the command prints of its options."""
    done = subprocess.run(
        [sys.executable, "-m", "goanna", *arguments, "--help"], capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


def test_it_has_every_command_and_every_option() -> None:
    rows = dict(re.findall(r"^\| `goanna (\w+)[^`]*` \|(.*)$", REFERENCE.read_text("utf-8"), re.MULTILINE))
    assert set(rows) == set(re.findall(r"^    (\w+) ", shown(), re.MULTILINE))
    for command, row in rows.items():
        options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", shown(command))) - {"-h", "--help"}
        short = {"-o"} & options
        assert set(re.findall(r"`(--?[a-z-]+)`", row)) == options - short, command


def test_the_variables_are_those_that_are_read(goanna: ModuleType) -> None:
    assert goanna.__file__ is not None
    sources = [path.read_text("utf-8") for path in Path(goanna.__file__).parent.rglob("*.py")]
    read = set(re.findall(r"\bGOANNA_[A-Z_]+\b", "".join(sources)))
    told = set(re.findall(r"^\| `(GOANNA_\w+)`", REFERENCE.read_text("utf-8"), re.MULTILINE))
    assert told == read - {"GOANNA_RECORDING", "GOANNA_RUN"}  # which record and run set for the processes of a program


def test_links_between_files_lead_somewhere() -> None:
    root = REFERENCE.parents[1]
    links = 0
    for page in [*root.glob("*.md"), *root.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:|project:|#)([^)#\s]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), (page.name, target)
            links += 1
    assert links > 10
