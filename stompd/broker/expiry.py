"""Messages that expire where nobody reads them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, final

from stompd.broker.burial import Burial
from stompd.broker.effects import LoadExpired
from stompd.broker.ledger import Ledger, Work
from stompd.broker.message import Place, QueueId
from stompd.broker.units import DeleteMessage, ExpiredPage, ExpiredRow, ExpiryKey
from stompd.broker.withdrawal import expire, withdraw, withdraw_stored

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.queue import Queue

#: Rows looked for at a time, so that a sweep never keeps anybody waiting.
_PAGE_COUNT = 1_000

#: From one sweep to the next at least this long: what is read in time is never found, and need not be looked for often.
_SWEEP_MS = 1_000

#: What has expired while it was with a consumer is looked for again after this long.
_AGAIN_MS = 30_000

_START = ExpiryKey(0, QueueId(0), 0)


class Expirable(Protocol):
    """Queues of the store that nobody consumes."""

    def expire(self, row: ExpiredRow, work: Work) -> bool:
        """Add to the work what removes an expired message, if it is in such a queue; return whether it is."""


@final
class Expiry:
    """Removes expired messages from queues that nobody reads; where somebody does, `dispatch` meets them first.

    The store is asked for expired rows a bounded number at a time; of each, memory knows whether it is waiting (and may
    go) or with a consumer. What only memory has is looked at there.
    """

    __slots__ = ("_burial", "_catalogue", "_is_loading", "_ledger", "_skipped", "_swept_ms", "next_ms", "others")

    def __init__(self, ledger: Ledger, catalogue: Catalogue, next_ms: int) -> None:
        """Begin with when the first stored message expires; 0 if none does."""
        #: When the next sweep is due; 0 when nothing expires.
        self.next_ms = next_ms
        #: What else the store holds in queues.
        self.others: list[Expirable] = []
        self._ledger = ledger
        self._catalogue = catalogue
        self._is_loading = False
        self._skipped = False
        self._swept_ms = 0
        self._burial = Burial(ledger, catalogue)

    def expect(self, expires_ms: int) -> None:
        """Note that a message expires at that time."""
        if not self.next_ms or expires_ms < self.next_ms:
            self.next_ms = max(expires_ms, self._swept_ms + _SWEEP_MS)

    def tick(self, now_ms: int) -> None:
        """Begin a sweep if it is time for one."""
        if not self.next_ms or self.next_ms > now_ms or self._is_loading:
            return
        self.next_ms = 0
        self._swept_ms = now_ms
        self._skipped = self._burial.has_skipped = False
        self._expire_in_memory(now_ms)
        self._load(_START)

    def admit(self, page: ExpiredPage) -> None:
        """Remove what was found and is not with a consumer, and go on."""
        work = Work()
        letters: list[ExpiredRow] = []
        for row in page.rows:
            queue = self._catalogue.by_id(row.key.queue_id)
            place = Place(row.urgency, row.key.message_id)
            if queue is not None and queue.policy.keeps_expired:
                letters.append(row)
            elif queue is not None and withdraw_stored(queue, place, row.due_ms):
                queue.forget(place.message_id, row.body_bytes)
                work.operations.append(DeleteMessage(queue.queue_id, place))
            elif not self._expire_elsewhere(row, work):
                self._skipped = True
        if work.operations:
            self._ledger.enact(None, work)
        if letters:
            self._burial.begin(letters, partial(self._go_on, page))
        else:
            self._go_on(page)

    def _go_on(self, page: ExpiredPage) -> None:
        """Ask for the next page, or wait until the next sweep is due."""
        self._is_loading = False
        self._skipped |= self._burial.has_skipped
        if len(page.rows) == _PAGE_COUNT:
            self._load(page.rows[-1].key)
            return
        if page.next_ms:
            self.expect(page.next_ms)
        if self._skipped:
            self.expect(self._swept_ms + _AGAIN_MS)

    def _expire_elsewhere(self, row: ExpiredRow, work: Work) -> bool:
        """Remove a message from a queue that nobody consumes; return whether it is in one."""
        return any(other.expire(row, work) for other in self.others)

    def _expire_in_memory(self, now_ms: int) -> None:
        expiring = self._catalogue.deadlines.expiring
        for queue, first_ms in list(expiring.items()):
            if first_ms <= now_ms:
                del expiring[queue]
                self._expire_volatile(queue, now_ms)
        if expiring:
            self.expect(min(expiring.values()))

    def _expire_volatile(self, queue: Queue, now_ms: int) -> None:
        for entry in queue.window.volatile():
            if 0 < entry.message.expires_ms <= now_ms:
                withdraw(queue, entry.place)
                expire(queue, entry)
            else:
                self._catalogue.deadlines.note_expiry(queue, entry.message)

    def _load(self, after: ExpiryKey) -> None:
        self._is_loading = True
        self._ledger.load(LoadExpired(after, self._swept_ms, _PAGE_COUNT))
