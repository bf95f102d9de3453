"""The properties of a message: a mapping from names to values of the JMS types."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import lru_cache
from typing import Final, NamedTuple, final

from jms_api.conversions import convert
from jms_api.exceptions import IllegalArgumentException, MessageFormatException, MessageNotWriteableException
from jms_api.primitives import Char, Value, ValueType, as_value, check
from stompd.selector.lexer import is_name

#: JMS-040: properties have neither chars nor byte arrays.
_NOT_IN_PROPERTIES: Final = (Char, bytes)

#: Names whose check is remembered.
_CACHED_NAMES = 1024


@final
class Malformed(NamedTuple):
    """Stands for a value that was received and cannot be decoded; reading it raises MessageFormatException."""

    reason: str
    #: What stood on the wire, and the code of its type, so that the message can be forwarded as it came.
    text: str = ""
    code: str = ""


class MessageProperties(MutableMapping[str, Value]):
    """The properties of one message, in the order they were set.

    As a mapping it gives values in the type they were set with (see `jms_api.primitives`), raises KeyError for a name
    that is not there, and takes whatever `as_value` does. `get_as` and `set_as` are for values of a certain type.
    """

    __slots__ = ("_values", "is_read_only")

    def __init__(self, values: dict[str, Value | Malformed] | None = None, *, is_read_only: bool = False) -> None:
        """Hold properties.

        Args:
            values: Those of a received message, kept and not copied.
            is_read_only: Whether setters raise MessageNotWriteableException (JMS-052).
        """
        self._values: dict[str, Value | Malformed] = {} if values is None else values
        self.is_read_only = is_read_only

    def __getitem__(self, name: str) -> Value:
        value = self._values[name]
        if isinstance(value, Malformed):
            raise MessageFormatException(f"The property {name} cannot be read: {value.reason}.")
        return value

    def __setitem__(self, name: str, value: object) -> None:
        self._check_writable(name)
        typed = as_value(value)
        if isinstance(typed, _NOT_IN_PROPERTIES):
            raise MessageFormatException(f"The property {name} cannot be of the type {type(typed).__name__}.")
        self._values[name] = typed

    def __delitem__(self, name: str) -> None:
        self._check_writable(name)
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"MessageProperties({self._values!r})"

    def clear(self) -> None:
        """Remove all properties, and make them writable (JMS-051)."""
        self._values = {}
        self.is_read_only = False

    def get_as(self, name: str, wanted: ValueType) -> Value:
        """Return a property as another type; one that is not there reads as null (JMS-047, JMS-054).

        Raises:
            MessageFormatException: JMS has no such conversion, or what was received cannot be decoded.
            NumberFormatException: A text is no number of that type; or null is read as an integer.
            NullPointerException: Null is read as a float or double.
        """
        return convert(self[name] if name in self._values else None, wanted)

    def set_as(self, name: str, value: object, wanted: ValueType) -> None:
        """Set a property of a certain type.

        Raises:
            IllegalArgumentException: There is no name.
            MessageFormatException: The name is none that a selector can mention, or the value is of another type.
            MessageNotWriteableException: The message was received.
        """
        self._check_writable(name)
        self._values[name] = check(value, wanted)

    def raw(self, name: str) -> Value | Malformed:
        """Return a property, be it malformed; None if there is none."""
        return self._values.get(name)

    def raw_items(self) -> Iterator[tuple[str, Value | Malformed]]:
        """Give out names and values, of which some may be malformed."""
        return iter(self._values.items())

    def _check_writable(self, name: str) -> None:
        check_property_name(name)
        if self.is_read_only:
            raise MessageNotWriteableException(
                f"The properties of a received message are read-only, so {name} cannot be set; clear_properties() ends"
                " that."
            )


def check_property_name(name: object) -> None:
    """Check what a property is to be called.

    Raises:
        IllegalArgumentException: It is None, empty or no text (JMS-038).
        MessageFormatException: A selector could not mention it (JMS-037, JMS-039), or it has a NUL.
    """
    if not isinstance(name, str) or not name:
        raise IllegalArgumentException(f"A property needs a name, which {name!r} is not.")
    if not _may_be_property(name):
        raise MessageFormatException(
            f"No property can be called {name[:60]!r}: its name has letters, digits, _ and $, does not begin with a"
            " digit, and is no word of selectors such as AND."
        )


@lru_cache(_CACHED_NAMES)
def _may_be_property(name: str) -> bool:
    return is_name(name) and "\0" not in name
