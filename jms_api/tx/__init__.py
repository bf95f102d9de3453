"""JMS 3.1 for Twisted: the names of `jms_api`, where every call that waits returns a Deferred."""

from jms_api.tx.browser import QueueBrowser
from jms_api.tx.connection import Connection
from jms_api.tx.consumer import MessageConsumer
from jms_api.tx.context import JMSConsumer, JMSContext, JMSProducer
from jms_api.tx.factory import ConnectionFactory
from jms_api.tx.producer import MessageProducer
from jms_api.tx.session import Session

__all__ = [
    "Connection",
    "ConnectionFactory",
    "JMSConsumer",
    "JMSContext",
    "JMSProducer",
    "MessageConsumer",
    "MessageProducer",
    "QueueBrowser",
    "Session",
]
