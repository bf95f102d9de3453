"""What may lie between STOMP and the socket: TLS and WebSocket, without any I/O."""

from __future__ import annotations

from typing import Protocol

from jms_api.url import ConnectionOptions


class Wrapping(Protocol):
    """Turns the octets of STOMP into those of the socket, and back; not thread-safe."""

    @property
    def has_outgoing(self) -> bool:
        """Whether it has something of its own to write: `send(b"")` returns that."""
        ...

    def send(self, octets: bytes) -> bytes:
        """Return what to write."""
        ...

    def receive(self, octets: bytes) -> bytes:
        """Return what was received."""
        ...


def wrap(options: ConnectionOptions, address: tuple[str, int]) -> Wrapping | None:
    """Return what an address needs; None for plain TCP."""
    return None
