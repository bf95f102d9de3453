"""A transaction: requests held until COMMIT, which takes effect as one unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias, final

from stompd.broker.delivery import Delivery
from stompd.broker.destination import Destination
from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.broker.requests import Rejection
from stompd.errors import DuplicateTransaction, LimitExceeded, UnknownTransaction

if TYPE_CHECKING:
    from stompd.broker.account import Account
    from stompd.broker.queue import Queue
    from stompd.broker.session import Session


@final
class HeldSend:
    """A message that will be sent."""

    __slots__ = ("_accounts", "destination", "message", "operation_count", "size_bytes")

    def __init__(self, destination: Destination, message: Message) -> None:
        self.destination = destination
        self.message = message
        # A message to several places will be several.
        self.operation_count = len(destination.parts) or 1
        self.size_bytes = self.operation_count * (len(message.body) + sum(map(len, chain(*message.headers.items()))))
        self._accounts: list[Account] = []

    def reserve(self, accounts: list[Account]) -> None:
        """Keep room in queues that refuse messages when they are full."""
        self._accounts = accounts
        for account in accounts:
            account.add(len(self.message.body))

    def release(self) -> None:
        """Undo `reserve`, because the transaction ends."""
        for account in self._accounts:
            account.remove(0, len(self.message.body))
        self._accounts = []


@final
class HeldSettlement:
    """Deliveries that will be settled, or given back if there is a `rejection`.

    Their credit has returned while they are held, so it is the transaction that bounds how many there can be.
    """

    __slots__ = ("deliveries", "operation_count", "rejection", "size_bytes")

    def __init__(self, deliveries: Sequence[Delivery], rejection: Rejection | None = None) -> None:
        self.deliveries = deliveries
        self.rejection = rejection
        self.operation_count = max(1, len(deliveries))
        self.size_bytes = sum(len(delivery.entry.message.body) for delivery in deliveries)


Held: TypeAlias = HeldSend | HeldSettlement


@final
class Transaction:
    """What a client did between BEGIN and COMMIT, in order, within bounds."""

    __slots__ = ("_byte_limit", "_bytes", "_operation_limit", "_operations", "held", "transaction_id")

    def __init__(self, transaction_id: str, limits: Limits) -> None:
        self.transaction_id = transaction_id
        self.held: list[Held] = []
        self._bytes = 0
        self._operations = 0
        self._operation_limit = limits.transaction_operations
        self._byte_limit = limits.transaction_bytes

    def hold(self, held: Held) -> None:
        """Add a request.

        Raises:
            LimitExceeded: The transaction would become larger than allowed; nothing was added.
        """
        if self._operations + held.operation_count > self._operation_limit:
            raise LimitExceeded(
                f"Transaction {self.transaction_id} would hold more than {self._operation_limit} messages to send or"
                " settle (setting limits.transaction_operations). Commit more often."
            )
        if self._bytes + held.size_bytes > self._byte_limit:
            raise LimitExceeded(
                f"Transaction {self.transaction_id} would hold more than {self._byte_limit} bytes"
                " (setting limits.transaction_bytes). Commit more often."
            )
        self._operations += held.operation_count
        self._bytes += held.size_bytes
        self.held.append(held)

    def release(self) -> None:
        """Undo what it holds: its deliveries are with their subscriptions again, and no room is kept."""
        for held in self.held:
            if isinstance(held, HeldSend):
                held.release()
                continue
            for delivery in held.deliveries:
                delivery.is_held = False
                if delivery.subscription.is_active:
                    delivery.subscription.spend_credit(delivery)
                elif not delivery.queue.has_ended:
                    delivery.queue.give_back(delivery.entry)

    def settles_in(self, queue: Queue) -> bool:
        """Whether it holds a delivery of a queue."""
        for held in self.held:
            if isinstance(held, HeldSettlement):
                for delivery in held.deliveries:
                    if delivery.queue is queue:
                        return True
        return False


def open_transaction(session: Session, transaction_id: str, limits: Limits) -> None:
    """Begin a transaction of a session.

    Raises:
        DuplicateTransaction: One with this id is open.
        LimitExceeded: The session has as many as allowed.
    """
    if transaction_id in session.transactions:
        # STOMP 1.2 "BEGIN": ids are unique among the open transactions of a connection.
        raise DuplicateTransaction(
            f"transaction:{transaction_id} is open already. COMMIT or ABORT it first, or use another id."
        )
    if len(session.transactions) >= limits.transactions:
        raise LimitExceeded(
            f"This connection has {len(session.transactions)} open transactions, which is the limit"
            " (setting limits.transactions). COMMIT or ABORT some."
        )
    session.transactions[transaction_id] = Transaction(transaction_id, limits)


def find_transaction(session: Session, transaction_id: str) -> Transaction:
    """Return the open transaction of a session that has the id.

    Raises:
        UnknownTransaction: There is none.
    """
    transaction = session.transactions.get(transaction_id)
    if transaction is None:
        raise UnknownTransaction(
            f"transaction:{transaction_id} is not open on this connection. BEGIN it first; after COMMIT or ABORT"
            " it is gone."
        )
    return transaction
