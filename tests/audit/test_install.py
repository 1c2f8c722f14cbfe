"""install() has db-ally's collections use our tracker, and uninstall() puts everything back."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from audit.recorder import child_environment

MAKERS = ("dbally.collection.collection", "dbally.llms.base", "dbally.similarity.index", "dbally.iql._processor")
"""The modules that make a tracker."""


def bound() -> dict[str, Any]:
    return {
        name: module.EventTracker
        for name, module in sys.modules.items()
        if name.startswith("dbally") and "EventTracker" in vars(module)
    }


@pytest.fixture(autouse=True)
def as_before(stock: ModuleType) -> Iterator[None]:
    before = bound()
    assert set(before.values()) == {stock.EventTracker}
    yield
    assert bound() == before


def test_every_module_that_makes_a_tracker_makes_ours(audit: ModuleType, stock: ModuleType, backend: str) -> None:
    try:
        report = audit.install()
        assert set(MAKERS) <= set(report.fast)
        assert report.stock == {}
        for name, value in bound().items():
            if name in ("dbally.audit", "dbally.audit.event_tracker"):
                assert value is stock.EventTracker
            else:
                assert value is audit.StrictEventTracker
                assert name in report.fast
        core = {"c": "compiled", "py": "pure"}[backend]
        assert str(report) == f"db-ally 0.8.0, {core} core: {len(report.fast)} modules use goanna's tracker"
        assert repr(report) == f"<Report on db-ally 0.8.0: {len(report.fast)} fast, 0 stock>"
        assert audit.install().fast == report.fast
    finally:
        assert audit.uninstall() == {}
    assert audit.uninstall() == {}


def test_what_somebody_else_has_put_there_stays(
    audit: ModuleType, stock: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["dbally.llms.base"]

    class Other(stock.EventTracker):  # type: ignore[name-defined,misc]
        pass

    with monkeypatch.context() as patch:
        patch.setattr(module, "EventTracker", Other)
        report = audit.install()
        assert list(report.stock) == ["dbally.llms.base"]
        assert "which is not db-ally's" in report.stock["dbally.llms.base"]
        assert "1 do not" in str(report)
        assert audit.uninstall() == {}
        assert module.EventTracker is Other
    audit.install()
    with monkeypatch.context() as patch:
        patch.setattr(module, "EventTracker", Other)
        assert audit.uninstall() == {"dbally.llms.base.EventTracker": "somebody has replaced it since"}
        assert module.EventTracker is Other
    module.EventTracker = stock.EventTracker


def test_a_module_that_is_imported_later(audit: ModuleType, stock: ModuleType) -> None:
    late = ModuleType("dbally.late")
    try:
        audit.install()
        late.EventTracker = stock.EventTracker  # type: ignore[attr-defined]
        sys.modules["dbally.late"] = late
        assert "dbally.late" in audit.install().fast
        assert late.EventTracker is audit.StrictEventTracker
    finally:
        audit.uninstall()
        assert late.EventTracker is stock.EventTracker
        del sys.modules["dbally.late"]


@pytest.mark.parametrize(("value", "module"), [("1", "goanna.audit.tracker"), ("0", "dbally.audit.event_tracker")])
def test_importing_installs_unless_told_otherwise(stock: ModuleType, backend: str, value: str, module: str) -> None:
    code = "import goanna.audit, dbally.collection.collection as c; print(c.EventTracker.__mro__[1].__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=child_environment(GOANNA_BACKEND=backend, GOANNA_INSTALL=value),
        timeout=120,
    )
    assert done.stdout.strip() == ("EventTracker" if value == "1" else "object"), done.stderr


def test_goannas_install_is_pymongos(stock: ModuleType, audit: ModuleType) -> None:
    before = bound()
    try:
        assert importlib.import_module("goanna").install().module == "pymongo.monitoring"
        assert bound() == before
    finally:
        importlib.import_module("goanna").uninstall()


def test_importing_goanna_imports_no_dbally(backend: str) -> None:
    code = "import sys, goanna; goanna.install(); print({'dbally', 'botocore', 'boto3'} & {*sys.modules} != set())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=child_environment(GOANNA_BACKEND=backend),
        timeout=120,
    )
    assert done.stdout.strip() == "False", done.stderr
