"""Programs that are recorded, and the listeners that recordings are replayed to; run and imported by name."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from typing import Any

from pymongo import MongoClient, monitoring
from pymongo.errors import OperationFailure

COMMANDS = 7
SECRET = "hunter2"
FIELDS = ("command_name", "database_name", "request_id", "operation_id", "connection_id", "server_connection_id")


class Seen(monitoring.CommandListener):
    """Keeps what the events of commands say."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def _take(self, event: Any) -> None:
        told = {name: getattr(event, name) for name in FIELDS}
        for name in ("command", "reply", "failure"):
            if hasattr(event, name):
                told[name] = {key: value for key, value in getattr(event, name).items() if key != "lsid"}
        told["micros"] = getattr(event, "duration_micros", None)
        self.seen.append((type(event).__name__, told))

    started = succeeded = failed = _take


class Printing(Seen):
    """Prints them as they come."""

    def _take(self, event: Any) -> None:
        super()._take(event)
        print(repr(self.seen[-1]))

    started = succeeded = failed = _take


class Broken(monitoring.CommandListener):
    def __init__(self, needed: int) -> None: ...


def work(uri: str, *listeners: Any) -> None:
    with MongoClient(uri, event_listeners=list(listeners), heartbeatFrequencyMS=600_000) as client:
        for number in range(COMMANDS):
            client["shop"]["orders"].find_one({"_id": number, "password": SECRET, "list": [1, {"deep": SECRET}]})
        try:
            client["shop"].command("noSuchCommand", SECRET)
        except OperationFailure:
            pass


def main() -> None:
    kind, uri = sys.argv[1:]
    if kind in ("fork", "spawn"):
        work(uri)
        multiprocessing.set_start_method(kind)
        child = multiprocessing.Process(target=work, args=(uri,))
        child.start()
        child.join()
        assert child.exitcode == 0, child.exitcode
    elif kind == "status":
        work(uri)
        sys.exit(3)
    elif kind == "killed":
        work(uri)
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind in ("full", "fuller"):
        # As if the disk were: no file of this process may grow beyond that.
        import resource  # of POSIX

        size = 8_000 if kind == "full" else 50
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        work(uri)
    elif kind == "nothing":
        print("no driver here")
    else:
        work(uri, *([Printing()] if kind == "prints" else []))


if __name__ == "__main__":
    main()
