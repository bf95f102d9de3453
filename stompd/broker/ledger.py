"""The order in which things take effect: units under way, what waits for them, and the effects decided so far.

Requests of one session take effect in the order of their frames. A request that must survive becomes a unit, and its
steps run when the unit was applied. A later request of the same session that has nothing to store becomes an empty
unit: so the order of units is the order of effects, and whoever bounds the units under way bounds all that waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, final

from stompd.broker.effects import NO_HEADERS, CloseSession, Confirm, Decline, Effect, Load, Refuse
from stompd.broker.units import Operation, UnitOfWork
from stompd.errors import RefusedByStore, StompError

if TYPE_CHECKING:
    from stompd.broker.session import Session

#: Something that becomes visible once what comes before it is durable.
Step: TypeAlias = Callable[[], None]


@final
class Work:
    """What a request will do: one unit, what becomes visible when it was applied, and what happens if it is refused.

    `size_bytes` is the size of the messages that wait for it; `session` is who sends them, and whose request it is.
    `headers` are what its RECEIPT says beside its id. The ledger sets the rest when it hands the unit out.
    """

    __slots__ = ("headers", "operations", "receipt", "serial", "session", "size_bytes", "steps", "undo")

    def __init__(self, session: Session | None = None) -> None:
        self.operations: list[Operation] = []
        self.steps: list[Step] = []
        self.undo: list[Step] = []
        self.size_bytes = 0
        self.serial = 0
        self.session = session
        self.receipt: str | None = None
        self.headers: Mapping[str, str] = NO_HEADERS


@final
class Ledger:
    """Collects effects in order, and knows which units the store has still to answer."""

    __slots__ = ("_applied", "_pending", "_riding", "_serial", "effects")

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self._serial = 0
        self._applied = 0
        self._pending: deque[Work] = deque()  # handed out and not yet answered
        self._riding: Work | None = None

    def enact(
        self, session: Session | None, work: Work, receipt: str | None = None, *, behind_all: bool = False
    ) -> None:
        """Let a request take effect: its operations durably first, then its steps, then its receipt.

        Args:
            session: Whose request it is, so that its later ones wait; None for the broker's own work.
            work: What it does.
            receipt: To be confirmed in the end.
            behind_all: Whether everything decided so far must be durable before, also what rides.
        """
        if self._riding and (work.operations or behind_all):
            self._send_riding(self._riding)
        if (
            work.operations
            or (session is not None and session.pending is not None)
            or (behind_all and self._applied < self._serial)
        ):
            work.session, work.receipt = session, receipt
            self._persist(work, is_urgent=True)
            if session is not None:
                session.pending = work
            return
        for step in work.steps:
            step()
        if receipt is not None and session is not None:
            self._emit(session, Confirm(session.session_id, receipt, work.headers))

    def confirming(self, session: Session, receipt: str, headers: Mapping[str, str] = NO_HEADERS) -> Step:
        """Return the step that confirms a receipt."""
        return partial(self._emit, session, Confirm(session.session_id, receipt, headers))

    def closing(self, session: Session) -> Step:
        """Return the step that closes a session."""
        return partial(self._emit, session, CloseSession(session.session_id))

    def refuse(self, session: Session, error: StompError, receipt: str | None) -> None:
        """Answer a frame with an ERROR once everything before it in its session is durable: receipts come in order."""
        work = Work()
        work.steps.append(partial(self._emit_error, session, error, receipt))
        self.enact(session, work)

    def fail(self, work: Work, error: StompError) -> None:
        """Answer a request with an ERROR in place of its RECEIPT; for a step of its work, in its turn."""
        receipt, work.receipt = work.receipt, None
        if work.session is not None:
            self._emit_error(work.session, error, receipt)

    def ride(self, operation: Operation, step: Step | None = None) -> None:
        """Make an operation durable with the next unit, for nobody waits for it, and take a step then.

        It is never overtaken: operations that ride become a unit of their own in front of the next one.
        """
        if self._riding is None:
            self._riding = Work()
        self._riding.operations.append(operation)
        if step is not None:
            self._riding.steps.append(step)

    def call_behind_all(self, step: Step) -> None:
        """Take a step when the store has answered everything decided so far, reads included."""
        if self._riding:
            self._send_riding(self._riding)
        work = Work()
        work.steps.append(step)
        self._persist(work, is_urgent=True)

    def load(self, load: Load) -> None:
        """Read from the store as it will be after everything decided so far, also what rides."""
        if self._riding:
            self._send_riding(self._riding)
        self.effects.append(load)

    def take_effects(self) -> list[Effect]:
        """Return the effects since the last call, in order."""
        if self._riding:
            self._send_riding(self._riding)
        effects, self.effects = self.effects, []
        return effects

    def applied(self, serial: int) -> None:
        """Continue with what waited for a unit; units are answered in order."""
        work = self._next(serial)
        for step in work.steps:
            step()
        session = work.session
        if session is not None:
            if work.receipt is not None and not session.is_refused:
                self.effects.append(Confirm(session.session_id, work.receipt, work.headers))
            if session.pending is work:
                session.pending = None

    def refused(self, serial: int, reason: str) -> Session | None:
        """Undo what waited for a unit, and return the session that ends with it; None if none does."""
        work = self._next(serial)
        for step in work.undo:
            step()
        session = work.session
        if session is not None:
            self._emit_error(session, RefusedByStore(reason), work.receipt)
            if session.pending is work:
                session.pending = None
        return session if session is not None and session.is_refused else None

    def _next(self, serial: int) -> Work:
        work = self._pending.popleft()
        if work.serial != serial:
            raise RuntimeError(f"unit {work.serial} was to be answered next, not unit {serial}")
        self._applied = serial
        return work

    def _persist(self, work: Work, *, is_urgent: bool) -> None:
        self._serial = work.serial = serial = self._serial + 1
        self._pending.append(work)
        self.effects.append(UnitOfWork(serial, work.operations, work.size_bytes, is_urgent=is_urgent))

    def _send_riding(self, work: Work) -> None:
        self._riding = None
        self._persist(work, is_urgent=False)

    def _emit(self, session: Session, effect: Effect) -> None:
        if not session.is_refused:
            self.effects.append(effect)

    def _emit_error(self, session: Session, error: StompError, receipt: str | None) -> None:
        if session.is_refused:
            return
        if receipt is not None and session.survives(error, receipt):
            self.effects.append(Decline(session.session_id, error, receipt))
            return
        session.is_refused = True
        self.effects.append(Refuse(session.session_id, error, receipt))
