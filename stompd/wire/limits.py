"""How large a frame may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class FrameLimits:
    """How large a frame may be; what exceeds it is refused before memory is spent on it.

    Spec: STOMP 1.2, "Size Limits".
    """

    #: Octets of the command line, before its LF: three times the longest command, so that mistyped ones are named.
    command_bytes: int = 32
    #: Header lines of one frame: several times what JMS and the busiest clients use.
    header_count: int = 100
    #: Octets of one header line, before its LF: a login token or a long selector, twice what HTTP servers usually take.
    header_line_bytes: int = 16_384
    #: Octets of the body: a large document; what is larger belongs in a file store, with its name in the message.
    body_bytes: int = 16 * 1024 * 1024


#: What is allowed unless an operator wants it otherwise.
DEFAULT_LIMITS = FrameLimits()
