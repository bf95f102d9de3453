"""How a queue delivers: in its order, or where not everybody in the line gets the same, by choice.

Selectors, groups and priorities are what makes a choice necessary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stompd.broker.effects import Effect
from stompd.broker.withdrawal import expire, lose

if TYPE_CHECKING:
    from stompd.broker.delivery import Entry
    from stompd.broker.queue import Queue


def dispatch_in_order(queue: Queue, effects: list[Effect], now: float) -> None:
    """Give everybody in the line with credit, in turns, the entry at the head.

    Args:
        queue: Whose entries they are.
        effects: Where deliveries go.
        now: In epoch seconds.
    """
    line, window, mark, now_ms = queue.line.waiting, queue.window, queue.mark, now * 1000
    while line:
        entry = window.head()
        if entry is None:
            break
        if 0 < entry.message.expires_ms <= now_ms:
            window.pop(entry)
            expire(queue, entry)
            continue
        if entry.is_stored and entry.place.message_id > mark.deliverable and not mark.may_deliver(entry, now):
            break
        subscription = line[0]
        if not subscription.may_take:
            line.popleft()
            queue.line.leave_out(subscription)
            continue
        window.pop(entry)
        effects.append(subscription.deliver(entry, queue))
        line.rotate(-1)


def dispatch_by_choice(queue: Queue, effects: list[Effect], now: float) -> None:
    """Give everybody in the line with credit, in turns, the first entry that he may have.

    Args:
        queue: Whose entries they are.
        effects: Where deliveries go.
        now: In epoch seconds.
    """
    while True:
        _go_round(queue, effects, now)
        # Whoever found nothing may find something once groups are free that were not.
        if queue.selections is None or not queue.selections.free_groups():
            return


def _go_round(queue: Queue, effects: list[Effect], now: float) -> None:
    """Deliver until nobody in the line finds anything."""
    line, now_ms = queue.line.waiting, now * 1000
    index = 0  # those before have found nothing, and will not, since others only take
    while index < len(line):
        subscription = line[index]
        if not subscription.may_take:
            del line[index]
            queue.line.leave_out(subscription)
            continue
        selection = queue.selections.find(subscription) if queue.selections else None
        entry = queue.window.head() if selection is None else selection.first()
        if entry is not None and 0 < entry.message.expires_ms <= now_ms:
            _take(queue, entry)
            lose(queue, entry)
            expire(queue, entry)
            continue
        if entry is None or not queue.mark.may_deliver(entry, now):
            index += 1
            continue
        _take(queue, entry)
        if selection is not None:
            selection.took(entry)
        effects.append(subscription.deliver(entry, queue))
        del line[index]
        queue.line.put(subscription)


def _take(queue: Queue, entry: Entry) -> None:
    if queue.selections is None:
        queue.window.pop(entry)
    else:
        queue.selections.take(entry)
