"""The command ``goanna``: which core is loaded and why, a demonstration, and tools to measure and to record.

Each command has a module that adds its parser, and names there the function that carries it out. What a function needs
is imported in it: ``goanna doctor`` works without the packages of the others, and ``goanna --help`` waits for none.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from goanna.cli import bench, demo, doctor, record, replay, run

__all__ = ["main"]

_CANNOT_BE_WRITTEN = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EBADF)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="goanna", description="The compiled event dispatcher for client libraries.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (doctor, run, demo, record, replay, bench):
        module.add(commands)
    try:
        try:
            chosen = parser.parse_args(arguments)
        except SystemExit:  # after --help
            _flush()
            raise
        if chosen.command != "run":  # what is raised there is the program's own affair
            status = int(chosen.func(chosen))
            _flush()
            return status
    except BrokenPipeError:
        return _output_gone()  # whoever reads has had enough, such as head
    except OSError as error:
        if error.filename is not None or error.errno not in _CANNOT_BE_WRITTEN:
            raise
        print(f"goanna: the output can't be written: {error.strerror}", file=sys.stderr)
        return _output_gone()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"rich", "pymongo", "bson"}:
            raise
        parser.exit(2, f"goanna {chosen.command} needs the package {missing}: pip install 'goanna[cli]'\n")
    return int(chosen.func(chosen))


def _flush() -> None:
    if sys.stdout is not None:  # it is None where the program was started with it closed
        sys.stdout.flush()


def _output_gone() -> int:
    """See that what is left in the buffer is not tried again at exit; return the exit status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
