"""What type checkers make of user code; a line that is wrong says so in a comment, see test_typing.py."""

from dataclasses import KW_ONLY
from typing import assert_type

import goanna


class OrderPlaced(goanna.Event):
    order_id: int
    total: float = 0.0
    tags: list[str] = goanna.field(default_factory=list)
    _: KW_ONLY
    rush: bool = False


class OrderListener(goanna.Listener):
    @goanna.handles(OrderPlaced)
    def placed(self, event: OrderPlaced) -> None: ...


class Audit(OrderListener):
    def placed(self, event: OrderPlaced) -> None:
        print(event.total + 1)


hub = goanna.Dispatcher(OrderListener, errors="log")
registration = hub.add(Audit(), before=(), priority=3)
publish = hub.publisher(OrderPlaced)
if publish:
    publish(order_id=1, total=9.5)
publish(1, 2.0, ["a"], rush=True)
publish("x")  # error: arg-type, reportArgumentType
publish(order_id=1, totl=2)  # error: call-arg, reportCallIssue
event = OrderPlaced(1)
event.order_id = 3  # error: misc, reportAttributeAccessIssue
assert_type(goanna.replace(event, total=2.0), OrderPlaced)
assert_type(registration.stats().delivered, int)
publish.publish(event)
publish.publish(3)  # error: arg-type, reportArgumentType
goanna.Dispatcher(errors="ignore")  # error: arg-type, reportArgumentType
assert_type(goanna.install().fast, tuple[str, ...])
OrderPlaced(total=2.0)  # error: call-arg, reportCallIssue
