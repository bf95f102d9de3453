"""The driver: feeds the core with requests, and carries out its effects once a reactor turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from secrets import token_bytes
from typing import Protocol, TypeAlias, final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from stompd.broker.broker import Broker
from stompd.broker.delivery import Delivery
from stompd.broker.effects import (
    CloseSession,
    Confirm,
    Decline,
    LoadDue,
    LoadEntries,
    LoadExpired,
    LoadScheduled,
    LoadShown,
    LoadSize,
    Refuse,
    Resume,
    SessionId,
)
from stompd.broker.peer import NOBODY, Peer
from stompd.broker.requests import Acknowledge, Reject, Request, Send, Subscribe, Unsubscribe
from stompd.broker.units import DuePage, ExpiredPage, Page, UnitOfWork
from stompd.errors import AccessDenied, InternalError, StompError
from stompd.interfaces import IStompUser
from stompd.runtime.access import Access
from stompd.runtime.backpressure import Backpressure
from stompd.runtime.journal import Journal

_log = Logger()

# Tuples, because making a union takes longer than everything else about a check.
_CHECKED = (Subscribe, Unsubscribe)
_SETTLING = (Acknowledge, Reject)
_LOADS = (LoadEntries, LoadDue, LoadExpired, LoadSize, LoadScheduled, LoadShown)

#: Looking at the clock once an hour costs nothing, and no reactor sleeps for years.
_LONGEST_SLEEP_SECONDS = 3600.0

#: What a link is given.
_Answer: TypeAlias = Delivery | Confirm | Refuse | Decline | CloseSession

#: Random bytes of a session's token: more than anybody can try.
_TOKEN_BYTES = 16


class Link(Protocol):
    """The driver's view of one connection. What it is given leaves with `flush`, in one write."""

    #: Whether the transport holds no more than its high-water mark.
    is_writable: bool
    #: Whether something waits for `flush`.
    is_dirty: bool

    def deliver(self, delivery: Delivery) -> None:
        """Send a MESSAGE."""

    def confirm(self, receipt: str, headers: Mapping[str, str]) -> None:
        """Send a RECEIPT."""

    def refuse(self, error: StompError, receipt: str | None) -> None:
        """Send an ERROR, then close."""

    def decline(self, error: StompError, receipt: str) -> None:
        """Send an ERROR about one frame, and go on."""

    def close(self) -> None:
        """Close once everything has left."""

    def abort(self) -> None:
        """Cut the connection."""

    def flush(self, now: float) -> None:
        """Hand everything to the transport."""

    def suspend(self) -> None:
        """Read and take no more frames for now; heart-beats go on."""

    def resume(self) -> None:
        """Take frames again."""


@final
class Driver:
    """Connects links, core and journal; all of it on the reactor thread."""

    def __init__(self, broker: Broker, reactor: IReactorTime) -> None:
        """Drive a core; `start` gives it the journal."""
        self._broker = broker
        self._reactor = reactor
        self._access = Access(broker)
        self._links: dict[SessionId, Link] = {}
        self._dirty: list[tuple[SessionId, Link]] = []
        self._is_turn_due = False
        self._timer: IDelayedCall | None = None
        self._deadline = 0.0  # what the timer is set to
        self._last_id = 0

    def start(self, journal: Journal, backpressure: Backpressure) -> None:
        """Take the journal that reports to this driver, and what protects it."""
        self._journal = journal
        self._backpressure = backpressure
        self._set_timer(self._reactor.seconds())

    def next_session_id(self) -> SessionId:
        """Return an id for a new session; never reused."""
        self._last_id += 1
        return SessionId(self._last_id)

    def attach(
        self,
        session_id: SessionId,
        link: Link,
        peer: Peer = NOBODY,
        *,
        has_soft_errors: bool = False,
        takes_over: bool = False,
    ) -> None:
        """Begin to serve a link whose user has logged in; see `Broker.open_session`.

        Raises:
            InvalidClientId: The client id is another user's, or another link has it.
        """
        token = token_bytes(_TOKEN_BYTES)
        self._broker.open_session(session_id, peer, token=token, has_soft_errors=has_soft_errors, takes_over=takes_over)
        self._links[session_id] = link
        self._need_turn()

    def detach(self, session_id: SessionId) -> None:
        """Forget a link that is gone; what it had not settled returns. Harmless when it was never attached."""
        link = self._links.pop(session_id, None)
        if link is not None:
            self._backpressure.forget(link)
            self._broker.close_session(session_id)
            self._need_turn()

    def submit(self, session_id: SessionId, user: IStompUser, request: Request, now: float) -> None:
        """Carry out a request, if its user may, and slow its link down when the journal is full."""
        if isinstance(request, Send):
            is_open = request.is_plain and request.destination.path in user.open_paths
        else:
            is_open = not isinstance(request, _CHECKED)
        if not is_open:
            try:
                self._access.check(session_id, user, request)
            except AccessDenied as error:
                self.refuse(session_id, error, request.receipt)
                return
        self._broker.submit(session_id, request, now)
        if not self._is_turn_due:
            self._need_turn()
        if isinstance(request, _SETTLING):
            # They are nearly always bounded by credit, and make room.
            if self._journal.is_overfull:
                self._backpressure.suspend(self._links[session_id])
            return
        if self._journal.is_full:
            self._backpressure.suspend(self._links[session_id])
        elif isinstance(request, Send) and self._broker.is_lagging(session_id, request.destination):
            self._backpressure.slow_down(self._links[session_id], now)
        if session_id in self._broker.resting:
            self._backpressure.rest(self._links[session_id])

    def refuse(self, session_id: SessionId, error: StompError, receipt: str | None) -> bool:
        """Answer a frame with an ERROR, after the receipts of the frames before it; return whether that is the end."""
        is_ending = self._broker.refuse(session_id, error, receipt)
        self._need_turn()
        if not is_ending and self._journal.is_full:
            self._backpressure.suspend(self._links[session_id])
        return is_ending

    def set_writable(self, session_id: SessionId, *, is_writable: bool) -> None:
        """Pass on whether a link's transport takes more."""
        self._broker.set_writable(session_id, is_writable=is_writable)
        self._need_turn()

    def units_applied(self, serials: Iterable[int]) -> None:
        """Pass on that units are durable, oldest first."""
        for serial in serials:
            self._broker.unit_applied(serial)

    def unit_refused(self, serial: int, reason: str) -> None:
        """Pass on that the store will never accept a unit."""
        self._broker.unit_refused(serial, reason)

    def entries_loaded(self, load: LoadEntries, page: Page) -> None:
        """Pass on a page that was read."""
        self._broker.entries_loaded(load.queue_id, load.after, page)

    def due_loaded(self, load: LoadDue, page: DuePage) -> None:
        """Pass on messages that have become due."""
        self._broker.due_loaded(load.queue_id, page)

    def expired_loaded(self, page: ExpiredPage) -> None:
        """Pass on which messages have expired."""
        self._broker.expired_loaded(page)

    def size_loaded(self, load: LoadSize, size_bytes: int) -> None:
        """Pass on how large a queue is."""
        self._broker.size_loaded(load.queue_id, size_bytes)

    def scheduled_loaded(self, page: DuePage) -> None:
        """Pass on messages that are due at any time."""
        self._broker.scheduled_loaded(page)

    def shown_loaded(self, load: LoadShown, page: Page) -> None:
        """Pass on a page for somebody who only looks."""
        self._broker.shown_loaded(load, page)

    def stop(self) -> None:
        """Begin nothing by time alone any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def turn_ended(self) -> None:
        """Carry out what follows from the journal's reports."""
        self._turn()
        self._backpressure.relax()

    def _need_turn(self) -> None:
        if not self._is_turn_due:
            self._is_turn_due = True
            self._reactor.callLater(0, self._due_turn)

    def _due_turn(self) -> None:
        self._is_turn_due = False
        try:
            self._turn()
        except Exception:
            self._journal.fail()

    def _turn(self) -> None:
        """Carry out the effects decided so far, then let each link write at once what it was given."""
        now = self._reactor.seconds()
        links, journal = self._links, self._journal
        for effect in self._broker.take_effects(now):
            if isinstance(effect, UnitOfWork):
                journal.append(effect)
                continue
            if isinstance(effect, _LOADS):
                journal.load(effect)
                continue
            link = links.get(effect.session_id)
            if link is None:
                continue  # the connection was lost
            if isinstance(effect, Resume):
                self._backpressure.release(link)
                continue
            if not link.is_dirty:
                link.is_dirty = True
                self._dirty.append((effect.session_id, link))
            try:
                _answer(link, effect)
            except Exception:
                self._break_off(link, effect)
        journal.flush()
        self._write_out(now)
        self._set_timer(now)

    def _set_timer(self, now: float) -> None:
        deadline = self._broker.next_deadline()
        if deadline is None:
            return  # a timer that is set does no harm
        deadline = min(deadline, now + _LONGEST_SLEEP_SECONDS)
        if self._timer is not None:
            if self._deadline <= deadline:
                return
            self._timer.cancel()
        self._deadline = deadline
        self._timer = self._reactor.callLater(max(0.0, deadline - now), self._tick)

    def _tick(self) -> None:
        self._timer = None
        try:
            self._broker.tick(self._reactor.seconds())
            self._turn()
        except Exception:
            self._journal.fail()

    def _break_off(self, link: Link, effect: _Answer) -> None:
        """End a session after a fault of ours, so that the effects on others are carried out."""
        _log.failure("session {session}: internal error", session=effect.session_id)
        if isinstance(effect, Delivery | Confirm | Decline):
            error = InternalError("The error has been logged. It is not your fault; please report it.")
            self.refuse(effect.session_id, error, None)
        else:
            link.abort()

    def _write_out(self, now: float) -> None:
        dirty, self._dirty = self._dirty, []
        for session_id, link in dirty:
            link.is_dirty = False
            link.flush(now)
            # A transport that is below its high-water mark has taken what it was given.
            if link.is_writable and self._broker.settle_written(session_id):
                self._need_turn()


def _answer(link: Link, effect: _Answer) -> None:
    if isinstance(effect, Delivery):
        link.deliver(effect)
    elif isinstance(effect, Confirm):
        link.confirm(effect.receipt, effect.headers)
    elif isinstance(effect, Refuse):
        link.refuse(effect.error, effect.receipt)
    elif isinstance(effect, Decline):
        link.decline(effect.error, effect.receipt)
    else:
        link.close()
