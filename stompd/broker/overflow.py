"""What goes when a queue has more than it may: the oldest of those that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stompd.broker.policy import Overflow
from stompd.broker.redelivery import Redelivery, is_dead_letter_queue
from stompd.broker.withdrawal import take_oldest

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.ledger import Ledger


def make_room(catalogue: Catalogue, redelivery: Redelivery, ledger: Ledger, now: float) -> None:
    """Take away the oldest entries of the queues that have told so; what is with consumers stays.

    If one has to be read first, that is begun, and the queue tells again when it is there.
    """
    queues = catalogue.overfull.copy()
    catalogue.overfull.clear()
    for queue in queues:
        account = queue.account
        if account is None or queue.has_ended:
            continue
        account.is_noted = False
        while account.is_over:
            entry = take_oldest(queue, ledger)
            if entry is None:
                break
            if account.overflow is Overflow.DEAD_LETTER and not is_dead_letter_queue(queue.name):
                redelivery.discard(queue, entry, now)
            else:
                queue.settle(entry)
