"""Requests and their answers on whatever link to the broker there is at the moment."""

from __future__ import annotations

import time
from typing import Final, NamedTuple, final

from jms_api.engine import faults
from jms_api.engine.delivery import Delivery, Subscription
from jms_api.engine.link import Link
from jms_api.engine.operations import Operation
from jms_api.exceptions import JMSException
from stompd.errors import StompError
from stompd.wire.frame import Frame

#: How long the ACK of a listener's message may wait for others. A process that dies meanwhile is given so many again.
_LONGEST_DELAY_SECONDS: Final = 0.005


class _Request(NamedTuple):
    """A frame that asked for a receipt.

    `since` is when, as `time.monotonic` tells it.
    """

    operation: Operation[Frame]
    command: str
    has_selector: bool
    since: float


@final
class Exchange:
    """Knows which receipts are due; not thread-safe, so it is used under the connection's lock."""

    __slots__ = ("_acks", "_acks_since", "_last_receipt", "_requests", "link")

    def __init__(self) -> None:
        #: None while there is no connection, or it has not been answered yet.
        self.link: Link | None = None
        #: What is acknowledged and not written yet: the last one of each subscription speaks for those before it.
        self._acks: dict[Subscription, Delivery] = {}
        self._acks_since = 0.0
        self._last_receipt = 0
        self._requests: dict[str, _Request] = {}

    @property
    def oldest(self) -> float:
        """Since when the answer is due that has been due the longest, as `time.monotonic` tells it."""
        for request in self._requests.values():
            return request.since
        return float("inf")

    def send(self, frame: Frame, *, is_urgent: bool = True) -> None:
        """Send a frame that nobody waits for; without a link it is dropped, since the broker forgets everything.

        Raises:
            JMSException: A header cannot be written.
        """
        if self.link is not None:
            if self._acks:
                self.write_acks()
            try:
                self.link.send(frame, is_urgent=is_urgent)
            except StompError as error:
                raise JMSException(error.detail, error.code) from error

    def write(self, octets: bytes) -> None:
        """Send a frame that is serialized already; without a link it is dropped."""
        if self.link is not None:
            if self._acks:
                self.write_acks()
            self.link.write(octets)

    def acknowledge(self, delivery: Delivery, *, is_urgent: bool) -> None:
        """Send an ACK that nobody waits for, at once or within some milliseconds if more follow."""
        if not delivery.subscription.is_cumulative:
            self.write(delivery.settling("ACK"))
            return
        if not self._acks:
            self._acks_since = time.monotonic()
        self._acks[delivery.subscription] = delivery
        if is_urgent or time.monotonic() - self._acks_since >= _LONGEST_DELAY_SECONDS:
            self.write_acks()

    def write_acks(self) -> None:
        """Write what was put off."""
        acks, self._acks = self._acks, {}
        if self.link is not None:
            for delivery in acks.values():
                self.link.write(delivery.settling("ACK"))

    def request(self, frame: Frame) -> Operation[Frame]:
        """Send a frame with a receipt; the operation ends with its RECEIPT, its ERROR, or the loss of the link."""
        if self.link is None:
            return Operation.failed(JMSException("there is no connection to the broker", faults.CONNECTION_LOST))
        if self._acks:
            self.write_acks()
        self._last_receipt += 1
        receipt = frame.headers["receipt"] = str(self._last_receipt)
        try:
            self.link.send(frame)
        except StompError as error:
            failure = JMSException(error.detail, error.code)
            failure.__cause__ = error
            return Operation.failed(failure)
        operation: Operation[Frame] = Operation()
        self._requests[receipt] = _Request(operation, frame.command, "selector" in frame.headers, time.monotonic())
        return operation

    def confirm(self, receipt: Frame) -> None:
        """Complete what a RECEIPT answers."""
        request = self._requests.pop(receipt.headers.get("receipt-id", ""), None)
        if request is not None:
            request.operation.succeed(receipt)

    def refuse(self, error: Frame) -> JMSException | None:
        """Fail what an ERROR answers; return its exception if nobody waits for it."""
        request = self._requests.pop(error.headers.get("receipt-id", ""), None)
        if request is None:
            return faults.refusal(error)
        request.operation.fail(faults.refusal(error, request.command, has_selector=request.has_selector))
        return None

    def drop(self, error: JMSException) -> None:
        """Fail everything that is due, because the link is gone."""
        self.link = None
        self._acks.clear()
        requests, self._requests = self._requests, {}
        for request in requests.values():
            request.operation.fail(error)
