"""ForkLock: in a child nobody holds it, however the child was made."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import Any

import pytest

from goanna.core.forks import ForkLock

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.mark.parametrize(
    "fork",
    [
        pytest.param(lambda: os.fork(), id="os.fork"),
        pytest.param(
            lambda: ctypes.PyDLL(None).fork(),
            id="in C",
            marks=pytest.mark.skipif(
                sys.implementation.name != "cpython" or "free-threading" in sys.version,
                reason="such a child must not wait for threads that it has not",
            ),
        ),
    ],
)
@pytest.mark.parametrize("make", [threading.Lock, threading.RLock])
def test_a_child_finds_it_free(fork: Any, make: Any) -> None:
    lock = ForkLock(make)
    held, goes_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock.now:
            held.set()
            goes_on.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    assert not lock.now.acquire(blocking=False)
    child = fork()
    if not child:
        signal.alarm(20)
        with lock.now:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    goes_on.set()
    thread.join()
    assert status == 0
    with lock.now:
        pass
