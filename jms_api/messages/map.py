"""Messages whose body is a mapping from names to values."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import ClassVar, cast

from jms_api.conversions import convert
from jms_api.exceptions import IllegalArgumentException, MessageFormatException
from jms_api.messages.message import Message
from jms_api.messages.octets import slice_of
from jms_api.primitives import Value, ValueType, as_value, check, check_text
from jms_api.properties import Malformed


class MapMessage(Message, MutableMapping[str, Value]):
    """A message whose body has values by name; it is a mapping of them itself (JMS-091 to JMS-096).

    As a mapping it gives values in the type they were set with, and raises KeyError for a name that is not there; the
    typed getters read such a name as null. Unlike other mappings it is equal to itself only, and always true.
    """

    _body_type: ClassVar[type | None] = dict

    def __init__(self) -> None:
        """Make a message with an empty map."""
        super().__init__()
        self._entries: dict[str, Value | Malformed] = {}

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __getitem__(self, name: str) -> Value:
        value = self._entries[name]
        if isinstance(value, Malformed):
            raise MessageFormatException(f"The entry {name!r} cannot be read: {value.reason}.")
        return value

    def __setitem__(self, name: str, value: object) -> None:
        self._check_entry(name)
        self._entries[name] = as_value(value)

    def __delitem__(self, name: str) -> None:
        self._check_body_writable()
        del self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    @property
    def body(self) -> dict[str, Value] | None:
        """The entries as a dict; None if there are none (JMS-120)."""
        return {name: self[name] for name in self._entries} or None

    def clear_body(self) -> None:
        """Remove all entries, and let others be set."""
        super().clear_body()
        self._entries = {}

    @property
    def map_names(self) -> Iterator[str]:
        """The names of the entries."""
        return iter(list(self._entries))

    def item_exists(self, name: str) -> bool:
        """Return whether there is an entry, be it null."""
        return name in self._entries

    def get_boolean(self, name: str) -> bool:
        """Return an entry as a boolean; false if there is none. The errors of all getters: see `convert`."""
        return cast(bool, self._get(name, ValueType.BOOLEAN))

    def get_byte(self, name: str) -> int:
        """Return an entry as an integer of 8 bits."""
        return cast(int, self._get(name, ValueType.BYTE))

    def get_short(self, name: str) -> int:
        """Return an entry as an integer of 16 bits."""
        return cast(int, self._get(name, ValueType.SHORT))

    def get_char(self, name: str) -> str:
        """Return an entry as a character of 16 bits."""
        return cast(str, self._get(name, ValueType.CHAR))

    def get_int(self, name: str) -> int:
        """Return an entry as an integer of 32 bits."""
        return cast(int, self._get(name, ValueType.INT))

    def get_long(self, name: str) -> int:
        """Return an entry as an integer of 64 bits."""
        return cast(int, self._get(name, ValueType.LONG))

    def get_float(self, name: str) -> float:
        """Return an entry as a floating-point number of single precision."""
        return cast(float, self._get(name, ValueType.FLOAT))

    def get_double(self, name: str) -> float:
        """Return an entry as a floating-point number of double precision."""
        return cast(float, self._get(name, ValueType.DOUBLE))

    def get_string(self, name: str) -> str | None:
        """Return an entry as text; None if there is none."""
        return cast("str | None", self._get(name, ValueType.STRING))

    def get_bytes(self, name: str) -> bytes | None:
        """Return an entry of octets; None if there is none."""
        return cast("bytes | None", self._get(name, ValueType.BYTES))

    def get_object(self, name: str) -> Value:
        """Return an entry in the type it was set with; None if there is none."""
        return self.get(name)

    def set_boolean(self, name: str, value: bool) -> None:
        """Set an entry to a boolean.

        This holds for all setters.

        Raises:
            IllegalArgumentException: There is no name (JMS-091).
            MessageFormatException: The value is of another type, or out of range.
            MessageNotWriteableException: The message was received.
        """
        self._set(name, value, ValueType.BOOLEAN)

    def set_byte(self, name: str, value: int) -> None:
        """Set an entry to an integer of 8 bits."""
        self._set(name, value, ValueType.BYTE)

    def set_short(self, name: str, value: int) -> None:
        """Set an entry to an integer of 16 bits."""
        self._set(name, value, ValueType.SHORT)

    def set_char(self, name: str, value: str) -> None:
        """Set an entry to a character of 16 bits."""
        self._set(name, value, ValueType.CHAR)

    def set_int(self, name: str, value: int) -> None:
        """Set an entry to an integer of 32 bits."""
        self._set(name, value, ValueType.INT)

    def set_long(self, name: str, value: int) -> None:
        """Set an entry to an integer of 64 bits."""
        self._set(name, value, ValueType.LONG)

    def set_float(self, name: str, value: float) -> None:
        """Set an entry to a floating-point number, rounded to single precision."""
        self._set(name, value, ValueType.FLOAT)

    def set_double(self, name: str, value: float) -> None:
        """Set an entry to a floating-point number of double precision."""
        self._set(name, value, ValueType.DOUBLE)

    def set_string(self, name: str, value: str | None) -> None:
        """Set an entry to a text, or to null."""
        self._set(name, value, ValueType.STRING)

    def set_bytes(self, name: str, value: bytes | None, offset: int = 0, length: int | None = None) -> None:
        """Set an entry to a copy of octets, or of `length` of them from `offset` on, or to null."""
        self._set(name, None if value is None else slice_of(value, offset, length), ValueType.BYTES)

    def set_object(self, name: str, value: object) -> None:
        """Set an entry to a value whose type decides that of the entry (JMS-092, JMS-116)."""
        self[name] = value

    def _get(self, name: str, wanted: ValueType) -> Value:
        # JMS-093: a name that was never set reads as null.
        return convert(self[name] if name in self._entries else None, wanted)

    def _set(self, name: str, value: object, wanted: ValueType) -> None:
        self._check_entry(name)
        self._entries[name] = check(value, wanted)

    def _check_entry(self, name: object) -> None:
        if not isinstance(name, str) or not name:
            raise IllegalArgumentException(f"An entry of a map needs a name, which {name!r} is not.")
        check_text(name)
        self._check_body_writable()
