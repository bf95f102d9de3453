"""The six kinds of messages."""

from jms_api.messages.bytes import BytesMessage
from jms_api.messages.creation import copy_of, message_for
from jms_api.messages.map import MapMessage
from jms_api.messages.message import Message
from jms_api.messages.object import ObjectMessage
from jms_api.messages.stream import StreamMessage
from jms_api.messages.text import TextMessage

__all__ = [
    "BytesMessage",
    "MapMessage",
    "Message",
    "ObjectMessage",
    "StreamMessage",
    "TextMessage",
    "copy_of",
    "message_for",
]
