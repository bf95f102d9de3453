"""Slices of octets, with the bounds that Java has."""

from __future__ import annotations

from jms_api.exceptions import MessageFormatException, NullPointerException


def slice_of(value: bytes | bytearray | memoryview | None, offset: int = 0, length: int | None = None) -> bytes:
    """Return a copy of `length` octets from `offset` on; without a length, up to the end.

    Raises:
        NullPointerException: There are none (JMS-081).
        MessageFormatException: They are no octets.
        IndexError: They do not lie within what there is; Java's IndexOutOfBoundsException.
    """
    if value is None:
        raise NullPointerException("Octets are needed, not None.")
    if not isinstance(value, bytes | bytearray | memoryview):
        raise MessageFormatException(f"Octets are needed, not an object of the type {type(value).__name__}.")
    octets = bytes(value)
    end = len(octets) if length is None else offset + length
    if not 0 <= offset <= end <= len(octets):
        raise IndexError(f"There are {len(octets)} octets; {length} from {offset} on do not lie within.")
    return octets[offset:end]


def check_buffer(buffer: bytearray | memoryview, length: int | None) -> int:
    """Return how many octets are wanted in a buffer: `length`, or as many as it takes.

    Raises:
        IndexError: It is too small for so many, or they are fewer than none (JMS-108).
    """
    wanted = len(buffer) if length is None else length
    if not 0 <= wanted <= len(buffer):
        raise IndexError(f"The buffer takes {len(buffer)} octets, not {wanted}.")
    return wanted
