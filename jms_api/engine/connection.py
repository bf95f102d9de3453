"""Connections: the life of one, from the first dial over losses and returns to its end, and who takes part in it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from itertools import count
from threading import RLock
from typing import Final

from jms_api.constants import SessionMode
from jms_api.engine import faults
from jms_api.engine.calling import ExceptionTask, as_exception_listener
from jms_api.engine.delivery import Subscription
from jms_api.engine.dialling import Dialling
from jms_api.engine.exchange import Exchange
from jms_api.engine.forks import forget_in_children
from jms_api.engine.host import Host, Phase
from jms_api.engine.link import Link, LinkError
from jms_api.engine.operations import Operation, Steps, procedure
from jms_api.engine.routing import Routing
from jms_api.engine.session import SessionCore
from jms_api.engine.tasks import TaskQueue
from jms_api.exceptions import IllegalStateException, InvalidClientIDException, JMSException
from jms_api.metadata import ConnectionMetaData
from jms_api.objects import ObjectCodec
from jms_api.profiles import Profile, profile_of
from jms_api.url import ConnectionOptions
from stompd.wire.frame import Frame
from stompd.wire.heartbeat import HeartBeat

_log: Final = logging.getLogger("jms_api")

#: How long a broker may take to answer DISCONNECT before the connection is just closed.
_FAREWELL_SECONDS: Final = 5.0


class ConnectionCore(Routing):
    """One connection, as JMS means it.

    The driver dials `next_address`, tells `link_up`, passes on what comes to `receive`, writes what `take_outgoing`
    returns, calls `tick` at `next_deadline`, and tells `link_lost`.
    """

    def __init__(self, options: ConnectionOptions, host: Host) -> None:
        self.options = options
        self.host = host
        self.lock = RLock()
        self.exchange = Exchange()
        self.profile: Profile = options.profile or profile_of(None)
        #: Turns the objects of its messages into octets and back.
        self.codec = ObjectCodec(options.allowed_classes)
        #: Begins the ids of its messages and the names of its temporary destinations.
        self.token = uuid.uuid4().hex[:16]
        self.numbers = count(1)
        self.sessions: set[SessionCore] = set()
        self.subscriptions: dict[str, Subscription] = {}
        self.temporaries = {}
        #: How many contexts share it.
        self.contexts = 0
        self.is_started = False
        self.is_closed = False
        self.is_forked = False
        self.phase = Phase.DIALLING
        self._client_id = options.client_id
        self._has_configured_id = options.client_id is not None
        self._is_used = False
        self._closing: Operation[None] | None = None
        self._link: Link | None = None
        self._server_headers: dict[str, str] = {}
        self._dialling = Dialling(options)
        self._last_error: JMSException | None = None
        #: Why it cannot be used any more although nobody closed it.
        self._failure: JMSException | None = None
        self._opened: Operation[None] = Operation()
        self._farewell_deadline = float("inf")
        self._listener: Callable[[JMSException], object] | None = None
        self._given_listener: object = None
        self.reports = TaskQueue(self.lock, host.tasks_ready)
        forget_in_children(self)

    # Checks.

    def check_open(self) -> None:
        """Raise IllegalStateException if it is closed, or belongs to the parent process (JMS-186)."""
        if self.is_closed:
            if self.is_forked:
                raise IllegalStateException(
                    "this connection belongs to the parent process; open another one after fork"
                )
            raise faults.closed("connection")

    def check_alive(self) -> None:
        """Raise the reason why the connection has been given up, if it was."""
        self.check_open()
        if self._failure is not None:
            raise JMSException(str(self._failure), self._failure.error_code) from self._failure

    def use(self) -> None:
        """Note that something was done with it (JMS-194)."""
        self.check_open()
        self._is_used = True

    # What the driver does.

    def next_address(self) -> tuple[int, float] | None:
        """Return which address of the options is to be dialled, and after how many seconds; None when it is over."""
        with self.lock:
            if self.phase is Phase.OVER:
                return None
            return self._dialling.next_attempt()

    def link_up(self, now: float) -> None:
        """Begin to speak STOMP: a connection of the transport is there."""
        with self.lock:
            options = self.options
            headers = {"host": options.virtual_host or self._dialling.host, "jms-soft-errors": "true"}
            if options.user_name is not None:
                headers["login"] = options.user_name
                headers["passcode"] = options.password or ""
            if self._client_id is not None:
                headers["client-id"] = self._client_id
            self._link = Link(headers, HeartBeat(*options.heartbeat), now, options.connect_timeout / 1000)

    def link_lost(self, cause: BaseException) -> None:
        """Note that the connection of the transport failed, could not be made, or has ended."""
        with self.lock:
            error = self._last_error or faults.lost(cause)
            self._last_error = None
            self._link = None
            self.exchange.drop(error)
            if self.is_closed or self.is_over:
                self.phase = Phase.OVER
            elif self.phase is Phase.UP:
                self._lose(error)
            elif self._dialling.is_hopeless(error, is_first=self.phase is Phase.DIALLING):
                self._give_up(error)

    def receive(self, octets: bytes, now: float) -> None:
        """Take in what came from the broker.

        Raises:
            LinkError: The connection of the transport must be closed.
        """
        link = self._link
        if link is None:
            return
        # Only one thread receives, and reading frames takes longest: it keeps nobody waiting.
        frames = link.receive(octets, now)
        with self.lock:
            if self._link is not link:
                return
            for frame in frames:
                command = frame.command
                if command == "MESSAGE":
                    self.deliver(frame)
                elif command == "RECEIPT":
                    self.exchange.confirm(frame)
                elif command == "ERROR":
                    self._refuse(frame)
                elif self.phase is not Phase.UP:
                    self._connected(frame)

    @property
    def has_outgoing(self) -> bool:
        """Whether something waits to be written."""
        return self._link is not None and self._link.has_outgoing

    def take_outgoing(self, now: float) -> bytes:
        """Return what is to be written next."""
        with self.lock:
            return self._link.take_outgoing(now) if self._link is not None else b""

    def next_deadline(self) -> float:
        """Return when `tick` is to be called."""
        with self.lock:
            link = self._link.next_deadline() if self._link is not None else float("inf")
            return min(link, self._farewell_deadline, self.exchange.oldest + self.options.receipt_timeout / 1000)

    def tick(self, now: float) -> None:
        """Do what is due.

        Raises:
            LinkError: The connection of the transport must be closed.
        """
        with self.lock:
            if self.is_closed and self._farewell_deadline == float("inf"):
                self._farewell_deadline = now + _FAREWELL_SECONDS
            if now >= self._farewell_deadline:
                raise LinkError("the broker did not answer DISCONNECT in time")
            if now >= self.exchange.oldest + self.options.receipt_timeout / 1000:
                raise LinkError("the broker did not answer in time")
            if self._link is not None:
                self._link.tick(now)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or was given up."""
        return self.phase is Phase.OVER

    def abort(self) -> None:
        """End it without a word, because nobody has it any more."""
        with self.lock:
            self.is_closed = True
            self._end(faults.closed("connection"))

    # Its life.

    def opened(self) -> Operation[None]:
        """Return an operation that is done when the broker has let us in (JMS-172)."""
        return self._opened

    def up(self) -> Operation[None]:
        """Return an operation that is done when the broker can be reached; it fails when that is given up."""
        with self.lock:
            if self._failure is not None:
                return Operation.failed(self._failure)
            return self._opened

    @procedure
    def start(self) -> Steps[None]:
        """Let messages through (JMS-173 to JMS-175)."""
        self.use()
        if not self.is_started:
            self.is_started = True
            for session in self.sessions:
                for consumer in session.consumers:
                    consumer.give()
                session.announce()
        yield from ()

    @procedure
    def stop(self) -> Steps[None]:
        """Let no message through, and wait until the listeners at work have returned (JMS-176, JMS-179)."""
        self.use()
        for session in self.sessions:
            session.check_not_in_listener("stop")
        self.is_started = False
        for session in list(self.sessions):
            yield from session.idle()

    @procedure
    def close(self) -> Steps[None]:
        """End it, in order (JMS-181 to JMS-188)."""
        if self._closing is None:
            if self.is_closed:
                return
            for session in self.sessions:
                session.check_not_in_listener("close of the connection")
            self._closing = self._close()
        yield from self._closing

    @procedure
    def _close(self) -> Steps[None]:
        sessions = list(self.sessions)
        for session in sessions:
            yield from session.quiesce()
        self.is_closed = True
        for session in sessions:
            self.leave_all(session)
        if self.phase is Phase.UP:
            try:
                yield from self._disconnect()
            except JMSException as error:
                _log.debug("the broker did not confirm DISCONNECT: %s", error)
        self._end(faults.closed("connection"))

    @procedure
    def _disconnect(self) -> Steps[Frame]:
        self.host.wake()
        return (yield from self.exchange.request(Frame("DISCONNECT", {})))

    def create_session(self, mode: SessionMode, *, is_use: bool = True) -> SessionCore:
        """Return a new session (JMS-207); that of the first context is no use of the connection (JMS-201)."""
        with self.lock:
            if is_use:
                self.use()
            session = SessionCore(self, mode, next(self.numbers))
            self.sessions.add(session)
            return session

    # Client id, exception listener, metadata.

    def get_client_id(self) -> str | None:
        """Return the client id (JMS-199)."""
        self.check_open()
        return self._client_id

    @procedure
    def set_client_id(self, client_id: str) -> Steps[None]:
        """Connect again, as this client (JMS-194 to JMS-198)."""
        self.check_open()
        if self._is_used or self._client_id is not None:
            how = "in the configuration" if self._has_configured_id else "before, or the connection is in use"
            raise IllegalStateException(f"the client id cannot be set: it was set {how}")
        if not isinstance(client_id, str) or not client_id or set(client_id) & set("\r\n\0"):
            raise InvalidClientIDException(f"{client_id!r} cannot be a client id")
        self._is_used = True
        self._client_id = client_id
        self._opened = Operation()
        yield from self._disconnect()
        self.phase = Phase.DIALLING
        self._dialling.begin()
        self.host.wake()
        yield from self._opened

    def get_exception_listener(self) -> object:
        """Return the exception listener as it was set (JMS-203)."""
        self.check_open()
        return self._given_listener

    def set_exception_listener(self, listener: object) -> None:
        """Tell somebody what happens to the connection from now on; None ends that (JMS-202)."""
        self.check_open()
        self._listener = as_exception_listener(listener)
        self._given_listener = listener

    def meta_data(self) -> ConnectionMetaData:
        """Return what the broker says about itself (JMS-206)."""
        self.use()
        return ConnectionMetaData(self._server_headers.get("server"))

    def report(self, error: JMSException) -> None:
        """Tell the exception listener (JMS-202)."""
        _log.warning("%s", error)
        if self._listener is not None and not self.is_closed:
            self.reports.add(ExceptionTask(self._listener, error))

    # What comes from the broker.

    def _connected(self, frame: Frame) -> None:
        self._server_headers = frame.headers
        self.profile = self.options.profile or profile_of(frame.headers.get("server"))
        self._dialling.begin()
        self.phase = Phase.UP
        self.exchange.link = self._link
        if self._link is not None:
            self._link.profile = self.profile
        for session in list(self.sessions):
            for consumer in list(session.consumers):
                self.restore(consumer)
        self._opened.succeed(None)

    def _refuse(self, frame: Frame) -> None:
        if self.phase is not Phase.UP:
            self._last_error = faults.refusal(frame, "CONNECT")
            raise LinkError("the broker refused the connection")
        error = self.exchange.refuse(frame)
        if frame.headers.get("soft") != "true" and not self.profile.soft_errors:
            self._last_error = error
            raise LinkError(frame.headers.get("message", "the broker ended the connection"))
        if error is not None:
            self.report(error)

    def _lose(self, error: JMSException) -> None:
        """Begin again: dial until somebody answers, then restore what there was."""
        self.phase = Phase.DOWN
        self._opened = Operation()
        self._dialling.begin()
        self.end_subscriptions(error)
        for session in self.sessions:
            session.link_lost()
        if self.options.reconnect:
            self.report(error)
        else:
            self._give_up(error)

    def _give_up(self, error: JMSException) -> None:
        was_open = self._opened.is_done or self.phase is not Phase.DIALLING
        self._failure = error
        if was_open:
            self.report(error)
        self._end(error)

    def _end(self, error: JMSException) -> None:
        self.phase = Phase.OVER
        self.exchange.drop(error)
        self.end_subscriptions(error)
        self._opened.fail(error)
        for session in list(self.sessions):
            for consumer in list(session.consumers):
                if self.is_closed:
                    consumer.stop_waiting(None)
                else:
                    consumer.fail(error)
            if self.is_closed:
                session.is_closed = True
                session.end()
        if self.is_closed:
            self.sessions.clear()
            self.reports.end()
        self.host.wake()
