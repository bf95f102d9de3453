"""The queue: the only thing that stores. It keeps entries in order and gives them to subscriptions with credit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, final

from stompd.broker.account import Account
from stompd.broker.deadlines import Deadlines, Later
from stompd.broker.delivery import Entry
from stompd.broker.dispatching import dispatch_by_choice, dispatch_in_order
from stompd.broker.effects import LoadEntries
from stompd.broker.groups import GROUP_HEADER, Groups
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.line import Line
from stompd.broker.mark import DeliveryMark
from stompd.broker.message import Message, Place, QueueId
from stompd.broker.redelivery import policy_of
from stompd.broker.selection import Selections
from stompd.broker.units import DeleteMessage, InsertMessage, Page, PutQueue, ReturnMessage
from stompd.broker.window import Window

if TYPE_CHECKING:
    from stompd.broker.browser import Browser
    from stompd.broker.subscription import Subscription


@final
class Queue:
    """Entries waiting for subscriptions, and the subscriptions waiting for entries.

    A stored entry is delivered only up to the queue's durable mark, so that after a crash the store knows which
    messages may have been seen (`MarkDelivered`). The queue of a topic's subscription is not durable: it is in memory
    only, and ends with its subscription, which must not fall too far behind. Nor is a temporary queue, which ends with
    its session.
    """

    __slots__ = (
        "_group_limit",
        "_later",
        "_ledger",
        "_overflowing",
        "_page_bytes",
        "_woken",
        "account",
        "browser",
        "browsers",
        "deadlines",
        "depth",
        "has_ended",
        "has_overflowed",
        "host",
        "is_durable",
        "is_grouped",
        "is_stored",
        "is_woken",
        "line",
        "mark",
        "name",
        "policy",
        "queue_id",
        "selections",
        "subscriptions",
        "was_dispatched",
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
        deadlines: Deadlines,
        *,
        overflowing: list[Queue] | None = None,
        recovered_count: int = 0,
        host: str = "",
    ) -> None:
        """Make a queue that is empty, or that was found in the store.

        Args:
            queue_id: Its key in the store.
            name: The destination's path.
            limits: How much of it memory holds.
            ledger: Where its units and effects go.
            ids: Where its marks come from.
            woken: Where it asks to be dispatched.
            deadlines: Where it tells when something is due, expires, or came back.
            overflowing: Where one that is not durable tells that it holds too much; None for one that is durable.
            recovered_count: How many messages the store holds for it.
            host: The virtual host it is on; empty for the default one.
        """
        self.queue_id, self.name, self.host = queue_id, name, host
        self.is_durable = overflowing is None  # whether it outlives the broker
        self.is_stored = recovered_count > 0  # whether the store has a row for it
        #: Messages that were accepted and are not settled, in memory, in the store or on their way there.
        self.depth = recovered_count
        self.subscriptions = 0  # those that have not ended, including those that have not begun
        self.is_woken = self.was_dispatched = False  # the latter since somebody made it False
        self.has_ended = False  # with its subscription: it takes nothing more, and nothing returns
        self.is_grouped = False  # a message with a group has been here
        self.has_overflowed = False  # messages were dropped because there were too many
        self.policy = policy_of(limits, name)
        self.account: Account | None = None  # where its length is limited
        if overflowing is None:
            self.window = Window(limits.window_count, limits.window_bytes, is_recovered=recovered_count > 0)
        else:
            self.window = Window(limits.topic_backlog, limits.topic_backlog_bytes)
        self._ledger, self.deadlines, self._woken, self._overflowing = ledger, deadlines, woken, overflowing
        self._later: Later | None = None  # until something is due later
        self._page_bytes, self._group_limit = limits.window_bytes, limits.message_groups
        self.line = Line(self)
        self.selections: Selections | None = None  # where subscriptions have selectors
        self.mark = DeliveryMark(self, ledger, ids)
        self.browser: Browser | None = None  # who fills it, if it is the own queue of one that looks at another
        self.browsers: list[Browser] | None = None  # who look at it

    @property
    def later(self) -> Later:
        """What is due later."""
        if self._later is None:
            self._later = Later(self, self.wake, self.deadlines, self._ledger, self._page_bytes)
        return self._later

    @property
    def has_later(self) -> bool:
        """Whether something was ever due later."""
        return self._later is not None

    @property
    def is_unused(self) -> bool:
        """Whether it is empty, and nobody reads it, looks at it, or is about to."""
        is_loading = self.window.is_loading or (self._later is not None and self._later.is_loading)
        return not (self.depth or self.subscriptions or self.browsers or self.is_woken or is_loading)

    def accept(self, message: Message, now: float, work: Work) -> bool:
        """Add to the work what puts a new message into this queue; return whether it was taken, and not dropped."""
        if self.account is not None and not self.account.admit(message, work):
            return False
        self.depth += 1
        if GROUP_HEADER in message.headers and not self.is_grouped:
            self._begin_groups()
        if message.due_ms:
            self.later.accept(message, work)
        elif message.is_persistent and self.is_durable:
            self._store(message, now, work)
        else:
            work.steps.append(partial(self._keep, message, now))
            work.undo.append(self.uncount)
        return True

    def attach(self, subscription: Subscription) -> None:
        """Let a subscription take part."""
        subscription.is_active = True
        if self.selections is None and (self.is_grouped or subscription.selector is not None):
            groups = Groups(self._group_limit) if self.is_grouped else None
            self.selections = Selections(self.window, self._page_bytes, groups)
        if self.selections is not None:
            self.selections.join(subscription)
        self.line.join(subscription)
        self.wake()

    def detach(self, subscription: Subscription) -> None:
        """Give the subscription nothing more; what it has outstanding is given back separately."""
        if not subscription.is_active:
            return
        subscription.is_active = False
        self.line.leave(subscription)
        if self.selections is not None:
            self.selections.leave(subscription)
        self.wake()  # others may take now what was its own

    def line_up(self, subscription: Subscription) -> None:
        """Put a subscription that may have credit into the line."""
        line = self.line
        if line.is_ranked:
            line.put(subscription)
        else:
            subscription.is_waiting = True
            line.waiting.append(subscription)
        self.wake()

    def dispatch(self, now: float) -> None:
        """Deliver what can be delivered, taking turns among the subscriptions with credit."""
        self.is_woken, self.was_dispatched = False, True
        if self._later is not None:
            self._later.take()
        if self.selections is not None or self.line.is_ranked:
            dispatch_by_choice(self, self._ledger.effects, now)
        else:
            dispatch_in_order(self, self._ledger.effects, now)
        if self.subscriptions:
            self.load_ahead()
            if self._later is not None:  # there may be room only now
                self._later.take()
        if self.browser is not None:
            self.browser.refill(now)

    def settle(self, entry: Entry) -> None:
        """Forget an entry for good; nobody waits for it."""
        self.depth -= 1
        if self.account is not None:
            self.account.remove(entry.place.message_id, len(entry.message.body))
        if entry.is_stored:
            # Until its row is gone, a page may bring it.
            step = partial(self.selections.forget, entry) if self.selections else None
            self._ledger.ride(DeleteMessage(self.queue_id, entry.place), step)

    def settle_in(self, work: Work, entry: Entry) -> None:
        """Forget an entry for good, as part of a unit; if that is refused, the entry comes back."""
        if entry.is_stored:
            work.operations.append(DeleteMessage(self.queue_id, entry.place))
            if self.selections:
                work.steps.append(partial(self.selections.forget, entry))
        work.steps.append(partial(self.forget, entry.place.message_id, len(entry.message.body)))
        work.undo.append(partial(self.put_back, entry))

    def give_back(self, entry: Entry) -> None:
        """Return an entry that was not settled, as the policy says; if that is not at once, when the turn ends."""
        if self.policy.delay_ms(entry.delivery_count + 1) == 0:
            self.restore(entry)
        else:
            self.deadlines.returned.append((self, entry))

    def restore(self, entry: Entry, work: Work | None = None) -> None:
        """Return an entry to its old place, counted as delivered.

        It is there at once, before newer ones can be delivered. The count becomes durable with the work; without
        one, nobody waits for it.
        """
        self.put_back(entry)
        if entry.is_stored:
            operation = ReturnMessage(self.queue_id, entry.place, entry.delivery_count, entry.due_ms)
            if work is None:
                self._ledger.ride(operation)
            else:
                work.operations.append(operation)

    def put_back(self, entry: Entry, *, is_counted: bool = True) -> None:
        """Put an entry in its old place; its row stays as it is."""
        if is_counted:
            entry.delivery_count += 1
        if not entry.is_stored:
            self.deadlines.note_expiry(self, entry.message)
        entry.is_waiting = True
        if self.selections is None:
            self.window.put_back(entry)
        else:
            self.selections.put_back(entry)
        if self.account is not None:
            self.account.note()
        self.wake()

    def forget(self, message_id: int, size_bytes: int) -> None:
        """Count one message less."""
        self.depth -= 1
        if self.account is not None:
            self.account.remove(message_id, size_bytes)

    def uncount(self) -> None:
        """Undo the counting of a message; its account has a step of its own for that."""
        self.depth -= 1

    def insert(self, work: Work, message: Message) -> None:
        """Add to the work what stores a message."""
        self.put(work)
        work.operations.append(InsertMessage(self.queue_id, message))

    def overflow(self) -> None:
        """Tell that more waits than memory may hold, for a queue that has nothing but memory."""
        if self._overflowing is not None and not self.has_overflowed:
            self.has_overflowed = True
            self._overflowing.append(self)

    def show(self, entry: Entry) -> None:
        """Take in what somebody who only looks is to be shown."""
        self.depth += 1
        self._arrive(entry)

    def close(self) -> None:
        """Forget what waits and what is due later, because the queue ends: cycles are rarely collected."""
        self.has_ended = True
        self.window.clear()
        self.selections = None
        self.deadlines.expiring.pop(self, None)
        if self._later is not None:
            self._later.close()

    def put(self, work: Work) -> None:
        """Add to the work what makes the queue durable, unless it is."""
        if not self.is_stored:
            work.operations.append(PutQueue(self.queue_id, self.name, host=self.host))

    def wake(self) -> None:
        """Ask to be dispatched."""
        if not self.is_woken:
            self.is_woken = True
            self._woken.append(self)

    def admit(self, after: Place, page: Page) -> None:
        """Take in a page from the store."""
        self._look_for_groups(stored.message for stored in page.messages)
        if self.selections is None:
            self.window.admit(after, page)
        else:
            self.selections.admit(after, page)
            if self.selections.is_over:
                self.selections = None
        self.wake()

    def enter(self, entry: Entry) -> None:
        """Put an entry that has become due in its old place."""
        self._look_for_groups([entry.message])
        if self.selections is None:
            self.window.enter(entry)
        else:
            self.selections.enter(entry)

    def _look_for_groups(self, messages: Iterable[Message]) -> None:
        """Heed groups as soon as there is a message of one."""
        if not self.is_grouped and any(GROUP_HEADER in message.headers for message in messages):
            self._begin_groups()

    def _begin_groups(self) -> None:
        self.is_grouped = True
        if self.selections is None and self.line.consumers:
            self.selections = Selections(self.window, self._page_bytes)
        if self.selections is not None:
            self.selections.begin_groups(Groups(self._group_limit), self.line.consumers)

    def _store(self, message: Message, now: float, work: Work) -> None:
        if self.subscriptions and now > self.mark.renewal:
            self.mark.renew(now)
        self.insert(work, message)
        work.steps.append(partial(self._arrive_stored, Entry(message, is_stored=True)))
        work.undo.append(self.uncount)

    def _keep(self, message: Message, now: float) -> None:
        """Keep in memory what need not survive; when memory is full, the store holds it as well."""
        if self.has_ended:
            return
        if message.expires_ms:
            self.deadlines.note_expiry(self, message)
        if not self.mark.is_spooling and self.window.has_room(message):
            self._arrive(Entry(message, is_stored=False))
        elif self._overflowing is None:
            self._spool(message, now)
        elif not self.has_overflowed:
            self._make_room(message, now)

    def _make_room(self, message: Message, now: float) -> None:
        """Deliver what came in this turn, and keep one more message if that helps."""
        self.dispatch(now)
        if self.window.has_room(message):
            self._arrive(Entry(message, is_stored=False))
        else:
            self.overflow()

    def _spool(self, message: Message, now: float) -> None:
        work = Work()
        self._store(message, now, work)
        end = partial(self.mark.end_spooling, message.message_id)
        work.steps.append(end)
        work.undo.append(end)
        if self.account is not None:
            work.steps.append(self.account.note)
            work.undo.append(partial(self.account.remove, message.message_id, len(message.body)))
        self._ledger.enact(None, work)
        self.mark.begin_spooling(message.message_id)

    def _arrive(self, entry: Entry) -> None:
        is_in_window = self.window.append(entry, is_read=self.subscriptions > 0)
        if self.selections is not None:
            self.selections.arrived(entry, is_in_window=is_in_window)
        if self.browsers is not None:
            for browser in self.browsers:
                browser.arrived(entry)
        if self.line.waiting and not self.is_woken:
            self.wake()

    def _arrive_stored(self, entry: Entry) -> None:
        self.is_stored = True
        self._arrive(entry)

    def load_ahead(self) -> None:
        """Ask the store for what is needed next, if anything is."""
        selections = self.selections
        if selections is not None and selections.is_reading:
            return  # one page at a time
        after = self.window.next_page()
        if after is None and selections is not None and not self.window.is_loading:
            after = selections.next_page(self.line.waiting)
        if after is not None:
            self._ledger.effects.append(LoadEntries(self.queue_id, after, self.window.page_count, self._page_bytes))
