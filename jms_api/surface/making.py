"""The messages and destinations that sessions and contexts make."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jms_api.destinations import Queue, Topic
from jms_api.messages.bytes import BytesMessage
from jms_api.messages.map import MapMessage
from jms_api.messages.message import Message
from jms_api.messages.object import ObjectMessage
from jms_api.messages.stream import StreamMessage
from jms_api.messages.text import TextMessage
from jms_api.objects import ObjectCodec


class Making(ABC):
    """Makes messages and destinations; none of it asks the broker (JMS-209, JMS-316)."""

    @abstractmethod
    def _check_usable(self) -> None:
        """Raise what the use of something closed raises."""

    @property
    @abstractmethod
    def _codec(self) -> ObjectCodec:
        """What turns objects into octets."""

    def create_message(self) -> Message:
        """Return a message without a body."""
        self._check_usable()
        return Message()

    def create_text_message(self, text: str | None = None) -> TextMessage:
        """Return a message whose body is a text."""
        self._check_usable()
        return TextMessage(text)

    def create_bytes_message(self) -> BytesMessage:
        """Return a message whose body is octets."""
        self._check_usable()
        return BytesMessage()

    def create_map_message(self) -> MapMessage:
        """Return a message whose body is names and values."""
        self._check_usable()
        return MapMessage()

    def create_stream_message(self) -> StreamMessage:
        """Return a message whose body is a sequence of values."""
        self._check_usable()
        return StreamMessage()

    def create_object_message(self, obj: object = None) -> ObjectMessage:
        """Return a message whose body is an object: JSON, or of the `allowed_classes` of the factory (JMS-090)."""
        self._check_usable()
        return ObjectMessage(obj, self._codec)

    def create_queue(self, queue_name: str) -> Queue:
        """Return the queue of that name."""
        self._check_usable()
        return Queue(queue_name)

    def create_topic(self, topic_name: str) -> Topic:
        """Return the topic of that name."""
        self._check_usable()
        return Topic(topic_name)
