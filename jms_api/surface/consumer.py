"""Consumers, as far as nothing is waited for."""

from __future__ import annotations

from jms_api.destinations import Destination, Queue, Topic
from jms_api.engine.consumer import ConsumerCore
from jms_api.exceptions import InvalidDestinationException
from jms_api.messages.message import Message


class ConsumerSurface:
    """What every driver's MessageConsumer has."""

    _core: ConsumerCore

    @property
    def message_selector(self) -> str | None:
        """Which messages it wants; None for all (JMS-171)."""
        self._core.check_open()
        return self._core.selector

    @property
    def message_listener(self) -> object:
        """Whom messages are given to: a callable, or an object with `on_message` (JMS-303)."""
        return self._core.get_listener()

    @message_listener.setter
    def message_listener(self, listener: object) -> None:
        self._core.set_listener(listener)

    @property
    def destination(self) -> Destination:
        """Where its messages come from."""
        self._core.check_open()
        return self._core.destination

    @property
    def queue(self) -> Queue:
        """The queue that it receives from."""
        destination = self.destination
        if not isinstance(destination, Queue):
            raise InvalidDestinationException(f"{destination} is no queue")
        return destination

    @property
    def topic(self) -> Topic:
        """The topic that it receives from (JMS-354)."""
        destination = self.destination
        if not isinstance(destination, Topic):
            raise InvalidDestinationException(f"{destination} is no topic")
        return destination

    @property
    def no_local(self) -> bool:
        """Whether it wants nothing that its own connection sent (JMS-354)."""
        self._core.check_open()
        return self._core.no_local


def as_it_is(message: Message) -> Message:
    """Return a message, for receives that want the whole of it."""
    return message
