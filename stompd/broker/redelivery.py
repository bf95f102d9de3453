"""What becomes of a delivery that was not settled: it comes again, at once or later, or goes to a dead-letter queue."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, final

from stompd.broker.destination import MAX_NAME_LENGTH, Destination, parse_destination
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.broker.policy import Expired, Rule
from stompd.broker.requests import PLAIN, Rejection
from stompd.broker.units import DeleteMessage, ReturnMessage
from stompd.errors import LimitExceeded

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.delivery import Entry
    from stompd.broker.identity import IdSource
    from stompd.broker.queue import Queue

#: What the names of dead-letter queues begin with.
_PREFIX = "DLQ."
_QUEUE_PATH = "/queue/"

_UNRESERVED = str.maketrans("*>#,", "____")

#: Doubling so often exceeds every limit.
_MOST_DOUBLINGS = 40

_MAX_DELIVERIES = "max-deliveries"
_REJECTED = "rejected"
_QUEUE_FULL = "queue-full"
_EXPIRED = "expired"


@final
class Policy(NamedTuple):
    """How often a message of a queue is delivered, and after which delays."""

    #: Deliveries after which it is a dead letter; 0 for a queue in which it stays.
    max_deliveries: int
    #: Before the third delivery; before each further one it doubles.
    first_delay_ms: int
    #: The longest delay.
    delay_limit_ms: int
    #: Whether it is a dead letter when it has expired.
    keeps_expired: bool = False

    def delay_ms(self, delivery_count: int) -> int | None:
        """Return after how long a message comes again that was delivered so many times; None if it does not."""
        if self.max_deliveries and delivery_count >= self.max_deliveries:
            return None
        if delivery_count <= 1:
            return 0
        return min(self.first_delay_ms << min(delivery_count - 2, _MOST_DOUBLINGS), self.delay_limit_ms)


def policy_of(limits: Limits, path: str, rule: Rule | None = None) -> Policy:
    """Return the policy of the queue with a path: from a dead-letter queue, nothing goes any further."""
    policy = _policy(limits, is_final=is_dead_letter_queue(path))
    if rule is None:
        return policy
    return Policy(
        rule.max_deliveries if rule.max_deliveries and policy.max_deliveries else policy.max_deliveries,
        rule.redelivery_delay_ms or policy.first_delay_ms,
        rule.redelivery_delay_limit_ms or policy.delay_limit_ms,
        rule.expired is Expired.DEAD_LETTER and not is_dead_letter_queue(path),
    )


def is_dead_letter_queue(path: str) -> bool:
    """Whether the path of a queue is that of a dead-letter queue."""
    return path.startswith(_QUEUE_PATH + _PREFIX)


def dead_letter_destination(path: str) -> Destination:
    """Return where the dead letters of a queue go."""
    # A name that would become too long is cut, and the name of a durable subscription may have characters that are
    # reserved in destinations: the dead letters of such queues may share a queue.
    name = f"{_PREFIX}{path.removeprefix(_QUEUE_PATH).lstrip('/')}"[:MAX_NAME_LENGTH]
    return parse_destination(f"{_QUEUE_PATH}{name.translate(_UNRESERVED)}")


@final
class Redelivery:
    """Decides on deliveries that come back."""

    __slots__ = ("_catalogue", "_ids", "_ledger")

    def __init__(self, ledger: Ledger, catalogue: Catalogue, ids: IdSource) -> None:
        self._ledger = ledger
        self._catalogue = catalogue
        self._ids = ids

    def give_back(
        self, queue: Queue, entry: Entry, now: float, work: Work | None = None, rejection: Rejection = PLAIN
    ) -> None:
        """Return an entry to its queue; where that is at once, it is there before newer ones can be delivered.

        Args:
            queue: Where it came from.
            entry: What was not settled.
            now: In epoch seconds.
            work: What makes it durable; None when nobody waits for it.
            rejection: What the client wants, if it rejected it.
        """
        delay_ms = self._delay_ms(queue, entry, rejection)
        if rejection.is_undelivered:
            queue.put_back(entry, is_counted=False)
        elif delay_ms is None:
            self._bury(queue, entry, now, work, rejection)
        elif delay_ms == 0:
            queue.restore(entry, work)
        else:
            self._postpone(queue, entry, now, delay_ms, work)

    def give_back_in(self, queue: Queue, entry: Entry, now: float, work: Work, rejection: Rejection) -> None:
        """Return an entry to its queue when a unit was applied."""
        delay_ms = self._delay_ms(queue, entry, rejection)
        if rejection.is_undelivered:
            step = partial(queue.put_back, entry, is_counted=False)
            work.steps.append(step)
            work.undo.append(step)
        elif delay_ms is None:
            self._bury(queue, entry, now, work, rejection)
        elif delay_ms == 0:
            _restore_in(queue, entry, work)
        else:
            self._postpone(queue, entry, now, delay_ms, work)

    def discard(self, queue: Queue, entry: Entry, now: float, reason: str = _QUEUE_FULL) -> None:
        """Make a dead letter of an entry for which its queue has no room; drop it if there can be none."""
        account = queue.account
        try:
            grave = self._catalogue.on(queue.host).queue(dead_letter_destination(queue.name), now)
        except LimitExceeded:
            queue.settle(entry)
            return
        work = Work()
        self._move(queue, entry, grave, reason, entry.delivery_count, now, work)
        if account is not None:  # it counts no more, though it is still being moved
            size_bytes = len(entry.message.body)
            account.remove(0, size_bytes)
            work.steps.insert(0, partial(account.add, size_bytes))
            work.undo.append(partial(account.add, size_bytes))
        self._ledger.enact(None, work)

    def _move(
        self, queue: Queue, entry: Entry, grave: Queue, reason: str, delivery_count: int, now: float, work: Work
    ) -> None:
        queue.settle_in(work, entry)
        self._add_letter(queue, entry, grave, reason, delivery_count, now, work)

    def _add_letter(
        self, queue: Queue, entry: Entry, grave: Queue, reason: str, delivery_count: int, now: float, work: Work
    ) -> None:
        letter = _dead_letter(queue, entry, grave.name, reason, delivery_count, int(now * 1000))
        letter.identify(self._ids.next(now), entry.message.timestamp_ms)
        work.size_bytes += len(letter.body)
        grave.accept(letter, now, work)

    def end_turn(self, now: float) -> None:
        """Return what came back in this turn while nobody could tell the time, and bury what has expired."""
        expired = self._catalogue.deadlines.expired
        for queue, entry, is_unread in expired:
            if is_unread:
                self._bury_unread(queue, entry, now)
            elif not queue.has_ended:
                self.discard(queue, entry, now, _EXPIRED)
        expired.clear()
        returned = self._catalogue.deadlines.returned
        for queue, entry in returned:
            if not queue.has_ended:
                self.give_back(queue, entry, now)
        returned.clear()

    def _bury_unread(self, queue: Queue, entry: Entry, now: float) -> None:
        """Make a dead letter of an entry that only the store has, where it stays if the unit is refused."""
        work = Work()
        try:
            grave = self._catalogue.on(queue.host).queue(dead_letter_destination(queue.name), now)
        except LimitExceeded:
            grave = None
        work.operations.append(DeleteMessage(queue.queue_id, entry.place))
        work.steps.append(partial(queue.forget, entry.place.message_id, len(entry.message.body)))
        if grave is not None:
            self._add_letter(queue, entry, grave, _EXPIRED, entry.delivery_count, now, work)
        self._ledger.enact(None, work)

    def _delay_ms(self, queue: Queue, entry: Entry, rejection: Rejection) -> int | None:
        """Return after how long an entry comes again; None if it does not."""
        policy = queue.policy
        if not rejection.requeue and policy.max_deliveries:
            return None
        delay_ms = policy.delay_ms(entry.delivery_count + 1)
        return delay_ms if delay_ms is None or rejection.delay_ms is None else rejection.delay_ms

    def _postpone(self, queue: Queue, entry: Entry, now: float, delay_ms: int, work: Work | None) -> None:
        due_ms = self._catalogue.deadlines.date(int(now * 1000) + delay_ms, now)
        queue.later.postpone(entry, due_ms, work)

    def _bury(self, queue: Queue, entry: Entry, now: float, work: Work | None, rejection: Rejection) -> None:
        """Move an entry to the dead-letter queue in one unit; that of a topic's subscription is dropped."""
        own = Work() if work is None else work
        if queue.is_durable:
            try:
                grave = self._catalogue.on(queue.host).queue(dead_letter_destination(queue.name), now)
            except LimitExceeded:  # it stays where it is, and is tried again
                self._postpone(queue, entry, now, queue.policy.delay_limit_ms, work)
                return
            reason = _MAX_DELIVERIES if rejection.requeue else _REJECTED
            self._move(queue, entry, grave, reason, entry.delivery_count + 1, now, own)
        else:
            queue.settle_in(own, entry)
        if work is None:
            self._ledger.enact(None, own)


def _restore_in(queue: Queue, entry: Entry, work: Work) -> None:
    """Return an entry to its old place when a unit was applied, its count being part of the unit."""
    if entry.is_stored:
        count = entry.delivery_count + 1
        work.operations.append(ReturnMessage(queue.queue_id, entry.place, count, entry.due_ms))
    step = partial(queue.put_back, entry)
    work.steps.append(step)
    work.undo.append(step)


@lru_cache(maxsize=16)
def _policy(limits: Limits, *, is_final: bool) -> Policy:
    max_deliveries = 0 if is_final else limits.max_deliveries
    return Policy(max_deliveries, limits.redelivery_delay_ms, limits.redelivery_delay_limit_ms)


def _dead_letter(
    queue: Queue, entry: Entry, destination: str, reason: str, delivery_count: int, now_ms: int
) -> Message:
    """Return what is put into a dead-letter queue. It never expires: somebody has to look at it."""
    message = entry.message
    origin = queue.name if queue.name.startswith(_QUEUE_PATH) else message.destination
    headers = {
        **message.headers,
        "original-destination": origin,
        "dlq-reason": reason,
        "dlq-delivery-count": str(delivery_count),
        "dlq-time": str(now_ms),
        "dlq-message-id": str(message.message_id),
    }
    return Message(destination, headers, message.body, priority=message.priority, is_persistent=message.is_persistent)
