"""Twins: ``ext/PACKAGE/`` is compiled into ``goanna.PACKAGE._compiled``, the other half is ``goanna.PACKAGE._pure``."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXT = ROOT / "ext"
SOURCE = ROOT / "src" / "goanna"

ALONE = {
    "audit": {
        "drive": "compiled: sends into the coroutines of handlers, which ``await`` does in Python",
    },
    "core": {},
    "monitoring": {
        "early_filter": "compiled: in pure Python a filter is no faster before an event is built than after",
    },
}
"""The parts that have no twin, and why: "compiled" or "pure" says which half has them."""

pytestmark = pytest.mark.skipif(not EXT.is_dir(), reason="the tests of a wheel have no sources")


def packages() -> list[str]:
    return sorted(one.parent.name for one in EXT.glob("*/_compiled.pyx"))


def compiled_parts(package: str) -> set[str]:
    return {one.stem for one in (EXT / package).iterdir() if one.suffix in (".pxi", ".h")}


def pure_parts(package: str) -> set[str]:
    return {one.stem for one in (SOURCE / package / "_pure").glob("*.py")} - {"__init__"}


def test_there_is_a_folder_for_each_package_and_none_besides() -> None:
    assert {one.name for one in EXT.iterdir()} == {*ALONE, "include"}
    assert packages() == sorted(ALONE)


@pytest.mark.parametrize("package", sorted(ALONE))
def test_every_part_has_its_twin_or_a_reason(package: str) -> None:
    ours, theirs, alone = compiled_parts(package), pure_parts(package), ALONE[package]
    assert ours - theirs == {name for name, why in alone.items() if why.startswith("compiled: ")}
    assert theirs - ours == {name for name, why in alone.items() if why.startswith("pure: ")}
