"""Replay: a subscription that begins in the past, and goes on with what is sent, without a gap and without doubles."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from stompd.broker.destination import Destination, Kind, read_stored_name, stored_name
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.log import Log
from stompd.broker.message import Message, Place, QueueId
from stompd.broker.policy import Policies
from stompd.broker.requests import Origin
from stompd.broker.topic import Binding
from stompd.broker.units import LOG_PREFIX, DeleteQueue, ExpiredRow, Page, Recovered
from stompd.errors import InvalidHeader, LimitExceeded

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.queue import Queue

#: Within the time for which messages are kept, it is looked so often which of them are too old.
_LOOKS = 10


@final
class Replay:
    """Reads a log for the queue of one subscription, a page at a time, and then lets the topic's messages go there.

    When the last page is there, what it lacks is just what the log has under way: it arrives in the queue with its
    unit, and everything decided later is routed there.
    """

    __slots__ = (
        "_binding",
        "_catalogue",
        "_limits",
        "_skip",
        "_topic",
        "after_id",
        "is_over",
        "is_reading",
        "log",
        "queue",
    )

    def __init__(
        self, limits: Limits, catalogue: Catalogue, log: Log, topic: Destination, queue: Queue, binding: Binding | None
    ) -> None:
        self._limits = limits
        self._catalogue = catalogue
        self.log = log
        self._topic = topic
        self._binding = binding
        self._skip = 0
        #: Everything up to here has been read.
        self.after_id = 0
        self.is_reading = False
        #: Whether the queue is one of the topic's now, or has ended.
        self.is_over = False
        self.queue = queue

    def begin(self, origin: Origin) -> None:
        """Say where to begin."""
        self.after_id = max(0, origin.message_id - 1)
        self._skip = max(0, self.log.count - origin.newest) if origin.newest else 0

    def pull(self) -> None:
        """Read on, if the subscription has taken what was read so far."""
        if self.queue.has_ended:
            self.is_over = True
        elif not (self.is_over or self.is_reading or len(self.queue.window)):
            self.is_reading = True
            limits = self._limits
            size_bytes = min(limits.window_bytes, max(1, limits.topic_backlog_bytes // 2))
            self.log.read(self, self.after_id, self.queue.window.page_count, size_bytes)

    def admit(self, messages: list[Message], now: float, *, is_last: bool) -> None:
        """Take in a page; with the last one, hand over to the topic."""
        self.is_reading = False
        if self.queue.has_ended:
            return
        work = Work()
        for message in messages:
            self.after_id = message.message_id
            if self._skip:
                self._skip -= 1
            elif self._binding is None or self._binding.takes(message, None):
                self.queue.accept(message, now, work)
        for step in work.steps:
            step()
        if not is_last:
            return
        for message, own in self.log.under_way.values():
            if self._binding is None or self._binding.takes(message, own.session):
                self.queue.accept(message, now, own)
        self._catalogue.route(self._topic, self.queue, self._binding)
        self.is_over = True


@final
class Logs:
    """The logs of the topics that have one, and who replays them."""

    __slots__ = (
        "_by_id",
        "_ids",
        "_interval_ms",
        "_ledger",
        "_limits",
        "_logs",
        "_policies",
        "is_kept",
        "next_ms",
        "replays",
    )

    def __init__(self, limits: Limits, ledger: Ledger, policies: Policies, ids: IdSource) -> None:
        self._limits = limits
        self._ledger = ledger
        self._policies = policies
        self._ids = ids
        self._logs: dict[str, Log] = {}  # by the topic's path, on a virtual host behind its name
        self._by_id: dict[QueueId, Log] = {}
        #: Whether any topic keeps messages.
        self.is_kept = policies.retains
        seconds = policies.retention_seconds
        self._interval_ms = max(1, 1000 * min(seconds) // _LOOKS) if seconds else 0
        #: When to look for what is too old; 0 for never.
        self.next_ms = 0
        #: Those that have not come up to the present.
        self.replays: list[Replay] = []

    def recover(self, recovered: Recovered) -> None:
        """Take over the logs that the store holds, and drop those of topics that keep nothing any more."""
        for found in recovered.queues:
            host, path = read_stored_name(found.name)
            if path.startswith(LOG_PREFIX):
                path = path.removeprefix(LOG_PREFIX)
                rule = self._policies.find(path)
                if rule is None or not rule.retains:
                    self._ledger.ride(DeleteQueue(found.queue_id))
                    continue
                log = Log(found.name, found.queue_id, rule, self._ledger, count=found.message_count, is_stored=True)
                self._logs[stored_name(host, path)] = self._by_id[found.queue_id] = log

    def check(self, host: str, topic: Destination) -> None:
        """Make sure that a message of a topic can be kept.

        Raises:
            LimitExceeded: It would need one more log than there may be queues.
        """
        rule = self._policies.find(topic.path)
        if (
            rule is not None
            and rule.retains
            and stored_name(host, topic.path) not in self._logs
            and len(self._logs) >= self._limits.queues
        ):
            raise LimitExceeded(
                f"{len(self._logs)} topics keep their messages, which is the limit (setting limits.queues), so that"
                f" {topic.path} cannot."
            )

    def accept(self, host: str, topic: Destination, message: Message, now: float, work: Work) -> bool:
        """Keep a new message of a topic, if the topic keeps any; return whether it does."""
        log = self._find(host, topic, now)
        if log is not None:
            log.accept(message, now, work)
            if self._interval_ms and not self.next_ms:
                self.next_ms = int(now * 1000) + self._interval_ms
        return log is not None

    def replay(
        self,
        catalogue: Catalogue,
        topic: Destination,
        queue: Queue,
        binding: Binding | None,
        origin: Origin,
        now: float,
    ) -> Replay:
        """Let a subscription's queue have the past of a topic, and then its presence.

        Raises:
            InvalidHeader: The topic keeps nothing.
        """
        log = None
        if topic.kind is Kind.TOPIC and not topic.words:
            log = self._find(catalogue.host, topic, now)
        if log is None:
            raise InvalidHeader(
                f"{origin.header} on SUBSCRIBE asks for messages from before it, and {topic.path} keeps none. Leave the"
                " header out, or have the operator set retention_messages, retention_bytes or retention_seconds for it."
            )
        replay = Replay(self._limits, catalogue, log, topic, queue, binding)
        replay.begin(origin)
        return replay

    def begin(self, replay: Replay) -> None:
        """Count a subscription of its queue, and let it read."""
        replay.queue.subscriptions += 1
        self.replays.append(replay)

    def admit(self, queue_id: QueueId, after: Place, page: Page, now: float) -> None:
        """Continue with a page of a log."""
        log = self._by_id.get(queue_id)
        if log is not None:
            log.admit(after, page, now)
            if log.is_unused and log.is_stored and not self._is_read(log):
                del self._by_id[queue_id]
                self._logs = {name: other for name, other in self._logs.items() if other is not log}
                self._ledger.ride(DeleteQueue(queue_id))

    def size_loaded(self, queue_id: QueueId, size_bytes: int) -> None:
        """Take over the size of what the store held at the beginning."""
        log = self._by_id.get(queue_id)
        if log is not None:
            log.size_bytes += size_bytes

    def expire(self, row: ExpiredRow, work: Work) -> bool:
        """Remove a message that has expired, if it is in a log; return whether it is."""
        log = self._by_id.get(row.key.queue_id)
        if log is not None:
            log.forget(row.key.message_id, row.body_bytes, work)
        return log is not None

    def pull(self) -> None:
        """Let those read on who have taken what they had."""
        for replay in self.replays:
            replay.pull()
        self.replays = [replay for replay in self.replays if not replay.is_over]

    def tick(self, now_ms: int) -> None:
        """Begin to remove what is too old, if it is time to look."""
        if not 0 < self.next_ms <= now_ms:
            return
        self.next_ms = now_ms + self._interval_ms if self._logs else 0
        for log in self._logs.values():
            log.prune(now_ms / 1000)

    def _find(self, host: str, topic: Destination, now: float) -> Log | None:
        """Return the log of a topic, made if need be; None if it keeps nothing."""
        name = stored_name(host, topic.path)
        log = self._logs.get(name)
        if log is None:
            rule = self._policies.find(topic.path)
            if rule is None or not rule.retains:
                return None
            log = Log(stored_name(host, LOG_PREFIX + topic.path), QueueId(self._ids.next(now)), rule, self._ledger)
            self._logs[name] = self._by_id[log.queue_id] = log
        return log

    def _is_read(self, log: Log) -> bool:
        return any(replay.log is log for replay in self.replays)
