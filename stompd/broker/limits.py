"""The bounds within which the core keeps one peer from costing the others memory or progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """What one session, one subscription and one queue may take.

    Every bound that a peer can reach is answered with an ERROR that names the setting of the same name.
    """

    #: Queues of the broker; they are created by use, and kept while they hold messages.
    queues: int = 100_000
    #: Durable subscriptions of the broker; they are kept until they are deleted.
    durable_subscriptions: int = 10_000
    #: Seconds after which an empty queue that nobody uses is removed: longer than consumers take to come back.
    idle_queue_seconds: int = 600
    #: Seconds that a sender rests at most because its queue is full: so long that it seldom matters, and not for ever,
    #: because it may be the one that makes room.
    block_seconds: int = 30
    #: Messages with a `dedup-id` that are remembered of one destination, so that duplicates are found.
    dedup_count: int = 20_000
    #: The same of all destinations together, which are in memory.
    dedup_total: int = 200_000
    #: Seconds for which they are remembered: a day, longer than senders try again.
    dedup_seconds: int = 86_400
    #: Topics that have a retained message.
    retained: int = 10_000
    #: Bytes of bodies of retained messages, which are in memory.
    retained_bytes: int = 64 * 1024 * 1024
    #: Different keys of last values in one queue, which are in memory.
    last_value_keys: int = 100_000
    #: Subscriptions of one session.
    subscriptions: int = 1_000
    #: Queues that the subscriptions of one session take from by wildcards and lists: each makes its SUBSCRIBE longer.
    spread_queues: int = 10_000
    #: Temporary queues and topics of one session.
    temporary_destinations: int = 1_000
    #: Open transactions of one session.
    transactions: int = 100
    #: Messages that one transaction sends or settles.
    transaction_operations: int = 10_000
    #: Bytes of headers and bodies that one transaction sends, and of bodies that it settles.
    transaction_bytes: int = 64 * 1024 * 1024
    #: Deliveries a queue subscription may have outstanding when it does not ask: small enough to share work fairly.
    queue_prefetch: int = 100
    #: The same for a topic subscription, which shares with nobody.
    topic_prefetch: int = 1_000
    #: The same for a subscription that several may share, so that each message is left to whoever is free.
    shared_prefetch: int = 1
    #: The most that `prefetch-count` is granted; 0 asks for this.
    highest_prefetch: int = 10_000
    #: With so many bytes of bodies outstanding, a subscription is given nothing more; one that acknowledges nothing is
    #: given at most 1 MiB that the transport has not taken.
    outstanding_bytes: int = 8 * 1024 * 1024
    #: Deliveries of one message; then it goes to the dead-letter queue of its queue.
    max_deliveries: int = 10
    #: Milliseconds until a message that came back for the second time is delivered again; the first time it is at once,
    #: and from the third time on the delay doubles.
    redelivery_delay_ms: int = 1_000
    #: The longest such delay in milliseconds.
    redelivery_delay_limit_ms: int = 300_000
    #: Deliveries that all subscriptions of one session may have outstanding together, as they were granted: as many as
    #: subscriptions get that do not ask.
    session_prefetch: int = 1_000_000
    #: Bytes of bodies that they may have outstanding together. Each further subscription gets at most an eighth of what
    #: is left of it, and at least 64 KiB.
    session_outstanding_bytes: int = 128 * 1024 * 1024
    #: Message groups of one queue that are bound to a subscription. Beyond that, further groups are put together
    #: into 1,024 sets, each of which is bound like a group until its subscription ends.
    message_groups: int = 10_000
    #: Entries of one queue kept in memory, a page of 1,000 where nobody reads; the others wait in the store.
    window_count: int = 10_000
    #: Bytes of one queue kept in memory; one entry is always allowed.
    window_bytes: int = 16 * 1024 * 1024
    #: Messages that wait for one topic subscription beyond its credit; a subscription that falls further behind is
    #: ended, so that it costs the others nothing. One that must get everything is a queue.
    topic_backlog: int = 10_000
    #: Bytes of bodies that wait so; one message is always allowed.
    topic_backlog_bytes: int = 8 * 1024 * 1024
