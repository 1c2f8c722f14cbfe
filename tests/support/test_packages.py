"""A package that the run's group has is there, or the tests that need it fail; only others may be skipped."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from support import packages
from support.packages import installed_by, needed

ABSENT = "goanna_has_no_such_package"


@pytest.fixture
def nothing_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str, package: Any = None) -> None: ...

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


@pytest.mark.parametrize(("core_only", "group"), [(False, "test"), (True, "test-core")])
def test_every_package_of_the_group_is_due(
    nothing_is_there: None, monkeypatch: pytest.MonkeyPatch, core_only: bool, group: str
) -> None:
    monkeypatch.setattr(packages, "core_only", [core_only])
    names = set(installed_by(group))
    assert "rich" in names
    for name in names:
        with pytest.raises(pytest.fail.Exception, match=f"{name} is not installed: pip install --group {group}"):
            needed(name, ABSENT)


def test_only_what_the_group_is_without_is_skipped(nothing_is_there: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception, match=ABSENT):
        needed(ABSENT)
    monkeypatch.setattr(packages, "core_only", [True])
    with pytest.raises(pytest.skip.Exception, match="the group test-core is without gevent here"):
        needed("gevent")


def test_what_is_there_is_no_reason_for_anything() -> None:
    needed("pytest", "rich")
