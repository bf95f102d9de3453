"""What the first octets of a connection are, since they may be something else than STOMP."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

#: The first line of the PROXY protocol's version 2.
PROXY_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

#: The first word of the PROXY protocol's version 1.
PROXY_WORD = b"PROXY "

#: The first words of HTTP requests. The space tells HTTP's CONNECT from that of STOMP.
_HTTP_WORDS = tuple(
    word + b" "
    for word in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PRI")
)

#: A TLS record with a handshake, of any version.
_TLS_BEGIN = b"\x16\x03"


class Opening(Enum):
    """What a connection begins with."""

    STOMP = "STOMP"
    HTTP = "HTTP"
    TLS = "TLS"
    PROXY = "a PROXY header"


_BEGINNINGS = {
    _TLS_BEGIN: Opening.TLS,
    PROXY_SIGNATURE: Opening.PROXY,
    PROXY_WORD: Opening.PROXY,
    **dict.fromkeys(_HTTP_WORDS, Opening.HTTP),
}


def recognise(octets: bytes) -> Opening | None:
    """Return what octets are the beginning of; None if more are needed. Whatever is nothing else is STOMP."""
    for beginning, opening in _BEGINNINGS.items():
        if octets.startswith(beginning):
            return opening
    if any(beginning.startswith(octets) for beginning in _BEGINNINGS):
        return None
    return Opening.STOMP


def http_answer(status: HTTPStatus, text: str) -> bytes:
    """Return an HTTP response that says one line and ends the connection."""
    body = f"{text}\n".encode()
    # RFC 6455 "Sec-WebSocket-Version": the answer to a wrong version names the right one.
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
