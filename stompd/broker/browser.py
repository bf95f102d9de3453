"""Browsing a queue: a subscription is shown what is there, in its order, and takes nothing.

What is shown goes into a queue in memory that the subscription has for itself, and is delivered from there like
anything else. The store is read a page at a time, whenever nearly all of the last one is delivered; what only memory
has is put in between. So a browser costs two pages of memory, however long the queue is.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Entry
from stompd.broker.effects import LoadShown
from stompd.broker.ledger import Ledger
from stompd.broker.limits import Limits
from stompd.broker.matching import is_selected
from stompd.broker.message import HIGHEST_PRIORITY, Message, Place
from stompd.broker.units import Page
from stompd.selector.evaluate import Selector

if TYPE_CHECKING:
    from stompd.broker.queue import Queue

#: What is asked for at a time: enough that a page costs little per message, little enough for many browsers.
_PAGE_COUNT = 500
_PAGE_BYTES = 1024 * 1024

_HEAD = Place(0, 0)
#: Behind everything: no message has such an id.
_END = Place(HIGHEST_PRIORITY, 2**63 - 1)

_place = attrgetter("place")


@final
class Browser:
    """Shows one subscription what a queue keeps: all that is not settled, be it waiting or with a consumer.

    It begins at the head. Without `follows` it shows no message that came later than the SUBSCRIBE, and says when that
    was all; so it comes to an end, however fast others send. With `follows` it goes on with what arrives.
    """

    __slots__ = (
        "_after",
        "_is_loading",
        "_ledger",
        "_newest",
        "_page_bytes",
        "_page_count",
        "_selector",
        "_shown",
        "_through_ms",
        "follows",
        "is_done",
        "source",
    )

    def __init__(
        self,
        source: Queue,
        shown: Queue,
        selector: Selector | None,
        ledger: Ledger,
        limits: Limits,
        *,
        newest: int | None,
    ) -> None:
        """Begin at the head of a queue.

        Args:
            source: The queue that is looked at.
            shown: The subscription's own queue, which asks for more with `refill`.
            selector: What is to be shown; None for everything.
            ledger: Where the store is asked.
            limits: Bound what is read at a time.
            newest: The highest message id to be shown; None to follow what arrives.
        """
        #: The queue that is looked at.
        self.source = source
        #: Whether it goes on with what arrives.
        self.follows = newest is None
        #: Whether everything has been shown that was there.
        self.is_done = False
        self._shown = shown
        self._selector = selector
        self._ledger = ledger
        self._newest = _END.message_id if newest is None else newest
        self._page_count = min(_PAGE_COUNT, limits.window_count)
        self._page_bytes = min(_PAGE_BYTES, limits.window_bytes)
        self._after = _HEAD  # all up to here has been shown
        self._is_loading = False
        self._through_ms = 0  # pages bring what is due up to here
        source.browsers = [*(source.browsers or ()), self]
        source.wake()  # what becomes due is fetched from now on

    def refill(self, now: float) -> None:
        """Ask for the next page when little of the last one is left."""
        if self._is_loading or self.is_done or len(self._shown.window) > self._page_count // 2:
            return
        self._is_loading = True
        if not (self.follows and self._through_ms):
            # JMS 3.1, 3.4.13: what is not due yet is not shown. What becomes due later, `became_due` shows.
            self._through_ms = int(now * 1000)
        self._ledger.load(
            LoadShown(self, self.source.queue_id, self._after, self._through_ms, self._page_count, self._page_bytes)
        )

    def admit(self, page: Page) -> None:
        """Show a page that was asked for, with what only memory has there."""
        self._is_loading = False
        if self._shown.has_ended:
            return
        is_last = page.is_last or self.source.has_ended
        through = _END if is_last else page.messages[-1].message.place
        found = [_show(stored.message, stored.delivery_count) for stored in page.messages]
        found += [
            _show(entry.message, entry.delivery_count)
            for entry in self.source.window.volatile()
            if self._after < entry.place <= through
        ]
        self._after = through
        for entry in sorted(found, key=_place):
            if entry.place.message_id <= self._newest and self._selects(entry):
                self._shown.show(entry)
        if is_last:
            self._end()
        self._shown.wake()

    def arrived(self, entry: Entry) -> None:
        """Show what has just arrived, unless a page will bring it."""
        if self.follows and entry.place <= self._after:
            self._show(entry)

    def became_due(self, entry: Entry) -> None:
        """Show a delayed message that has entered its queue; one that comes back has been shown."""
        has_begun = self.follows and self._through_ms > 0
        is_left = entry.due_ms > self._through_ms if entry.is_stored else entry.place <= self._after  # by the pages
        if has_begun and is_left and entry.delivery_count == 0:
            self._show(entry)

    def close(self) -> None:
        """Show nothing more, because the subscription ends."""
        self._shown.close()
        self.source.browsers = [other for other in self.source.browsers or () if other is not self] or None

    def _show(self, entry: Entry) -> None:
        if not self._selects(entry):
            return
        if self._shown.window.has_room(entry.message):
            self._shown.show(_show(entry.message, entry.delivery_count))
        else:
            self._shown.overflow()

    def _end(self) -> None:
        self.is_done = True
        if not self.follows:
            end = _show(Message(self.source.name, {"browser": "end"}, b""), 0)
            end.place = _END
            self._shown.show(end)

    def _selects(self, entry: Entry) -> bool:
        return self._selector is None or is_selected(self._selector, entry.message, entry.delivery_count)


def _show(message: Message, delivery_count: int) -> Entry:
    """Return what is put into the subscription's own queue: nothing of it is in the store."""
    return Entry(message, is_stored=False, delivery_count=delivery_count)
