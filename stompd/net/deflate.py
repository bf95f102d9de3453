"""permessage-deflate, the compression of WebSocket messages."""

from __future__ import annotations

from typing import final

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

#: Octets of a message below which compressing it takes more time than sending it.
_LEAST_OCTETS = 1_024

_PLAIN = RsvBits(False, False, False)


@final
class Deflate(PerMessageDeflate):
    """Compresses each message by itself, so that an idle connection costs no memory.

    Spec: RFC 7692.
    """

    def __init__(self) -> None:
        """Prepare for one connection."""
        # RFC 7692 "Context Takeover Control": a window of each message's own, which is dropped behind it.
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)
        self._is_control = False

    # RFC 6455 "Fragmentation": control frames may stand between the fragments of a message, which goes on behind them.

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Return which reserved bits mean something."""
        self._is_control = opcode.iscontrol()
        if self._is_control:
            return _PLAIN
        return super().frame_inbound_header(proto, opcode, rsv, payload_length)

    def frame_inbound_payload_data(
        self,
        proto: FrameDecoder | FrameProtocol,
        data: bytes,  # wsproto's name
    ) -> bytes | CloseReason:
        """Return octets of a frame as they were before compression."""
        return data if self._is_control else super().frame_inbound_payload_data(proto, data)

    def frame_inbound_complete(self, proto: FrameDecoder | FrameProtocol, fin: bool) -> bytes | CloseReason | None:
        """Return what is left at the end of a frame."""
        return None if self._is_control else super().frame_inbound_complete(proto, fin)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,  # wsproto's name
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        """Return a frame's payload compressed, if it is long enough; we send no fragments."""
        if len(data) < _LEAST_OCTETS:
            return rsv, data
        return super().frame_outbound(proto, opcode, rsv, data, fin)
