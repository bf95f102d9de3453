"""The queue: the only thing that stores. It keeps entries in order and gives them to subscriptions with credit."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Entry
from stompd.broker.effects import Deliver, LoadEntries
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message, MessageId, Place, QueueId
from stompd.broker.units import DeleteMessage, InsertMessage, MarkDelivered, Page, PutQueue, ReturnMessage
from stompd.broker.window import Window

if TYPE_CHECKING:
    from stompd.broker.subscription import Subscription

#: A mark reaches this far ahead of the clock, so that a busy queue writes one rarely and no delivery waits for it.
_MARK_AHEAD_SECONDS = 10.0
_MARK_RENEW_SECONDS = 5.0


@final
class Queue:
    """Entries waiting for subscriptions, and the subscriptions waiting for entries.

    A stored entry is delivered only up to the queue's durable mark, so that after a crash the store knows which
    messages may have been seen (`MarkDelivered`). The queue of a topic's subscription is not durable: it is in memory
    only, and ends with its subscription, which must not fall too far behind. Nor is a temporary queue, which ends with
    its session.
    """

    __slots__ = (
        "_deliverable",
        "_ids",
        "_ledger",
        "_line",
        "_marked",
        "_marking",
        "_overflowing",
        "_page_bytes",
        "_renewal",
        "_spooling",
        "_woken",
        "depth",
        "has_overflowed",
        "is_durable",
        "is_private",
        "is_stored",
        "is_woken",
        "name",
        "queue_id",
        "subscriptions",
        "window",
    )

    def __init__(
        self,
        queue_id: QueueId,
        name: str,
        limits: Limits,
        ledger: Ledger,
        ids: IdSource,
        woken: list[Queue],
        *,
        overflowing: list[Queue] | None = None,
        recovered_count: int = 0,
    ) -> None:
        """Make a queue that is empty, or that was found in the store.

        Args:
            queue_id: Its key in the store.
            name: The destination's path.
            limits: How much of it memory holds.
            ledger: Where its units and effects go.
            ids: Where its marks come from.
            woken: Where it asks to be dispatched.
            overflowing: Where one that is not durable tells that it holds too much; None for one that is durable.
            recovered_count: How many messages the store holds for it.
        """
        self.queue_id = queue_id
        self.name = name
        #: Whether it outlives the broker; one that is private ends with its only subscription, and takes nothing back.
        self.is_durable, self.is_private = overflowing is None, False
        #: Whether the store has a row for it.
        self.is_stored = recovered_count > 0
        #: Messages that were accepted and are not settled, in memory, in the store or on their way there.
        self.depth = recovered_count
        #: Subscriptions that have not ended, including those that have not begun.
        self.subscriptions = 0
        self.is_woken = False
        #: Whether messages were dropped because there were too many.
        self.has_overflowed = False
        if overflowing is None:
            self.window = Window(limits.window_count, limits.window_bytes, is_recovered=recovered_count > 0)
        else:
            self.window = Window(limits.topic_backlog, limits.topic_backlog_bytes)
        self._overflowing = overflowing
        self._ledger = ledger
        self._ids = ids
        self._woken = woken
        self._page_bytes = limits.window_bytes
        self._line: deque[Subscription] = deque()
        self._marked = self._marking = 0
        self._renewal = 0.0  # when to look again whether the mark is far enough ahead
        # Of those that need not survive and are on their way into the store: each that no later one goes before.
        self._spooling: deque[int] = deque()
        self._deliverable = 0  # no stored entry beyond it may be delivered yet

    def accept(self, message: Message, now: float, work: Work) -> None:
        """Add to the work what puts a new message into this queue."""
        self.depth += 1
        if message.is_persistent and self.is_durable:
            self._store(message, now, work)
        else:
            work.steps.append(partial(self._keep, message, now))
            work.undo.append(self._forget)

    def attach(self, subscription: Subscription) -> None:
        """Let a subscription take part."""
        subscription.is_active = True
        self.line_up(subscription)

    def detach(self, subscription: Subscription) -> None:
        """Give the subscription nothing more; what it has outstanding is given back separately."""
        if not subscription.is_active:
            return
        subscription.is_active = False
        if subscription.is_waiting:
            subscription.is_waiting = False
            self._line.remove(subscription)

    def line_up(self, subscription: Subscription) -> None:
        """Put a subscription that may have credit at the end of the line."""
        subscription.is_waiting = True
        self._line.append(subscription)
        self._wake()

    def dispatch(self, now: float) -> None:
        """Deliver what can be delivered, taking turns among the subscriptions with credit."""
        self.is_woken = False
        line, window, effects, now_ms = self._line, self.window, self._ledger.effects, now * 1000
        while line:
            entry = window.head()
            if entry is None:
                break
            if 0 < entry.message.expires_ms <= now_ms:
                window.pop(entry)
                self.settle(entry)
                continue
            if entry.is_stored and entry.place.message_id > self._deliverable:
                if entry.place.message_id > self._marking:
                    self._extend_mark(now)
                break
            subscription = line[0]
            if not subscription.may_take:
                line.popleft()
                subscription.is_waiting = False
                if subscription.spread is not None:
                    subscription.spread.absent.append(self)
                continue
            window.pop(entry)
            effects.append(Deliver(subscription.session.session_id, subscription.deliver(entry, self)))
            line.rotate(-1)
        if self.subscriptions:
            self._load_ahead()

    def settle(self, entry: Entry) -> None:
        """Forget an entry for good; nobody waits for it."""
        self.depth -= 1
        if entry.is_stored:
            self._ledger.ride(DeleteMessage(self.queue_id, entry.place))

    def settle_in(self, work: Work, entry: Entry) -> None:
        """Forget an entry for good, as part of a unit; if that is refused, the entry comes back."""
        if entry.is_stored:
            work.operations.append(DeleteMessage(self.queue_id, entry.place))
        work.steps.append(self._forget)
        work.undo.append(partial(self._put_back, entry))

    def give_back(self, entry: Entry, work: Work | None = None) -> None:
        """Return an entry to its old place, counted as delivered.

        It is there at once, before newer ones can be delivered. The count becomes durable with the work; without
        one, nobody waits for it.
        """
        self._put_back(entry)
        if entry.is_stored:
            operation = ReturnMessage(self.queue_id, entry.place, entry.delivery_count)
            if work is None:
                self._ledger.ride(operation)
            else:
                work.operations.append(operation)

    def give_back_in(self, work: Work, entry: Entry) -> None:
        """Return an entry to its old place when a unit was applied, its count being part of the unit."""
        if entry.is_stored:
            work.operations.append(ReturnMessage(self.queue_id, entry.place, entry.delivery_count + 1))
        step = partial(self._put_back, entry)
        work.steps.append(step)
        work.undo.append(step)

    def admit(self, after: Place, page: Page) -> None:
        """Take in a page from the store."""
        self.window.admit(after, page)
        self._wake()

    def _store(self, message: Message, now: float, work: Work) -> None:
        if now > self._renewal and self.subscriptions:
            self._renew_mark(now)
        if not self.is_stored:
            work.operations.append(PutQueue(self.queue_id, self.name))
        work.operations.append(InsertMessage(self.queue_id, message))
        work.steps.append(partial(self._arrive_stored, Entry(message, is_stored=True)))
        work.undo.append(self._forget)

    def _keep(self, message: Message, now: float) -> None:
        """Keep in memory what need not survive; when memory is full, the store holds it as well."""
        if not self._spooling and self.window.has_room(message):
            self._arrive(Entry(message, is_stored=False))
        elif self._overflowing is None:
            self._spool(message, now)
        elif not self.has_overflowed:
            self._make_room(message, now, self._overflowing)

    def _make_room(self, message: Message, now: float, overflowing: list[Queue]) -> None:
        """Deliver what came in this turn, and keep one more message if that helps."""
        self.dispatch(now)
        if self.window.has_room(message):
            self._arrive(Entry(message, is_stored=False))
        else:
            self.has_overflowed = True
            overflowing.append(self)

    def _spool(self, message: Message, now: float) -> None:
        work = Work()
        self._store(message, now, work)
        end = partial(self._end_spooling, message.message_id)
        work.steps.append(end)
        work.undo.append(end)
        self._ledger.enact(None, work)
        while self._spooling and self._spooling[-1] > message.message_id:
            self._spooling.pop()
        self._spooling.append(message.message_id)
        self._limit_deliveries()

    def _end_spooling(self, message_id: int) -> None:
        if self._spooling[0] == message_id:  # else a later one goes before it
            self._spooling.popleft()
        self._limit_deliveries()
        self._wake()

    def _limit_deliveries(self) -> None:
        """Let nothing be delivered that the store cannot flag, or that would overtake what is being spooled."""
        self._deliverable = min(self._marked, self._spooling[0] - 1) if self._spooling else self._marked

    def _arrive(self, entry: Entry) -> None:
        self.window.append(entry)
        if self._line and not self.is_woken:
            self._wake()

    def _arrive_stored(self, entry: Entry) -> None:
        self.is_stored = True
        self._arrive(entry)

    def _forget(self) -> None:
        self.depth -= 1

    def _put_back(self, entry: Entry) -> None:
        entry.delivery_count += 1
        self.window.put_back(entry)
        self._wake()

    def _wake(self) -> None:
        if not self.is_woken:
            self.is_woken = True
            self._woken.append(self)

    def _load_ahead(self) -> None:
        after = self.window.next_page()
        if after is not None:
            self._ledger.effects.append(LoadEntries(self.queue_id, after, self.window.page_count, self._page_bytes))

    def _renew_mark(self, now: float) -> None:
        """Extend the mark in time for what is coming, if that is near."""
        self._renewal = now + 1.0
        if self._marking < self._ids.bound(now, _MARK_RENEW_SECONDS):
            self._extend_mark(now)

    def _extend_mark(self, now: float) -> None:
        """Ask for a mark far enough ahead that deliveries seldom wait for one, near enough to flag few others."""
        if self.window.is_complete:
            through = MessageId(self._ids.bound(now, _MARK_AHEAD_SECONDS))
        else:
            through = self.window.highest_frontier()
        if through <= self._marking:
            return
        self._marking = through
        work = Work()
        if not self.is_stored:
            work.operations.append(PutQueue(self.queue_id, self.name))
        work.operations.append(MarkDelivered(self.queue_id, through))
        work.steps.append(partial(self._mark, through))
        work.undo.append(self._unmark)
        self._ledger.enact(None, work)

    def _mark(self, through: MessageId) -> None:
        self._marked = through
        self._limit_deliveries()
        self.is_stored = True
        self._wake()

    def _unmark(self) -> None:
        self._marking = self._marked
