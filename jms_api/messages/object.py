"""Messages whose body is an object."""

from __future__ import annotations

from typing import TypeAlias

from jms_api.exceptions import MessageFormatException
from jms_api.messages.message import Message
from jms_api.objects import ObjectCodec

_JSON = ObjectCodec()

#: Within the class, `object` is the property.
_Object: TypeAlias = object


class ObjectMessage(Message):
    """A message whose body is an object, or null, kept as the octets it travels as (JMS-086 to JMS-090)."""

    def __init__(self, object: _Object = None, codec: ObjectCodec = _JSON) -> None:  # noqa: A002  # as JMS calls it
        """Make a message.

        Args:
            object: Its body; None for none.
            codec: What turns objects into octets and back.

        Raises:
            MessageFormatException: The codec cannot encode the object.
        """
        super().__init__()
        self._codec = codec
        #: Content type and octets; None for null. Not part of JMS.
        self.encoded = None if object is None else codec.encode(object)

    @property
    def object(self) -> _Object:
        """The object, a new copy each time.

        Raises:
            MessageFormatException: What was received cannot be decoded; or it is set to what cannot be encoded.
            MessageNotWriteableException: It is set in a received message.
        """
        return None if self.encoded is None else self._codec.decode(*self.encoded)

    @object.setter  # noqa: A003  # as JMS calls it
    def object(self, value: _Object) -> None:
        self._check_body_writable()
        self.encoded = None if value is None else self._codec.encode(value)

    @property
    def body(self) -> _Object:
        """The object, a new copy each time."""
        return self.object

    def clear_body(self) -> None:
        """Make the object null, and writable."""
        super().clear_body()
        self.encoded = None

    def _check_assignable(self, type_: type) -> None:
        if self.encoded is not None and not isinstance(self.object, type_):
            raise MessageFormatException(f"The object of this message is no {type_.__name__}.")
