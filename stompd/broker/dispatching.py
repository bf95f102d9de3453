"""How a queue delivers where not everybody in the line gets the same."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from stompd.broker.effects import Deliver, Effect
from stompd.broker.selection import Selections

if TYPE_CHECKING:
    from stompd.broker.queue import Queue
    from stompd.broker.subscription import Subscription


def dispatch_selectively(
    queue: Queue, line: deque[Subscription], selections: Selections, effects: list[Effect], now: float
) -> None:
    """Give everybody in the line with credit, in turns, the first entry that he selects."""
    now_ms = now * 1000
    in_vain = 0  # how many in the line have found nothing, one after the other
    while in_vain < len(line):
        subscription = line[0]
        if not subscription.may_take:
            line.popleft()
            subscription.is_waiting = False
            continue
        selection = subscription.selection
        entry = queue.window.head() if selection is None else selection.first()
        if entry is not None and 0 < entry.message.expires_ms <= now_ms:
            selections.take(entry)
            queue.settle(entry)
            continue
        line.rotate(-1)
        if entry is None or not queue.mark.may_deliver(entry, now):
            in_vain += 1
            continue
        in_vain = 0
        selections.take(entry)
        effects.append(Deliver(subscription.session.session_id, subscription.deliver(entry)))
