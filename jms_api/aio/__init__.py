"""JMS 3.1 for asyncio: the names of `jms_api`, where every call that waits is a coroutine."""

from jms_api.aio.browser import QueueBrowser
from jms_api.aio.connection import Connection
from jms_api.aio.consumer import MessageConsumer
from jms_api.aio.context import JMSConsumer, JMSContext, JMSProducer
from jms_api.aio.factory import ConnectionFactory
from jms_api.aio.producer import MessageProducer
from jms_api.aio.session import Session

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
