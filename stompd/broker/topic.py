"""The topic: it routes, and stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from stompd.broker.destination import Destination, Kind
from stompd.broker.ledger import Work
from stompd.broker.matching import is_selected
from stompd.broker.message import Message
from stompd.broker.queue import Queue
from stompd.broker.wildcard import Patterns
from stompd.selector.evaluate import Selector

if TYPE_CHECKING:
    from stompd.broker.session import Session


@final
class Binding:
    """Which of a topic's messages a subscription gets."""

    __slots__ = ("_client_id", "_selector", "_session")

    def __init__(self, selector: Selector | None, *, session: Session | None = None, client_id: str = "") -> None:
        """Choose messages.

        Args:
            selector: What they must match, if anything.
            session: Whose messages it does not get, if anybody's.
            client_id: The same for all sessions with a client id, if not empty.
        """
        self._selector = selector
        self._session = session
        self._client_id = client_id

    def takes(self, message: Message, sender: Session | None) -> bool:
        """Whether the subscription gets a message."""
        if sender is not None and (
            sender is self._session or (self._client_id and sender.client_id == self._client_id)
        ):
            # JMS 3.1, 8.3.1 and 8.3.3: what the same connection, or one with the same client id, sends is not added.
            return False
        return self._selector is None or is_selected(self._selector, message)


@final
class Topic:
    """Gives every message to the queue of each of its subscriptions."""

    __slots__ = ("_joined", "is_lagging", "queues")

    def __init__(self, joined: Sequence[Topic] = ()) -> None:
        """Begin without subscriptions, or with those of several topics."""
        #: Whether one of the subscriptions was half as far behind as it may be when the last message came.
        self.is_lagging = False
        #: In the order of subscribing, with what each gets, or None for everything; the rest never enters the queue.
        self.queues: dict[Queue, Binding | None] = {}
        for topic in joined:
            self.queues.update(topic.queues)
        self._joined = joined

    def accept(self, message: Message, now: float, work: Work) -> bool:
        """Add to the work what gives a new message to everyone who subscribes now.

        Return whether it was taken: not if somebody dropped it and nobody took it.
        """
        self.is_lagging = is_taken = is_dropped = False
        for queue, binding in self.queues.items():
            if binding is None or binding.takes(message, work.session):
                if queue.accept(message, now, work):
                    is_taken = True
                else:
                    is_dropped = True
                if queue.window.is_half_full and not queue.is_durable:  # what is durable waits in the store
                    self.is_lagging = True
        for topic in self._joined:
            topic.is_lagging = self.is_lagging
        return is_taken or not is_dropped


@final
class Topics:
    """The topics of a virtual host that somebody subscribes to."""

    __slots__ = ("_by_path", "_patterns")

    def __init__(self) -> None:
        self._by_path: dict[str, Topic] = {}
        self._patterns: Patterns[Topic] = Patterns()  # the subscriptions with wildcards

    def __len__(self) -> int:
        return len(self._by_path) + self._patterns.count

    def get(self, destination: Destination) -> Topic:
        """Return the topic, or what stands for all topics that match, created if need be."""
        if not destination.words:
            return self._by_path.setdefault(destination.path, Topic())
        topic = self._patterns.get(destination.words)
        if topic is None:
            topic = Topic()
            self._patterns.put(destination.words, topic)
        return topic

    def leave(self, destination: Destination, queue: Queue) -> None:
        """Give nothing more to a queue, and forget the topic if nobody else subscribes."""
        topic = self.get(destination)
        topic.queues.pop(queue, None)  # who replays the past is not there yet
        if topic.queues:
            return
        if destination.words:
            self._patterns.remove(destination.words)
        else:
            del self._by_path[destination.path]

    def find(self, destination: Destination) -> Topic | None:
        """Return what a message to a topic goes to: its subscriptions, and those with wildcards that match."""
        if not self._patterns.count:
            return self._by_path.get(destination.path)
        topics = self.matching(destination)
        if len(topics) < 2:
            return topics[0] if topics else None
        # A subscription of a list may be found more than once, and gets the message once.
        return Topic(topics)

    def matching(self, destination: Destination) -> list[Topic]:
        """Return a topic, if anybody subscribes to it, and what stands for those with wildcards that match."""
        topics = self._patterns.match(destination.name) if destination.kind is Kind.TOPIC else []
        topic = self._by_path.get(destination.path)
        return topics if topic is None else [topic, *topics]
