"""Where and with what something was measured."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import sys
import sysconfig
from pathlib import Path
from typing import Any

import goanna

PACKAGES = (
    "pymongo", "psygnal", "blinker", "pluggy", "pyee", "botocore", "boto", "msgspec", "dbally", "rich",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Return what machine this is."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"platform": platform.platform(), "processor": _processor(), "cpus": os.cpu_count(), "load": load}


def interpreter() -> dict[str, Any]:
    """Return what interpreter this is."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": platform.python_compiler(),
        "flags": sysconfig.get_config_var("PY_CFLAGS"),
        "optimised": "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "executable": Path(sys.executable).name,
    }


def versions() -> dict[str, str]:
    """Return the versions of what takes part and is installed."""
    core = {"c": "compiled", "py": "pure"}[goanna.BACKEND]
    return {"goanna": goanna.__version__, "core": core, **installed(*PACKAGES)}


def installed(*names: str) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _processor() -> str:
    with contextlib.suppress(OSError):
        for one in Path("/proc/cpuinfo").read_text().splitlines():
            if one.startswith("model name"):
                return one.partition(":")[2].strip()
    return platform.processor() or platform.machine()
