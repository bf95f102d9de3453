"""Logs: what was sent to a topic, kept for a while, and replayed to those who subscribe from the past."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, final

from stompd.broker.effects import LoadEntries, LoadSize
from stompd.broker.ledger import Ledger, Work
from stompd.broker.message import DEFAULT_PRIORITY, HIGHEST_PRIORITY, Message, Place, QueueId
from stompd.broker.policy import Rule
from stompd.broker.units import DeleteMessage, InsertMessage, Page, PutQueue

if TYPE_CHECKING:
    from stompd.broker.replay import Replay

#: Where everything in a log stands, so that its order is that of ids.
_URGENCY = HIGHEST_PRIORITY - DEFAULT_PRIORITY

#: Under this name the log keeps the priority of a message that has another one than most.
_PRIORITY = "log-priority"

#: Messages that are read at a time in order to remove them, and bytes of their bodies.
_PRUNED_COUNT = 1_000
_PRUNED_BYTES = 4 * 1024 * 1024

#: A log may have this part more than it may keep, so that it is not pruned for each message.
_SLACK = 64


@final
class Log:
    """What a topic keeps: a queue of the store that nobody consumes, in the order of acceptance."""

    __slots__ = (
        "_is_pruning",
        "_ledger",
        "_name",
        "_pruned_through",
        "_rule",
        "count",
        "is_stored",
        "queue_id",
        "readers",
        "size_bytes",
        "under_way",
    )

    def __init__(
        self, name: str, queue_id: QueueId, rule: Rule, ledger: Ledger, *, count: int = 0, is_stored: bool = False
    ) -> None:
        """Keep the messages of a topic.

        Args:
            name: What the store calls the queue.
            queue_id: The queue in the store.
            rule: How much is kept.
            ledger: Where units and loads go.
            count: How many messages the store holds.
            is_stored: Whether the store has the queue.
        """
        self._name = name
        self.queue_id = queue_id
        self.is_stored = is_stored
        #: Messages in it, and the bytes of their bodies, with what is under way.
        self.count = count
        self.size_bytes = 0
        #: What the store has not answered for yet, the oldest first.
        self.under_way: dict[int, tuple[Message, Work]] = {}
        #: Who waits for a page, in the order of asking.
        self.readers: list[Replay] = []
        self._rule = rule
        self._ledger = ledger
        self._pruned_through = 0
        self._is_pruning = False
        if count:
            ledger.load(LoadSize(queue_id))

    @property
    def is_unused(self) -> bool:
        """Whether it is empty, and nobody waits for anything of it."""
        return not (self.count or self.under_way or self.readers or self._is_pruning)

    def accept(self, message: Message, now: float, work: Work) -> None:
        """Number a new message, and add to the work what keeps it."""
        message.headers = {**message.headers, "seq": str(message.message_id)}
        if not self.is_stored:
            work.operations.append(PutQueue(self.queue_id, self._name))
        work.operations.append(InsertMessage(self.queue_id, _copy(message)))
        work.size_bytes += len(message.body)
        self.count += 1
        self.size_bytes += len(message.body)
        self.under_way[message.message_id] = message, work
        work.steps.append(partial(self._arrive, message))
        work.undo.append(partial(self._take_back, message))
        if self._is_over:
            self.prune(now)

    def prune(self, now: float) -> None:
        """Begin to remove what is too old or too much."""
        if not self._is_pruning and self.count:
            self._is_pruning = True
            after = Place(_URGENCY, self._pruned_through)
            self._ledger.load(LoadEntries(self.queue_id, after, _PRUNED_COUNT, _PRUNED_BYTES))

    def read(self, reader: Replay, after_id: int, limit: int, limit_bytes: int) -> None:
        """Ask for the page behind a message."""
        self.readers.append(reader)
        self._ledger.load(LoadEntries(self.queue_id, Place(_URGENCY, after_id), limit, limit_bytes))

    def admit(self, after: Place, page: Page, now: float) -> None:
        """Give a page to whoever asked for it."""
        for reader in self.readers:
            if reader.after_id == after.message_id:
                self.readers.remove(reader)
                reader.admit([_restore(stored.message) for stored in page.messages], now, is_last=page.is_last)
                return
        self._is_pruning = False
        work = Work()
        for stored in page.messages:
            message = stored.message
            if not self._is_out_of_date(message, now):
                break
            self._pruned_through = message.message_id
            self.forget(message.message_id, len(message.body), work)
        if work.operations:
            self._ledger.enact(None, work)
            self.prune(now)

    def forget(self, message_id: int, size_bytes: int, work: Work) -> None:
        """Add to the work what removes a message that the store holds."""
        self.count -= 1
        self.size_bytes -= size_bytes
        work.operations.append(DeleteMessage(self.queue_id, Place(_URGENCY, message_id)))

    @property
    def _is_over(self) -> bool:
        """Whether there is so much more than may be kept that it is worth pruning."""
        count, size_bytes = self._rule.retention_messages, self._rule.retention_bytes
        return 0 < count < self.count - count // _SLACK or 0 < size_bytes < self.size_bytes - size_bytes // _SLACK

    def _is_out_of_date(self, message: Message, now: float) -> bool:
        rule = self._rule
        return (
            0 < rule.retention_messages < self.count
            or 0 < rule.retention_bytes < self.size_bytes
            or (rule.retention_seconds > 0 and message.timestamp_ms < (now - rule.retention_seconds) * 1000)
        )

    def _arrive(self, message: Message) -> None:
        self.is_stored = True
        del self.under_way[message.message_id]

    def _take_back(self, message: Message) -> None:
        self.count -= 1
        self.size_bytes -= len(message.body)
        del self.under_way[message.message_id]


def _copy(message: Message) -> Message:
    """Return what the log keeps of a message."""
    headers = message.headers
    if message.priority != DEFAULT_PRIORITY:
        headers = {**headers, _PRIORITY: str(message.priority)}
    return Message(
        message.destination,
        headers,
        message.body,
        expires_ms=message.expires_ms,
        is_persistent=message.is_persistent,
        message_id=message.message_id,
        timestamp_ms=message.timestamp_ms,
    )


def _restore(message: Message) -> Message:
    """Undo `_copy`."""
    headers = dict(message.headers)
    message.priority = int(headers.pop(_PRIORITY, DEFAULT_PRIORITY))
    message.headers = headers
    message.identify(message.message_id, message.timestamp_ms)
    return message
