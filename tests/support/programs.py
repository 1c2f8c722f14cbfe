"""Python in processes of their own, without the settings that these tests or their users have made."""

from __future__ import annotations

import os
import subprocess
import sys


def environment(**more: str) -> dict[str, str]:
    """Return the environment with nothing of goanna in it but what is given."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("GOANNA_")}, **more}


def python(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments in such an environment."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment(**more), timeout=60
    )
