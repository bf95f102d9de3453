"""JMSProducer, as far as nothing is waited for (JMS 3.1, 7; JMS-289 to JMS-296)."""

from __future__ import annotations

from collections.abc import KeysView, Mapping
from datetime import timedelta
from typing import Self

from jms_api.constants import DeliveryMode
from jms_api.destinations import Destination, as_destination
from jms_api.engine import checks
from jms_api.engine.calling import Completion
from jms_api.engine.operations import Operation, attempt
from jms_api.engine.producer import ProducerCore, delivering
from jms_api.exceptions import MessageNotWriteableException
from jms_api.messages.creation import message_for
from jms_api.messages.message import Message
from jms_api.primitives import Value, ValueType
from jms_api.properties import MessageProperties
from jms_api.surface.twins import simplified


class JMSProducerSurface:
    """What every driver's JMSProducer has; each setter returns the producer (JMS-289)."""

    def __init__(self, core: ProducerCore) -> None:
        self._core = core
        self._completion: Completion | None = None
        self._properties = MessageProperties()
        #: Has the header fields that are set on every message (JMS-295); it is never sent.
        self._pattern = Message()

    # How messages are delivered.

    @simplified
    def set_disable_message_id(self, value: bool) -> Self:
        """Allow messages to go without an id."""
        self._core.session.check_open()
        self._core.disable_message_id = bool(value)
        return self

    @simplified
    def set_disable_message_timestamp(self, value: bool) -> Self:
        """Allow messages to go without a timestamp."""
        self._core.session.check_open()
        self._core.disable_message_timestamp = bool(value)
        return self

    @simplified
    def set_delivery_mode(self, delivery_mode: int) -> Self:
        """Say whether messages outlive the broker."""
        self._core.session.check_open()
        self._core.delivery_mode = checks.delivery_mode(delivery_mode)
        return self

    @simplified
    def set_priority(self, priority: int) -> Self:
        """Say how urgent messages are, from 0 to 9."""
        self._core.session.check_open()
        self._core.priority = checks.priority(priority)
        return self

    @simplified
    def set_time_to_live(self, time_to_live: int | timedelta) -> Self:
        """Say after how many milliseconds messages expire; 0 is never."""
        self._core.session.check_open()
        self._core.time_to_live = checks.milliseconds(time_to_live, "the time to live")
        return self

    @simplified
    def set_delivery_delay(self, delivery_delay: int | timedelta) -> Self:
        """Say after how many milliseconds messages are delivered."""
        self._core.session.check_open()
        self._core.delivery_delay = checks.milliseconds(delivery_delay, "the delivery delay")
        return self

    @simplified
    def set_async(self, completion_listener: object) -> Self:
        """Send without waiting, and tell a listener; None ends that (JMS-281)."""
        self._core.session.check_open()
        self._completion = None if completion_listener is None else Completion(completion_listener)
        return self

    @property
    def disable_message_id(self) -> bool:
        """Whether messages may go without an id."""
        return self._core.disable_message_id

    @disable_message_id.setter
    def disable_message_id(self, value: bool) -> None:
        self.set_disable_message_id(value)

    @property
    def disable_message_timestamp(self) -> bool:
        """Whether messages may go without a timestamp."""
        return self._core.disable_message_timestamp

    @disable_message_timestamp.setter
    def disable_message_timestamp(self, value: bool) -> None:
        self.set_disable_message_timestamp(value)

    @property
    def delivery_mode(self) -> DeliveryMode:
        """Whether messages outlive the broker."""
        return self._core.delivery_mode

    @delivery_mode.setter
    def delivery_mode(self, value: int) -> None:
        self.set_delivery_mode(value)

    @property
    def priority(self) -> int:
        """How urgent messages are, from 0 to 9."""
        return self._core.priority

    @priority.setter
    def priority(self, value: int) -> None:
        self.set_priority(value)

    @property
    def time_to_live(self) -> int:
        """After how many milliseconds messages expire; 0 is never."""
        return self._core.time_to_live

    @time_to_live.setter
    def time_to_live(self, value: int | timedelta) -> None:
        self.set_time_to_live(value)

    @property
    def delivery_delay(self) -> int:
        """After how many milliseconds messages are delivered."""
        return self._core.delivery_delay

    @delivery_delay.setter
    def delivery_delay(self, value: int | timedelta) -> None:
        self.set_delivery_delay(value)

    @property
    def completion_listener(self) -> object:
        """Who is told when messages were sent; None if `send` waits."""
        return None if self._completion is None else self._completion.given

    @completion_listener.setter
    def completion_listener(self, listener: object) -> None:
        self.set_async(listener)

    # Header fields.

    @simplified
    def set_jms_correlation_id(self, correlation_id: str | None) -> Self:
        """Set what is answered."""
        self._pattern.jms_correlation_id = correlation_id
        return self

    @simplified
    def set_jms_correlation_id_as_bytes(self, correlation_id: bytes | None) -> Self:
        """Set what is answered, as octets of UTF-8."""
        self._pattern.jms_correlation_id_as_bytes = correlation_id
        return self

    @simplified
    def set_jms_type(self, jms_type: str | None) -> Self:
        """Set what kind of message it is."""
        self._pattern.jms_type = jms_type
        return self

    @simplified
    def set_jms_reply_to(self, reply_to: Destination | str | None) -> Self:
        """Set where to answer."""
        self._pattern.jms_reply_to = None if reply_to is None else as_destination(reply_to)
        return self

    @property
    def jms_correlation_id(self) -> str | None:
        """What is answered."""
        return self._pattern.jms_correlation_id

    @jms_correlation_id.setter
    def jms_correlation_id(self, value: str | None) -> None:
        self.set_jms_correlation_id(value)

    @property
    def jms_correlation_id_as_bytes(self) -> bytes | None:
        """What is answered, as octets of UTF-8."""
        return self._pattern.jms_correlation_id_as_bytes

    @jms_correlation_id_as_bytes.setter
    def jms_correlation_id_as_bytes(self, value: bytes | None) -> None:
        self.set_jms_correlation_id_as_bytes(value)

    @property
    def jms_type(self) -> str | None:
        """What kind of message it is."""
        return self._pattern.jms_type

    @jms_type.setter
    def jms_type(self, value: str | None) -> None:
        self.set_jms_type(value)

    @property
    def jms_reply_to(self) -> Destination | None:
        """Where to answer."""
        return self._pattern.jms_reply_to

    @jms_reply_to.setter
    def jms_reply_to(self, value: Destination | str | None) -> None:
        self.set_jms_reply_to(value)

    # Properties.

    @simplified
    def set_property(self, name: str, value: object, type_: ValueType | None = None) -> Self:
        """Set a property of every message (JMS-292)."""
        if type_ is None:
            self._properties[name] = value
        else:
            self._properties.set_as(name, value, type_)
        return self

    def clear_properties(self) -> Self:
        """Set no properties any more."""
        self._properties.clear()
        return self

    def property_exists(self, name: str) -> bool:
        """Return whether a property is set."""
        return name in self._properties

    @property
    def property_names(self) -> KeysView[str]:
        """Which properties are set: a view that cannot be changed (JMS-294)."""
        return self._properties.keys()

    @simplified
    def get_boolean_property(self, name: str) -> bool:
        """Return a property as a boolean (JMS-054)."""
        return bool(self._properties.get_as(name, ValueType.BOOLEAN))

    @simplified
    def get_byte_property(self, name: str) -> int:
        """Return a property as a byte."""
        return self._get_integer(name, ValueType.BYTE)

    @simplified
    def get_short_property(self, name: str) -> int:
        """Return a property as a short."""
        return self._get_integer(name, ValueType.SHORT)

    @simplified
    def get_int_property(self, name: str) -> int:
        """Return a property as an int."""
        return self._get_integer(name, ValueType.INT)

    @simplified
    def get_long_property(self, name: str) -> int:
        """Return a property as a long."""
        return self._get_integer(name, ValueType.LONG)

    @simplified
    def get_float_property(self, name: str) -> float:
        """Return a property as a float."""
        return self._get_float(name, ValueType.FLOAT)

    @simplified
    def get_double_property(self, name: str) -> float:
        """Return a property as a double."""
        return self._get_float(name, ValueType.DOUBLE)

    @simplified
    def get_string_property(self, name: str) -> str | None:
        """Return a property as a text."""
        value = self._properties.get_as(name, ValueType.STRING)
        return None if value is None else str(value)

    @simplified
    def get_object_property(self, name: str) -> Value:
        """Return a property as it was set."""
        return self._properties.get(name)

    def _get_integer(self, name: str, wanted: ValueType) -> int:
        value = self._properties.get_as(name, wanted)
        assert isinstance(value, int)
        return value

    def _get_float(self, name: str, wanted: ValueType) -> float:
        value = self._properties.get_as(name, wanted)
        assert isinstance(value, float)
        return value

    # Sending.

    @attempt
    def _begin(
        self,
        destination: object,
        body: object,
        body_type: type | None,
        properties: Mapping[str, object] | None,
        fields: Mapping[str, object],
        how: Mapping[str, object],
    ) -> Operation[None]:
        """Send a message made of a body, or a message."""
        core = self._core
        core.session.check_open()
        message = body if isinstance(body, Message) else message_for(body, body_type, core.session.connection.codec)
        target = as_destination(destination)
        wanted = delivering(core, **how)
        all_properties = {**dict(self._properties.raw_items()), **(properties or {})}
        if all_properties and message.properties.is_read_only:
            raise MessageNotWriteableException(  # JMS-293
                "the message was received, so its properties cannot be changed; clear_properties() ends that"
            )
        for name, value in all_properties.items():
            message.properties[name] = value
        for field in ("jms_correlation_id", "jms_type", "jms_reply_to"):
            said = fields.get(field)
            said = getattr(self._pattern, field) if said is None else said
            if said is not None:
                setattr(message, field, said)
        return core.send(message, target, wanted, self._completion)
