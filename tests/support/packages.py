"""What tests need that not every run has: where the group of packages for the run has it, it is there or they fail."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

GROUPS = Path(__file__).parents[2] / "pyproject.toml"

core_only: list[bool] = [False]
"""Whether pytest was called with ``--core``; conftest.py says so."""


def needed(*packages: str) -> None:
    """Skip a module or test for want of a package only where no group would have installed it.

    That is the group test, or test-core with ``--core``, as pyproject.toml has it for this interpreter and system.
    Anywhere else a package that is missing is a failure.
    """
    group = "test-core" if core_only[0] else "test"
    missing = [one for one in packages if importlib.util.find_spec(one) is None]
    if due := set(missing) & set(installed_by(group)):
        pytest.fail(f"{', '.join(sorted(due))} is not installed: pip install --group {group}", pytrace=False)
    if missing:
        pytest.skip(f"the group {group} is without {', '.join(missing)} here", allow_module_level=True)


def installed_by(group: str) -> Iterator[str]:
    """Yield the names of the packages that a group of pyproject.toml has for this interpreter and system."""
    for one in tomllib.loads(GROUPS.read_text(encoding="utf-8"))["dependency-groups"][group]:
        if isinstance(one, dict):
            yield from installed_by(one["include-group"])
            continue
        requirement = Requirement(one)
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement.name
