"""The delivery mark: up to where stored entries of a queue may be delivered, so that a crash leaves none unflagged."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Entry
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.message import MessageId
from stompd.broker.units import MarkDelivered

if TYPE_CHECKING:
    from stompd.broker.queue import Queue

#: A mark reaches this far ahead of the clock, so that a busy queue writes one rarely and no delivery waits for it.
_AHEAD_SECONDS = 10.0
_RENEW_SECONDS = 5.0


@final
class DeliveryMark:
    """What limits the deliveries of one queue beside credit: its durable mark, and messages on their way to the store.

    A stored entry is delivered only up to the mark that is on disk (`MarkDelivered`). A message that need not survive
    and is stored only because memory is full must not be overtaken by newer ones meanwhile.
    """

    __slots__ = ("_ids", "_ledger", "_marked", "_marking", "_queue", "_spooling", "deliverable", "renewal")

    def __init__(self, queue: Queue, ledger: Ledger, ids: IdSource) -> None:
        """Begin without a mark."""
        #: No stored entry with a higher id may be delivered yet.
        self.deliverable = 0
        #: When to look again, with `renew`, whether the mark is far enough ahead.
        self.renewal = 0.0
        self._queue = queue
        self._ledger = ledger
        self._ids = ids
        self._marked = self._marking = 0
        # Of those that are on their way into the store: each that no later one goes before.
        self._spooling: deque[int] = deque()

    @property
    def is_spooling(self) -> bool:
        """Whether messages that need not survive are on their way into the store."""
        return bool(self._spooling)

    @property
    def is_pending(self) -> bool:
        """Whether the store was asked for a mark that is further ahead."""
        return self._marking > self._marked

    def may_deliver(self, entry: Entry, now: float) -> bool:
        """Whether a delivery need not wait for the mark, which is asked for if it does."""
        message_id = entry.place.message_id
        if not entry.is_stored or message_id <= self.deliverable:
            return True
        if message_id > self._marking:
            self._extend(now, message_id)
        return False

    def renew(self, now: float) -> None:
        """Extend the mark in time for what is coming, if that is near."""
        self.renewal = now + 1.0
        if self._marking < self._ids.bound(now, _RENEW_SECONDS):
            self._extend(now, 0)

    def begin_spooling(self, message_id: int) -> None:
        """Let nothing overtake a message that is going into the store."""
        while self._spooling and self._spooling[-1] > message_id:
            self._spooling.pop()
        self._spooling.append(message_id)
        self._limit()

    def end_spooling(self, message_id: int) -> None:
        """Undo `begin_spooling`: the message is in the store, or refused."""
        if self._spooling[0] == message_id:  # else a later one goes before it
            self._spooling.popleft()
        self._limit()
        self._queue.wake()

    def _extend(self, now: float, message_id: int) -> None:
        """Ask for a mark far enough ahead that deliveries seldom wait for one, near enough to flag few others."""
        window = self._queue.window
        if window.is_complete:
            through = MessageId(self._ids.bound(now, _AHEAD_SECONDS))
        else:
            through = MessageId(max(message_id, window.highest_frontier()))
        if through <= self._marking:
            return
        self._marking = through
        work = Work()
        self._queue.put(work)
        work.operations.append(MarkDelivered(self._queue.queue_id, through))
        work.steps.append(partial(self._extended, through))
        work.undo.append(self._refused)
        self._ledger.enact(None, work)

    def _extended(self, through: MessageId) -> None:
        self._marked = through
        self._limit()
        self._queue.is_stored = True
        self._queue.wake()

    def _refused(self) -> None:
        self._marking = self._marked

    def _limit(self) -> None:
        self.deliverable = min(self._marked, self._spooling[0] - 1) if self._spooling else self._marked
