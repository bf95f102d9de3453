"""What the core answers: everything it wants done outside itself, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NewType, Protocol, TypeAlias, final

from stompd.broker.delivery import Delivery
from stompd.broker.message import Place, QueueId
from stompd.broker.units import DueKey, ExpiryKey, Page, UnitOfWork
from stompd.errors import StompError

#: Numbers sessions from 1 upwards, never reused while the broker runs.
SessionId = NewType("SessionId", int)

NO_HEADERS: Mapping[str, str] = {}


@final
class Confirm:
    """Send a RECEIPT, with what the client may want to know beside its id."""

    __slots__ = ("headers", "receipt", "session_id")

    def __init__(self, session_id: SessionId, receipt: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.session_id = session_id
        self.receipt = receipt
        self.headers = headers


@final
class Refuse:
    """Send an ERROR and close the session; nothing of it is processed any more."""

    __slots__ = ("error", "receipt", "session_id")

    def __init__(self, session_id: SessionId, error: StompError, receipt: str | None) -> None:
        self.session_id = session_id
        self.error = error
        self.receipt = receipt


@final
class Decline:
    """Send an ERROR about one frame, which has had no effect; the session goes on."""

    __slots__ = ("error", "receipt", "session_id")

    def __init__(self, session_id: SessionId, error: StompError, receipt: str) -> None:
        self.session_id = session_id
        self.error = error
        self.receipt = receipt


@final
class LoadEntries:
    """Fetch the next stretch of a queue; the answer is `Broker.entries_loaded`."""

    __slots__ = ("after", "limit", "limit_bytes", "queue_id")

    def __init__(self, queue_id: QueueId, after: Place, limit: int, limit_bytes: int) -> None:
        self.queue_id = queue_id
        self.after = after
        self.limit = limit
        self.limit_bytes = limit_bytes


@final
class LoadDue:
    """Fetch messages of a queue that have become due; the answer is `Broker.due_loaded`."""

    __slots__ = ("after", "limit", "limit_bytes", "queue_id", "through_ms")

    def __init__(self, queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int) -> None:
        self.queue_id = queue_id
        self.after = after
        self.through_ms = through_ms
        self.limit = limit
        self.limit_bytes = limit_bytes


@final
class LoadExpired:
    """Find messages that have expired; the answer is `Broker.expired_loaded`."""

    __slots__ = ("after", "limit", "through_ms")

    def __init__(self, after: ExpiryKey, through_ms: int, limit: int) -> None:
        self.after = after
        self.through_ms = through_ms
        self.limit = limit


@final
class LoadSize:
    """Find out how many bytes a queue has; the answer is `Broker.size_loaded`."""

    __slots__ = ("queue_id",)

    def __init__(self, queue_id: QueueId) -> None:
        self.queue_id = queue_id


@final
class LoadScheduled:
    """Fetch messages of a queue that are due at any time; the answer is `Broker.scheduled_loaded`."""

    __slots__ = ("after", "limit", "limit_bytes", "queue_id")

    def __init__(self, queue_id: QueueId, after: DueKey, limit: int, limit_bytes: int) -> None:
        self.queue_id = queue_id
        self.after = after
        self.limit = limit
        self.limit_bytes = limit_bytes


class Reader(Protocol):
    """Somebody who looks at messages of a queue without taking them."""

    def admit(self, page: Page) -> None:
        """Continue with a page that was asked for."""


@final
class LoadShown:
    """Fetch the next stretch of a queue for somebody who only looks; the answer is `Broker.shown_loaded`."""

    __slots__ = ("after", "limit", "limit_bytes", "queue_id", "reader", "through_ms")

    def __init__(
        self, reader: Reader, queue_id: QueueId, after: Place, through_ms: int, limit: int, limit_bytes: int
    ) -> None:
        self.reader = reader
        self.queue_id = queue_id
        self.after = after
        self.through_ms = through_ms
        self.limit = limit
        self.limit_bytes = limit_bytes


#: What is read from the store, in its turn among the units.
Load: TypeAlias = LoadEntries | LoadDue | LoadExpired | LoadSize | LoadScheduled | LoadShown


@final
class Resume:
    """Let a session that rested go on sending."""

    __slots__ = ("session_id",)

    def __init__(self, session_id: SessionId) -> None:
        self.session_id = session_id


@final
class CloseSession:
    """Close the link once everything written so far has left."""

    __slots__ = ("session_id",)

    def __init__(self, session_id: SessionId) -> None:
        self.session_id = session_id


#: A unit goes to the journal, and a delivery to its session as a MESSAGE; the others say themselves what is to be done.
Effect: TypeAlias = UnitOfWork | Delivery | Confirm | Refuse | Decline | Load | Resume | CloseSession
