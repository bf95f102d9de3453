"""What a selector sees of a message, so that a consumer can check what the broker delivers."""

from __future__ import annotations

from functools import partial

from jms_api.messages.message import Message
from stompd.selector.evaluate import Selector
from stompd.selector.values import Value as SelectorValue


def selector_value(message: Message, name: str) -> SelectorValue:
    """Return what a selector sees of a message under a name (JMS-137 to JMS-144); None if there is nothing."""
    match name:
        case "JMSDeliveryMode":
            return message.jms_delivery_mode.name
        case "JMSPriority":
            return message.jms_priority
        case "JMSMessageID":
            return message.jms_message_id
        case "JMSTimestamp":
            return message.jms_timestamp
        case "JMSCorrelationID":
            return message.jms_correlation_id
        case "JMSType":
            return message.jms_type
    value = message.properties.raw(name)
    # Of the classes of numbers, selectors know the plain ones.
    match value:
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return value
        case _:
            return None


def is_selected(selector: Selector, message: Message) -> bool:
    """Whether a selector selects a message. It never raises."""
    return selector.matches(partial(selector_value, message), is_typed=message.is_typed)
