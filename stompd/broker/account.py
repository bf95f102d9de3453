"""What is kept account of in a queue whose length is limited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, final

from stompd.broker.last_values import LastValues
from stompd.broker.ledger import Work
from stompd.broker.message import Message
from stompd.broker.policy import Overflow, Rule

if TYPE_CHECKING:
    from stompd.broker.queue import Queue

#: How a full queue makes room for what is new.
_DROPPING = (Overflow.DROP_OLD, Overflow.DEAD_LETTER)

#: What the RECEIPT of a message says that was dropped because its queue is full.
_DROPPED = {"dropped": "true"}


@final
class Account:
    """How many messages a queue has, and how many bytes, against what it may have.

    What a transaction will send is reserved from its SEND on where a full queue refuses messages, so that COMMIT does
    not fail. What is being made a dead letter counts no more.
    """

    __slots__ = (
        "_byte_limit",
        "_count_limit",
        "_overfull",
        "_queue",
        "count",
        "is_noted",
        "overflow",
        "size_bytes",
        "values",
    )

    def __init__(self, queue: Queue, rule: Rule, overfull: list[Queue], count: int) -> None:
        """Begin with what the store holds.

        Args:
            queue: Whose account it is.
            rule: What it may have.
            overfull: Where it tells that the head must go.
            count: How many messages the store holds; their size follows with `recovered`.
        """
        self.overflow = rule.overflow or Overflow.BLOCK
        self.count = count
        self.size_bytes = 0
        #: Which messages have which keys, where senders gave them some.
        self.values: LastValues | None = None
        #: Whether it has told that the head must go.
        self.is_noted = False
        self._queue = queue
        self._overfull = overfull
        self._count_limit = rule.max_messages
        self._byte_limit = rule.max_bytes

    @property
    def limits_bytes(self) -> bool:
        """Whether the size of the queue matters."""
        return self._byte_limit > 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits."""
        return 0 < self._count_limit <= self.count or 0 < self._byte_limit <= self.size_bytes

    @property
    def is_over(self) -> bool:
        """Whether there is more than may be; a single message is never too much."""
        if self.count <= 1:
            return False
        return 0 < self._count_limit < self.count or 0 < self._byte_limit < self.size_bytes

    def has_room(self, message: Message) -> bool:
        """Whether one more message fits; into an empty queue any does."""
        if not self.count:
            return True
        fits = not self._byte_limit or self.size_bytes + len(message.body) <= self._byte_limit
        return fits and (not self._count_limit or self.count < self._count_limit)

    def is_filled_by(self, message: Message) -> bool:
        """Whether the queue is full once it has one more message."""
        return 0 < self._count_limit <= self.count + 1 or 0 < self._byte_limit <= self.size_bytes + len(message.body)

    def admit(self, message: Message, work: Work) -> bool:
        """Count a new message, unless it is dropped; return whether it was taken."""
        if self.overflow is Overflow.DROP_NEW and not self.has_room(message):
            work.headers = {**work.headers, **_DROPPED}
            return False
        self.add(len(message.body))
        work.undo.append(partial(self.remove, message.message_id, len(message.body)))
        if self.values is not None and message.wishes is not None and not message.due_ms:
            self.values.replace(message, message.wishes.last_value_key, work)
        if self.overflow in _DROPPING:
            work.steps.append(self.note)  # the head can go when it has arrived
        return True

    def add(self, size_bytes: int) -> None:
        """Count one message more."""
        self.count += 1
        self.size_bytes += size_bytes

    def remove(self, message_id: int, size_bytes: int) -> None:
        """Count one message less."""
        self.count -= 1
        self.size_bytes -= size_bytes
        if self.values is not None:
            self.values.forget(message_id)

    def recovered(self, size_bytes: int) -> None:
        """Add the size of what the store held at the beginning."""
        self.size_bytes += size_bytes
        self.note()

    def page_came(self) -> None:
        """Continue with what a page has brought."""
        if self.values is not None:
            self.values.page_came()
        self.note()

    def note(self) -> None:
        """Tell that the head must go, if it must."""
        if self.overflow in _DROPPING and self.is_over and not self.is_noted:
            self.is_noted = True
            self._overfull.append(self._queue)
