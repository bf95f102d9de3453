"""One connection's protocol state on the server's side, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Delivery
from stompd.broker.effects import SessionId
from stompd.broker.requests import AckMode, Request, Send
from stompd.errors import InvalidDestination, MissingHeader, StompError
from stompd.session.advice import ODD_SEND_HEADERS, advise
from stompd.session.aliases import refuse_contradictions
from stompd.session.commands import BUILDERS, is_repeatable, repeat
from stompd.session.headers import missing
from stompd.session.login import RENEWAL, Login, expiry_headers, negotiate, read_soft_errors
from stompd.session.responses import (
    FIRST_DELIVERY,
    encode_connected,
    encode_error,
    encode_head,
    encode_receipt,
    encode_redelivery,
    encode_tail,
)
from stompd.session.states import State, StateMachine
from stompd.wire.frame import Frame, Version
from stompd.wire.heartbeat import HeartBeat, agree, parse_heart_beat

if TYPE_CHECKING:
    from stompd.broker.subscription import Subscription

#: What a peer may be late on top of twice its interval: short intervals suffer most from slow networks.
_GRACE_SECONDS = 1.0

#: Heads kept for subscriptions of one session; more of them only cost time.
_MOST_HEADS = 1_024

#: Warnings that wait for the RECEIPT of their frame; so many frames are hardly under way at once.
_MOST_WARNINGS = 1_000

#: Beside what every ERROR has: that the connection goes on, in our word and in that of JMS clients.
_SOFT: Mapping[str, str] = {"soft": "true", "jms-fatal": "false"}


#: What most clients offer themselves: a dead peer is found within half a minute, and idle links cost next to nothing.
_DEFAULT_HEART_BEAT = HeartBeat(10_000, 10_000)


class HeartBeatAction(Enum):
    """What has to be done now for the sake of heart-beats."""

    NONE = "none"
    #: Send a heart-beat: nothing else was sent for a while.
    SEND = "send"
    #: Give the peer up: nothing was heard for too long.
    DEAD = "dead"


@final
@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What this broker offers to every session of one listener."""

    #: Lowest first.
    versions: tuple[Version, ...] = (Version.V1_0, Version.V1_1, Version.V1_2)
    heart_beat: HeartBeat = _DEFAULT_HEART_BEAT
    #: The `server` header of CONNECTED, such as `stompd/1.0`; None tells nobody.
    server: str | None = "stompd"
    #: Whether a CONNECT of STOMP 1.1 or 1.2 must have the `host` header that the specification asks of clients.
    is_strict_host: bool = False
    #: Whether a line end follows the NUL of every frame, which people with telnet like to see.
    trailing_eol: bool = True
    #: Whether messages say who sent them, in `JMSXUserID`.
    names_sender: bool = False


@final
class Session:
    """One STOMP connection as the server sees it: frames in, requests out; deliveries and answers in, octets out.

    It knows the version, the state and the heart-beats, and nothing of sockets or queues. Not thread-safe.
    """

    __slots__ = (
        "_encoding",
        "_eol",
        "_form",
        "_heads",
        "_is_advised",
        "_is_reading",
        "_last_received",
        "_last_send",
        "_last_sent",
        "_peer_heart_beat",
        "_request_id",
        "_send_after",
        "_sender",
        "_session_id",
        "_session_name",
        "_settings",
        "_silence_allowed",
        "_soft_errors",
        "_states",
        "_syntax",
        "_warning",
        "_warnings",
        "advice",
        "user_name",
        "version",
    )

    def __init__(self, session_id: SessionId, settings: SessionSettings, now: float, *, nonce: str = "") -> None:
        """Begin a session that awaits its CONNECT.

        Args:
            session_id: The broker's number for it.
            settings: What is offered to the peer.
            now: When the connection was made.
            nonce: A text of this run of the broker, which makes the `session` header unique across restarts.
        """
        #: None until a CONNECT was read.
        self.version: Version | None = None
        #: None until the login was accepted.
        self.user_name: str | None = None
        #: Who is named in each message as its sender; empty for nobody.
        self._sender = ""
        self._session_id = session_id
        # STOMP 1.0 "CONNECT": the session header is unique to the session.
        self._session_name = f"{nonce}-{session_id}" if nonce else str(session_id)
        self._settings = settings
        self._states = StateMachine()
        #: What our frames are written in; before a version is agreed upon, as plainly as 1.0 has it.
        self._syntax = Version.V1_0
        #: The key of our encodings in a message's cache.
        self._encoding = Version.V1_0.value
        self._eol = b"\n" if settings.trailing_eol else b""
        #: By subscription number: the first lines of its MESSAGE frames, and whether a delivery's number follows them.
        self._heads: dict[int, tuple[bytes, bool]] = {}
        #: What the last SENDs looked like, and what all of them ask for.
        self._form: object | None = None
        self._last_send: Send | None = None
        self._request_id: str | None = None
        #: What is to be confirmed in CONNECTED: the names by which soft errors were asked for.
        self._soft_errors: tuple[str, ...] = ()
        #: What CONNECTED will say of the headers of CONNECT.
        self._warning = ""
        #: By receipt: what the RECEIPT will say of the headers of its frame.
        self._warnings: dict[str, str] = {}
        #: What was to be said of the first frame that asked for no RECEIPT; who has logged it, makes it empty again.
        self.advice = ""
        self._is_advised = False
        self._peer_heart_beat = HeartBeat(0, 0)
        self._is_reading = True
        self._last_received = now
        self._last_sent = now
        #: Seconds without a word of ours after which we send a heart-beat; 0 means never.
        self._send_after = 0.0
        #: Seconds of the peer's silence that we bear; 0 means any number.
        self._silence_allowed = 0.0

    @property
    def takes_frames(self) -> bool:
        """Whether `receive_frame` may be called: not while logging in, nor after a DISCONNECT or an ERROR."""
        return self._states.takes_frames

    @property
    def has_soft_errors(self) -> bool:
        """Whether the client asked that the connection be kept after an ERROR about one frame."""
        return bool(self._soft_errors)

    def receive_frame(self, frame: Frame, now: float) -> Request | Login:
        """Return what a frame asks for: of whoever checks logins, if it is the CONNECT or renews it, else of the core.

        Raises:
            StompError: The frame cannot be accepted; `error` makes the answer.
            RuntimeError: The session takes no frames now.
        """
        self._states.received(frame.command)
        version = self.version
        if version is None:
            # The table has let nothing through but CONNECT and STOMP.
            return self._read_connect(frame)
        form = frame.form
        if form is not None and form is self._form and self._last_send is not None:
            return repeat(self._last_send, frame.body, frame.headers.get("receipt"))
        try:
            request = BUILDERS[frame.command](frame, version, self._session_id, now)
        except MissingHeader as error:
            raise MissingHeader(" ".join(filter(None, (error.detail, advise(frame))))) from None
        except InvalidDestination:
            if frame.command != "SEND" or frame.headers["destination"] != RENEWAL:
                raise
            return Login.renewal(frame.headers)
        if isinstance(request, Send):
            if self._sender:
                # JMS 3.1, 3.5.9: JMSXUserID is set by the provider; what a client says there has been dropped.
                request.message.headers = {**request.message.headers, "JMSXUserID": self._sender}
            if ODD_SEND_HEADERS.isdisjoint(frame.headers):
                if form is not None and is_repeatable(request):
                    self._form, self._last_send = form, repeat(request, b"", None)
                return request
        elif len(frame.headers) == 1 and frame.command != "DISCONNECT":
            return request  # it is the one that is required
        warning = advise(frame, request)
        if warning:
            self._keep_warning(warning, request.receipt)
        return request

    def accepted(self, user_name: str, now: float, *, is_typed: bool = True, expires_at: float | None = None) -> bytes:
        """Return the CONNECTED that answers the CONNECT; from here on the session takes frames, and hearts beat.

        Args:
            user_name: Who is logged in.
            now: When it is written.
            is_typed: Whether a person seems to type the frames; programs are spared the line end behind each NUL,
                which some of them take for the beginning of another frame.
            expires_at: When the login ends, in epoch seconds; None if it does not.

        Raises:
            RuntimeError: There is no CONNECT to be answered.
        """
        self._states.sent("CONNECTED")
        if not is_typed:
            self._eol = b""
        self.user_name = user_name
        if self._settings.names_sender:
            self._sender = user_name
        offer = self._settings.heart_beat
        # STOMP 1.1 "Protocol Negotiation": CONNECTED names the version; in 1.0 that does no harm.
        headers = {"version": self._syntax.value, "session": self._session_name}
        if self._settings.server is not None:
            headers["server"] = self._settings.server
        if self._syntax is not Version.V1_0:
            # STOMP 1.1 "Heart-beating": both sides tell what they can do and what they want; 1.0 has no heart-beats.
            headers["heart-beat"] = f"{offer.send_ms},{offer.want_ms}"
            headers["user-name"] = user_name
            self._begin_heart_beats(agree(self._peer_heart_beat, offer), now)
        headers.update(expiry_headers(expires_at))
        if self._request_id is not None:
            headers["response-id"] = self._request_id
        for name in self._soft_errors:
            headers[name] = "true"
        if self._warning:
            headers["warning"] = self._warning
        return encode_connected(headers) + self._eol

    def message(self, delivery: Delivery) -> bytes:
        """Return the MESSAGE for a delivery; what all its receivers have in common is encoded once."""
        entry = delivery.entry
        message = entry.message
        if message.encodings is None:
            message.encodings = {}
        tail = message.encodings.get(self._encoding)
        if tail is None:
            tail = message.encodings[self._encoding] = encode_tail(message, self._syntax)
        subscription = delivery.subscription
        head, is_numbered = self._heads.get(subscription.number) or self._begin_head(subscription)
        number = b"%d\n" % delivery.number if is_numbered else b""
        redelivery = encode_redelivery(entry.delivery_count) if entry.delivery_count else FIRST_DELIVERY
        return b"".join((head, number, redelivery, tail, self._eol))

    def receipt(self, receipt: str, headers: Mapping[str, str]) -> bytes:
        """Return the RECEIPT for a frame that asked for `receipt`, with what the client may want to know beside it."""
        if self._warnings:
            headers = {**headers, **self._take_warning(receipt)}
        return encode_receipt(receipt, headers, self._syntax) + self._eol

    def error(self, error: StompError, receipt: str | None) -> bytes:
        """Return the ERROR that ends the session, in any state.

        Args:
            error: What was wrong.
            receipt: The `receipt` header of the frame at fault, if there was one.
        """
        if self._states.state is State.LOGGING_IN:
            # STOMP 1.0 "CONNECT": it has no receipt; one that is asked for all the same is not looked at.
            receipt = None
        # STOMP 1.2 "ERROR": the connection is closed right after it.
        self._states.sent("ERROR")
        self._send_after = self._silence_allowed = 0.0
        return encode_error(error, receipt, self._syntax, self._take_warning(receipt)) + self._eol

    def soft_error(self, error: StompError, receipt: str) -> bytes:
        """Return the ERROR about one frame after which the session goes on; `error` is the other one."""
        # STOMP 1.2 "ERROR" has the connection closed after it; a client that knows better asks for this.
        return encode_error(error, receipt, self._syntax, {**_SOFT, **self._take_warning(receipt)}) + self._eol

    def heart_beat(self) -> bytes:
        """Return what is sent when there is nothing to say."""
        # STOMP 1.2 "Heart-beating": one end of line; every version takes a LF.
        return b"\n"

    def octets_received(self, now: float) -> None:
        """Note that octets came in, be they a frame, a part of one, or an end of line."""
        # STOMP 1.1 "Heart-beating": any octet received counts as life.
        self._last_received = now

    def octets_sent(self, now: float) -> None:
        """Note that octets were written."""
        self._last_sent = now

    def reading_suspended(self, now: float) -> None:
        """Note that nothing is read for a while, so that the peer cannot be blamed for its silence."""
        # STOMP 1.1 "Heart-beating" does not think of back-pressure: the peer is not judged, our own beats go on.
        self._is_reading = False

    def reading_resumed(self, now: float) -> None:
        """Note that reading goes on; the peer's silence counts from now."""
        self._is_reading = True
        self._last_received = now

    def next_deadline(self) -> float | None:
        """When `tick` is to be called, which may turn out to be too early; None means no need."""
        deadlines = []
        if self._send_after:
            deadlines.append(self._last_sent + self._send_after)
        if self._silence_allowed and self._is_listening():
            deadlines.append(self._last_received + self._silence_allowed)
        return min(deadlines, default=None)

    def tick(self, now: float) -> HeartBeatAction:
        """Return what heart-beating asks for now; a heart-beat counts as sent."""
        if self._silence_allowed and self._is_listening() and now >= self._last_received + self._silence_allowed:
            return HeartBeatAction.DEAD
        if self._send_after and now >= self._last_sent + self._send_after:
            self._last_sent = now
            return HeartBeatAction.SEND
        return HeartBeatAction.NONE

    def _read_connect(self, frame: Frame) -> Login:
        headers = frame.headers
        version = negotiate(headers.get("accept-version"), self._settings.versions)
        if version is Version.V1_0:
            # STOMP 1.0 pads its headers with spaces; later versions mean every space they write.
            headers = {name: value.strip(" ") for name, value in headers.items()}
        else:
            # STOMP 1.1 "Heart-beating": no header means 0,0.
            self._peer_heart_beat = parse_heart_beat(headers.get("heart-beat", "0,0"))
            # STOMP 1.1 "CONNECT": clients must send host; servers may do without.
            if self._settings.is_strict_host and "host" not in headers:
                raise missing("CONNECT", "host", "localhost")
        refuse_contradictions("CONNECT", headers)
        self._soft_errors = read_soft_errors(headers)
        self._warning = advise(frame)
        self.version = self._syntax = version
        self._encoding = version.value
        # ActiveMQ's clients find the answer to their CONNECT by these.
        self._request_id = headers.get("request-id")
        return Login.from_headers(headers)

    def _keep_warning(self, warning: str, receipt: str | None) -> None:
        if receipt is not None and len(self._warnings) < _MOST_WARNINGS:
            self._warnings[receipt] = warning
        elif not self._is_advised:
            self._is_advised = True
            self.advice = warning

    def _take_warning(self, receipt: str | None) -> Mapping[str, str]:
        """Return the header that goes with the answer to a frame, if there is something to be said."""
        warning = None if receipt is None else self._warnings.pop(receipt, None)
        return {} if warning is None else {"warning": warning}

    def _begin_heart_beats(self, agreed: HeartBeat, now: float) -> None:
        # STOMP 1.1 "Heart-beating": something every n milliseconds at least, so half of that leaves time to travel.
        self._send_after = agreed.send_ms / 2_000
        # STOMP 1.1 "Heart-beating": the receiver allows an error margin.
        if agreed.want_ms:
            self._silence_allowed = 2 * agreed.want_ms / 1_000 + _GRACE_SECONDS
        self._last_received = self._last_sent = now

    def _is_listening(self) -> bool:
        """Whether the peer's silence means anything: after a DISCONNECT it may just wait for its RECEIPT."""
        return self._is_reading and self._states.state is State.CONNECTED

    def _begin_head(self, subscription: Subscription) -> tuple[bytes, bool]:
        """Encode the first lines of a subscription's MESSAGE frames, and keep them."""
        # STOMP 1.2 "MESSAGE": an ack header for the modes that acknowledge. 1.0 does not know it, 1.1 does not mind.
        is_numbered = subscription.ack_mode is not AckMode.AUTO and self._syntax is not Version.V1_0
        head = encode_head(subscription, self._session_id if is_numbered else None, self._syntax), is_numbered
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        self._heads[subscription.number] = head
        return head
