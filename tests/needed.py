"""What tests need that not every run has: it is there or they fail, unless the run is for the core alone."""

from __future__ import annotations

import importlib.util

import pytest

core_only: list[bool] = [False]
"""Whether pytest was called with ``--core``; conftest.py says so."""


def needed(*packages: str) -> None:
    """Skip a module or test for want of a package only where ``--core`` says that the group test-core is all there is.

    Anywhere else the group test, which has them all, must have been installed.
    """
    missing = [one for one in packages if importlib.util.find_spec(one) is None]
    if missing and not core_only[0]:
        pytest.fail(f"{', '.join(missing)} is not installed: pip install --group test", pytrace=False)
    if missing:
        pytest.skip(f"the group test-core is without {', '.join(missing)}", allow_module_level=True)
