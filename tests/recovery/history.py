"""What clients know about their messages, and what a broker must make of it after a crash.

Clients note what they did as they do it: an operation is `MAYBE` once its frame may have left, and `YES` once its
RECEIPT came. `violations` compares that with what a restarted broker still has.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, final


class Certainty(Enum):
    """What a client knows about an operation of its own."""

    #: It did not happen: it was never asked for, or was aborted.
    NO = "no"
    #: It was asked for, and no RECEIPT came.
    MAYBE = "maybe"
    #: Its RECEIPT came.
    YES = "yes"


@final
@dataclass(eq=False)
class Transaction:
    """A transaction of one client; nothing of it happens without a COMMIT."""

    name: str
    outcome: Certainty = Certainty.NO
    sends: list[Message] = field(default_factory=list)
    settles: list[Message] = field(default_factory=list)


@final
@dataclass(eq=False)
class Message:
    """One message, from its SEND to its acknowledgement."""

    key: str
    queue: str
    producer: str
    #: Where it stands among the producer's messages.
    order: int
    own_sent: Certainty = Certainty.NO
    own_settled: Certainty = Certainty.NO
    sent_in: Transaction | None = None
    settled_in: Transaction | None = None
    #: Nobody may see it before, in epoch seconds.
    due: float = 0.0
    #: The message-id under which it was delivered before the crash; None when it was not.
    delivered_as: str | None = None

    @property
    def sent(self) -> Certainty:
        """Whether the broker has it."""
        return self.sent_in.outcome if self.sent_in else self.own_sent

    @property
    def settled(self) -> Certainty:
        """Whether it was acknowledged."""
        return self.settled_in.outcome if self.settled_in else self.own_settled


class Drained(NamedTuple):
    """A message that the restarted broker delivered."""

    key: str
    message_id: str
    is_redelivered: bool
    #: When it came, in epoch seconds.
    came: float = math.inf


@final
class History:
    """Everything that all clients of one round did and saw. Thread-safe."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.transactions: list[Transaction] = []
        #: What no broker may do even before it crashes.
        self.faults: list[str] = []
        self._lock = threading.Lock()

    def begin(self, name: str) -> Transaction:
        """Note a transaction that is about to begin."""
        with self._lock:
            transaction = Transaction(name)
            self.transactions.append(transaction)
            return transaction

    def send(self, message: Message, transaction: Transaction | None = None) -> None:
        """Note a SEND that is about to leave."""
        with self._lock:
            self.messages[message.key] = message
            if transaction is None:
                message.own_sent = Certainty.MAYBE
            else:
                message.sent_in = transaction
                transaction.sends.append(message)

    def settle(self, messages: Sequence[Message], transaction: Transaction | None = None) -> None:
        """Note an ACK that is about to leave."""
        with self._lock:
            for message in messages:
                if transaction is None:
                    message.own_settled = Certainty.MAYBE
                else:
                    message.settled_in = transaction
                    transaction.settles.append(message)

    def commit(self, transaction: Transaction) -> None:
        """Note a COMMIT that is about to leave."""
        with self._lock:
            transaction.outcome = Certainty.MAYBE

    def abort(self, transaction: Transaction) -> None:
        """Note an ABORT: its messages are as they were."""
        with self._lock:
            for message in transaction.settles:
                message.settled_in = None
            transaction.settles.clear()

    def deliver(self, key: str, message_id: str, *, is_redelivered: bool = False, came: float = math.inf) -> Message:
        """Note a MESSAGE that has come before the crash, and when."""
        with self._lock:
            message = self.messages.get(key)
            if message is None:
                message = self.messages[key] = Message(key, "", "", 0)
                self.faults.append(f"{key} was delivered, but never sent")
            elif message.sent is Certainty.NO:
                self.faults.append(f"{key} was delivered before the COMMIT of {name_of(message.sent_in)}")
            if message.settled is Certainty.YES:
                self.faults.append(f"{key} was delivered again after its acknowledgement had a receipt")
            if message.delivered_as not in (None, message_id):
                self.faults.append(f"{key} was delivered as {message.delivered_as} and then as {message_id}")
            elif message.delivered_as is not None and not is_redelivered:
                self.faults.append(f"{key} was delivered again, and not flagged as redelivered")
            if came < message.due:
                self.faults.append(f"{key} came {message.due - came:.3f} s before its time")
            message.delivered_as = message_id
            return message


def name_of(transaction: Transaction | None) -> str:
    """Return how a transaction is called in a violation."""
    return transaction.name if transaction else "no transaction"


def violations(history: History, drained: Mapping[str, Sequence[Drained]]) -> list[str]:
    """Return every promise that the broker broke, each as a sentence; an empty list when it kept them.

    Args:
        history: What the clients did and saw before the crash.
        drained: What one consumer got from each queue after the restart, in order, until it was empty.
    """
    present = {entry.key for entries in drained.values() for entry in entries}
    return [
        *history.faults,
        *_lost_or_returned(history, present),
        *_torn(history, present),
        *(fault for queue, entries in drained.items() for fault in _misdelivered(history, queue, entries)),
    ]


def _lost_or_returned(history: History, present: set[str]) -> Iterator[str]:
    for message in history.messages.values():
        has_arrived = message.sent is Certainty.YES or message.delivered_as is not None
        if has_arrived and message.settled is Certainty.NO and message.key not in present:
            yield f"{message.key} was lost: it had arrived, and nobody acknowledged it"
        if message.settled is Certainty.YES and message.key in present:
            yield f"{message.key} came back, although its acknowledgement had a receipt"
        if message.sent is Certainty.NO and message.key in present:
            yield f"{message.key} is there, although {name_of(message.sent_in)} was never committed"


def _torn(history: History, present: set[str]) -> Iterator[str]:
    for transaction in history.transactions:
        if transaction.outcome is not Certainty.MAYBE:
            continue  # certain ones are covered message by message
        undelivered = [message for message in transaction.sends if message.delivered_as is None]
        was_seen = len(undelivered) < len(transaction.sends)
        is_done = all(message.key in present for message in undelivered) and not any(
            message.key in present for message in transaction.settles
        )
        is_undone = (
            not was_seen
            and not any(message.key in present for message in undelivered)
            and all(message.key in present for message in transaction.settles)
        )
        if not (is_done or is_undone):
            there = sorted(
                message.key for message in [*transaction.sends, *transaction.settles] if message.key in present
            )
            yield (
                f"{transaction.name} was torn: it sent {_keys(transaction.sends)} and acknowledged"
                f" {_keys(transaction.settles)}; of these there are {there}, and seen before was"
                f" {_keys(message for message in transaction.sends if message.delivered_as is not None)}"
            )


def _misdelivered(history: History, queue: str, entries: Sequence[Drained]) -> Iterator[str]:
    last: dict[str, Message] = {}
    for entry in entries:
        message = history.messages.get(entry.key)
        if message is None:
            yield f"{entry.key} is in {queue}, but was never sent"
            continue
        if message.queue != queue:
            yield f"{entry.key} is in {queue}, but was sent to {message.queue}"
        if message.delivered_as is not None and not entry.is_redelivered:
            yield f"{entry.key} was delivered before, but is not flagged as redelivered"
        if message.delivered_as not in (None, entry.message_id):
            yield f"{entry.key} has become {entry.message_id}; it was {message.delivered_as}"
        if entry.came < message.due:
            yield f"{entry.key} came {message.due - entry.came:.3f} s before its time"
        before = last.get(message.producer)
        if before is not None and before.order > message.order:
            yield f"{entry.key} came behind {before.key}, which {message.producer} sent later"
        last[message.producer] = message
    for key, count in Counter(entry.key for entry in entries).items():
        if count > 1:
            yield f"{key} came {count} times"


def _keys(messages: Sequence[Message] | Iterator[Message]) -> list[str]:
    return [message.key for message in messages]
