"""Requests and their answers on whatever link to the broker there is at the moment."""

from __future__ import annotations

import time
from typing import NamedTuple, final

from jms_api.engine import faults
from jms_api.engine.link import Link
from jms_api.engine.operations import Operation
from jms_api.exceptions import JMSException
from stompd.errors import StompError
from stompd.wire.frame import Frame


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

    __slots__ = ("_last_receipt", "_requests", "link")

    def __init__(self) -> None:
        #: None while there is no connection, or it has not been answered yet.
        self.link: Link | None = None
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
            try:
                self.link.send(frame, is_urgent=is_urgent)
            except StompError as error:
                raise JMSException(error.detail, error.code) from error

    def write(self, octets: bytes) -> None:
        """Send a frame that is serialized already; without a link it is dropped."""
        if self.link is not None:
            self.link.write(octets)

    def request(self, frame: Frame) -> Operation[Frame]:
        """Send a frame with a receipt; the operation ends with its RECEIPT, its ERROR, or the loss of the link."""
        if self.link is None:
            return Operation.failed(JMSException("there is no connection to the broker", faults.CONNECTION_LOST))
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
        requests, self._requests = self._requests, {}
        for request in requests.values():
            request.operation.fail(error)
