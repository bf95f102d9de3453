"""What is due later: delayed messages, and those that came back and have to wait.

A message that is due later is in the store and not in memory, so there may be a million of them; of each queue the
core remembers when the next one is due. Only the queue of a topic's subscription, which has no place in the store,
keeps them in memory, within the bounds of its backlog.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Entry
from stompd.broker.effects import LoadDue
from stompd.broker.ledger import Ledger, Work
from stompd.broker.message import Message, Place
from stompd.broker.units import DueKey, DuePage, ReturnMessage

if TYPE_CHECKING:
    from stompd.broker.queue import Queue

#: Entries of the heap that are out of date may be so many more than the others.
_SLACK = 64


@final
class Deadlines:
    """When the next message of each queue is due."""

    __slots__ = ("_compact_at", "_heap", "_number", "expired", "expiring", "reached_ms", "returned")

    def __init__(self) -> None:
        #: What is due up to here may be taken, also when the clock is set back afterwards.
        self.reached_ms = 0
        #: What came back and may have to wait, which is decided when the turn ends.
        self.returned: list[tuple[Queue, Entry]] = []
        #: What has expired and is to be a dead letter, which it becomes when the turn ends; and whether only the store
        #: has it.
        self.expired: list[tuple[Queue, Entry, bool]] = []
        #: Queues with something that expires and that only memory has, and when the first of it does.
        self.expiring: dict[Queue, int] = {}
        self._heap: list[tuple[int, int, Later]] = []  # an entry counts if it has the queue's own time
        self._number = 0
        self._compact_at = _SLACK

    def date(self, due_ms: int, now: float) -> int:
        """Return the time to store for something that is due then: 0 if that has passed."""
        if due_ms <= now * 1000:
            return 0
        # The clock may have been set back; what is due before something that was taken would never be asked for.
        return max(due_ms, self.reached_ms + 1)

    def expect(self, later: Later) -> None:
        """Remember when the next message of a queue is due."""
        if len(self._heap) >= self._compact_at:
            self._heap = [item for item in self._heap if item[0] == item[2].next_ms]
            heapify(self._heap)
            self._compact_at = 2 * len(self._heap) + _SLACK
        self._number += 1
        heappush(self._heap, (later.next_ms, self._number, later))

    def note_expiry(self, queue: Queue, message: Message) -> None:
        """Remember when a message expires that only memory has, if it does."""
        expires_ms = message.expires_ms
        if expires_ms:
            self.expiring[queue] = min(expires_ms, self.expiring.get(queue, expires_ms))

    def next_ms(self) -> int:
        """Return when something is due next; 0 when nothing is."""
        while self._heap and self._heap[0][0] != self._heap[0][2].next_ms:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else 0

    def tick(self, now_ms: int) -> None:
        """Wake the queues in which something has become due."""
        self.reached_ms = max(self.reached_ms, now_ms)
        while self._heap and self._heap[0][0] <= now_ms:
            due_ms, _, later = heappop(self._heap)
            if due_ms == later.next_ms:
                later.wake()


@final
class Later:
    """What one queue has for later.

    What has become due is fetched when somebody subscribes or looks and memory has room, in the order of becoming due,
    and enters its old place. Its row stays as it is, so that no page of the queue brings it a second time. While memory
    has no room, it is shown to the queue's selections, which keep what matches ahead; the rest is left in the store.
    """

    __slots__ = (
        "_after",
        "_deadlines",
        "_examined",
        "_held",
        "_held_bytes",
        "_is_examining",
        "_is_loading",
        "_ledger",
        "_page_bytes",
        "_queue",
        "next_ms",
        "wake",
    )

    def __init__(
        self, queue: Queue, wake: Callable[[], None], deadlines: Deadlines, ledger: Ledger, page_bytes: int
    ) -> None:
        """Begin with nothing.

        Args:
            queue: Whose it is.
            wake: Asks for the queue to be dispatched, which takes what is due.
            deadlines: Where it tells when something is due next.
            ledger: Where it asks the store.
            page_bytes: Bytes of bodies to ask for at a time.
        """
        #: When the next one is due that was not looked at; 0 when there is none, or when that has been asked for.
        self.next_ms = 0
        self.wake = wake
        self._queue = queue
        self._deadlines = deadlines
        self._ledger = ledger
        self._page_bytes = page_bytes
        self._after = DueKey(0, 0)  # all up to here were fetched
        self._examined = self._after  # beyond that, all up to here were shown to the selections
        self._is_loading = self._is_examining = False
        self._held: list[tuple[int, Place, Entry]] = []  # of a queue that is not durable, the next one first
        self._held_bytes = 0

    def expect(self, due_ms: int) -> None:
        """Note that the store has a message that is due at that time."""
        if not self.next_ms or due_ms < self.next_ms:
            self.next_ms = due_ms
            self._deadlines.expect(self)

    def accept(self, message: Message, work: Work) -> None:
        """Add to the work what keeps a new message until it is due."""
        queue = self._queue
        if queue.is_durable:
            queue.insert(work, message)
            work.steps.append(partial(self._expect_stored, message.due_ms))
        else:
            work.steps.append(partial(self._hold, Entry(message, is_stored=False), message.due_ms))
        work.undo.append(queue.uncount)

    def postpone(self, entry: Entry, due_ms: int, work: Work | None) -> None:
        """Return an entry when it is due, counted as delivered; without a work, nobody waits for that to be durable."""
        queue = self._queue
        operation = ReturnMessage(queue.queue_id, entry.place, entry.delivery_count + 1, due_ms)
        if work is None and entry.is_stored:
            self._ledger.ride(operation, partial(self._forget_ahead, entry))
            self.expect(due_ms)
            return
        own = Work() if work is None else work
        if queue.is_durable:
            if not entry.is_stored:
                queue.insert(own, entry.message)
            own.operations.append(operation)
            own.steps.append(partial(self._forget_ahead, entry))
            own.steps.append(partial(self._expect_stored, due_ms))
        else:
            own.steps.append(partial(self._hold_again, entry, due_ms))
        own.undo.append(partial(queue.put_back, entry))
        if work is None:
            self._ledger.enact(None, own)

    def close(self) -> None:
        """Forget everything, because the queue ends."""
        self.next_ms = 0
        self._held.clear()
        self._held_bytes = 0

    def take(self) -> None:
        """Put what was held into its place, or ask the store, if something is due."""
        queue, reached_ms = self._queue, self._deadlines.reached_ms
        is_due = 0 < self.next_ms <= reached_ms
        if not queue.is_durable:
            if is_due:
                self._take_held(reached_ms)
        elif self._is_loading or not (queue.subscriptions or queue.browsers):
            return
        elif queue.window.has_room_for_due:
            if is_due or self._after < self._examined:
                self._load(self._after, reached_ms)
        elif queue.selections is not None:
            if queue.selections.want_due():
                self._examined = self._after
            elif not is_due:
                return
            self._is_examining = True
            self._load(self._examined, reached_ms)

    def admit(self, page: DuePage) -> None:
        """Put what was fetched into its place, or keep of it what the selections select."""
        for stored in page.messages:
            entry = Entry(stored.message, is_stored=True, delivery_count=stored.delivery_count, due_ms=stored.due_ms)
            key = DueKey(stored.due_ms, stored.message.message_id)
            if self._is_examining:
                self._examined = key
                if self._queue.selections is not None:
                    self._queue.selections.meet_due(entry)
            else:
                self._after = key
                self._enter(entry)
        if not self._is_examining:
            self._examined = max(self._after, self._examined)
            if not 0 < page.next_ms <= self._examined.due_ms:
                self._after = self._examined  # nothing was left in the store
        self._is_loading = self._is_examining = False
        if page.next_ms:
            self.expect(page.next_ms)
        self.wake()

    def has(self, due_ms: int, place: Place) -> bool:
        """Whether a row that is due then is in the store only, and not on its way from there."""
        selections = self._queue.selections
        is_ahead = selections is not None and place in selections.ahead
        return not self._is_loading and not is_ahead and self._after < (due_ms, place.message_id)

    @property
    def is_loading(self) -> bool:
        """Whether what is due was asked for and has not come."""
        return self._is_loading

    def _load(self, after: DueKey, reached_ms: int) -> None:
        self.next_ms = 0
        self._is_loading = True
        queue_id, limit = self._queue.queue_id, self._queue.window.page_count
        self._ledger.load(LoadDue(queue_id, after, reached_ms, limit, self._page_bytes))

    def _enter(self, entry: Entry) -> None:
        queue = self._queue
        queue.enter(entry)
        if queue.account is not None:
            queue.account.note()
        for browser in queue.browsers or ():
            browser.became_due(entry)

    def _expect_stored(self, due_ms: int) -> None:
        self._queue.is_stored = True
        self.expect(due_ms)

    def _forget_ahead(self, entry: Entry) -> None:
        """Note that no page brings an entry any more, because its row says that it is due later."""
        if self._queue.selections is not None:
            self._queue.selections.forget(entry)

    def _hold_again(self, entry: Entry, due_ms: int) -> None:
        entry.delivery_count += 1
        self._hold(entry, due_ms)

    def _hold(self, entry: Entry, due_ms: int) -> None:
        """Keep an entry in memory until it is due, within the bounds of the queue's window."""
        if not self._queue.window.fits(entry.message, len(self._held), self._held_bytes):
            self._queue.overflow()
            return
        heappush(self._held, (due_ms, entry.place, entry))
        self._held_bytes += len(entry.message.body)
        self.expect(due_ms)

    def _take_held(self, reached_ms: int) -> None:
        while self._held and self._held[0][0] <= reached_ms:
            entry = heappop(self._held)[2]
            self._held_bytes -= len(entry.message.body)
            self._deadlines.note_expiry(self._queue, entry.message)
            self._enter(entry)
        self.next_ms = 0
        if self._held:
            self.expect(self._held[0][0])
