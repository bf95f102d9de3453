"""Taking entries out of queues before anybody gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stompd.broker.delivery import Entry
from stompd.broker.effects import LoadEntries
from stompd.broker.message import Place

if TYPE_CHECKING:
    from stompd.broker.ledger import Ledger
    from stompd.broker.queue import Queue


def take_oldest(queue: Queue, ledger: Ledger) -> Entry | None:
    """Take out the oldest entry that waits; None while it has to be read, which is begun, or if none waits."""
    window, selections = queue.window, queue.selections
    entry = window.oldest()
    if entry is not None:
        withdraw(queue, entry.place)
        return entry
    queue.load_ahead()
    after = None if selections is not None and selections.is_reading else window.hidden_page()
    if after is not None:
        ledger.load(LoadEntries(queue.queue_id, after, 1, 1))
    return None


def lose(queue: Queue, entry: Entry) -> None:
    """Note that nobody gets an entry that was waiting, which may be the last one of its group."""
    if queue.selections is not None and queue.selections.groups is not None:
        queue.selections.groups.lost(entry.message)


def expire(queue: Queue, entry: Entry) -> None:
    """Drop an entry that has expired and that nobody gets any more, or let it become a dead letter in this turn."""
    if queue.policy.keeps_expired and queue.is_durable:
        queue.deadlines.expired.append((queue, entry, False))
    else:
        queue.settle(entry)


def withdraw(queue: Queue, place: Place) -> Entry | None:
    """Take an entry that waits out of memory, so that nobody gets it, and return it; None if there was none."""
    selections = queue.selections
    entry = None if selections is None else selections.ahead.get(place)
    if entry is None or selections is None:
        entry = queue.window.remove(place)
    elif queue.window.is_loading or queue.later.is_loading or not selections.withdraw(place):
        return None
    if entry is not None:
        lose(queue, entry)
    return entry


def withdraw_stored(queue: Queue, place: Place, due_ms: int) -> bool:
    """Whether a stored entry is not with a consumer, nor on its way anywhere; if it was in memory, it is no more."""
    return withdraw(queue, place) is not None or is_unread(queue, place, due_ms)


def is_unread(queue: Queue, place: Place, due_ms: int) -> bool:
    """Whether a stored entry that is not in memory is not with a consumer either, nor on its way anywhere."""
    if due_ms:
        return queue.later.has(due_ms, place)
    selections = queue.selections
    if selections is not None and (selections.is_reading or place in selections.ahead):
        return False
    return queue.window.is_behind(place)
