"""Browsers: what is in a queue, without taking any of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from jms_api.destinations import Queue
from jms_api.engine import faults
from jms_api.engine.delivery import Delivery, Subscription
from jms_api.engine.operations import Operation, Steps, procedure
from jms_api.exceptions import JMSException
from jms_api.mapping import spell
from stompd.wire.frame import Frame

if TYPE_CHECKING:
    from jms_api.engine.session import SessionCore


class Scan:
    """One look through a queue, from its SUBSCRIBE to the end that the broker marks."""

    def __init__(self) -> None:
        self.buffer: deque[Delivery] = deque()
        self.ended: Operation[None] = Operation()

    def arrive(self, delivery: Delivery) -> None:
        """Keep what is shown; called under the lock."""
        if delivery.headers.get("browser") == "end":
            self.ended.succeed(None)
        elif not delivery.is_expired():
            self.buffer.append(delivery)

    def lose(self, error: JMSException) -> None:
        """End in the middle: the connection was lost."""
        self.ended.fail(error)


class BrowserCore:
    """One browser of a session."""

    def __init__(self, session: SessionCore, queue: Queue, selector: str | None) -> None:
        self.session = session
        self.lock = session.lock
        self.queue = queue
        self.selector = selector
        self.is_closed = False
        self._scans: set[Scan] = set()

    def check_open(self) -> None:
        """Raise IllegalStateException if it is closed, or its session is (JMS-186)."""
        self.session.check_open()
        if self.is_closed:
            raise faults.closed("browser")

    @procedure
    def enumerate(self) -> Steps[deque[Delivery]]:
        """Return what is in the queue now (JMS-321 to JMS-326); nothing while the connection is stopped."""
        self.check_open()
        connection = self.session.connection
        if not connection.is_started:
            return deque()  # JMS-325
        yield from connection.up()
        scan = Scan()
        self._scans.add(scan)
        subscription = Subscription(f"browser-{next(connection.numbers)}", scan, 0)
        connection.subscriptions[subscription.subscription_id] = subscription
        headers = {
            "id": subscription.subscription_id,
            "destination": spell(self.queue, connection.profile),
            "browser": "true",
            "ack": "auto",
        }
        if self.selector is not None:
            headers["selector"] = self.selector
        try:
            yield from connection.exchange.request(Frame("SUBSCRIBE", headers))
            yield from scan.ended
        finally:
            self._scans.discard(scan)
        connection.unsubscribe(subscription)
        return scan.buffer

    def close(self) -> Operation[None]:
        """Show nothing more (JMS-313); what is being looked through ends."""
        with self.lock:
            self.is_closed = True
            for scan in list(self._scans):
                scan.ended.succeed(None)
        return Operation.of(None)
