"""on_loop, when the loop is faster than the thread that wakes it."""

from __future__ import annotations

import threading

import pytest


@pytest.fixture
def sent(goanna):
    """An event, and a listener that is given a list to keep its events in."""

    class Sent(goanna.Event):
        pass

    class Interface(goanna.Listener):
        @goanna.handles(Sent)
        def sent(self, event): ...

    class Keeps(Interface):
        def __init__(self):
            self.seen = []

        def sent(self, event):
            self.seen.append(event)

    return Sent, Keeps()


class Loop:
    """Has what on_loop needs of a loop where nothing is awaited."""

    def __init__(self):
        self.posted = []

    def post(self, callback):
        self.posted.append(callback)

    def can_wait(self):
        return True

    def closed(self):
        return False

    def spawn(self, work, context):
        raise AssertionError("nothing is awaited here")

    here = flag = wait = breathe = spawn


def test_the_loop_is_through_before_somebody_waits(goanna, sent):
    event, behind = sent

    class RunsMeanwhile(Loop):
        def can_wait(self):
            while self.posted:
                self.posted.pop(0)()
            return True

    left = []
    listener = goanna.on_loop(behind, RunsMeanwhile())
    listener.sent(event())
    assert not behind.seen
    waits = threading.Thread(target=lambda: left.append(listener.flush()), daemon=True)
    waits.start()
    waits.join(10)
    assert left == [0]
    assert len(behind.seen) == 1


def test_the_loop_comes_to_it_before_posting_returns(goanna, sent):
    event, behind = sent

    class RunsAtOnce(Loop):
        def post(self, callback):
            callback()

    listener = goanna.on_loop(behind, RunsAtOnce())
    for count in range(1, 4):
        listener.sent(event())
        assert len(behind.seen) == count
    assert listener.stats().pending == 0
