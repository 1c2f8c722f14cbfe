"""``goanna demo``: a real MongoClient against a server of our own, or events of one's own."""

from __future__ import annotations

import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("demo", help="run a MongoClient, show its events, measure what they cost")
    parser.add_argument("--quick", action="store_true", help="measure in a few seconds, less exactly")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--html", metavar="FILE", help="write the results as a page, too")
    instead.add_argument("--own-events", action="store_true", help="show events of one's own instead of PyMongo's")
    parser.set_defaults(func=_demo)


def _demo(chosen: argparse.Namespace) -> int:
    if chosen.own_events:
        from goanna.cli.demo import own_events

        return own_events.run(quick=chosen.quick)
    from goanna.cli.demo import mongo

    return mongo.run(quick=chosen.quick, html=chosen.html)
