"""JMS 3.1 for Python applications, over STOMP."""

from jms_api.browser import QueueBrowser
from jms_api.connection import Connection
from jms_api.constants import DeliveryMode, SessionMode
from jms_api.consumer import MessageConsumer
from jms_api.context import JMSConsumer, JMSContext, JMSProducer
from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.exceptions import (
    IllegalArgumentException,
    IllegalStateException,
    IllegalStateRuntimeException,
    InvalidClientIDException,
    InvalidClientIDRuntimeException,
    InvalidDestinationException,
    InvalidDestinationRuntimeException,
    InvalidSelectorException,
    InvalidSelectorRuntimeException,
    JMSError,
    JMSException,
    JMSRuntimeException,
    JMSSecurityException,
    JMSSecurityRuntimeException,
    MessageEOFException,
    MessageFormatException,
    MessageFormatRuntimeException,
    MessageNotReadableException,
    MessageNotWriteableException,
    MessageNotWriteableRuntimeException,
    NullPointerException,
    NumberFormatException,
    ResourceAllocationException,
    ResourceAllocationRuntimeException,
    TransactionInProgressException,
    TransactionInProgressRuntimeException,
    TransactionRolledBackException,
    TransactionRolledBackRuntimeException,
    UnsupportedOperationException,
)
from jms_api.factory import ConnectionFactory
from jms_api.messages import BytesMessage, MapMessage, Message, ObjectMessage, StreamMessage, TextMessage
from jms_api.metadata import ConnectionMetaData
from jms_api.objects import ObjectCodec
from jms_api.primitives import Byte, Char, Double, Float, Int, Long, Short
from jms_api.producer import MessageProducer
from jms_api.profiles import Capabilities
from jms_api.properties import MessageProperties
from jms_api.requestor import QueueRequestor, Requestor, TopicRequestor
from jms_api.session import Session

__all__ = [
    "Byte",
    "BytesMessage",
    "Capabilities",
    "Char",
    "Connection",
    "ConnectionFactory",
    "ConnectionMetaData",
    "DeliveryMode",
    "Destination",
    "Double",
    "Float",
    "IllegalArgumentException",
    "IllegalStateException",
    "IllegalStateRuntimeException",
    "Int",
    "InvalidClientIDException",
    "InvalidClientIDRuntimeException",
    "InvalidDestinationException",
    "InvalidDestinationRuntimeException",
    "InvalidSelectorException",
    "InvalidSelectorRuntimeException",
    "JMSConsumer",
    "JMSContext",
    "JMSError",
    "JMSException",
    "JMSProducer",
    "JMSRuntimeException",
    "JMSSecurityException",
    "JMSSecurityRuntimeException",
    "Long",
    "MapMessage",
    "Message",
    "MessageConsumer",
    "MessageEOFException",
    "MessageFormatException",
    "MessageFormatRuntimeException",
    "MessageNotReadableException",
    "MessageNotWriteableException",
    "MessageNotWriteableRuntimeException",
    "MessageProducer",
    "MessageProperties",
    "NullPointerException",
    "NumberFormatException",
    "ObjectCodec",
    "ObjectMessage",
    "Queue",
    "QueueBrowser",
    "QueueRequestor",
    "Requestor",
    "ResourceAllocationException",
    "ResourceAllocationRuntimeException",
    "Session",
    "SessionMode",
    "Short",
    "StreamMessage",
    "TemporaryQueue",
    "TemporaryTopic",
    "TextMessage",
    "Topic",
    "TopicRequestor",
    "TransactionInProgressException",
    "TransactionInProgressRuntimeException",
    "TransactionRolledBackException",
    "TransactionRolledBackRuntimeException",
    "UnsupportedOperationException",
]
