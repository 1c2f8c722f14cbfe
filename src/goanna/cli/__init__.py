"""The command ``goanna``: which core is loaded and why, a demonstration, and tools to measure and to record."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="goanna", description="The compiled event dispatcher for client libraries.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor", help="say which core is loaded, why the other is not, and what it would take"
    )
    doctor.add_argument(
        "--require-compiled", action="store_true", help="exit with status 1 unless it is the compiled one"
    )
    run_parser = commands.add_parser("run", help="run a program unchanged, with goanna installed")
    run_parser.add_argument("-m", dest="module", action="store_true", help="PROGRAM is the name of a module")
    run_parser.add_argument("program", metavar="PROGRAM", help="a file, or with -m a module")
    run_parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the program is given")
    demo = commands.add_parser("demo", help="run a MongoClient, show its events, measure what they cost")
    demo.add_argument("--quick", action="store_true", help="measure in a few seconds, less exactly")
    instead = demo.add_mutually_exclusive_group()
    instead.add_argument("--html", metavar="FILE", help="write the results as a page, too")
    instead.add_argument("--own-events", action="store_true", help="show events of one's own instead of PyMongo's")
    _recording_parsers(commands)
    _bench_parser(commands)
    chosen = parser.parse_args(arguments)
    if chosen.command == "run":
        from goanna.cli.run import execute

        execute(chosen.program, chosen.arguments, module=chosen.module)
        return 0
    try:
        status = _carry_out(chosen)
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


def _carry_out(chosen: argparse.Namespace) -> int:
    """Do what a command of goanna's own says; return the exit status."""
    if chosen.command == "doctor":
        from goanna.cli.doctor import report

        return report(require_compiled=chosen.require_compiled)
    if chosen.command == "record":
        from goanna.recording.record import record

        return record(chosen.program, chosen.output, chosen.documents, chosen.max_bytes, force=chosen.force)
    if chosen.command == "replay":
        from goanna.recording.replay import replay

        return replay(chosen.file, chosen.listener, chosen.speed)
    return _bench(chosen) if chosen.command == "bench" else _demo(chosen)


def _recording_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``record`` and ``replay``."""
    record = commands.add_parser(
        "record", help="run a program unchanged, with goanna installed, and write its driver's events to a file"
    )
    record.add_argument("-o", "--output", metavar="FILE", default="recording.jsonl", help="default: recording.jsonl")
    record.add_argument(
        "--documents",
        choices=("omitted", "redacted", "full"),
        default="omitted",
        help="what is kept of commands and replies: nothing (the default), keys and types, everything",
    )
    record.add_argument(
        "--max-bytes", metavar="N", type=int, default=64_000_000, help="default: 64000000 for a process"
    )
    record.add_argument("--force", action="store_true", help="replace the files of an earlier run")
    record.add_argument("program", metavar="-- PROGRAM ...", nargs="+", help="such as: -- python app.py")
    replay = commands.add_parser("replay", help="publish the events of a recording to a listener, or say what it holds")
    replay.add_argument("file", metavar="FILE", help="what goanna record has written")
    replay.add_argument("--listener", metavar="MODULE:CLASS", help="the listener, such as package.module:Class")
    replay.add_argument(
        "--speed", default="full", help="full (the default), original, or how many times the original: 2.0"
    )


def _bench_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench``."""
    bench = commands.add_parser("bench", help="measure what events cost here, with goanna and without")
    bench.add_argument("--quick", action="store_true", help="measure in a few seconds, less exactly")
    bench.add_argument("--json", metavar="FILE", help="write the figures to FILE, too")
    bench.add_argument("--html", metavar="FILE", help="write the figures as a page, too")
    bench.add_argument("--compare", metavar="OLD", help="say what changed since the run that was written to OLD")
    bench.add_argument("--listener", metavar="MODULE:CLASS", help="measure a listener of yours instead")
    bench.add_argument("--recording", metavar="FILE", help="with the events that goanna record has written to FILE")
    bench.set_defaults(refuse=bench.error)


def _bench(chosen: argparse.Namespace) -> int:
    """Measure."""
    if chosen.listener is not None:
        if chosen.compare is not None:
            chosen.refuse("--compare is not for --listener")
        from goanna.bench.own_listener import run as run_listener

        return run_listener(
            chosen.listener, recording=chosen.recording, quick=chosen.quick, json_file=chosen.json, html=chosen.html
        )
    if chosen.recording is not None:
        chosen.refuse("--recording needs --listener")
    from goanna.cli.bench import run

    return run(quick=chosen.quick, json_file=chosen.json, html=chosen.html, old=chosen.compare)


def _demo(chosen: argparse.Namespace) -> int:
    """Run the demonstration that was asked for; its packages are imported here, because doctor works without them."""
    if chosen.own_events:
        from goanna.cli.demo.own_events import run as run_own_events

        return run_own_events(quick=chosen.quick)
    from goanna.cli.demo.mongo import run

    return run(quick=chosen.quick, html=chosen.html)
