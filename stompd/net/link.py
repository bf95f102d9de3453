"""The link: one connection's socket, from the first octet to the last."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, final

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from stompd.broker.delivery import Delivery
from stompd.broker.requests import Disconnect, Renew, Send
from stompd.errors import (
    FrameTooLarge,
    HeartBeatMissed,
    InternalError,
    InvalidClientId,
    LimitExceeded,
    LoginFailed,
    ProtocolError,
    ShuttingDown,
    StompError,
)
from stompd.interfaces import IStompUser
from stompd.net.admission import Admission, explain_timeout
from stompd.net.census import Place
from stompd.net.hold import Hold
from stompd.net.intake import Intake, NotStomp
from stompd.net.meter import Meter
from stompd.net.timer import Timer
from stompd.net.transport import StreamTransport, end_writing, explain_close, name_peer, set_socket_options
from stompd.session.login import Login, expiry_headers
from stompd.session.session import HeartBeatAction, Session
from stompd.wire.frame import Frame
from stompd.wire.parser import FrameParser

if TYPE_CHECKING:
    from stompd.net.factory import LinkFactory

_log = Logger()


@final
@implementer(IHalfCloseableProtocol, IPushProducer)
class Link(Protocol):
    """Feeds octets through the parser and the session to the driver, and writes what comes back.

    It takes frames unless it is held (`Hold`), and none once an ERROR or a DISCONNECT has been seen. What was received
    before a connection is lost is still taken.
    """

    transport: StreamTransport  # type: ignore[assignment]  # narrower than Twisted's: there is one while connected

    def __init__(self, factory: LinkFactory, *, is_surplus: bool) -> None:
        """Make a link for a connection that has been accepted; a surplus one is refused at once."""
        self._factory = factory
        self._driver = factory.driver
        self._reactor = factory.reactor
        self._is_surplus = is_surplus
        self._parser = FrameParser(factory.login_frame_limits)
        self._session_id = factory.driver.next_session_id()
        #: Where the census has counted it.
        self.counted: list[Place] = []
        self._meter: Meter | None = None
        self._user: IStompUser | None = None
        self._outgoing: list[bytes] = []
        self._timer = Timer(factory.reactor)
        #: Looks at what comes in until it is clear who is there.
        self._intake: Intake | None = None
        self._holds: set[Hold] = set()
        #: Whether no further frame is taken: the session is over on our side.
        self._is_done = False
        #: Whether our last octet was handed to the transport.
        self._is_closed = False
        #: Whether the peer sends nothing more.
        self._is_at_end = False
        #: Whether the socket is gone.
        self._is_lost = False
        self.is_writable = True
        self.is_dirty = False

    # Twisted tells of the socket.

    def connectionMade(self) -> None:
        """Greet nobody: in STOMP the client speaks first. Begin the time in which it has to log in."""
        now = self._reactor.seconds()
        self._session = Session(self._session_id, self._factory.session_settings, now, nonce=self._factory.nonce)
        set_socket_options(self.transport)
        self._intake = Intake(self.transport)
        self.transport.registerProducer(self, True)
        self.admission = Admission(self._factory.hosts, self._reactor, self.transport, self.fail)
        try:
            self._factory.link_made(self, is_surplus=self._is_surplus)
        except LimitExceeded as error:
            self.fail(error)
            return
        self._timer.set(self._factory.limits.login_seconds, self._login_timed_out)

    def dataReceived(self, data: bytes) -> None:
        """Take the frames that are complete."""
        if self._is_done:
            return  # lingering: read and forgotten, so that the peer gets our last frame and no reset
        self._session.octets_received(self._reactor.seconds())
        if self._intake is not None:
            data = self._look_at(self._intake, data)
        self._parser.receive_data(data)
        self._take_frames()

    def readConnectionLost(self) -> None:
        """The peer sends nothing more, but may still read its receipts."""
        self._is_at_end = True
        if self._is_closed:
            self.transport.loseConnection()
        else:
            self._take_frames()

    def writeConnectionLost(self) -> None:
        """Our side of the connection is closed; the rest is lingering."""

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:  # noqa: B008  # Twisted's signature
        """The socket is gone; what was received before is still taken."""
        self._is_lost = self._is_at_end = True
        self._holds.discard(Hold.UNREAD)
        self._timer.cancel()
        self._factory.link_lost(self)
        if self._is_done:
            self.close()
        else:
            self._take_frames()

    # The transport, as a consumer, tells how much it holds.

    def pauseProducing(self) -> None:
        """The transport holds more than its high-water mark."""
        self.is_writable = False
        self._driver.set_writable(self._session_id, is_writable=False)

    def resumeProducing(self) -> None:
        """The transport has sent everything."""
        self.is_writable = True
        self.flush(self._reactor.seconds())
        if self.is_writable:
            self._driver.set_writable(self._session_id, is_writable=True)
            self._release(Hold.UNREAD)

    def stopProducing(self) -> None:
        """The transport takes nothing more."""
        self.pauseProducing()

    # The driver has something for the peer.

    def deliver(self, delivery: Delivery) -> None:
        """Send a MESSAGE with the next flush."""
        self._outgoing.append(self._session.message(delivery))

    def confirm(self, receipt: str, headers: Mapping[str, str]) -> None:
        """Send a RECEIPT with the next flush."""
        self._outgoing.append(self._session.receipt(receipt, headers))

    def refuse(self, error: StompError, receipt: str | None) -> None:
        """Send an ERROR, then close so that the peer can read it."""
        # The gate logs failed logins, and not every one.
        log = _log.debug if isinstance(error, LoginFailed) else _log.info
        log("{peer}: refused, {code}: {detail}", peer=self._peer_name(), code=error.code, detail=error.detail)
        explain_close(self.transport, error)
        answer = error.answer if isinstance(error, NotStomp) else None
        self._outgoing.append(answer or self._session.error(error, receipt))
        self.close()

    def decline(self, error: StompError, receipt: str) -> None:
        """Send an ERROR about one frame with the next flush, and go on."""
        self._outgoing.append(self._session.soft_error(error, receipt))

    def close(self) -> None:
        """Write everything, close our side, and read on for a while so that no reset overtakes our last frame."""
        # STOMP 1.2 "Connection Lingering": the client must have a chance to read the last frame.
        self._is_done = self._is_closed = True
        self.admission.end()
        self.flush(self._reactor.seconds())
        self._driver.detach(self._session_id)
        if self._is_lost:
            return
        self.transport.unregisterProducer()
        if not self._is_at_end:
            self.transport.resumeProducing()
        end_writing(self.transport, is_at_end=self._is_at_end)
        self._timer.set(self._factory.limits.linger_seconds, self.transport.abortConnection)

    def flush(self, now: float) -> None:
        """Hand what is to be sent to the transport, in one write, unless it holds enough already."""
        if not self._outgoing:
            return
        octets = b"".join(self._outgoing)
        self._outgoing.clear()
        if self._is_lost:
            return
        if self.is_writable or self._is_closed:
            self.transport.write(octets)
            self._session.octets_sent(now)
            return
        self._outgoing.append(octets)
        if len(octets) > self._factory.limits.outgoing_bytes:
            self._hold(Hold.UNREAD)

    def suspend(self) -> None:
        """Read nothing for now."""
        self._hold(Hold.JOURNAL)

    def resume(self) -> None:
        """Read on, beginning with what was received already."""
        self._release(Hold.JOURNAL)

    def _hold(self, reason: Hold) -> None:
        if not self._holds:
            self._session.reading_suspended(self._reactor.seconds())
            if not self._is_at_end:
                self.transport.pauseProducing()
        self._holds.add(reason)

    def _release(self, reason: Hold) -> None:
        if reason not in self._holds:
            return
        self._holds.discard(reason)
        if self._holds:
            return
        self._session.reading_resumed(self._reactor.seconds())
        if not self._is_at_end:
            self.transport.resumeProducing()
        if not self._timer.is_set:
            self._await_deadline()
        self._take_frames()

    # The broker is being stopped.

    def shut_down(self) -> None:
        """Take no more frames, and say why after the receipts that are owed."""
        if not self._is_done:
            self.fail(ShuttingDown("The broker is being stopped; connect again in a while."))

    def dismiss(self, error: StompError) -> None:
        """Say now what went wrong, for the receipts that are owed will never come."""
        if not self._is_closed:
            self.refuse(error, None)

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abortConnection()

    # Frames.

    def _look_at(self, intake: Intake, octets: bytes) -> bytes:
        """Return what there is of STOMP in octets that may be something else, or typed by a person."""
        try:
            octets = intake.read(octets)
        except NotStomp as error:
            self.fail(error)
            return b""
        if intake.answer:
            self._outgoing.append(intake.answer)
            self.flush(self._reactor.seconds())
        if intake.is_over:
            self._intake = None
        return octets

    def _take_frames(self) -> None:
        now = self._reactor.seconds()
        frame = None
        try:
            while not (self._is_done or self._holds):
                frame = self._parser.next_frame()
                if frame is None:
                    self._rest(now)
                    return
                self._take(frame, now)
                frame = None
        except ProtocolError as error:
            self.fail(error, error.receipt)
        except Exception:
            _log.failure("{peer}: internal error", peer=self._peer_name())
            receipt = frame and frame.headers.get("receipt")
            self.fail(InternalError("The error has been logged. It is not your fault; please report it."), receipt)

    def _rest(self, now: float) -> None:
        """No frame is complete: wait for more, if more can come and is worth waiting for."""
        if self._session.advice:
            self._factory.log_advice(self._session, self._peer_name())
        if self._is_at_end:
            self._finish(now)
            return
        limit = self._factory.limits.login_frame_bytes
        if self._user is None and self._parser.buffered_bytes > limit:
            raise FrameTooLarge(f"The CONNECT frame is longer than {limit} bytes (setting limits.login_frame_bytes).")

    def _take(self, frame: Frame, now: float) -> None:
        try:
            request = self._session.receive_frame(frame, now)
            if self._meter is not None and isinstance(request, Send):
                self._measure(self._meter, len(request.message.body), now)
        except StompError as error:
            self.fail(error, frame.headers.get("receipt"))
            return
        if isinstance(request, Login):
            self._log_in(request)
            return
        if isinstance(request, Disconnect):
            # STOMP 1.1 "DISCONNECT": nothing that follows it is looked at.
            self._is_done = True
            if self._session.advice:
                self._factory.log_advice(self._session, self._peer_name())
        assert self._user is not None, "the session gives out requests only after a login"
        self._driver.submit(self._session_id, self._user, request, now)

    def _measure(self, meter: Meter, octets: int, now: float) -> None:
        """Let a message count towards the rates of its user, and rest if it exceeds them."""
        if rest := meter.charge(octets, now):
            self._hold(Hold.RATE)
            self._reactor.callLater(rest, self._release, Hold.RATE)

    def _finish(self, now: float) -> None:
        """Everything the peer ever sent was taken: let its receipts leave, if it can read them, and close."""
        self._is_done = True
        if self._user is None or self._is_lost:
            self.close()
        else:
            self._driver.submit(self._session_id, self._user, Disconnect(), now)

    def fail(self, error: StompError, receipt: str | None = None) -> None:
        """Answer with an ERROR: in its turn among the session's receipts, or at once before there is a session."""
        if self._user is None:
            self._is_done = True
            self.refuse(error, receipt)
        elif self._driver.refuse(self._session_id, error, receipt):
            self._is_done = True

    # Logging in.

    def _log_in(self, login: Login) -> None:
        """Have a login checked; no frame is taken until that is done, so that nothing overtakes authentication."""
        self._hold(Hold.LOGIN)
        self.admission.ask(login, partial(self._renewed if self._user else self._logged_in, login))

    def _logged_in(self, login: Login, user: IStompUser) -> None:
        now = self._reactor.seconds()
        try:
            self._meter = self._factory.enter(
                self, self._session_id, login, user, has_soft_errors=self._session.has_soft_errors
            )
        except (InvalidClientId, LimitExceeded) as error:
            self.fail(error)
            return
        self._timer.cancel()
        self._user = user
        # STOMP 1.2 "Protocol Negotiation": the syntax agreed upon holds for every frame behind CONNECT.
        self._parser.version, self._parser.limits = self._session.version, self._factory.frame_limits
        typed, end = self._parser.is_line_end_next, user.expires_at
        self._outgoing.append(self._session.accepted(user.name, now, is_typed=typed, expires_at=end))
        self.flush(now)
        _log.info("{peer}: connected as {user}", peer=self._peer_name(), user=user.name, host=login.host)
        self._await_deadline()
        self._release(Hold.LOGIN)

    def _renewed(self, login: Login, user: IStompUser) -> None:
        self._user = user
        renew = Renew(login.receipt, expiry_headers(user.expires_at))
        self._driver.submit(self._session_id, user, renew, self._reactor.seconds())
        self._release(Hold.LOGIN)

    def _login_timed_out(self) -> None:
        self.fail(explain_timeout(self._factory.limits.login_seconds))

    # Heart-beats: one timer, set again only when it fires, for frames come far more often than deadlines.

    def _await_deadline(self) -> None:
        deadline = self._session.next_deadline()
        if deadline is not None and not self._is_lost:
            self._timer.set(max(0.0, deadline - self._reactor.seconds()), self._beat)

    def _beat(self) -> None:
        now = self._reactor.seconds()
        if self._is_done:
            self._session.octets_received(now)  # nobody listens, so the peer's silence is no fault
        action = self._session.tick(now)
        if action is HeartBeatAction.DEAD:
            error = "Nothing was received for twice the time agreed upon in the heart-beat headers."
            self.fail(HeartBeatMissed(error))
            return
        if action is HeartBeatAction.SEND:
            self._outgoing.append(self._session.heart_beat())
            self.flush(now)
        self._await_deadline()

    def _peer_name(self) -> str:
        return f"{name_peer(self.transport)} session {self._session_id}"
