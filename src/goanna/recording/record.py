"""``goanna record``: a program as it is, with goanna installed and its driver's events written to a file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from goanna.recording.form import MARK
from goanna.recording.injected.sitecustomize import in_children
from goanna.recording.reader import RecordingError, read
from goanna.recording.recorder import VARIABLE
from goanna.texts import escaped

__all__ = ["LEAST", "files_of", "record"]

LEAST = 10_000
"""The fewest bytes that a file may be bounded to: there is room for the header and the end in them."""


def record(command: Sequence[str], path: str, documents: str, max_bytes: int, *, force: bool = False) -> int:
    """Run a command, and say what of it was recorded.

    Args:
        command: the program and its arguments.
        path: of the file; processes that the program starts write files of the same name with their number behind it.
        documents: "omitted", "redacted" or "full".
        max_bytes: of each file.
        force: whether recordings of an earlier run may be removed, once the program has started.

    Returns:
        The exit status of the command, negative numbers as shells show them; 1 if that is 0 and nothing was recorded,
        or something could not be written.
    """
    if max_bytes < LEAST:
        return _refuse(f"--max-bytes is {max_bytes}; it must be at least {LEAST}")
    if not Path(path).absolute().parent.is_dir():
        return _refuse(f"{Path(path).absolute().parent} is no folder")
    there = files_of(path)
    if os.path.lexists(path) and Path(path) not in there:
        return _refuse(f"{path} exists and is no recording; name another file with --output")
    if there and not force:
        return _refuse(f"{there[0]} exists; name another file with --output, or have it replaced with --force")
    settings = {"path": os.path.abspath(path), "documents": documents, "max_bytes": max_bytes}
    environment = {**os.environ, VARIABLE: json.dumps(settings)}
    in_children(environment)
    try:
        with _replaced(there):
            child = subprocess.Popen(command, env=environment)
    except OSError as error:
        _say(f"{command[0]} can't be run: {error.strerror}")
        return 127 if isinstance(error, FileNotFoundError) else 126
    with _passed_on(child):
        status = _waited(child)
    status = 128 - status if status < 0 else status
    return status or int(not _summary(path))


def files_of(path: str) -> list[Path]:
    """Return the files of a recording, that of the first process first: what is named like one, and begins like one."""
    first = Path(path)
    named = re.compile(re.escape(first.name) + r"(\.\d+(-\d+)?)?", re.ASCII)
    try:
        found = [one for one in first.parent.iterdir() if named.fullmatch(one.name)]
    except OSError:  # it can't be looked into, or is none
        found = [first]
    return sorted(filter(_is_recording, found))


_BEGINNING = f'{{"{MARK}":'.encode()


def _is_recording(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:  # what can't be read is not ours to remove
        return False


@contextlib.contextmanager
def _replaced(files: Sequence[Path]) -> Iterator[None]:
    """Have files out of the way of something: they are removed if it begins, and are back where they were if not."""
    aside = {one: one.with_name(f".{one.name}.{os.getpid()}.replaced") for one in files}
    moved: list[Path] = []
    try:
        for one, where in aside.items():
            one.rename(where)
            moved.append(one)
        yield
    except BaseException:
        for one in moved:
            aside[one].rename(one)
        raise
    for where in aside.values():
        where.unlink()


def _summary(path: str) -> bool:
    """Say what was recorded; return whether anything was, and everything could be written."""
    files = files_of(path)
    whole = bool(files)
    if not files:
        _say("no event of PyMongo was published in an interpreter that has goanna, or none could be written")
        _say("if a launcher has a sitecustomize.py of its own in front of the path, that may be what is in the way")
    for one in files:
        try:
            found = read(one)
        except RecordingError as error:
            _say(str(error))
            whole = False
            continue
        _say(f"{one}: {found.summary()}")
        whole = whole and not found.torn and not (found.end or {}).get("error")
    return whole


def _waited(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child; what the terminal sends to interrupt goes to both, and is for the child to answer."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


@contextlib.contextmanager
def _passed_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Have a request to terminate go to the child."""
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse(why: str) -> int:
    _say(why)
    return 2


def _say(text: str) -> None:
    print(f"goanna record: {escaped(text)}", file=sys.stderr)
