"""Messages whose body is a sequence of values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from jms_api.conversions import convert
from jms_api.exceptions import MessageEOFException, MessageFormatException, MessageNotReadableException
from jms_api.messages.message import Message
from jms_api.messages.octets import check_buffer, slice_of
from jms_api.primitives import Value, ValueType, as_value, check
from jms_api.properties import Malformed


class StreamMessage(Message):
    """A message whose body is a sequence of values, written and read from the front to the back (JMS-097 to JMS-103).

    A new one can only be written; `reset()` ends that, and from then on it is read from the beginning. A received one
    can only be read. `for value in message` reads what is left.
    """

    def __init__(self) -> None:
        """Make an empty message, to be written."""
        super().__init__()
        self._values: list[Value | Malformed] = []
        self._position = 0
        #: How many octets of the value there `read_into` has read; None if it has not begun.
        self._offset: int | None = None

    @property
    def body(self) -> list[Value]:
        """All values as a list, wherever reading or writing is."""
        return [_readable(value) for value in self._values]

    def _check_assignable(self, type_: type) -> None:
        raise MessageFormatException("The body of a StreamMessage is read value by value.")

    def clear_body(self) -> None:
        """Remove all values, and let others be written."""
        super().clear_body()
        self._values = []
        self._rewind()

    def reset(self) -> None:
        """End writing; reading begins at the first value."""
        self._is_body_read_only = True
        self._rewind()

    def _rewind(self) -> None:
        self._position = 0
        self._offset = None

    def __iter__(self) -> Iterator[Value]:
        self._check_readable()
        return self._rest()

    def _rest(self) -> Iterator[Value]:
        while self._position < len(self._values):
            yield self.read_object()

    def read_boolean(self) -> bool:
        """Read a boolean.

        This holds for all of the reading methods.

        Raises:
            MessageEOFException: There are no more values.
            MessageFormatException: JMS has no such conversion, or octets have been read in part; the value can be read
                again as another type (JMS-099, JMS-101).
            NumberFormatException, NullPointerException: See `convert`; the value can be read again.
            MessageNotReadableException: The message is being written.
        """
        return cast(bool, self._read(ValueType.BOOLEAN))

    def read_byte(self) -> int:
        """Read an integer of 8 bits."""
        return cast(int, self._read(ValueType.BYTE))

    def read_short(self) -> int:
        """Read an integer of 16 bits."""
        return cast(int, self._read(ValueType.SHORT))

    def read_char(self) -> str:
        """Read a character of 16 bits."""
        return cast(str, self._read(ValueType.CHAR))

    def read_int(self) -> int:
        """Read an integer of 32 bits."""
        return cast(int, self._read(ValueType.INT))

    def read_long(self) -> int:
        """Read an integer of 64 bits."""
        return cast(int, self._read(ValueType.LONG))

    def read_float(self) -> float:
        """Read a floating-point number of single precision."""
        return cast(float, self._read(ValueType.FLOAT))

    def read_double(self) -> float:
        """Read a floating-point number of double precision."""
        return cast(float, self._read(ValueType.DOUBLE))

    def read_string(self) -> str | None:
        """Read a text."""
        return cast("str | None", self._read(ValueType.STRING))

    def read_bytes(self) -> bytes | None:
        """Read octets, all of the value or what `read_into` has left of it; None for null."""
        octets = cast("bytes | None", convert(self._current(), ValueType.BYTES))
        rest = octets if octets is None else octets[self._offset or 0 :]
        self._advance()
        return rest

    def read_into(self, buffer: bytearray | memoryview) -> int:
        """Read octets into a buffer, as Java's readBytes does (JMS-100).

        Returns:
            How many there were. The value ends where they are fewer than the buffer takes; if they are as many, the
            next call returns the rest, or -1 if there is none. -1 for null.
        """
        octets = cast("bytes | None", convert(self._current(), ValueType.BYTES))
        wanted = check_buffer(buffer, None)
        offset = self._offset or 0
        if octets is None or (self._offset is not None and wanted and offset >= len(octets)):
            self._advance()
            return -1
        part = octets[offset : offset + wanted]
        buffer[: len(part)] = part
        if len(part) < wanted:
            self._advance()
        else:
            self._offset = offset + len(part)
        return len(part)

    def read_object(self) -> Value:
        """Read a value in the type it was written with."""
        value = self._whole()
        self._advance()
        return value

    def write_boolean(self, value: bool) -> None:
        """Write a boolean.

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

    def write_string(self, value: str | None) -> None:
        """Write a text, or null."""
        self._write(value, ValueType.STRING)

    def write_bytes(self, value: bytes | None, offset: int = 0, length: int | None = None) -> None:
        """Write octets as one value, or `length` of them from `offset` on, or null."""
        self._write(None if value is None else slice_of(value, offset, length), ValueType.BYTES)

    def write_object(self, value: object) -> None:
        """Write a value whose type decides how it is written (JMS-102, JMS-116)."""
        self._check_body_writable()
        self._values.append(as_value(value))

    def _write(self, value: object, wanted: ValueType) -> None:
        self._check_body_writable()
        self._values.append(check(value, wanted))

    def _read(self, wanted: ValueType) -> Value:
        value = convert(self._whole(), wanted)
        self._advance()
        return value

    def _whole(self) -> Value:
        """Return the value at the position, unless it has been read in part."""
        value = self._current()
        if self._offset is not None:
            raise MessageFormatException("These octets have been read in part; read_bytes() reads the rest.")
        return value

    def _current(self) -> Value:
        self._check_readable()
        if self._position >= len(self._values):
            raise MessageEOFException(f"All {len(self._values)} values have been read.")
        return _readable(self._values[self._position])

    def _advance(self) -> None:
        self._position += 1
        self._offset = None

    def _check_readable(self) -> None:
        if not self._is_body_read_only:
            raise MessageNotReadableException("This StreamMessage is being written; reset() ends that.")


def _readable(value: Value | Malformed) -> Value:
    if isinstance(value, Malformed):
        raise MessageFormatException(f"The value cannot be read: {value.reason}.")
    return value
