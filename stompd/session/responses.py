"""The frames a server sends, as octets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from stompd.broker.effects import SessionId
from stompd.broker.message import Message
from stompd.errors import StompError
from stompd.wire.escaping import escape
from stompd.wire.frame import Frame, Version
from stompd.wire.serializer import encode_headers, serialize

if TYPE_CHECKING:
    from stompd.broker.subscription import Subscription


def encode_connected(headers: Mapping[str, str]) -> bytes:
    """Return a CONNECTED frame."""
    # STOMP 1.2 "Value Encoding": CONNECTED is never escaped.
    return serialize(Frame("CONNECTED", dict(headers)), None)


def encode_receipt(receipt: str, headers: Mapping[str, str], version: Version) -> bytes:
    """Return a RECEIPT frame.

    Args:
        receipt: What the confirmed frame asked for.
        headers: Further headers.
        version: The session's.
    """
    # STOMP 1.2 "RECEIPT": receipt-id is the value of the frame's receipt header; there is no body.
    # It came in a frame of this session, so the same version can write it.
    others = encode_headers(headers, version) if headers else b""
    return b"RECEIPT\nreceipt-id:%b\n%b\n\0" % (escape(receipt, version).encode(), others)


def encode_error(error: StompError, receipt: str | None, version: Version, others: Mapping[str, str]) -> bytes:
    """Return an ERROR frame, which names the fault in its headers and teaches in its body.

    Args:
        error: What was wrong.
        receipt: What the offending frame asked for, if it asked.
        version: The session's; 1.0 when none was agreed upon.
        others: Further headers.
    """
    # STOMP 1.2 "ERROR": a short message header; the body may hold more.
    headers = {"message": error.summary, "error-code": error.code}
    if receipt is not None:
        # STOMP 1.2 "ERROR": receipt-id when the offending frame asked for a receipt.
        headers["receipt-id"] = receipt
    # STOMP 1.2 "ERROR": content-type and content-length, which the serializer adds, go with a body.
    return serialize(
        Frame(
            "ERROR",
            {**headers, **error.headers, **others, "content-type": "text/plain"},
            f"{error.detail}\n".encode(),
        ),
        version,
    )


def encode_head(subscription: Subscription, session_id: SessionId | None, version: Version) -> bytes:
    """Return the part of a MESSAGE frame that is the same for every delivery of a subscription.

    Args:
        subscription: Who receives it.
        session_id: Whose it is; then the head ends within the `ack` header, before the delivery's number and a LF.
            None for frames without that header.
        version: The session's.
    """
    # STOMP 1.1 "MESSAGE": the subscription's id; 1.0 has it only when an id was given.
    headers = {"subscription": subscription.subscription_id} if subscription.is_named else {}
    token = "" if session_id is None else f"ack:{session_id}-{subscription.number}-"
    return b"MESSAGE\n%b%b" % (encode_headers(headers, version), token.encode())


#: What stands in a MESSAGE frame that delivers an entry for the first time.
FIRST_DELIVERY = b"redelivered:false\nJMSXDeliveryCount:1\n"


def encode_redelivery(delivery_count: int) -> bytes:
    """Return what stands there when the entry was delivered so many times before."""
    return b"redelivered:true\nJMSXDeliveryCount:%d\n" % (delivery_count + 1)


def encode_tail(message: Message, version: Version) -> bytes:
    """Return the part of a MESSAGE frame that is the same for every subscription, up to and with the NUL."""
    expires = f"expires:{message.expires_ms}\n" if message.expires_ms else ""
    body = message.body
    # STOMP 1.2 "MESSAGE": message-id is unique; here it also stays the same from one delivery to the next.
    # STOMP 1.2 "Header content-length": recommended with every body, required when there are NULs in it.
    lines = (
        f"message-id:{message.message_id}\n"
        f"persistent:{'true' if message.is_persistent else 'false'}\n"
        f"priority:{message.priority}\n{expires}"
        f"timestamp:{message.timestamp_ms}\n"
        f"content-length:{len(body)}\n"
    )
    # STOMP 1.2 "MESSAGE": destination is spelled as in the SEND; the sender's own headers go along.
    others = encode_headers(message.headers, version) if message.headers else b""
    return b"%b%b%b\n%b\0" % (lines.encode(), _encode_destination(message.destination, version), others, body)


@lru_cache(maxsize=1_024)  # few are in use, and they are short
def _encode_destination(destination: str, version: Version) -> bytes:
    return encode_headers({"destination": destination}, version)
