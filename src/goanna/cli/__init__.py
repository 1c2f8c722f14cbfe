"""The command ``goanna``: which core is loaded and why, a demonstration, and tools to measure and to record.

Each command has a module that adds its parser, and names there the function that carries it out. What a function needs
is imported in it: ``goanna doctor`` works without the packages of the others, and ``goanna --help`` waits for none.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from goanna.cli import bench, demo, doctor, record, replay, run

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="goanna", description="The compiled event dispatcher for client libraries.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (doctor, run, demo, record, replay, bench):
        module.add(commands)
    chosen = parser.parse_args(arguments)
    if chosen.command == "run":
        return int(chosen.func(chosen))  # what is raised there is the program's own affair
    try:
        status = int(chosen.func(chosen))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has had enough, such as head. What is left in the buffer must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"rich", "pymongo", "bson"}:
            raise
        parser.exit(2, f"goanna {chosen.command} needs the package {missing}: pip install 'goanna[cli]'\n")
    return status
