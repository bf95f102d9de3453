"""Everything in which SQLite and PostgreSQL differ, as one abstract class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection

from stompd.broker.message import Place, QueueId
from stompd.broker.units import DueKey, ExpiryKey, LastValue
from stompd.errors import StoreError
from stompd.store.batch import Batch

#: `(urgency, message_id, timestamp_ms, expires_ms, due_ms, delivery_count, is_persistent, destination, headers,
#: body)`, with the headers as JSON text.
MessageRow: TypeAlias = Sequence[Any]


class Statement(NamedTuple):
    """A statement that changes many rows at once, and its parameters."""

    text: str
    parameters: Sequence[object]


class Dialect(ABC):
    """One database: how to reach it, lock it, write sets of rows to it, and read its errors."""

    #: Where messages are kept, without any password.
    description: str

    #: Begins a transaction in which nothing is read that another connection may still change.
    begin: str

    #: What the driver and SQLAlchemy raise when the database is at fault, or what it was given.
    errors: tuple[type[Exception], ...]

    @abstractmethod
    def connect(self) -> Connection:
        """Return a new connection, in autocommit, with every setting that the promises need.

        Raises:
            StoreUnusable: It cannot be used as it is. The driver's errors pass.
        """

    @abstractmethod
    def lock(self, connection: Connection) -> bool:
        """Take the lock that allows one writer, unless another one holds it; it is held until `disconnect`."""

    @abstractmethod
    def disconnect(self, connection: Connection) -> None:
        """Close a connection, which may be broken, and release the lock."""

    @abstractmethod
    def statements(self, batch: Batch) -> list[Statement]:
        """Return what makes a batch durable, in the order that `Batch` explains."""

    @abstractmethod
    def execute(self, connection: Connection, statements: Sequence[Statement]) -> None:
        """Execute at least one statement in one transaction; when it returns they are on disk."""

    @abstractmethod
    def load(
        self, connection: Connection, queue_id: QueueId, after: Place, through_ms: int, limit: int, limit_bytes: int
    ) -> tuple[list[MessageRow], bool]:
        """Return the rows of a page, as `IMessageStore.load` says, and whether no row stands behind them."""

    @abstractmethod
    def load_due(
        self, connection: Connection, queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int
    ) -> list[MessageRow]:
        """Return the rows of a page, as `IMessageStore.load_due` says."""

    @abstractmethod
    def find_expired(
        self, connection: Connection, after: ExpiryKey, through_ms: int, limit: int
    ) -> Sequence[Sequence[int]]:
        """Return `(expires_ms, queue_id, message_id, urgency, due_ms, body_bytes)`; see `IMessageStore`."""

    @abstractmethod
    def measure(self, connection: Connection, queue_id: QueueId) -> int:
        """Return how many bytes the bodies in a queue have together."""

    @abstractmethod
    def find_last_values(self, connection: Connection) -> list[LastValue]:
        """Return the messages that have keys, oldest first."""

    @abstractmethod
    def explain(self, error: BaseException | None) -> tuple[type[StoreError], str]:
        """Return what a driver's error means, and its words, with no row's contents among them.

        The meaning is StoreUnavailable, StoreRefused or StoreUnusable.
        """

    @abstractmethod
    def is_lost(self, connection: Connection) -> bool:
        """Whether an error left the connection unusable."""
