"""The client's side of one STOMP connection: octets to frames, frames to octets, heart-beats and the login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from jms_api.mapping import needs_length
from jms_api.profiles import Profile
from stompd.errors import StompError
from stompd.wire.frame import Frame, Version
from stompd.wire.heartbeat import HeartBeat, agree, parse_heart_beat
from stompd.wire.limits import FrameLimits
from stompd.wire.parser import FrameParser
from stompd.wire.serializer import encode_headers, serialize

#: The broker decides how large a message may be; this only keeps a peer that is no broker from filling the memory.
_LIMITS: Final = FrameLimits(header_count=10_000, header_line_bytes=1 << 24, body_bytes=1 << 30)

#: How many times the promised interval may pass in silence, and how many seconds beside: clocks and networks jitter.
_PATIENCE: Final = 2.0
_GRACE_SECONDS: Final = 1.0

#: Heart-beats are written this much early, so that they are there in time.
_EARLY: Final = 0.7

#: So much is written even if nothing of it is urgent; that many bytes are worth a call of the operating system.
_MOST_WAITING_BYTES: Final = 32_768


class LinkError(Exception):
    """The connection cannot go on: the peer breaks the protocol, or is silent."""


@final
class Link:
    """One connection in STOMP's sense, from CONNECT to its end; not thread-safe.

    `now` is in seconds of any clock that never goes back.
    """

    __slots__ = (
        "_beat_seconds",
        "_deadline",
        "_heard",
        "_heart_beat",
        "_is_urgent",
        "_outgoing",
        "_parser",
        "_silence_seconds",
        "_waiting_bytes",
        "_wrote",
        "headers",
        "is_connected",
        "profile",
    )

    def __init__(self, headers: Mapping[str, str], heart_beat: HeartBeat, now: float, patience_seconds: float) -> None:
        """Begin with CONNECT.

        Args:
            headers: Those of CONNECT beside `accept-version` and `heart-beat`.
            heart_beat: What to offer, in milliseconds.
            now: The time.
            patience_seconds: How long the answer may take.
        """
        self._parser = FrameParser(_LIMITS, is_client=True)
        self._outgoing: list[bytes] = []
        self._heart_beat = heart_beat
        self._is_urgent = False
        self._waiting_bytes = 0
        self._beat_seconds = 0.0
        self._silence_seconds = 0.0
        self._heard = self._wrote = now
        self._deadline = now + patience_seconds
        #: Those of CONNECTED, when it has come.
        self.headers: Mapping[str, str] = {}
        self.is_connected = False
        #: The broker's, when it is known: some take a text that has a length for octets.
        self.profile: Profile | None = None
        offer = f"{heart_beat.send_ms},{heart_beat.want_ms}"
        self.send(Frame("CONNECT", {"accept-version": Version.V1_2.value, "heart-beat": offer, **headers}))

    @property
    def has_outgoing(self) -> bool:
        """Whether something is to be written now."""
        return self._is_urgent

    def send(self, frame: Frame, *, is_urgent: bool = True) -> None:
        """Write a frame, at once or with the next one that is urgent or when there is much.

        Raises:
            StompError: A header cannot be written.
        """
        profile = self.profile
        if profile is not None and profile.counts_octets and not needs_length(frame.headers, profile):
            head = encode_headers(frame.headers, Version.V1_2)
            octets = b"%b\n%b\n%b\0" % (frame.command.encode(), head, frame.body)
        else:
            octets = serialize(frame, Version.V1_2)
        self._outgoing.append(octets)
        self._waiting_bytes += len(octets)
        if is_urgent or self._waiting_bytes >= _MOST_WAITING_BYTES:
            self._is_urgent = True

    def write(self, octets: bytes) -> None:
        """Write a frame that was serialized before."""
        self._outgoing.append(octets)
        self._is_urgent = True

    def take_outgoing(self, now: float) -> bytes:
        """Return what is to be written, all at once."""
        self._wrote = now
        self._is_urgent = False
        self._waiting_bytes = 0
        outgoing, self._outgoing = self._outgoing, []
        return outgoing[0] if len(outgoing) == 1 else b"".join(outgoing)

    def receive(self, octets: bytes, now: float) -> list[Frame]:
        """Return the frames that have become complete.

        Raises:
            LinkError: This is not STOMP, or the broker speaks another version.
        """
        self._heard = now
        parser = self._parser
        parser.receive_data(octets)
        frames = []
        try:
            while (frame := parser.next_frame()) is not None:
                if not self.is_connected and frame.command == "CONNECTED":
                    self._connected(frame)
                frames.append(frame)
        except StompError as error:
            raise LinkError(f"the peer does not answer as a STOMP broker does: {error.detail}") from error
        return frames

    def next_deadline(self) -> float:
        """Return when `tick` has something to do."""
        if not self.is_connected:
            return self._deadline
        beat = self._wrote + self._beat_seconds if self._beat_seconds else float("inf")
        silence = self._heard + self._silence_seconds if self._silence_seconds else float("inf")
        return min(beat, silence)

    def tick(self, now: float) -> None:
        """Write a heart-beat if one is due.

        Raises:
            LinkError: Nothing has come for too long.
        """
        if not self.is_connected:
            if now >= self._deadline:
                raise LinkError("the broker did not answer CONNECT in time")
            return
        if self._silence_seconds and now - self._heard >= self._silence_seconds:
            raise LinkError(
                f"nothing came from the broker for {now - self._heard:.1f} seconds: heart-beats are missing"
            )
        if self._beat_seconds and now - self._wrote >= self._beat_seconds:
            # STOMP 1.2 "Heart-beating": a line end, when there is nothing else to say.
            self._outgoing = self._outgoing or [b"\n"]
            self._is_urgent = True

    def _connected(self, frame: Frame) -> None:
        version = frame.headers.get("version")
        if version != Version.V1_2.value:
            raise LinkError(f"the broker speaks STOMP {version or '1.0'} only; 1.2 is needed")
        self._parser.version = Version.V1_2
        self.headers = frame.headers
        self.is_connected = True
        # STOMP 1.2 "Heart-beating": no header is the same as 0,0.
        agreed = agree(self._heart_beat, parse_heart_beat(frame.headers.get("heart-beat", "0,0")))
        self._beat_seconds = agreed.want_ms / 1000 * _EARLY
        self._silence_seconds = agreed.send_ms / 1000 * _PATIENCE + _GRACE_SECONDS if agreed.send_ms else 0.0
