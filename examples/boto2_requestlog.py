"""The request log of boto's own tutorial, with goanna's logger, on an unmodified boto 2.49 and Python 3.11.

Usage: ``python examples/boto2_requestlog.py [URL]``, with the URL of a moto server; without one it starts one.
It needs ``pip install goanna boto "moto[server]"``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from boto.ec2.connection import EC2Connection
from boto.ec2.regioninfo import RegionInfo
from moto_server import moto_server

import goanna
from goanna.requestlog import (
    RequestHooks,
    RequestListener,
    RequestLogger,
)  # instead of: from boto.requestlog import ...


def connect(url: str) -> EC2Connection:
    """Return a connection to a server on this machine, which takes more words than one to Amazon."""
    parts = urlsplit(url)
    region = RegionInfo(name="us-west-2", endpoint=parts.hostname)
    conn = EC2Connection("key", "secret", is_secure=False, port=parts.port, region=region)
    conn.auth_service_name, conn.auth_region_name = "ec2", "us-west-2"
    return conn


def tutorial(conn: EC2Connection, path: Path) -> None:
    """Log a request, and look at the log."""
    request_logger = RequestLogger(filename=path)
    conn.set_request_hook(request_logger)
    conn.get_all_volumes()
    request_logger.request_log_queue.join()
    print(path.read_text(), end="")
    request_logger.close()


class Failures(RequestListener):
    """Says what went wrong."""

    def failed(self, event):
        print(f"{event.service} {event.operation} failed with {event.status} after {event.duration:.3f} s")


def several(conn: EC2Connection, path: Path) -> None:
    """Log requests as JSON, and have a listener told of those that fail."""
    hub = goanna.Dispatcher(RequestListener)
    with RequestLogger(path, format="json") as logger, hub.add(Failures()):
        conn.set_request_hook(RequestHooks(hub, [logger]))
        volume = conn.create_volume(1, "us-west-2a")
        volume.delete()
        try:
            volume.delete()
        except conn.ResponseError as error:
            print("boto raised", error.error_code)
    print(path.read_text(), end="")
    print(logger.stats().delivered, "lines written,", logger.stats().failed, "lost")


def main(url: str) -> None:
    """Run both."""
    conn = connect(url)
    with tempfile.TemporaryDirectory() as folder:
        tutorial(conn, Path(folder, "request_log.csv"))
        several(conn, Path(folder, "requests.jsonl"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with moto_server() as url:
            main(url)
