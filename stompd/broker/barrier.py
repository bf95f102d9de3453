"""The RECEIPT of an ABORT as a barrier: what the broker had for the session when it came is delivered before it.

A client that asks "is there anything for me?" sends a frame that changes nothing, and looks what has come when it is
confirmed. Messages that are in memory are delivered in the same turn. Those that a queue must read from the store
first, or that wait for its mark, are not; so the answers of the session wait as long.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, final

from stompd.broker.delivery import Delivery
from stompd.broker.effects import CloseSession, Confirm, Decline, Effect, Refuse, SessionId
from stompd.broker.ledger import Ledger, Work

if TYPE_CHECKING:
    from stompd.broker.queue import Queue
    from stompd.broker.session import Session

#: What the store may have to answer before a queue delivers: a page, then its mark, and what has become due. Who waits
#: for more is answered, since a page that cannot be read never comes.
_MOST_ROUNDS: Final = 3

#: So many answers of one session may wait.
_MOST_ANSWERS: Final = 1_000

#: What goes to a session in order.
_SHOWN = (Delivery, Confirm, Decline, Refuse, CloseSession)


@final
class _Barrier:
    """The answers of one session that wait."""

    __slots__ = ("answers", "begin", "is_asking", "last_number", "rounds", "session")

    def __init__(self, session: Session, begin: int, last_number: int) -> None:
        self.session = session
        #: Which effects of this turn came before.
        self.begin = begin
        #: The newest subscription that is waited for.
        self.last_number = last_number
        self.answers: list[Effect] = []
        self.is_asking = False
        self.rounds = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing is to be waited for any more."""
        if self.rounds >= _MOST_ROUNDS or len(self.answers) >= _MOST_ANSWERS:
            return True
        return not any(
            subscription.may_take and any(map(_awaits_store, subscription.spread.queues))
            if subscription.spread is not None
            else subscription.may_take and _awaits_store(subscription.queue)
            for subscription in self.session.subscriptions.values()
        )

    def answered(self) -> None:
        """Note that the store has answered everything that it was asked before."""
        self.is_asking = False
        self.rounds += 1


@final
class Barriers:
    """Lets the answers of some sessions wait for their deliveries."""

    __slots__ = ("_ledger", "waiting")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        #: The sessions whose answers may have to wait.
        self.waiting: dict[SessionId, _Barrier] = {}

    def confirm(self, session: Session, receipt: str | None) -> None:
        """Confirm a receipt behind what there is for the subscriptions of a session, each of which has begun."""
        if receipt is None:
            return
        work = Work()
        if session.subscriptions:
            work.steps.append(partial(self._begin, session, session.last_number))
        self._ledger.enact(session, work, receipt)

    def arrange(self) -> None:
        """Put the answers of this turn behind its deliveries, or keep them until a later one."""
        effects: list[Effect] = []
        for index, effect in enumerate(self._ledger.effects):
            barrier = self._find(effect)
            if barrier is None or index < barrier.begin:
                effects.append(effect)
            elif not isinstance(effect, Delivery):
                barrier.answers.append(effect)
            else:
                if effect.subscription.number > barrier.last_number:
                    self._end(barrier, effects)  # with the RECEIPT of its SUBSCRIBE, which comes first
                effects.append(effect)
        self._ledger.effects = effects
        for barrier in list(self.waiting.values()):
            barrier.begin = 0
            if barrier.is_open:
                self._end(barrier, effects)
            elif not barrier.is_asking:
                barrier.is_asking = True
                self._ledger.call_behind_all(barrier.answered)

    def _begin(self, session: Session, last_number: int) -> None:
        if session.session_id not in self.waiting:
            self.waiting[session.session_id] = _Barrier(session, len(self._ledger.effects), last_number)

    def _end(self, barrier: _Barrier, effects: list[Effect]) -> None:
        effects += barrier.answers
        self.waiting.pop(barrier.session.session_id, None)

    def _find(self, effect: Effect) -> _Barrier | None:
        return self.waiting.get(effect.session_id) if isinstance(effect, _SHOWN) else None


def _awaits_store(queue: Queue) -> bool:
    """Whether a queue may have something to deliver when the store has answered."""
    return queue.window.is_loading or queue.mark.is_pending or (queue.has_later and queue.later.is_loading)
