"""``goanna replay``: the command line of :mod:`goanna.recording.replay`."""

from __future__ import annotations

import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("replay", help="publish the events of a recording to a listener, or say what it holds")
    parser.add_argument("file", metavar="FILE", help="what goanna record has written")
    parser.add_argument("--listener", metavar="MODULE:CLASS", help="the listener, such as package.module:Class")
    parser.add_argument(
        "--speed", default="full", help="full (the default), original, or how many times the original: 2.0"
    )
    parser.set_defaults(func=_replay)


def _replay(chosen: argparse.Namespace) -> int:
    from goanna.recording.replay import replay

    return replay(chosen.file, chosen.listener, chosen.speed)
