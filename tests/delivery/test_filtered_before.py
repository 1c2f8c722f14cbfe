"""One condition on one listener, the case that the compiled core has a shorter way for."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("times", [1, 5])
def test_rejected_again_and_again(goanna, times):
    class Sent(goanna.Event):
        command_name: str
        number: int = 0

    class Interface(goanna.Listener):
        @goanna.handles(Sent)
        def sent(self, event): ...

    class Keeps(Interface):
        def __init__(self):
            self.seen = []

        def sent(self, event):
            self.seen.append(event.number)

    behind = Keeps()
    hub = goanna.Dispatcher(Interface)
    wrapper = goanna.where(behind, commands={"find"})
    registration = hub.add(wrapper)
    publish = hub.publisher(Sent)
    for number in range(times):
        publish("insert", number)
        publish("insert")
        publish("find", number)
        publish(command_name="insert", number=number)
        with pytest.raises(TypeError):
            publish("insert", number, "too many")
        with pytest.raises(TypeError):
            publish()
    assert behind.seen == list(range(times))
    for counts in (wrapper.stats(), registration.stats()):
        assert (counts.published, counts.delivered, counts.filtered) == (4 * times, times, 3 * times)
    registration.remove()
    publish("insert", 1)
    assert registration.stats().filtered == 3 * times
