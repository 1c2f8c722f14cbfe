"""What events and dispatchers are made of, compiled or pure, and which of the two that is.

The parts of the core are for goanna's own packages. They are no public API: no page of the reference has them, and they
change without notice.
"""

from __future__ import annotations

import os
import sys

from goanna.core import build
from goanna.core.base import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, Literal

    # The pure half is the typed one of the two; a test holds the other to it.
    from goanna.core._pure import (
        BUCKETS,
        REASONS,
        Account,
        Call,
        Channel,
        Filter,
        Inlet,
        Maker,
        Ring,
        Table,
        close_block,
        enter_report,
        in_block,
        in_report,
        leave_report,
        open_block,
        reader,
        sampled,
    )

__all__ = [
    "BUCKETS",
    "REASONS",
    "Account",
    "Call",
    "Channel",
    "Filter",
    "Inlet",
    "Maker",
    "Ring",
    "Table",
    "close_block",
    "enter_report",
    "in_block",
    "in_report",
    "leave_report",
    "open_block",
    "reader",
    "sampled",
]

VARIABLE: Final = "GOANNA_BACKEND"
_CHOICES: Final = ("auto", "c", "py")

_halves: dict[str, Any] = {}
_missing: dict[str, str] = {}


def choose_half(package: str, compiled: Callable[[], Any], pure: Callable[[], Any]) -> Any:
    """Import the half of a package that is to be used, and return it.

    The import statements are in the functions that are given, written out: what freezes programs finds no others.

    Args:
        package: its name, such as ``goanna.core``.
        compiled: imports its ``_compiled`` and returns it.
        pure: the same of its ``_pure``.

    Raises:
        ImportError: the compiled one is asked for and can't be used.
    """
    if COMPILED_MISSING is None:
        why, cause = None, None
        try:
            half = compiled()
            why = _mixed(half)
        except Exception as error:  # Cython raises several kinds where extension modules don't fit each other
            why, cause = _explain(error), error
        if why is None:
            _halves[package] = half
            return half
        if _ASKED == "c":
            raise ImportError(f"{VARIABLE}=c asks for the compiled core, but {why}") from cause
        _missing[package] = why
    _halves[package] = pure()
    return _halves[package]


def half_of(package: str) -> Any:
    """Return the half of a package that is in use: its ``_compiled`` or its ``_pure``.

    Args:
        package: a package with two halves, such as ``goanna.core``, which has been imported.
    """
    return _halves[package]


def _asked() -> str:
    """Return what the environment asks for.

    Raises:
        ImportError: nothing that there is.
    """
    value = os.environ.get(VARIABLE, "auto") or "auto"
    if value not in _CHOICES:
        raise ImportError(f"{VARIABLE} is {value!r}; it must be one of {', '.join(_CHOICES)}")
    return value


def _mixed(half: Any) -> str | None:
    """Return why an extension module must not be used beside this goanna, though it has loaded; None if it may."""
    first = _halves.get(__name__, half)
    if getattr(half, "BUILT", None) is None:
        return "the extension module is of a version that does not say which it is"
    return None if half.BUILT == first.BUILT else "the extension module is of another build than that of goanna.core"


def _explain(error: Exception) -> str:
    """Return why an extension module did not load, as the end of a sentence."""
    if isinstance(error, ModuleNotFoundError) or "cannot import name '_compiled'" in str(error):
        if not os.path.isdir(os.path.dirname(__file__)) and not getattr(sys, "frozen", False):
            return "goanna is in an archive, and extension modules load from folders only"
        version = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        return f"the installed goanna has no extension module for this interpreter ({version})"
    return f"the extension module did not load: {error}"


def _load_compiled() -> Any:
    from goanna.core import _compiled as half  # type: ignore[attr-defined]

    return half


def _load_pure() -> Any:
    from goanna.core import _pure as half

    return half


_ASKED: Final = _asked()

COMPILED_MISSING: str | None = f"{VARIABLE}=py asks for the pure core" if _ASKED == "py" else None
"""Why the compiled halves are not used; None if they are."""

_half: Any = choose_half(__name__, _load_compiled, _load_pure)
COMPILED_MISSING = COMPILED_MISSING or _missing.get(__name__)

BACKEND: Literal["c", "py"] = "py" if COMPILED_MISSING else "c"

if not TYPE_CHECKING:
    globals().update({_name: getattr(_half, _name) for _name in __all__})


def require_compiled() -> None:
    """Make sure that the compiled core is in use, and that it is this goanna's.

    Raises:
        RuntimeError: it is not; the text says why, and what to do.
    """
    if COMPILED_MISSING is not None:
        raise RuntimeError(f"goanna runs on its pure core: {COMPILED_MISSING}; {what_it_takes()}")
    if wrong := doubts():
        raise RuntimeError(f"goanna's compiled core is not all of it this goanna's: {wrong[0]}; {what_it_takes()}")


def doubts() -> list[str]:
    """Return what is wrong with the extension modules though the compiled core is in use.

    Unlike an import this reads files: the extension modules of the packages that may not have been imported yet, and,
    where goanna is imported from a checkout, the sources.
    """
    if BACKEND != "c":
        return []
    found = [f"{package} is pure: {why}" for package, why in _missing.items()]
    folder = os.path.dirname(os.path.dirname(__file__))
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if f"goanna.{name}" not in _halves and os.path.isdir(os.path.join(folder, name, "_pure")):
            there = [one for one in extensions(name) if _bears(one, _half.BUILT)]
            if not there:
                found.append(f"goanna.{name} has no extension module of the same build as that of goanna.core")
    root = build.checkout()
    if root is not None and build.stamp(build.fingerprint(root)) != _half.BUILT:
        found.append(f"the extension modules were built from other sources than those in {os.path.join(root, 'ext')}")
    return found


def extensions(name: str) -> list[str]:
    """Return the files of extension modules in a package of goanna's, whatever interpreter they were built for."""
    folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), name)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [
        os.path.join(folder, one) for one in names if one.startswith("_compiled.") and one.endswith((".so", ".pyd"))
    ]


def _bears(path: str, built: str) -> bool:
    """Return whether an extension module bears a stamp, without loading it."""
    with open(path, "rb") as file:
        return built.encode() in file.read()


def what_it_takes() -> str:
    """Return what to do to get the compiled core."""
    if os.environ.get(VARIABLE) == "py":
        return f"unset {VARIABLE} or set it to c"
    if sys.implementation.name != "cpython":
        return "the extension is built for CPython only"
    if not os.path.isdir(os.path.dirname(__file__)):
        return "install goanna into a folder"
    root = build.checkout()
    if root is not None:
        return f"with a C compiler: GOANNA_BUILD_EXT=require pip install --editable {root}"
    return (
        "install a wheel of goanna that has it for this interpreter, or a C compiler and then: "
        "GOANNA_BUILD_EXT=require pip install --force-reinstall --no-cache-dir --no-binary goanna goanna"
    )
