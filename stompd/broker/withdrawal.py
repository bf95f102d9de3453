"""Taking entries out of queues before anybody gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stompd.broker.delivery import Entry
from stompd.broker.message import Place

if TYPE_CHECKING:
    from stompd.broker.queue import Queue


def take_head(queue: Queue) -> Entry | None:
    """Take out the entry to deliver next; None while it has to be read, which is begun, or if there is none."""
    entry = queue.window.head()
    if entry is None:
        queue.load_ahead()
    elif queue.selections is not None:
        queue.selections.take(entry)
    else:
        queue.window.pop(entry)
    return entry


def withdraw(queue: Queue, place: Place) -> bool:
    """Take an entry that waits out of memory, so that nobody gets it; return whether there was one."""
    if queue.selections is not None and place in queue.selections.ahead:
        is_loading = queue.window.is_loading or queue.later.is_loading
        return not is_loading and queue.selections.withdraw(place)
    return queue.window.remove(place) is not None


def withdraw_stored(queue: Queue, place: Place, due_ms: int) -> bool:
    """Whether a stored entry is not with a consumer, nor on its way anywhere; if it was in memory, it is no more."""
    if withdraw(queue, place):
        return True
    if due_ms:
        return queue.later.has(due_ms, place)
    selections = queue.selections
    if selections is not None and (selections.is_reading or place in selections.ahead):
        return False
    return queue.window.is_behind(place)
