"""What the session's tests have in common: frames, sessions in each state, deliveries, and octets read back."""

from __future__ import annotations

from typing import Any, cast

from stompd.broker.delivery import Delivery, Entry
from stompd.broker.destination import parse_destination
from stompd.broker.effects import SessionId
from stompd.broker.message import Message
from stompd.broker.requests import AckMode, Request
from stompd.broker.subscription import Subscription
from stompd.session.session import Session, SessionSettings
from stompd.wire.frame import Frame, Version
from stompd.wire.parser import FrameParser

NOW = 1_700_000_000.0


def frame(command: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Frame:
    """Return a frame as the parser would."""
    return Frame(command, headers or {}, body)


def new_session(settings: SessionSettings | None = None, *, nonce: str = "") -> Session:
    """Return session 7, before its CONNECT."""
    return Session(SessionId(7), settings or SessionSettings(), NOW, nonce=nonce)


def connected(version: str = "1.2", settings: SessionSettings | None = None, heart_beat: str = "0,0") -> Session:
    """Return session 7 after a login."""
    session = new_session(settings)
    session.receive_frame(frame("CONNECT", {"accept-version": version, "heart-beat": heart_beat}), NOW)
    session.accepted("alice", NOW)
    return session


def request(command: str, headers: dict[str, str] | None = None, body: bytes = b"", *, version: str = "1.2") -> Request:
    """Return what a connected session makes of a frame."""
    return cast(Request, connected(version).receive_frame(frame(command, headers, body), NOW))


def subscription(
    subscription_id: str = "0", *, number: int = 1, ack_mode: AckMode = AckMode.INDIVIDUAL, is_named: bool = True
) -> Subscription:
    """Return a subscription that stands alone; the session layer looks at nothing else of it."""
    nowhere = cast(Any, None)
    destination = parse_destination("/queue/a")
    return Subscription(
        nowhere,
        nowhere,
        subscription_id,
        number,
        ack_mode,
        destination,
        credit=10,
        byte_limit=1_000,
        is_named=is_named,
    )


def delivery(message: Message, to: Subscription | None = None, *, number: int = 1, delivery_count: int = 0) -> Delivery:
    """Return a delivery of a message."""
    entry = Entry(message, is_stored=True, delivery_count=delivery_count)
    return Delivery(entry, to or subscription(), number, cast(Any, None))


def read(octets: bytes, version: str | None = "1.2") -> Frame:
    """Return the one frame that a client of some version reads in the octets."""
    parser = FrameParser(is_client=True)
    parser.version = None if version is None else Version(version)
    parser.receive_data(octets)
    found = parser.next_frame()
    assert found is not None
    assert parser.next_frame() is None
    return found
