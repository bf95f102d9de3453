"""What every message has: header fields, properties, and a body or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar, cast, overload

from jms_api.constants import (
    DEFAULT_DELIVERY_DELAY,
    DEFAULT_DELIVERY_MODE,
    DEFAULT_PRIORITY,
    DEFAULT_TIME_TO_LIVE,
    DeliveryMode,
)
from jms_api.destinations import Destination, as_destination
from jms_api.exceptions import MessageFormatException, MessageNotWriteableException, UnsupportedOperationException
from jms_api.primitives import Value, ValueType, check, check_text
from jms_api.properties import MessageProperties

if TYPE_CHECKING:
    from jms_api.mapping import Stamp
    from jms_api.processing import Block, Settling

T = TypeVar("T")


class Field(Generic[T]):
    """A header field as an attribute that checks what it is set to. Fields are never read-only (JMS-032)."""

    def __init__(self, convert: Callable[[object], T], doc: str) -> None:
        """Describe a field.

        Args:
            convert: Returns what to keep for what was given, or raises.
            doc: Its documentation.
        """
        self._convert = convert
        self._attribute = ""
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> Field[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object, owner: type) -> T | Field[T]:
        if instance is None:
            return self
        cast(Message, instance)._read_rest()
        return cast(T, getattr(instance, self._attribute))

    def __set__(self, instance: object, value: T) -> None:
        cast(Message, instance)._read_rest()
        setattr(instance, self._attribute, self._convert(value))


def _to_text(value: object) -> str | None:
    return None if value is None else check_text(value)


def _to_integer(value: object) -> int:
    return int(cast(int, check(value, ValueType.LONG)))


def _to_destination(value: object) -> Destination | None:
    return None if value is None else as_destination(value)


def _to_delivery_mode(value: object) -> DeliveryMode:
    try:
        return DeliveryMode(_to_integer(value))
    except ValueError:
        raise MessageFormatException(f"A delivery mode is 1 or 2, not {value!r}; see DeliveryMode.") from None


def _to_boolean(value: object) -> bool:
    return cast(bool, check(value, ValueType.BOOLEAN))


class Message:
    """A message without a body, and what all kinds of messages have in common.

    A message belongs to one thread at a time. `while message := consumer.receive():` is safe: a message is true,
    however empty its body.
    """

    DEFAULT_DELIVERY_MODE: Final = DEFAULT_DELIVERY_MODE
    DEFAULT_PRIORITY: Final = DEFAULT_PRIORITY
    DEFAULT_TIME_TO_LIVE: Final = DEFAULT_TIME_TO_LIVE
    DEFAULT_DELIVERY_DELAY: Final = DEFAULT_DELIVERY_DELAY

    #: What `body` gives: the type that `get_body` is asked for may be this one or a base of it. None for any type.
    _body_type: ClassVar[type | None] = None

    jms_message_id = Field(_to_text, "`ID:` and what tells it from all others; set by send (JMS-006).")
    jms_timestamp = Field(_to_integer, "When it was sent, in epoch milliseconds, or 0; set by send (JMS-010).")
    jms_correlation_id = Field(_to_text, "What it is about, such as the id of the message it answers (JMS-013).")
    jms_reply_to = Field(_to_destination, "Where an answer is expected (JMS-016).")
    jms_destination = Field(_to_destination, "Where it was sent to; set by send (JMS-003).")
    jms_delivery_mode = Field(_to_delivery_mode, "Whether it outlives the broker; set by send (JMS-005).")
    jms_redelivered = Field(_to_boolean, "Whether it may have been delivered before (JMS-018).")
    jms_type = Field(_to_text, "What the sender calls this kind of message (JMS-021).")
    jms_expiration = Field(_to_integer, "From when on it is void, in epoch milliseconds; 0 for never (JMS-022).")
    jms_delivery_time = Field(_to_integer, "Not delivered before, in epoch milliseconds; set by send (JMS-028).")
    jms_priority = Field(_to_integer, "0 to 9, 9 being the highest; set by send (JMS-026).")

    _jms_message_id: str | None = None
    _jms_timestamp = 0
    _jms_correlation_id: str | None = None
    _jms_reply_to: Destination | None = None
    _jms_destination: Destination | None = None
    _jms_delivery_mode = DEFAULT_DELIVERY_MODE
    _jms_redelivered = False
    _jms_type: str | None = None
    _jms_expiration = 0
    _jms_delivery_time = 0
    _jms_priority = DEFAULT_PRIORITY

    _is_body_read_only = False
    _is_typed = True
    #: Settles a received message; set by the session.
    _settling: Settling | None = None
    #: What the last send said; set by `mapping.stamp`.
    _stamp: Stamp | None = None
    #: Reads the header fields and properties of a received message when one of them is asked for, which many
    #: programs never do; None once that is done.
    _reader: Callable[[Message], object] | None = None

    def __init__(self) -> None:
        """Make a message that can be written and sent."""
        self._properties = MessageProperties()

    @property
    def jms_correlation_id_as_bytes(self) -> bytes | None:
        """The correlation id in UTF-8 (JMS-014).

        Raises:
            UnsupportedOperationException: It is set to octets that are no UTF-8.
        """
        text = self.jms_correlation_id
        return None if text is None else text.encode()

    @jms_correlation_id_as_bytes.setter
    def jms_correlation_id_as_bytes(self, value: bytes | None) -> None:
        octets = check(value, ValueType.BYTES)
        try:
            self.jms_correlation_id = None if octets is None else cast(bytes, octets).decode()
        except UnicodeDecodeError:
            raise UnsupportedOperationException("A correlation id travels as text, so it has to be UTF-8.") from None

    @property
    def properties(self) -> MessageProperties:
        """The properties as a mapping."""
        self._read_rest()
        return self._properties

    @property
    def is_typed(self) -> bool:
        """Whether the sender told the types of its properties; only a foreign client's are not typed."""
        self._read_rest()
        return self._is_typed

    @property
    def property_names(self) -> Iterator[str]:
        """The names of the properties; standard headers are none (JMS-050)."""
        return iter(list(self.properties))

    def property_exists(self, name: str) -> bool:
        """Return whether a property was set, be it to null."""
        return name in self.properties

    def clear_properties(self) -> None:
        """Remove all properties and let them be set again; header fields and body stay (JMS-051)."""
        self.properties.clear()

    def get_boolean_property(self, name: str) -> bool:
        """Return a property as a boolean; false if there is none. The errors of all getters: see `get_as`."""
        return cast(bool, self.properties.get_as(name, ValueType.BOOLEAN))

    def get_byte_property(self, name: str) -> int:
        """Return a property as an integer of 8 bits."""
        return cast(int, self.properties.get_as(name, ValueType.BYTE))

    def get_short_property(self, name: str) -> int:
        """Return a property as an integer of 16 bits."""
        return cast(int, self.properties.get_as(name, ValueType.SHORT))

    def get_int_property(self, name: str) -> int:
        """Return a property as an integer of 32 bits."""
        return cast(int, self.properties.get_as(name, ValueType.INT))

    def get_long_property(self, name: str) -> int:
        """Return a property as an integer of 64 bits."""
        return cast(int, self.properties.get_as(name, ValueType.LONG))

    def get_float_property(self, name: str) -> float:
        """Return a property as a floating-point number of single precision."""
        return cast(float, self.properties.get_as(name, ValueType.FLOAT))

    def get_double_property(self, name: str) -> float:
        """Return a property as a floating-point number of double precision."""
        return cast(float, self.properties.get_as(name, ValueType.DOUBLE))

    def get_string_property(self, name: str) -> str | None:
        """Return a property as text; None if there is none."""
        return cast("str | None", self.properties.get_as(name, ValueType.STRING))

    def get_object_property(self, name: str) -> Value:
        """Return a property in the type it was set with; None if there is none (JMS-042)."""
        return self.properties.get(name)

    def set_boolean_property(self, name: str, value: bool) -> None:
        """Set a boolean property. The errors of all setters: see `set_as`."""
        self.properties.set_as(name, value, ValueType.BOOLEAN)

    def set_byte_property(self, name: str, value: int) -> None:
        """Set a property to an integer of 8 bits."""
        self.properties.set_as(name, value, ValueType.BYTE)

    def set_short_property(self, name: str, value: int) -> None:
        """Set a property to an integer of 16 bits."""
        self.properties.set_as(name, value, ValueType.SHORT)

    def set_int_property(self, name: str, value: int) -> None:
        """Set a property to an integer of 32 bits."""
        self.properties.set_as(name, value, ValueType.INT)

    def set_long_property(self, name: str, value: int) -> None:
        """Set a property to an integer of 64 bits."""
        self.properties.set_as(name, value, ValueType.LONG)

    def set_float_property(self, name: str, value: float) -> None:
        """Set a property to a floating-point number, rounded to single precision (JMS-045)."""
        self.properties.set_as(name, value, ValueType.FLOAT)

    def set_double_property(self, name: str, value: float) -> None:
        """Set a property to a floating-point number of double precision."""
        self.properties.set_as(name, value, ValueType.DOUBLE)

    def set_string_property(self, name: str, value: str | None) -> None:
        """Set a property to a text, or to null (JMS-046)."""
        self.properties.set_as(name, value, ValueType.STRING)

    def set_object_property(self, name: str, value: object) -> None:
        """Set a property to a value whose type decides that of the property (JMS-041, JMS-043)."""
        self.properties[name] = value

    def acknowledge(self) -> object:
        """Acknowledge this message and all others that its session has delivered, if that session leaves it to you.

        A message that was not received, or by a session that acknowledges by itself, is not affected.

        Returns:
            What the driver's calls return: None, an awaitable, or a Deferred.

        Raises:
            IllegalStateException: Its session is closed.
        """
        return None if self._settling is None else self._settling.acknowledge()

    def processing(self) -> Block:
        """Return a block for work on this message: its end acknowledges, an exception recovers.

        That is `with message.processing():`, or `async with` in `jms_api.aio` and in coroutines of `jms_api.tx`.
        Both concern all that the session has delivered, as `acknowledge` and `recover` do.

        Raises:
            IllegalStateException: At the beginning of the block: the session is not of the mode CLIENT_ACKNOWLEDGE.
        """
        return cast("Block", nullcontext(self) if self._settling is None else self._settling.processing(self))

    @property
    def body(self) -> object:
        """The body as a Python value; None if there is none. A copy, if it can be changed."""
        return None

    def clear_body(self) -> None:
        """Make the body that of a new message, and writable; header fields and properties stay (JMS-076)."""
        self._is_body_read_only = False

    def get_body(self, type_: type[T] = object) -> T | None:  # type: ignore[assignment]  # PEP 696 is not in 3.11
        """Return the body as a certain type; None, whatever the type, if there is none.

        Raises:
            MessageFormatException: It is of another type, or cannot be decoded (JMS-117).
        """
        self._check_assignable(type_)
        return cast("T | None", self.body)

    def is_body_assignable_to(self, type_: type) -> bool:
        """Return whether `get_body` would return the body as that type (JMS-118)."""
        try:
            self._check_assignable(type_)
        except MessageFormatException:
            return False
        return True

    def _check_assignable(self, type_: type) -> None:
        """Raise MessageFormatException unless the body is of a type, or there is none."""
        if self._body_type is not None and self.body is not None and not issubclass(self._body_type, type_):
            raise MessageFormatException(f"The body of a {type(self).__name__} is no {type_.__name__}.")

    def _read_rest(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader(self)

    def _check_body_writable(self) -> None:
        if self._is_body_read_only:
            raise MessageNotWriteableException(
                f"The body of this {type(self).__name__} is read-only; clear_body() ends that."
            )

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        # A body may be a secret; a message in a log or a traceback does not show it.
        return f"<{type(self).__name__} {self.jms_message_id or 'not sent'} to {self.jms_destination}>"
