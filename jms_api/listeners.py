"""The listeners of JMS, as protocols; a plain callable does as well, where one method is enough."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jms_api.exceptions import JMSException
from jms_api.messages.message import Message


@runtime_checkable
class MessageListener(Protocol):
    """Is given the messages of a consumer, one at a time (JMS-210)."""

    def on_message(self, message: Message) -> object:
        """Work on a message; in `aio` and `tx` the answer may be an awaitable or a Deferred."""
        ...


@runtime_checkable
class CompletionListener(Protocol):
    """Is told what became of messages that were sent asynchronously (JMS-279)."""

    def on_completion(self, message: Message) -> object:
        """The message is as safe as if `send` had waited."""
        ...

    def on_exception(self, message: Message, exception: BaseException) -> object:
        """The message was not accepted, or nobody knows."""
        ...


@runtime_checkable
class ExceptionListener(Protocol):
    """Is told what happens to a connection (JMS-202)."""

    def on_exception(self, exception: JMSException) -> object:
        """The connection was lost, or something else went wrong that no call could tell."""
        ...
