"""flush() of on_loop, when the loop handles the last event just before it is told that somebody waits."""

from __future__ import annotations

import threading


def test_the_loop_is_through_before_somebody_waits(goanna):
    class Sent(goanna.Event):
        pass

    class Interface(goanna.Listener):
        @goanna.handles(Sent)
        def sent(self, event): ...

    class Keeps(Interface):
        def sent(self, event):
            seen.append(event)

    class Loop:
        """Runs what was posted at the moment when flush() asks whether it may wait."""

        def __init__(self):
            self.posted = []

        def post(self, callback):
            self.posted.append(callback)

        def can_wait(self):
            while self.posted:
                self.posted.pop(0)()
            return True

        def closed(self):
            return False

        def spawn(self, work, context):
            raise AssertionError("nothing is awaited here")

        here = flag = wait = breathe = spawn

    seen, left = [], []
    listener = goanna.on_loop(Keeps(), Loop())
    listener.sent(Sent())
    assert not seen
    waits = threading.Thread(target=lambda: left.append(listener.flush()), daemon=True)
    waits.start()
    waits.join(10)
    assert left == [0]
    assert len(seen) == 1
