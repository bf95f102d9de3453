"""The checks of arguments that have nothing to do with the state of anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from jms_api.constants import HIGHEST_PRIORITY, LOWEST_PRIORITY, DeliveryMode, SessionMode
from jms_api.exceptions import IllegalArgumentException, InvalidSelectorException, JMSException
from stompd.errors import SelectorError
from stompd.selector.evaluate import compile_selector

#: The largest number of milliseconds that a Java long holds.
_LONGEST_MS: Final = 2**63 - 1


def milliseconds(value: int | timedelta, what: str) -> int:
    """Return a duration in milliseconds.

    Raises:
        JMSException: It is no whole number, negative, or does not fit 64 bits.
    """
    if isinstance(value, timedelta):
        value = value // timedelta(milliseconds=1)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LONGEST_MS:
        raise JMSException(f"{what} is a number of milliseconds from 0 on, or a timedelta; {value!r} is neither")
    return value


def timeout_seconds(timeout: int | timedelta | None) -> float | None:
    """Return how long a receive waits; None is for ever (JMS-298).

    Raises:
        IllegalArgumentException: It is negative, or no number of milliseconds.
    """
    if timeout is None:
        return None
    try:
        value = milliseconds(timeout, "the timeout")
    except JMSException as error:
        raise IllegalArgumentException(str(error)) from None
    return value / 1000 if value else None


def delivery_mode(value: object) -> DeliveryMode:
    """Return a delivery mode (JMS-034).

    Raises:
        JMSException: It is neither 1 nor 2.
    """
    if not isinstance(value, bool) and isinstance(value, int) and value in (1, 2):
        return DeliveryMode(value)
    raise JMSException(f"{value!r} is no delivery mode; it is DeliveryMode.PERSISTENT or DeliveryMode.NON_PERSISTENT")


def priority(value: object) -> int:
    """Return a priority (JMS-034).

    Raises:
        JMSException: It is not one of 0 to 9.
    """
    if not isinstance(value, bool) and isinstance(value, int) and LOWEST_PRIORITY <= value <= HIGHEST_PRIORITY:
        return value
    raise JMSException(f"{value!r} is no priority; that is a number from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}")


def session_mode(value: object) -> SessionMode:
    """Return a session mode (JMS-207).

    Raises:
        JMSException: It is none.
    """
    if not isinstance(value, bool) and isinstance(value, int) and 0 <= value <= 3:
        return SessionMode(value)
    raise JMSException(f"{value!r} is no session mode; see SessionMode")


def selector(text: object) -> str | None:
    """Return a selector that selects something, or None for all (JMS-126, JMS-167).

    Raises:
        InvalidSelectorException: It breaks the rules.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidSelectorException(f"a selector is a text; {text!r} is none")
    if not text.strip(" \t\f\r\n"):
        return None
    try:
        compile_selector(text)
    except SelectorError as error:
        raise InvalidSelectorException(error.detail, error.code) from error
    return text


def subscription_name(name: object) -> str:
    """Return the name of a subscription.

    Raises:
        JMSException: It is no text, or empty.
    """
    if isinstance(name, str) and name:
        return name
    raise JMSException(f"{name!r} cannot name a subscription: that takes a text of at least one character")
