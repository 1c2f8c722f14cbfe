"""``goanna record``: the command line of :mod:`goanna.recording.record`."""

from __future__ import annotations

import argparse

from goanna.recording.documents import MODES

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "record", help="run a program unchanged, with goanna installed, and write its driver's events to a file"
    )
    parser.add_argument("-o", "--output", metavar="FILE", default="recording.jsonl", help="default: recording.jsonl")
    parser.add_argument(
        "--documents",
        choices=MODES,
        default="omitted",
        help="what is kept of commands and replies: nothing (the default), keys and types, everything",
    )
    parser.add_argument(
        "--max-bytes", metavar="N", type=int, default=64_000_000, help="default: 64000000 for a process"
    )
    parser.add_argument("--force", action="store_true", help="replace the files of an earlier run")
    parser.add_argument("program", metavar="-- PROGRAM ...", nargs="+", help="such as: -- python app.py")
    parser.set_defaults(func=_record)


def _record(chosen: argparse.Namespace) -> int:
    from goanna.recording.record import record

    return record(chosen.program, chosen.output, chosen.documents, chosen.max_bytes, force=chosen.force)
