"""A subscription: what one SUBSCRIBE of one session is owed, and what it has been given."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Delivery, Entry
from stompd.broker.destination import Destination
from stompd.broker.requests import ORDINARY, AckMode, Terms
from stompd.selector.evaluate import Selector

#: Bytes of bodies that a subscription which acknowledges nothing is given before the transport has taken them: enough
#: for the transport to stay busy, few enough that many such subscriptions with large messages cost little memory.
AUTOMATIC_BYTES = 256 * 1024

if TYPE_CHECKING:
    from stompd.broker.durable import NamedSubscription
    from stompd.broker.queue import Queue
    from stompd.broker.session import Session
    from stompd.broker.spread import Spread


@final
class Subscription:
    """Takes deliveries from one queue, or from several (`Spread`), while it has credit.

    Credit counts deliveries; bytes are bounded beside it. A delivery in an automatic subscription is settled when the
    transport has taken it, so it is kept with the session and not by number.
    """

    __slots__ = (
        "_last_number",
        "ack_mode",
        "byte_limit",
        "credit",
        "destination",
        "granted",
        "is_active",
        "is_automatic",
        "is_named",
        "is_waiting",
        "named",
        "number",
        "outstanding",
        "outstanding_bytes",
        "queue",
        "selector",
        "session",
        "spread",
        "subscription_id",
        "terms",
    )

    def __init__(
        self,
        session: Session,
        queue: Queue,
        subscription_id: str,
        number: int,
        ack_mode: AckMode,
        destination: Destination,
        *,
        credit: int,
        byte_limit: int,
        is_named: bool = True,
        selector: Selector | None = None,
        named: NamedSubscription | None = None,
        terms: Terms = ORDINARY,
    ) -> None:
        """Describe a subscription that has not begun.

        Args:
            session: Whose it is.
            queue: Where its deliveries come from; for a topic, and if there are several, a queue of its own.
            subscription_id: The client's `id`.
            number: Unique within the session, never reused.
            ack_mode: How its deliveries are settled.
            destination: What was subscribed to.
            credit: How many deliveries it may have outstanding.
            byte_limit: With so many bytes of bodies outstanding it is given nothing more.
            is_named: Whether the client gave it an id.
            selector: Which entries of its queue it wants; None for all.
            named: The subscription of a topic whose consumer it is, if that has a name of its own.
            terms: How it takes beside others.
        """
        self.session = session
        self.queue = queue
        self.subscription_id = subscription_id
        self.number = number
        self.ack_mode = ack_mode
        self.is_automatic = ack_mode is AckMode.AUTO
        self.destination = destination
        self.credit = self.granted = credit
        self.is_named = is_named
        self.selector = selector
        self.named = named
        self.terms = terms
        #: Whether it takes part in its queue: from when its SUBSCRIBE took effect until it ends.
        self.is_active = False
        #: What it takes from besides, if there are several queues.
        self.spread: Spread | None = None
        #: Whether it stands in its queue's line, or in all of them.
        self.is_waiting = False
        #: By number, oldest first.
        self.outstanding: dict[int, Delivery] = {}
        self.outstanding_bytes = 0
        self.byte_limit = min(byte_limit, AUTOMATIC_BYTES) if self.is_automatic else byte_limit
        self._last_number = 0

    @property
    def last_number(self) -> int:
        """The number of the newest delivery; 0 when there was none."""
        return self._last_number

    @property
    def may_take(self) -> bool:
        """Whether it can be given an entry now."""
        return self.credit > 0 and self.session.is_writable and self.outstanding_bytes < self.byte_limit

    def deliver(self, entry: Entry, queue: Queue) -> Delivery:
        """Spend credit on an entry of a queue."""
        self._last_number = number = self._last_number + 1
        delivery = Delivery(entry, self, number, queue)
        self.credit -= 1
        self.outstanding_bytes += len(entry.message.body)
        if self.is_automatic:
            self.session.unsettled.append(delivery)
        else:
            self.outstanding[number] = delivery
        return delivery

    def return_credit(self, delivery: Delivery) -> None:
        """Take back what a delivery cost, and stand in line again."""
        self.credit += 1
        self.outstanding_bytes -= len(delivery.entry.message.body)
        if self.is_active and not self.is_waiting:
            self.line_up()

    def line_up(self) -> None:
        """Stand in line wherever it does not."""
        if self.spread is None:
            self.queue.line_up(self)
        else:
            self.spread.line_up()

    def leave_line(self, queue: Queue) -> None:
        """Note that a queue has taken it out of its line, for it may take nothing."""
        self.is_waiting = False
        if self.spread is not None:
            self.spread.absent.append(queue)

    def spend_credit(self, delivery: Delivery) -> None:
        """Charge again for a delivery whose acknowledgement was aborted; credit may fall below 0."""
        self.credit -= 1
        self.outstanding_bytes += len(delivery.entry.message.body)
