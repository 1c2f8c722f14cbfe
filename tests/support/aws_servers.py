"""A moto server for real calls, and a server that answers what it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from support.packages import needed


class Moto:
    """``python -m moto.server`` on a free port, in a process of its own.

    Attributes:
        url, port: where it listens.
    """

    def __init__(self) -> None:
        self._output = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # Where the core is tested with sanitizers, the server need not be.
            env={name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "PYTHONMALLOC")},
        )
        try:
            self.port = self._find_port()
        except BaseException:
            self.stop()
            raise
        self.url = f"http://127.0.0.1:{self.port}"
        self.reset()

    def _find_port(self) -> int:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self._output.seek(0)
            said = self._output.read()
            found = re.search(r"Running on http://127\.0\.0\.1:(\d+)", said)
            if found:
                return int(found[1])
            if self._process.poll() is not None:
                raise RuntimeError(f"moto server ended with {self._process.returncode}:\n{said}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        raise RuntimeError(f"moto server did not start within a minute:\n{said}")

    def reset(self) -> None:
        """Forget all resources; this also shows that it works."""
        with self._open("/moto-api/reset", b"") as answer:
            assert json.load(answer) == {"status": "ok"}

    def _open(self, path: str, data: bytes | None = None) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(f"{self.url}{path}", data, timeout=30)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._output.close()


def one_moto() -> Iterator[Moto]:
    """Yield a server, for a fixture, and stop it afterwards."""
    needed("moto")
    server = Moto()
    yield server
    server.stop()


class Answer(NamedTuple):
    """What the scripted server says.

    Attributes:
        status: of HTTP.
        body: sent whole.
        headers: in addition; a Content-Length is added unless ``chunked``.
        chunked: send the body in chunks, without a length.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    chunked: bool = False


EC2_EMPTY = Answer(
    200,
    b'<?xml version="1.0" encoding="UTF-8"?><DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    b"<requestId>12345</requestId><volumeSet/></DescribeVolumesResponse>",
    {"Content-Type": "text/xml", "x-amzn-RequestId": "12345"},
)
UNAVAILABLE = Answer(
    503,
    b'<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>Unavailable</Code>'
    b"<Message>later</Message></Error></Errors><RequestID>67890</RequestID></Response>",
    {"Content-Type": "text/xml"},
)


class Scripted:
    """A server that gives the answers of a list, in order, and the last one for ever.

    Attributes:
        url, port: where it listens.
        requests: method and path of what came in.
    """

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[str] = []
        script = list(answers)
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with lock:
                    requests.append(f"{self.command} {self.path}")
                    answer = script.pop(0) if len(script) > 1 else script[0]
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(answer.body), answer.body))
                else:
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer

            def log_message(self, *args: Any) -> None: ...

        requests = self.requests
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def scripted(*answers: Answer) -> Iterator[Scripted]:
    server = Scripted(*answers)
    try:
        yield server
    finally:
        server.stop()
