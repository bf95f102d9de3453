"""Messages whose body is octets."""

from __future__ import annotations

import struct
from typing import ClassVar, cast

from jms_api.exceptions import (
    MessageEOFException,
    MessageFormatException,
    MessageNotReadableException,
    NullPointerException,
)
from jms_api.messages.message import Message, T
from jms_api.messages.octets import check_buffer, slice_of
from jms_api.primitives import Value, ValueType, as_value, check, type_of

#: JMS-105: big-endian, of fixed width. Chars are written as the number of their code unit.
_FORMATS = {
    ValueType.BOOLEAN: struct.Struct(">?"),
    ValueType.BYTE: struct.Struct(">b"),
    ValueType.SHORT: struct.Struct(">h"),
    ValueType.CHAR: struct.Struct(">H"),
    ValueType.INT: struct.Struct(">i"),
    ValueType.LONG: struct.Struct(">q"),
    ValueType.FLOAT: struct.Struct(">f"),
    ValueType.DOUBLE: struct.Struct(">d"),
}
_UNSIGNED_BYTE = struct.Struct(">B")
_UNSIGNED_SHORT = struct.Struct(">H")

#: Octets of a text that `write_utf` can write, since their number has 16 bits.
_LONGEST_UTF = 0xFFFF


class BytesMessage(Message):
    """A message whose body is octets, written and read from the front to the back (JMS-104 to JMS-111).

    A new one can only be written; `reset()` ends that, and from then on it is read from the beginning. A received one
    can only be read. Nothing tells the types of what was written; reading another type gives something else.
    """

    _body_type: ClassVar[type | None] = bytes

    def __init__(self) -> None:
        """Make an empty message, to be written."""
        super().__init__()
        self._octets = bytearray()
        self._position = 0

    @property
    def body(self) -> bytes | None:
        """All octets, wherever reading or writing is; None if there are none (JMS-120)."""
        return bytes(self._octets) or None

    def __bytes__(self) -> bytes:
        return bytes(self._octets)

    def clear_body(self) -> None:
        """Remove all octets, and let others be written."""
        super().clear_body()
        self._octets = bytearray()
        self._position = 0

    def reset(self) -> None:
        """End writing; reading begins at the first octet."""
        self._is_body_read_only = True
        self._position = 0

    def get_body(self, type_: type[T] = object) -> T | None:  # type: ignore[assignment]  # PEP 696 is not in 3.11
        """Return all octets as `bytes` or `bytearray`, None if there are none, and reset the message (JMS-119).

        Raises:
            MessageFormatException: They are asked for as another type; the message stays as it is.
        """
        self._check_assignable(type_)
        self.reset()
        octets = self.body
        return cast("T | None", bytearray(octets) if octets is not None and type_ is bytearray else octets)

    def _check_assignable(self, type_: type) -> None:
        if type_ is not bytearray:
            super()._check_assignable(type_)

    @property
    def body_length(self) -> int:
        """How many octets there are, wherever reading is.

        Raises:
            MessageNotReadableException: The message is being written.
        """
        self._check_readable()
        return len(self._octets)

    def read_boolean(self) -> bool:
        """Read a boolean: one octet, of which 0 is false.

        This holds for all of the reading methods but those of whole bytes.

        Raises:
            MessageEOFException: There are not as many octets left; none is consumed.
            MessageNotReadableException: The message is being written.
        """
        return bool(self._read(_FORMATS[ValueType.BOOLEAN]))

    def read_byte(self) -> int:
        """Read an integer of 8 bits."""
        return cast(int, self._read(_FORMATS[ValueType.BYTE]))

    def read_unsigned_byte(self) -> int:
        """Read an integer of 8 bits from 0 on."""
        return cast(int, self._read(_UNSIGNED_BYTE))

    def read_short(self) -> int:
        """Read an integer of 16 bits."""
        return cast(int, self._read(_FORMATS[ValueType.SHORT]))

    def read_unsigned_short(self) -> int:
        """Read an integer of 16 bits from 0 on."""
        return cast(int, self._read(_UNSIGNED_SHORT))

    def read_char(self) -> str:
        """Read a character of 16 bits, which may be half of one that needs more."""
        return chr(cast(int, self._read(_FORMATS[ValueType.CHAR])))

    def read_int(self) -> int:
        """Read an integer of 32 bits."""
        return cast(int, self._read(_FORMATS[ValueType.INT]))

    def read_long(self) -> int:
        """Read an integer of 64 bits."""
        return cast(int, self._read(_FORMATS[ValueType.LONG]))

    def read_float(self) -> float:
        """Read a floating-point number of single precision."""
        return cast(float, self._read(_FORMATS[ValueType.FLOAT]))

    def read_double(self) -> float:
        """Read a floating-point number of double precision."""
        return cast(float, self._read(_FORMATS[ValueType.DOUBLE]))

    def read_utf(self) -> str:
        """Read a text that `write_utf` or Java wrote.

        Raises:
            MessageFormatException: The octets are no modified UTF-8; none is consumed.
        """
        start = self._position
        length = self.read_unsigned_short()
        octets = self._octets[self._position : self._position + length]
        try:
            if len(octets) < length:
                raise self._too_short()
            text = _decode_utf(bytes(octets))
        except (MessageEOFException, MessageFormatException):
            self._position = start
            raise
        self._position += length
        return text

    def read_bytes(self, length: int | None = None) -> bytes:
        """Read octets: all that are left, or at most so many; none at the end.

        Raises:
            IndexError: The length is negative.
            MessageNotReadableException: The message is being written.
        """
        self._check_readable()
        left = len(self._octets) - self._position
        if length is not None and length < 0:
            raise IndexError(f"{length} octets cannot be read.")
        end = self._position + (left if length is None else min(length, left))
        octets = bytes(self._octets[self._position : end])
        self._position = end
        return octets

    def read_into(self, buffer: bytearray | memoryview, length: int | None = None) -> int:
        """Read octets into a buffer, as Java's readBytes does (JMS-107, JMS-108).

        Returns:
            How many there were, -1 at the end.

        Raises:
            IndexError: The length is negative, or more than the buffer takes.
            MessageNotReadableException: The message is being written.
        """
        wanted = check_buffer(buffer, length)
        octets = self.read_bytes(wanted)
        buffer[: len(octets)] = octets
        return len(octets) if octets or not wanted else -1

    def write_boolean(self, value: bool) -> None:
        """Write a boolean as one octet.

        This holds for all of the writing methods.

        Raises:
            MessageFormatException: The value is of another type, or out of range.
            MessageNotWriteableException: The message is being read.
        """
        self._write(value, ValueType.BOOLEAN)

    def write_byte(self, value: int) -> None:
        """Write an integer of 8 bits."""
        self._write(value, ValueType.BYTE)

    def write_short(self, value: int) -> None:
        """Write an integer of 16 bits."""
        self._write(value, ValueType.SHORT)

    def write_char(self, value: str) -> None:
        """Write a character of 16 bits."""
        self._write(value, ValueType.CHAR)

    def write_int(self, value: int) -> None:
        """Write an integer of 32 bits."""
        self._write(value, ValueType.INT)

    def write_long(self, value: int) -> None:
        """Write an integer of 64 bits."""
        self._write(value, ValueType.LONG)

    def write_float(self, value: float) -> None:
        """Write a floating-point number, rounded to single precision."""
        self._write(value, ValueType.FLOAT)

    def write_double(self, value: float) -> None:
        """Write a floating-point number of double precision."""
        self._write(value, ValueType.DOUBLE)

    def write_utf(self, value: str) -> None:
        """Write a text as Java's writeUTF does: its length, and modified UTF-8 of at most 65,535 octets."""
        self._write(value, ValueType.STRING)

    def write_bytes(self, value: bytes, offset: int = 0, length: int | None = None) -> None:
        """Write octets, or `length` of them from `offset` on.

        Raises:
            NullPointerException: There are none.
            IndexError: They do not lie within what was given.
        """
        self._check_body_writable()
        self._octets += slice_of(value, offset, length)

    def write_object(self, value: object) -> None:
        """Write a value of any type that JMS has, as the method of that type does (JMS-109).

        Raises:
            NullPointerException: It is None.
        """
        typed = as_value(value)
        self._write(typed, type_of(typed))

    def _write(self, value: object, wanted: ValueType) -> None:
        self._check_body_writable()
        if value is None:
            raise NullPointerException("A BytesMessage cannot hold null.")
        self._octets += _encode(check(value, wanted), wanted)

    def _read(self, form: struct.Struct) -> object:
        self._check_readable()
        if len(self._octets) - self._position < form.size:
            raise self._too_short()
        (value,) = form.unpack_from(self._octets, self._position)
        self._position += form.size
        return cast(object, value)

    def _check_readable(self) -> None:
        if not self._is_body_read_only:
            raise MessageNotReadableException("This BytesMessage is being written; reset() ends that.")

    def _too_short(self) -> MessageEOFException:
        left = len(self._octets) - self._position
        return MessageEOFException(f"The body of {len(self._octets)} octets has only {left} left.")


def _encode(value: Value, wanted: ValueType) -> bytes:
    """Return the octets of a value that is not null."""
    match value:
        case bytes():
            return value
        case str() if wanted is ValueType.STRING:
            octets = _encode_utf(value)
            if len(octets) > _LONGEST_UTF:
                raise MessageFormatException(
                    f"The text has {len(octets)} octets, and write_utf takes {_LONGEST_UTF}; a TextMessage takes more."
                )
            return _UNSIGNED_SHORT.pack(len(octets)) + octets
        case str():
            return _FORMATS[wanted].pack(ord(value))
        case _:
            return _FORMATS[wanted].pack(value)


def _encode_utf(text: str) -> bytes:
    """Return Java's modified UTF-8: NUL as C0 80, and characters beyond 16 bits as two surrogates."""
    units = text.encode("utf-16-be", "surrogatepass")
    halves = "".join(map(chr, struct.unpack(f">{len(units) // 2}H", units)))
    return halves.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")


def _decode_utf(octets: bytes) -> str:
    try:
        halves = octets.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-be", "surrogatepass").decode("utf-16-be")
    except UnicodeError:
        raise MessageFormatException("The octets are no text in modified UTF-8.") from None
