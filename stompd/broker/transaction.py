"""A transaction: requests held until COMMIT, which takes effect as one unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, final

from stompd.broker.delivery import Delivery
from stompd.broker.destination import Destination
from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.errors import LimitExceeded


@final
class HeldSend:
    """A message that will be sent."""

    __slots__ = ("destination", "message")

    def __init__(self, destination: Destination, message: Message) -> None:
        self.destination = destination
        self.message = message


@final
class HeldSettlement:
    """Deliveries that will be settled, or given back."""

    __slots__ = ("deliveries", "is_rejected")

    def __init__(self, deliveries: Sequence[Delivery], *, is_rejected: bool) -> None:
        self.deliveries = deliveries
        self.is_rejected = is_rejected


Held: TypeAlias = HeldSend | HeldSettlement


@final
class Transaction:
    """What a client did between BEGIN and COMMIT, in order, within bounds."""

    __slots__ = ("_byte_limit", "_bytes", "_operation_limit", "held", "transaction_id")

    def __init__(self, transaction_id: str, limits: Limits) -> None:
        self.transaction_id = transaction_id
        self.held: list[Held] = []
        self._bytes = 0
        self._operation_limit = limits.transaction_operations
        self._byte_limit = limits.transaction_bytes

    def hold(self, held: Held) -> None:
        """Add a request.

        Raises:
            LimitExceeded: The transaction would become larger than allowed; nothing was added.
        """
        if len(self.held) >= self._operation_limit:
            raise LimitExceeded(
                f"Transaction {self.transaction_id} holds {self._operation_limit} frames, which is the limit"
                " (setting limits.transaction_operations). Commit more often."
            )
        if isinstance(held, HeldSend):
            size = len(held.message.body) + sum(len(name) + len(value) for name, value in held.message.headers.items())
            if self._bytes + size > self._byte_limit:
                raise LimitExceeded(
                    f"Transaction {self.transaction_id} would hold more than {self._byte_limit} bytes"
                    " (setting limits.transaction_bytes). Commit more often."
                )
            self._bytes += size
        self.held.append(held)
