"""Recordings, read back."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goanna.recording.form import MARK, VERSION

__all__ = ["Recorded", "Recording", "RecordingError", "read"]


_LATEST = 2**62
"""Nanoseconds since recording began: a life is shorter."""


class RecordingError(ValueError):
    """A file that is no recording, or one that this version can't read."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event.

    Args:
        at: nanoseconds since recording began.
        event: the name of its class.
        fields: its fields, as json has them.
        line: the number of its line in the file.
    """

    at: int
    event: str
    fields: dict[str, Any]
    line: int = 0


@dataclass
class Recording:
    """What a file holds.

    Args:
        header: see the format.
        events: in the order in which they were published.
        lost: how many are missing between them.
        end: the counts at the end; None where the file has been cut off.
        path: of the file.
        torn: whether its last line is not whole.
    """

    header: dict[str, Any]
    events: list[Recorded] = field(default_factory=list)
    lost: int = 0
    end: dict[str, Any] | None = None
    path: str = ""
    torn: bool = False

    @property
    def seconds(self) -> float:
        """From the first event to the last one."""
        return (self.events[-1].at - self.events[0].at) / 1e9 if self.events else 0.0

    def counted(self) -> Counter[str]:
        """Return how many there are of each class of events."""
        return Counter(one.event for one in self.events)

    def summary(self) -> str:
        """Return what there is in it, in a line."""
        said = [f"{len(self.events)} events in {self.seconds:.3f} s, documents {self.header.get('documents')}"]
        if self.end is None:
            said.append("cut off: the process did not end in an orderly way")
        else:
            reasons = {
                "not_written": f"not written, because the file is full ({self.header.get('max_bytes')} bytes)",
                "lost": "lost, because they came faster than they could be written",
                "unencoded": "could not be written",
                "error": "is why it ends here",
            }
            said += [f"{self.end[name]} {why}" for name, why in reasons.items() if self.end.get(name)]
        return "; ".join(said)


def read(path: str | os.PathLike[str]) -> Recording:
    """Read a recording.

    Raises:
        RecordingError: it can't be read, is none, is of a later version of the format, or has a line in it that is
            none. The last line may be cut off.
    """
    try:
        lines = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        raise RecordingError(f"{path} can't be read: {error.strerror}") from error
    cut = lines.pop()  # empty, if the last line is whole
    if not lines:
        raise RecordingError(f"{path} is no recording: it has no header")
    header = _parsed(path, 1, lines[0])
    version = header.get(MARK)
    if version is None:
        raise RecordingError(f"{path} is no recording: its first line has no {MARK}")
    if version != VERSION:
        raise RecordingError(f"{path} has version {version} of the format; this goanna reads version {VERSION}")
    found = Recording(header, path=os.fspath(path), torn=bool(cut))
    for number, text in enumerate(lines[1:], start=2):
        content = _parsed(path, number, text)
        match content:
            case {"t": int(at), "e": str(event), "f": dict(fields)} if 0 <= at <= _LATEST:
                found.events.append(Recorded(at, event, fields, number))
            case {"lost": int(count)} if count >= 0:
                found.lost += count
            case {"end": dict(counts)} if not cut and number == len(lines):
                found.end = counts
            case _:
                raise RecordingError(f"{path}, line {number}: neither an event nor the end: {text[:60]!r}")
    return found


def _parsed(path: str | os.PathLike[str], number: int, text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}, line {number}: {error}") from error
    if not isinstance(content, dict):
        raise RecordingError(f"{path}, line {number}: an object is needed, not {text[:60]!r}")
    return content
