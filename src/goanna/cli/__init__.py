"""The command ``goanna``: which core is loaded and why, and a demonstration."""

from __future__ import annotations

import argparse
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
    demo = commands.add_parser("demo", help="define an event, listen to it, and measure what publishing costs")
    demo.add_argument("--quick", action="store_true", help="measure in a second rather than in ten")
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        from goanna.cli.doctor import report

        return report(require_compiled=chosen.require_compiled)
    if chosen.command == "run":
        from goanna.cli.program import execute

        execute(chosen.program, chosen.arguments, module=chosen.module)
        return 0
    try:
        from goanna.cli.demo import run
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("rich"):
            raise
        parser.exit(2, "goanna demo needs the package rich: pip install 'goanna[cli]'\n")
    return run(quick=chosen.quick)
