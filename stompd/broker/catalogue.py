"""The destinations there are: queues, created by use and found again after a restart, and topics with subscribers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, final

from stompd.broker.deadlines import Deadlines
from stompd.broker.destination import (
    ANY_WORD,
    ANY_WORDS,
    Destination,
    Kind,
    parse_destination,
    read_group,
    read_stored_name,
)
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message, QueueId
from stompd.broker.policy import Policies
from stompd.broker.queue import Queue
from stompd.broker.quota import bound
from stompd.broker.redelivery import is_dead_letter_queue
from stompd.broker.spread import Spread
from stompd.broker.subscription import Subscription
from stompd.broker.topic import Binding, Topics
from stompd.broker.units import LOG_PREFIX, RETAINED_NAME, SCHEDULE_NAME, Recovered
from stompd.broker.wildcard import Patterns
from stompd.errors import InvalidDestination, LimitExceeded, Undeliverable

V = TypeVar("V")

#: What the path of a queue begins with.
_QUEUE_PATH = "/queue/"


@final
class Catalogue:
    """Finds or creates what a destination names, on one virtual host.

    The catalogues of all hosts have in common what knows queues by themselves and not by their names.
    """

    __slots__ = (
        "_by_id",
        "_host_limits",
        "_hosts",
        "_ids",
        "_ledger",
        "_limits",
        "_queues",
        "_temporary",
        "_topics",
        "_watchers",
        "deadlines",
        "host",
        "overflowing",
        "overfull",
        "policies",
        "woken",
    )

    def __init__(
        self,
        limits: Limits,
        ledger: Ledger,
        ids: IdSource,
        policies: Policies,
        *,
        host_limits: Mapping[str, Limits] | None = None,
    ) -> None:
        """Begin with the default host, which is empty; other hosts have limits of their own."""
        #: The name of the virtual host; empty for the default one.
        self.host = ""
        self._hosts = {"": self}
        self._host_limits: Mapping[str, Limits] = host_limits or {}
        self._limits = limits
        self._ledger = ledger
        self._ids = ids
        self._queues: dict[str, Queue] = {}  # durable ones, by the destination's name
        self._by_id: dict[QueueId, Queue] = {}
        self._topics = Topics()
        self._watchers: Patterns[dict[Spread, None]] = Patterns()  # the subscriptions of queues with wildcards
        self._temporary: dict[str, Queue] = {}  # temporary queues, by the path that everybody knows
        #: When something is due in which queue.
        self.deadlines = Deadlines()
        #: What holds for some destinations.
        self.policies = policies
        #: Queues whose head must go because they have too much.
        self.overfull: list[Queue] = []
        #: Queues that asked to be dispatched, in order.
        self.woken: list[Queue] = []
        #: Queues whose consumers must go: they hold too much in memory, the store refused them, or a subscription takes
        #: from too many others.
        self.overflowing: list[Queue] = []

    @property
    def limits(self) -> Limits:
        """The limits of this host."""
        return self._limits

    def on(self, host: str) -> Catalogue:
        """Return the catalogue of a virtual host."""
        found = self._hosts.get(host)
        if found is None:
            found = Catalogue(self._host_limits.get(host, self._limits), self._ledger, self._ids, self.policies)
            found.host, found._hosts, found._host_limits = host, self._hosts, self._host_limits
            found._by_id, found.deadlines = self._by_id, self.deadlines
            found.woken, found.overflowing, found.overfull = self.woken, self.overflowing, self.overfull
            self._hosts[host] = found
        return found

    def recover(self, recovered: Recovered) -> None:
        """Take over the queues of destinations that the store holds, on all hosts."""
        others = {subscription.queue_id for subscription in recovered.subscriptions}
        for found in recovered.queues:
            host, path = read_stored_name(found.name)
            if found.queue_id in others or path.startswith((RETAINED_NAME, LOG_PREFIX, SCHEDULE_NAME)):
                continue
            queue = self.on(host)._add(
                parse_destination(path), found.queue_id, recovered_count=found.message_count, is_stored=True
            )
            if found.next_due_ms:
                queue.later.expect(found.next_due_ms)

    def depth(self, destination: Destination) -> int:
        """Return how many messages a queue has accepted that are not settled; 0 for everything else."""
        queue = self._queues.get(destination.name) if destination.kind is Kind.QUEUE else None
        return queue.depth if queue else 0

    def has_queue(self, destination: Destination) -> bool:
        """Whether a destination is a queue that is there."""
        return destination.kind is Kind.QUEUE and destination.name in self._queues

    def by_id(self, queue_id: QueueId) -> Queue | None:
        """Return the queue with an id, unless it has been removed."""
        return self._by_id.get(queue_id)

    @property
    def has_queues(self) -> bool:
        """Whether there are queues that destinations name, on any host."""
        return any(catalogue._queues for catalogue in self._hosts.values())

    def queues(self) -> list[Queue]:
        """Return the queues that destinations name, on all hosts."""
        return [queue for catalogue in self._hosts.values() for queue in catalogue._queues.values()]

    def postponed(self) -> list[Queue]:
        """Return the queues of this host in which something may be due later."""
        return [queue for queue in self._by_id.values() if queue.has_later and queue.host == self.host]

    def remove(self, queue: Queue) -> None:
        """Forget a queue of any host that nobody uses; its row is the caller's business."""
        queue.close()
        del self.on(queue.host)._queues[queue.name.removeprefix(_QUEUE_PATH)], self._by_id[queue.queue_id]

    def targets(self, destination: Destination) -> list[Queue]:
        """Return the queues there are that a message to the destination goes to."""
        found: list[Queue] = []
        for place in destination.places:
            if place.kind is Kind.QUEUE and place.name in self._queues:
                found.append(self._queues[place.name])
            for topic in self._topics.matching(place) if place.is_topic else ():
                found += topic.queues
        return found

    def check(self, destination: Destination, now: float) -> None:
        """Make sure that the queues of the destination are there, so that a message can be accepted later.

        Raises:
            LimitExceeded: It would need one more queue than allowed.
        """
        if destination.kind is Kind.QUEUE:
            self.queue(destination, now)
        else:
            for part in destination.parts:
                self.check(part, now)

    def require(self, destination: Destination) -> None:
        """Make sure that somebody would get a message, or a queue keep it that is there already.

        Raises:
            Undeliverable: Nobody would, at one of the places.
        """
        for place in destination.places:
            if place.is_topic:
                is_wanted = self._topics.find(place) is not None
            elif place.kind is Kind.QUEUE:
                is_wanted = place.name in self._queues or bool(_match(self._watchers, place))
            else:
                is_wanted = place.path in self._temporary
            if not is_wanted:
                reason = "has no subscriptions" if place.is_topic else "does not exist"
                raise Undeliverable(f"{place.path} {reason}, and the message is mandatory. Nothing was sent.")

    def accept(self, destination: Destination, message: Message, now: float, work: Work) -> bool:
        """Add to the work what puts a new message where `check` has allowed; return whether it was not dropped."""
        if destination.kind is Kind.QUEUE:
            queue = self._queues.get(destination.name) or self._add(destination, QueueId(self._ids.next(now)))
            return queue.accept(message, now, work)
        target = self._topics.find(destination) or self._temporary.get(destination.path)
        return target is None or target.accept(message, now, work)

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

    def source(self, destination: Destination, now: float) -> Queue:
        """Return what a new subscription takes from: the queue that is meant, or a new one for a topic's messages.

        Raises:
            LimitExceeded: There are as many queues as allowed.
        """
        if destination.is_plain and destination.kind is Kind.QUEUE:
            return self.queue(destination, now)
        if destination.kind is Kind.REPLY_QUEUE:
            return self._temporary[destination.path]
        for part in destination.parts:
            if part.is_plain:
                self.check(part, now)
        return self._memory_queue(destination, QueueId(self._ids.next(now)))

    def shown_queue(self, destination: Destination, now: float) -> Queue:
        """Return the own queue of a subscription that only looks at another one."""
        return self._memory_queue(destination, QueueId(self._ids.next(now)))

    def add_temporary(self, destination: Destination, queue_id: QueueId) -> Queue:
        """Create a temporary queue."""
        queue = self._temporary[destination.path] = self._memory_queue(destination, queue_id)
        return queue

    def remove_temporary(self, destination: Destination) -> None:
        """Forget a temporary queue that nobody subscribes to, with everything in it."""
        self._temporary.pop(destination.path).close()

    def durable_queue(self, queue_id: QueueId, name: str, *, recovered_count: int = 0) -> Queue:
        """Return the queue of a durable subscription, which no destination names; the caller puts it into the store."""
        queue = self._make(queue_id, name, recovered_count)
        queue.is_stored = True
        return queue

    def is_lagging(self, destination: Destination) -> bool:
        """Whether one of a topic's subscriptions is half as far behind as it may be."""
        if destination.kind is Kind.QUEUE:
            return False
        return any(topic.is_lagging for place in destination.places for topic in self._topics.matching(place))

    def route(self, destination: Destination, queue: Queue, binding: Binding | None) -> None:
        """Let the messages of topics go to a queue: those that the binding takes, or all."""
        for place in destination.places:
            if place.is_topic:
                self._topics.get(place).queues[queue] = binding

    def unroute(self, destination: Destination, queue: Queue) -> None:
        """Undo `route`, for good: nothing is kept in the queue any more."""
        queue.close()
        self._by_id.pop(queue.queue_id, None)
        for place in destination.places:
            if place.is_topic:
                self._topics.leave(place, queue)

    def bind(self, destination: Destination, queue: Queue, binding: Binding | None = None) -> None:
        """Count a subscription of a queue; when it is one for a topic, let the topic's messages go there."""
        queue.subscriptions += 1
        self.route(destination, queue, binding)

    def spread(self, subscription: Subscription, now: float) -> None:
        """Let a subscription take from all queues that its destination means, now and later."""
        spread = subscription.spread = Spread(subscription)
        spread.add(subscription.queue, subscription.destination)
        for place in subscription.destination.places:
            if place.words and not place.is_topic:
                watchers = self._watchers.get(place.words)
                if watchers is None:
                    watchers = {}
                    self._watchers.put(place.words, watchers)
                watchers[spread] = None
                for found in self._matching(place):
                    self._join(spread, found, self._queues[found.name])
                    if subscription.queue.has_overflowed:
                        break
            elif not place.is_topic:
                self._join(spread, place, self.source(place, now))

    def gather(self, subscription: Subscription, spread: Spread) -> None:
        """Undo `spread`."""
        for place in subscription.destination.places:
            if place.words and not place.is_topic:
                watchers = self._watchers.get(place.words)
                assert watchers is not None, "its subscription is there"
                del watchers[spread]
                if not watchers:
                    self._watchers.remove(place.words)
        subscription.session.spread_count -= len(spread.queues) - 1
        for queue, destination in spread.queues.items():
            if queue is not subscription.queue:
                self.release(destination, queue)

    def release(self, destination: Destination, queue: Queue) -> None:
        """Undo `bind`, and forget what only a subscription that has ended needed."""
        queue.subscriptions -= 1
        if destination.is_topic or destination.is_spread:
            self.unroute(destination, queue)
        elif queue.is_durable:
            self.tidy(destination, queue)

    def tidy(self, destination: Destination, queue: Queue) -> None:
        """Forget a queue that keeps nothing and that nobody uses."""
        if not (queue.subscriptions or queue.depth or queue.is_stored or queue.browsers):
            del self._queues[destination.name], self._by_id[queue.queue_id]

    def _matching(self, pattern: Destination) -> list[Destination]:
        """Return the queues there are that match."""
        patterns: Patterns[bool] = Patterns()
        patterns.put(pattern.words, True)
        # There may be very many, and most differ in the first words.
        prefix = pattern.name[: min(pattern.name.find(word) for word in (ANY_WORD, ANY_WORDS) if word in pattern.words)]
        names = [name for name in self._queues if f"{name}.".startswith(prefix)]
        found = [Destination(Kind.QUEUE, name, self._queues[name].name) for name in names]
        return [queue for queue in found if _match(patterns, queue)]

    def _join(self, spread: Spread, destination: Destination, queue: Queue) -> None:
        session = spread.subscription.session
        if queue in spread.queues:
            return
        if session.spread_count >= self._limits.spread_queues:
            spread.subscription.queue.has_overflowed = True
            self.overflowing.append(spread.subscription.queue)
            return
        session.spread_count += 1
        queue.subscriptions += 1
        spread.add(queue, destination)

    def _memory_queue(self, destination: Destination, queue_id: QueueId) -> Queue:
        return Queue(
            queue_id,
            destination.path,
            self._limits,
            self._ledger,
            self._ids,
            self.woken,
            self.deadlines,
            overflowing=self.overflowing,
            host=self.host,
        )

    def _add(
        self, destination: Destination, queue_id: QueueId, *, recovered_count: int = 0, is_stored: bool = False
    ) -> Queue:
        queue = self._make(queue_id, destination.path, recovered_count)
        queue.is_stored = is_stored
        self._queues[destination.name] = queue
        if self._watchers.count:
            for watchers in _match(self._watchers, destination):
                for spread in watchers:
                    self._join(spread, destination, queue)
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
            host=self.host,
        )
        self._by_id[queue_id] = queue
        bound(self, queue, self._ledger)
        return queue


def _match(patterns: Patterns[V], queue: Destination) -> list[V]:
    """Return the values of the patterns that match a queue: who takes from all queues does not mean dead letters."""
    return patterns.match(queue.name, is_hidden=is_dead_letter_queue(queue.path))
