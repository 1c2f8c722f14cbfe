"""A moto server, which plays Amazon's services, for as long as a ``with`` block lasts.

It needs ``pip install "moto[server]"``.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """Start a server on a free port of this machine, yield its URL, and stop it."""
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:  # it says where it runs when it is listening
                said.append(line)
                found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
                if found:
                    break
            else:
                raise RuntimeError(f"moto server did not start:\n{''.join(said)}")
            # It goes on to log every request, into a pipe that somebody has to empty.
            threading.Thread(target=deque, args=(process.stderr, 0), daemon=True).start()
            yield found[1]
        finally:
            process.terminate()
