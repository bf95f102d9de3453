"""What a destination may have at most, beside the length of queues: subscriptions, and keys of last values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stompd.broker.account import Account
from stompd.broker.destination import Destination
from stompd.broker.effects import LoadSize
from stompd.broker.last_values import LastValues
from stompd.broker.ledger import Ledger
from stompd.broker.limits import Limits
from stompd.broker.policy import Rule
from stompd.broker.redelivery import is_dead_letter_queue, policy_of
from stompd.broker.units import LastValue
from stompd.errors import LimitExceeded

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.queue import Queue


def check_consumers(catalogue: Catalogue, destination: Destination) -> None:
    """Make sure that a destination may have one subscription more.

    Raises:
        LimitExceeded: It has as many as its rule allows.
    """
    for place in destination.places:
        rule = catalogue.policies.find(place.path)
        if rule is None or not rule.consumers:
            continue
        count = sum(queue.subscriptions for queue in catalogue.targets(place))
        if count >= rule.consumers:
            raise LimitExceeded(
                f"{place.path} has {count} subscriptions, which is the limit (key consumers of [[destination]]"
                f" {rule.pattern})."
            )


def bound(catalogue: Catalogue, queue: Queue, ledger: Ledger) -> None:
    """Let a new queue, or one that was found in the store, obey its rule, if there is one."""
    rule = catalogue.policies.find(queue.name)
    if rule is None:
        return
    queue.policy = policy_of(catalogue.limits, queue.name, rule)
    if rule.is_bounded:
        queue.account = Account(queue, rule, catalogue.overfull, queue.depth)
        if queue.depth and rule.max_bytes:
            ledger.load(LoadSize(queue.queue_id))


def recover_last_value(catalogue: Catalogue, found: LastValue) -> None:
    """Take over a message that has a key, unless it is a dead letter."""
    queue = catalogue.by_id(found.queue_id)
    if queue is not None and not is_dead_letter_queue(queue.name):
        _last_values(queue, catalogue.overfull).recover(found)


def expect_last_value(catalogue: Catalogue, destination: Destination, key: str, limits: Limits) -> None:
    """Make sure that the queues of a destination can take a message with a key.

    Raises:
        LimitExceeded: One of them has as many keys as allowed.
    """
    for queue in catalogue.targets(destination):
        values = _last_values(queue, catalogue.overfull)
        if len(values) >= limits.last_value_keys and key not in values:
            raise LimitExceeded(
                f"{queue.name} has messages with {len(values)} different values of last-value-key, which is the limit"
                " (setting limits.last_value_keys)."
            )


def _last_values(queue: Queue, overfull: list[Queue]) -> LastValues:
    if queue.account is None:
        queue.account = Account(queue, Rule(), overfull, queue.depth)
    if queue.account.values is None:
        queue.account.values = LastValues(queue)
    return queue.account.values
