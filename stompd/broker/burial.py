"""Expired messages that become dead letters, where the store may be all that has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Entry
from stompd.broker.effects import LoadShown
from stompd.broker.ledger import Ledger
from stompd.broker.message import MessageId, Place
from stompd.broker.units import ExpiredRow, Page
from stompd.broker.withdrawal import expire, is_unread, withdraw

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue

#: Messages that are read at a time, and bytes of their bodies.
_PAGE_COUNT = 100
_PAGE_BYTES = 1024 * 1024

#: Whenever they are due, expired messages are read.
_ALWAYS_MS = 1 << 62


@final
class Burial:
    """Lets expired messages of a page become dead letters, and reads from the store those that memory does not have.

    What it has read becomes a dead letter when the turn ends, before any queue asks for a page that would have it.
    """

    __slots__ = ("_catalogue", "_end", "_ledger", "_rows", "has_skipped")

    def __init__(self, ledger: Ledger, catalogue: Catalogue) -> None:
        #: Whether something was left where it is, because it was with a consumer or on its way.
        self.has_skipped = False
        self._ledger = ledger
        self._catalogue = catalogue
        self._rows: list[ExpiredRow] = []  # the next one last
        self._end: Callable[[], None]

    def begin(self, rows: Sequence[ExpiredRow], end: Callable[[], None]) -> None:
        """Bury what was found; only then is the last step taken, and the next may begin."""
        self._rows = sorted(filter(self._must_be_read, rows), key=_order, reverse=True)
        self._end = end
        self._go_on()

    def admit(self, page: Page) -> None:
        """Bury what was read, as far as it is still where it was, and go on."""
        queue_id = self._rows[-1].key.queue_id
        queue = self._catalogue.by_id(queue_id)
        stored = {stored.message.place: stored for stored in page.messages}
        while self._rows and self._rows[-1].key.queue_id == queue_id:
            place = _place(self._rows[-1])
            if not page.is_last and place > page.messages[-1].message.place:
                break
            row = self._rows.pop()
            found = stored.get(place)
            if queue is None or found is None or not self._must_be_read(row):
                continue
            entry = Entry(found.message, is_stored=True, delivery_count=found.delivery_count, due_ms=found.due_ms)
            queue.deadlines.expired.append((queue, entry, True))
        self._go_on()

    def _must_be_read(self, row: ExpiredRow) -> bool:
        """Whether only the store has a message; what memory has, and nobody else, is buried."""
        queue, place = self._catalogue.by_id(row.key.queue_id), _place(row)
        if queue is None:
            return False
        entry = withdraw(queue, place)
        if entry is not None:
            expire(queue, entry)
            return False
        if is_unread(queue, place, row.due_ms):
            return True
        self.has_skipped = True
        return False

    def _go_on(self) -> None:
        if not self._rows:
            self._end()
            return
        row = self._rows[-1]
        queue_id = row.key.queue_id
        # Between those that have expired there may be others, which are read in vain.
        count = sum(other.key.queue_id == queue_id for other in self._rows[-_PAGE_COUNT:])
        after = Place(row.urgency, MessageId(row.key.message_id - 1))
        self._ledger.load(LoadShown(self, queue_id, after, _ALWAYS_MS, count, _PAGE_BYTES))


def _place(row: ExpiredRow) -> Place:
    return Place(row.urgency, MessageId(row.key.message_id))


def _order(row: ExpiredRow) -> tuple[int, Place]:
    return row.key.queue_id, _place(row)
