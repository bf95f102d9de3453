"""The order in which things take effect: units under way, what waits for them, and the effects decided so far.

Requests of one session take effect in the order of their frames. A request that must survive becomes a unit, and its
steps run when the unit was applied; a later request of the same session that needs no unit waits behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, final

from stompd.broker.effects import CloseSession, Confirm, Effect, Persist, Refuse
from stompd.broker.units import Operation, UnitOfWork
from stompd.errors import RefusedByStore, StompError

if TYPE_CHECKING:
    from stompd.broker.session import Session

#: Something that becomes visible once what comes before it is durable.
Step: TypeAlias = Callable[[], None]


@final
class Work:
    """What a request will do: one unit, what becomes visible when it was applied, and what happens if it is refused."""

    __slots__ = ("operations", "steps", "undo")

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.steps: list[Step] = []
        self.undo: list[Step] = []


@final
class PendingUnit:
    """A unit that was handed out and not yet answered."""

    __slots__ = ("followers", "receipt", "serial", "session", "work")

    def __init__(self, serial: int, session: Session | None, receipt: str | None, work: Work) -> None:
        self.serial = serial
        self.session = session
        self.receipt = receipt
        self.work = work
        #: Steps of later requests of the same session; None until there is one.
        self.followers: list[Step] | None = None


@final
class Ledger:
    """Collects effects in order, and knows which units the store has still to answer."""

    __slots__ = ("_applied", "_pending", "_riding", "_serial", "effects")

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self._serial = 0
        self._applied = 0
        self._pending: deque[PendingUnit] = deque()
        self._riding: Work | None = None

    def enact(self, session: Session | None, work: Work, receipt: str | None = None) -> None:
        """Let a request take effect: its operations durably first, then its steps, then its receipt.

        `session` is whose request it is, so that its later ones wait; None for the broker's own work.
        """
        if work.operations:
            if self._riding:
                self._send_riding(self._riding)
            pending = self._persist(work, session, receipt, is_urgent=True)
            if session is not None:
                session.pending = pending
            return
        for step in work.steps:
            self.defer(session, step)
        if receipt is not None and session is not None:
            self.confirm(session, receipt)

    def confirm(self, session: Session, receipt: str, headers: dict[str, str] | None = None) -> None:
        """Confirm a receipt once everything before it in its session is durable."""
        effect = Confirm(session.session_id, receipt, headers) if headers else Confirm(session.session_id, receipt)
        if session.pending is None:
            self.effects.append(effect)
        else:
            self.defer(session, partial(self._emit, session, effect))

    def refuse(self, session: Session, error: StompError, receipt: str | None) -> None:
        """Refuse a frame once everything before it in its session is durable, so that no receipt is lost."""
        self.defer(session, partial(self._emit_refuse, session, error, receipt))

    def close(self, session: Session) -> None:
        """Close a session once everything before is durable."""
        self.defer(session, partial(self._emit, session, CloseSession(session.session_id)))

    def defer(self, session: Session | None, step: Step) -> None:
        """Run a step behind the session's pending unit, or now when there is none."""
        if session is None or session.pending is None:
            step()
        elif session.pending.followers is None:
            session.pending.followers = [step]
        else:
            session.pending.followers.append(step)

    def ride(self, operation: Operation) -> None:
        """Make an operation durable with the next unit, for nobody waits for it.

        It is never overtaken: operations that ride become a unit of their own in front of the next one.
        """
        if self._riding is None:
            self._riding = Work()
        self._riding.operations.append(operation)

    def settle(self, session: Session) -> None:
        """Make the session wait until everything decided so far is durable."""
        if self._riding:
            self._send_riding(self._riding)
        if self._applied < self._serial:
            # An empty unit: units are applied in order, so when it was, all before it were.
            session.pending = self._persist(Work(), session, None, is_urgent=True)

    def take_effects(self) -> list[Effect]:
        """Return the effects since the last call, in order."""
        if self._riding:
            self._send_riding(self._riding)
        effects, self.effects = self.effects, []
        return effects

    def applied(self, serial: int) -> None:
        """Continue with what waited for a unit; units are answered in order."""
        pending = self._next(serial)
        for step in pending.work.steps:
            step()
        session = pending.session
        if session is not None:
            if pending.receipt is not None and not session.is_refused:
                self.effects.append(Confirm(session.session_id, pending.receipt))
            self._release(session, pending)

    def refused(self, serial: int, reason: str) -> Session | None:
        """Undo what waited for a unit, and return whose it was: that session gets an ERROR and ends."""
        pending = self._next(serial)
        for step in pending.work.undo:
            step()
        session = pending.session
        if session is not None:
            self._emit_refuse(session, RefusedByStore(reason), pending.receipt)
            self._release(session, pending)
        return session

    def _next(self, serial: int) -> PendingUnit:
        pending = self._pending.popleft()
        if pending.serial != serial:
            raise RuntimeError(f"unit {pending.serial} was to be answered next, not unit {serial}")
        self._applied = serial
        return pending

    def _release(self, session: Session, pending: PendingUnit) -> None:
        if session.pending is pending:
            session.pending = None
        if pending.followers is not None:
            for step in pending.followers:
                step()

    def _persist(self, work: Work, session: Session | None, receipt: str | None, *, is_urgent: bool) -> PendingUnit:
        self._serial = serial = self._serial + 1
        pending = PendingUnit(serial, session, receipt, work)
        self._pending.append(pending)
        self.effects.append(Persist(UnitOfWork(serial, work.operations), is_urgent=is_urgent))
        return pending

    def _send_riding(self, work: Work) -> None:
        self._riding = None
        self._persist(work, None, None, is_urgent=False)

    def _emit(self, session: Session, effect: Effect) -> None:
        if not session.is_refused:
            self.effects.append(effect)

    def _emit_refuse(self, session: Session, error: StompError, receipt: str | None) -> None:
        if not session.is_refused:
            session.is_refused = True
            self.effects.append(Refuse(session.session_id, error, receipt))
