"""Retained messages: the last one of a topic that its sender wanted to be kept for those who subscribe later."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias, final

from stompd.broker.destination import Destination, Kind, parse_destination, read_stored_name, stored_name
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message, Place, QueueId
from stompd.broker.units import (
    RETAINED_NAME,
    DeleteMessage,
    ExpiredRow,
    InsertMessage,
    PutQueue,
    Recovered,
)
from stompd.broker.wildcard import Patterns
from stompd.errors import LimitExceeded

#: A virtual host, and the name of a topic there.
_Key: TypeAlias = tuple[str, str]

#: What tells a retained message from one that was sent just now.
_FLAG = {"retained": "true"}


@final
class Retained:
    """One message for each topic of each virtual host, in memory; the persistent ones are in a queue of the store too.

    Nobody consumes from that queue, and no destination can name it. What has been decided last counts for those who
    subscribe, so they wait for what is still under way.
    """

    __slots__ = ("_bytes", "_ids", "_ledger", "_limits", "_messages", "_pending", "is_stored", "queue_id")

    def __init__(self, limits: Limits, ledger: Ledger, ids: IdSource) -> None:
        self._limits = limits
        self._ledger = ledger
        self._ids = ids
        self._messages: dict[_Key, Message] = {}
        self._bytes = 0
        self._pending: dict[_Key, int] = {}  # how many changes of a topic are under way
        #: The queue in the store; 0 before there is one.
        self.queue_id = QueueId(0)
        #: Whether the store has a row for it.
        self.is_stored = False

    def recover(self, recovered: Recovered) -> None:
        """Take over what the store holds."""
        for queue in recovered.queues:
            if queue.name == RETAINED_NAME:
                self.queue_id, self.is_stored = queue.queue_id, True
        for stored in sorted(recovered.retained, key=lambda kept: kept.message_id):
            host, path = read_stored_name(stored.destination)
            key = host, parse_destination(path).name
            older = self._messages.get(key)
            if older is not None:  # the store had refused what was to remove it
                self._ledger.ride(DeleteMessage(self.queue_id, older.place))
            self._put(key, _copy(stored, path))

    def check(self, host: str, topic: Destination, message: Message) -> None:
        """Make sure that one more message can be retained.

        Raises:
            LimitExceeded: There are as many as allowed.
        """
        size_bytes = self._bytes + len(message.body)
        is_new = (host, topic.name) not in self._messages
        if (is_new and len(self._messages) >= self._limits.retained) or size_bytes > self._limits.retained_bytes:
            raise LimitExceeded(
                f"This broker retains {len(self._messages)} messages of {self._bytes} bytes, and this one would be too"
                " much (settings limits.retained and limits.retained_bytes). Remove some with retain:remove."
            )

    def find(self, host: str, topic: Destination) -> list[Message]:
        """Return what a new subscriber of a topic, or of all that match wildcards, gets."""
        if topic.kind is not Kind.TOPIC:
            return []
        if not topic.words:
            kept = self._messages.get((host, topic.name))
            return [] if kept is None else [kept]
        pattern: Patterns[bool] = Patterns()
        pattern.put(topic.words, True)
        return [message for (of, name), message in self._messages.items() if of == host and pattern.match(name)]

    def is_pending(self, host: str, topic: Destination) -> bool:
        """Whether what `find` returns may still be refused by the store."""
        if topic.kind is not Kind.TOPIC:
            return False
        return bool(self._pending) if topic.words else (host, topic.name) in self._pending

    def keep(self, host: str, topic: Destination, message: Message, now: float, work: Work) -> None:
        """Add to the work what retains a message of a topic, in the place of the one before."""
        kept = Message(
            topic.path,
            {**message.headers, **_FLAG},
            message.body,
            priority=message.priority,
            expires_ms=message.expires_ms,
            is_persistent=message.is_persistent,
            message_id=message.message_id,
            timestamp_ms=message.timestamp_ms,
        )
        if kept.is_persistent:
            self.queue_id = self.queue_id or QueueId(self._ids.next(now))
            if not self.is_stored:
                work.operations.append(PutQueue(self.queue_id, RETAINED_NAME))
                work.steps.append(self._note_stored)
            # The destination tells the topic after a restart.
            stored = _copy(kept, stored_name(host, topic.path))
            work.operations.append(InsertMessage(self.queue_id, stored))
        self._change((host, topic.name), kept, work)

    def remove(self, host: str, topic: Destination, work: Work) -> None:
        """Add to the work what removes the retained message of a topic, if there is one."""
        if (host, topic.name) in self._messages:
            self._change((host, topic.name), None, work)

    def expire(self, row: ExpiredRow, work: Work) -> bool:
        """Forget a message that has expired, if it is a retained one; return whether it is."""
        if row.key.queue_id != self.queue_id:
            return False
        for key, message in self._messages.items():
            if message.message_id == row.key.message_id:
                self._put(key, None)
                break
        work.operations.append(DeleteMessage(self.queue_id, Place(row.urgency, row.key.message_id)))
        return True

    def _change(self, key: _Key, kept: Message | None, work: Work) -> None:
        older = self._messages.get(key)
        if older is not None and older.is_persistent:
            work.operations.append(DeleteMessage(self.queue_id, older.place))
        self._put(key, kept)
        self._pending[key] = self._pending.get(key, 0) + 1
        work.steps.append(partial(self._settle, key))
        work.undo.append(partial(self._settle, key))
        work.undo.append(partial(self._take_back, key, kept, older))

    def _put(self, key: _Key, message: Message | None) -> None:
        older = self._messages.pop(key, None)
        self._bytes -= len(older.body) if older else 0
        if message is not None:
            self._messages[key] = message
            self._bytes += len(message.body)

    def _settle(self, key: _Key) -> None:
        self._pending[key] -= 1
        if not self._pending[key]:
            del self._pending[key]

    def _take_back(self, key: _Key, kept: Message | None, older: Message | None) -> None:
        if self._messages.get(key) is kept:
            self._put(key, older)

    def _note_stored(self) -> None:
        self.is_stored = True


def _copy(message: Message, destination: str) -> Message:
    """Return the same message with another destination."""
    copy = message.copy_to(destination)
    copy.identify(message.message_id, message.timestamp_ms)
    return copy
