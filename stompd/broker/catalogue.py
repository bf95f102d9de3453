"""The destinations there are: queues, created by use and found again after a restart, and topics with subscribers."""

from __future__ import annotations

from typing import final

from stompd.broker.account import Account
from stompd.broker.deadlines import Deadlines
from stompd.broker.destination import Destination, Kind, parse_destination, read_group
from stompd.broker.effects import LoadSize
from stompd.broker.identity import IdSource
from stompd.broker.last_values import LastValues
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message, QueueId
from stompd.broker.policy import Policies, Rule
from stompd.broker.queue import Queue
from stompd.broker.redelivery import is_dead_letter_queue, policy_of
from stompd.broker.topic import Binding, Topic
from stompd.broker.units import LOG_PREFIX, RETAINED_NAME, SCHEDULE_NAME, LastValue, Recovered
from stompd.errors import InvalidDestination, LimitExceeded

#: What the path of a queue begins with.
_QUEUE_PATH = "/queue/"


@final
class Catalogue:
    """Finds or creates what a destination names."""

    __slots__ = (
        "_by_id",
        "_ids",
        "_ledger",
        "_limits",
        "_queues",
        "_topics",
        "deadlines",
        "overflowing",
        "overfull",
        "policies",
        "woken",
    )

    def __init__(self, limits: Limits, ledger: Ledger, ids: IdSource, policies: Policies) -> None:
        self._limits = limits
        self._ledger = ledger
        self._ids = ids
        self._queues: dict[str, Queue] = {}  # durable ones, by the destination's name
        self._by_id: dict[QueueId, Queue] = {}
        self._topics: dict[str, Topic] = {}
        #: When something is due in which queue.
        self.deadlines = Deadlines()
        #: What holds for some destinations.
        self.policies = policies
        #: Queues whose head must go because they have too much.
        self.overfull: list[Queue] = []
        #: Queues that asked to be dispatched, in order.
        self.woken: list[Queue] = []
        #: Queues of topic subscriptions that hold too much, or that the store refused: their consumers must go.
        self.overflowing: list[Queue] = []

    def recover(self, recovered: Recovered) -> None:
        """Take over the queues of destinations that the store holds."""
        others = {subscription.queue_id for subscription in recovered.subscriptions}
        for found in recovered.queues:
            if found.queue_id in others or found.name.startswith((RETAINED_NAME, LOG_PREFIX, SCHEDULE_NAME)):
                continue
            destination = parse_destination(found.name)
            queue = self._add(destination, found.queue_id, recovered_count=found.message_count, is_stored=True)
            if found.next_due_ms:
                queue.later.expect(found.next_due_ms)

    def depth(self, destination: Destination) -> int:
        """Return how many messages a queue has accepted that are not settled; 0 for everything else."""
        queue = self._queues.get(destination.name) if destination.kind is Kind.QUEUE else None
        return queue.depth if queue else 0

    def by_id(self, queue_id: QueueId) -> Queue | None:
        """Return the queue with an id, unless it has been removed."""
        return self._by_id.get(queue_id)

    @property
    def has_queues(self) -> bool:
        """Whether there are queues that destinations name."""
        return bool(self._queues)

    def queues(self) -> list[Queue]:
        """Return the queues that destinations name."""
        return list(self._queues.values())

    def postponed(self) -> list[Queue]:
        """Return the queues in which something may be due later."""
        return [queue for queue in self._by_id.values() if queue.has_later]

    def remove(self, queue: Queue) -> None:
        """Forget a queue that nobody uses; its row is the caller's business."""
        queue.close()
        del self._queues[queue.name.removeprefix(_QUEUE_PATH)], self._by_id[queue.queue_id]

    def recover_last_value(self, found: LastValue) -> None:
        """Take over a message that has a key, unless it is a dead letter."""
        queue = self._by_id.get(found.queue_id)
        if queue is not None and not is_dead_letter_queue(queue.name):
            self._last_values(queue).recover(found)

    def expect_last_value(self, destination: Destination, key: str, now: float) -> None:
        """Make sure that the queues of a destination can take a message with a key.

        Raises:
            LimitExceeded: One of them has as many keys as allowed.
        """
        topic = self._topics.get(destination.name) if destination.kind is Kind.TOPIC else None
        queues = [self.queue(destination, now)] if destination.kind is Kind.QUEUE else topic.queues if topic else ()
        for queue in queues:
            values = self._last_values(queue)
            if len(values) >= self._limits.last_value_keys and key not in values:
                raise LimitExceeded(
                    f"{queue.name} has messages with {len(values)} different values of last-value-key, which is the"
                    " limit (setting limits.last_value_keys)."
                )

    def _last_values(self, queue: Queue) -> LastValues:
        if queue.account is None:
            queue.account = Account(queue, Rule(), self.overfull, queue.depth)
        if queue.account.values is None:
            queue.account.values = LastValues(queue)
        return queue.account.values

    def check(self, destination: Destination, now: float) -> None:
        """Make sure that a message can be accepted for the destination later.

        Raises:
            LimitExceeded: It would need one more queue than allowed.
        """
        if destination.kind is Kind.QUEUE:
            self.queue(destination, now)

    def accept(self, destination: Destination, message: Message, now: float, work: Work) -> None:
        """Add to the work what puts a new message where the destination says, which `check` has allowed."""
        if destination.kind is Kind.QUEUE:
            queue = self._queues.get(destination.name) or self._add(destination, QueueId(self._ids.next(now)))
            queue.accept(message, now, work)
        elif topic := self._topics.get(destination.name):
            topic.accept(message, now, work)

    def queue(self, destination: Destination, now: float) -> Queue:
        """Return the queue of that name, created if need be.

        Raises:
            LimitExceeded: There are as many queues as allowed.
            InvalidDestination: The name is another one for a subscription of a topic.
        """
        queue = self._queues.get(destination.name)
        if queue is None:
            if group := read_group(destination):
                raise InvalidDestination(
                    f"{destination.path} is how ActiveMQ's clients subscribe to {group[1].path}; nothing else can be"
                    f" done with it. Send to {group[1].path}."
                )
            if len(self._queues) >= self._limits.queues:
                raise LimitExceeded(
                    f"This broker has {len(self._queues)} queues, which is the limit (setting limits.queues),"
                    f" so {destination.path} cannot be created."
                )
            queue = self._add(destination, QueueId(self._ids.next(now)))
        return queue

    def subscription_queue(self, destination: Destination, now: float) -> Queue:
        """Return a new queue for one subscription of a topic."""
        return Queue(
            QueueId(self._ids.next(now)),
            destination.path,
            self._limits,
            self._ledger,
            self._ids,
            self.woken,
            self.deadlines,
            overflowing=self.overflowing,
        )

    def is_lagging(self, destination: Destination) -> bool:
        """Whether one of a topic's subscriptions is half as far behind as it may be."""
        topic = self._topics.get(destination.name) if destination.kind is Kind.TOPIC else None
        return topic is not None and topic.is_lagging

    def durable_queue(self, queue_id: QueueId, name: str, *, recovered_count: int = 0) -> Queue:
        """Return the queue of a durable subscription, which no destination names; the caller puts it into the store."""
        queue = self._make(queue_id, name, recovered_count)
        queue.is_stored = True
        return queue

    def route(self, destination: Destination, queue: Queue, binding: Binding | None) -> None:
        """Let a topic's messages go to a queue: those that the binding takes, or all."""
        self._topics.setdefault(destination.name, Topic()).queues[queue] = binding

    def unroute(self, destination: Destination, queue: Queue) -> None:
        """Undo `route`, for good: nothing is kept in the queue any more."""
        queue.close()
        self._by_id.pop(queue.queue_id, None)
        topic = self._topics.get(destination.name)
        if topic is not None and queue in topic.queues:  # who replays the past is not there yet
            del topic.queues[queue]
            if not topic.queues:
                del self._topics[destination.name]

    def check_consumers(self, destination: Destination) -> None:
        """Make sure that a destination may have one subscription more.

        Raises:
            LimitExceeded: It has as many as its rule allows.
        """
        rule = self.policies.find(destination.path)
        if rule is None or not rule.consumers:
            return
        queue = self._queues.get(destination.name)
        if destination.kind is Kind.QUEUE:
            count = queue.subscriptions if queue else 0
        else:
            topic = self._topics.get(destination.name)
            count = sum(found.subscriptions for found in topic.queues) if topic else 0
        if count >= rule.consumers:
            raise LimitExceeded(
                f"{destination.path} has {count} subscriptions, which is the limit (key consumers of [[destination]]"
                f" {rule.pattern})."
            )

    def bind(self, destination: Destination, queue: Queue, binding: Binding | None = None) -> None:
        """Count a subscription of a queue; when it is one for a topic, let the topic's messages go there."""
        queue.subscriptions += 1
        if not queue.is_durable:
            self.route(destination, queue, binding)

    def release(self, destination: Destination, queue: Queue) -> None:
        """Undo `bind`, and forget what only a subscription that has ended needed."""
        queue.subscriptions -= 1
        if queue.is_durable:
            if not (queue.subscriptions or queue.depth or queue.is_stored):
                del self._queues[destination.name], self._by_id[queue.queue_id]
            return
        self.unroute(destination, queue)

    def _add(
        self, destination: Destination, queue_id: QueueId, *, recovered_count: int = 0, is_stored: bool = False
    ) -> Queue:
        queue = self._make(queue_id, destination.path, recovered_count)
        queue.is_stored = is_stored
        self._queues[destination.name] = queue
        return queue

    def _make(self, queue_id: QueueId, name: str, recovered_count: int) -> Queue:
        queue = Queue(
            queue_id,
            name,
            self._limits,
            self._ledger,
            self._ids,
            self.woken,
            self.deadlines,
            recovered_count=recovered_count,
        )
        self._by_id[queue_id] = queue
        rule = self.policies.find(name)
        if rule is not None:
            queue.policy = policy_of(self._limits, name, rule)
            if rule.is_bounded:
                queue.account = Account(queue, rule, self.overfull, recovered_count)
                if recovered_count and rule.max_bytes:
                    self._ledger.load(LoadSize(queue_id))
        return queue
