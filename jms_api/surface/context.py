"""The simplified API, as far as nothing is waited for (JMS 3.1, 6.1 and 7)."""

from __future__ import annotations

from jms_api.constants import SessionMode
from jms_api.destinations import Queue, Topic
from jms_api.engine.consumer import ConsumerCore
from jms_api.engine.context import ContextCore
from jms_api.exceptions import JMSException, to_runtime
from jms_api.messages.object import ObjectMessage
from jms_api.messages.text import TextMessage
from jms_api.metadata import ConnectionMetaData
from jms_api.objects import ObjectCodec
from jms_api.profiles import Capabilities
from jms_api.surface.making import Making
from jms_api.surface.twins import simplified


class ContextSurface(Making):
    """What every driver's JMSContext has."""

    AUTO_ACKNOWLEDGE = SessionMode.AUTO_ACKNOWLEDGE
    CLIENT_ACKNOWLEDGE = SessionMode.CLIENT_ACKNOWLEDGE
    DUPS_OK_ACKNOWLEDGE = SessionMode.DUPS_OK_ACKNOWLEDGE
    SESSION_TRANSACTED = SessionMode.SESSION_TRANSACTED

    _core: ContextCore

    @simplified
    def _get_client_id(self) -> str | None:
        return self._core.connection.get_client_id()

    @property
    @simplified
    def exception_listener(self) -> object:
        """Who is told what happens to the connection (JMS-202)."""
        return self._core.connection.get_exception_listener()

    @exception_listener.setter
    @simplified
    def exception_listener(self, listener: object) -> None:
        self._core.connection.set_exception_listener(listener)

    @property
    @simplified
    def meta_data(self) -> ConnectionMetaData:
        """The versions of JMS and of the broker (JMS-206)."""
        return self._core.connection.meta_data()

    @property
    @simplified
    def capabilities(self) -> Capabilities:
        """What the broker can do."""
        self._core.session.check_open()
        return self._core.connection.profile

    @property
    @simplified
    def auto_start(self) -> bool:
        """Whether the first consumer starts the connection (JMS-366)."""
        self._core.session.check_open()
        return self._core.auto_start

    @auto_start.setter
    @simplified
    def auto_start(self, value: bool) -> None:
        self._core.session.check_open()
        self._core.auto_start = bool(value)

    @property
    @simplified
    def transacted(self) -> bool:
        """Whether it has transactions."""
        self._core.session.check_open()
        return self._core.session.is_transacted

    @property
    @simplified
    def session_mode(self) -> SessionMode:
        """How it acknowledges."""
        self._core.session.check_open()
        return self._core.session.mode

    @simplified
    def create_queue(self, queue_name: str) -> Queue:
        """Return the queue of that name."""
        return super().create_queue(queue_name)

    @simplified
    def create_topic(self, topic_name: str) -> Topic:
        """Return the topic of that name."""
        return super().create_topic(topic_name)

    @simplified
    def create_text_message(self, text: str | None = None) -> TextMessage:
        """Return a message whose body is a text."""
        return super().create_text_message(text)

    @simplified
    def create_object_message(self, obj: object = None) -> ObjectMessage:
        """Return a message whose body is an object: JSON, or of the `allowed_classes` of the factory (JMS-090)."""
        return super().create_object_message(obj)

    @property
    def _codec(self) -> ObjectCodec:
        return self._core.connection.codec

    def _check_usable(self) -> None:
        try:
            self._core.session.check_open()
        except JMSException as error:
            raise to_runtime(error) from error


class JMSConsumerSurface:
    """What every driver's JMSConsumer has."""

    _core: ConsumerCore

    @property
    @simplified
    def message_selector(self) -> str | None:
        """Which messages it wants; None for all (JMS-171)."""
        self._core.check_open()
        return self._core.selector

    @property
    @simplified
    def message_listener(self) -> object:
        """Whom messages are given to: a callable, or an object with `on_message` (JMS-303, JMS-307)."""
        return self._core.get_listener()

    @message_listener.setter
    @simplified
    def message_listener(self, listener: object) -> None:
        self._core.set_listener(listener)
