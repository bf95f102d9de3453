"""What `stompd replay` does: send dead letters back to where they came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, final

from stompd.client import Client
from stompd.wire.frame import Frame

#: A queue from which nothing comes for so long is empty, or what is left in it is with other consumers.
_SILENCE_SECONDS = 2.0

#: How many letters are on their way here while one is being sent back.
_PREFETCH = 100

_QUEUE = "/queue/"

#: What the broker says about a message, or has made of its being a dead letter; the rest is the sender's.
_BROKERS_OWN = frozenset(
    (
        "_AMQ_DUPL_ID",
        "ack",
        "content-length",
        "dedup-id",  # with it, the letter would be a duplicate of what it was
        "destination",
        "dlq-delivery-count",
        "dlq-message-id",
        "dlq-reason",
        "dlq-time",
        "expires",
        "JMSXDeliveryCount",
        "message-id",
        "original-destination",
        "redelivered",
        "retained",
        "scheduled-at",
        "scheduled-destination",
        "scheduledJobId",
        "seq",
        "subscription",
        "timestamp",
    )
)

#: What the broker calls headers of the sender whose names it needs itself.
_SENDERS_OWN = {"original-message-id": "message-id", "sender-timestamp": "timestamp"}


@final
class Replayed(NamedTuple):
    """How many dead letters were sent back, and how many were not because they do not say where they come from."""

    sent: int
    left: int


def replay(
    client: Client,
    queue: str,
    *,
    to: str | None,
    count: int | None,
    started_ms: int,
    on_progress: Callable[[int, str], None],
) -> Replayed:
    """Send the messages of a dead-letter queue back, each in one transaction, until it is empty.

    Args:
        client: Connected, without a subscription.
        queue: The dead-letter queue, with or without `/queue/`.
        to: Where they go; None is where they came from.
        count: At most so many; None is all.
        started_ms: What became a dead letter after this, in epoch milliseconds, is left, so that one which fails again
            at once does not go round for ever.
        on_progress: Told after each one how many were sent, and where this one went.

    Raises:
        ClientError: The broker refuses, or the connection was lost; what was counted until then was sent.
    """
    client.subscribe(queue if queue.startswith("/") else f"{_QUEUE}{queue}", min(_PREFETCH, count or _PREFETCH))
    sent = left = 0
    while count is None or sent < count:
        letter = client.receive_within(_SILENCE_SECONDS)
        if letter is None:
            break
        destination = to or letter.headers.get("original-destination")
        if destination is None:
            left += 1
        elif not _is_newer(letter, started_ms):
            client.move(letter, destination, _headers_of(letter))
            sent += 1
            on_progress(sent, destination)
    return Replayed(sent, left)


def _headers_of(letter: Frame) -> dict[str, str]:
    """Return the headers with which a letter was sent."""
    kept = {name: value for name, value in letter.headers.items() if name not in _BROKERS_OWN}
    return {_SENDERS_OWN.get(name, name): value for name, value in kept.items()}


def _is_newer(letter: Frame, started_ms: int) -> bool:
    died_ms = letter.headers.get("dlq-time", "0")
    return died_ms.isdigit() and int(died_ms) > started_ms
