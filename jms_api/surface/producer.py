"""Producers, as far as nothing is waited for."""

from __future__ import annotations

from datetime import timedelta

from jms_api.constants import DeliveryMode
from jms_api.destinations import Destination, Queue, Topic, as_destination
from jms_api.engine import checks
from jms_api.engine.calling import Completion
from jms_api.engine.operations import Operation, attempt
from jms_api.engine.producer import ProducerCore, delivering
from jms_api.exceptions import InvalidDestinationException

#: Tells "no completion listener" from None, which is one that is refused (JMS-281).
NONE_GIVEN = object()


class ProducerSurface:
    """What every driver's MessageProducer has."""

    _core: ProducerCore

    @property
    def destination(self) -> Destination | None:
        """Where it sends to; None if each call says so (JMS-273)."""
        self._core.check_open()
        return self._core.destination

    @property
    def queue(self) -> Queue | None:
        """The queue that it sends to."""
        destination = self.destination
        if destination is not None and not isinstance(destination, Queue):
            raise InvalidDestinationException(f"{destination} is no queue")
        return destination

    @property
    def topic(self) -> Topic | None:
        """The topic that it sends to."""
        destination = self.destination
        if destination is not None and not isinstance(destination, Topic):
            raise InvalidDestinationException(f"{destination} is no topic")
        return destination

    @property
    def disable_message_id(self) -> bool:
        """Whether messages may go without an id (JMS-009)."""
        self._core.check_open()
        return self._core.disable_message_id

    @disable_message_id.setter
    def disable_message_id(self, value: bool) -> None:
        self._core.check_open()
        self._core.disable_message_id = bool(value)

    @property
    def disable_message_timestamp(self) -> bool:
        """Whether messages may go without a timestamp (JMS-012)."""
        self._core.check_open()
        return self._core.disable_message_timestamp

    @disable_message_timestamp.setter
    def disable_message_timestamp(self, value: bool) -> None:
        self._core.check_open()
        self._core.disable_message_timestamp = bool(value)

    @property
    def delivery_mode(self) -> DeliveryMode:
        """Whether messages outlive the broker (JMS-262)."""
        self._core.check_open()
        return self._core.delivery_mode

    @delivery_mode.setter
    def delivery_mode(self, value: int) -> None:
        self._core.check_open()
        self._core.delivery_mode = checks.delivery_mode(value)

    @property
    def priority(self) -> int:
        """The priority of messages, 0 to 9 (JMS-026)."""
        self._core.check_open()
        return self._core.priority

    @priority.setter
    def priority(self, value: int) -> None:
        self._core.check_open()
        self._core.priority = checks.priority(value)

    @property
    def time_to_live(self) -> int:
        """After how many milliseconds messages expire; 0 is never (JMS-023)."""
        self._core.check_open()
        return self._core.time_to_live

    @time_to_live.setter
    def time_to_live(self, value: int | timedelta) -> None:
        self._core.check_open()
        self._core.time_to_live = checks.milliseconds(value, "the time to live")

    @property
    def delivery_delay(self) -> int:
        """After how many milliseconds messages are delivered (JMS-274)."""
        self._core.check_open()
        return self._core.delivery_delay

    @delivery_delay.setter
    def delivery_delay(self, value: int | timedelta) -> None:
        self._core.check_open()
        self._core.delivery_delay = checks.milliseconds(value, "the delivery delay")

    @attempt
    def _send(
        self, first: object, second: object, destination: object, listener: object, **how: object
    ) -> Operation[None]:
        """Send in any of the forms of `send`: a message, or a destination and a message as in Java."""
        core = self._core
        core.check_open()
        message = first
        if second is not NONE_GIVEN:
            message = second
            destination = as_destination(first)
        target = core.target(destination)
        completion = None if listener is NONE_GIVEN else Completion(listener)
        return core.send(message, target, delivering(core, **how), completion)
