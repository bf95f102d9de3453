"""From the broker's ERROR frames, and from what became of a connection, to the exceptions of JMS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jms_api.exceptions import (
    IllegalStateException,
    InvalidClientIDException,
    InvalidDestinationException,
    InvalidSelectorException,
    JMSException,
    JMSSecurityException,
    ResourceAllocationException,
    TransactionRolledBackException,
)
from stompd.wire.frame import Frame

#: The `error_code` of what came about on this side.
CONNECTION_LOST: Final = "connection-lost"
IN_DOUBT: Final = "in-doubt"
TIMED_OUT: Final = "timed-out"

#: JMS-397: what the values of `error-code` mean.
_BY_CODE: Final[Mapping[str, type[JMSException]]] = {
    "login-failed": JMSSecurityException,
    "access-denied": JMSSecurityException,
    "security": JMSSecurityException,
    "invalid-client-id": InvalidClientIDException,
    "invalid-destination": InvalidDestinationException,
    "invalid-selector": InvalidSelectorException,
    "illegal-state": IllegalStateException,
    "limit-exceeded": ResourceAllocationException,
    "resource": ResourceAllocationException,
    "transaction-rolled-back": TransactionRolledBackException,
}

#: JMS-397: what a broker without `error-code` can only have meant, by the frame that it refused.
_BY_COMMAND: Final[Mapping[str, type[JMSException]]] = {
    "CONNECT": JMSSecurityException,
    "COMMIT": TransactionRolledBackException,
}


def refusal(error: Frame, command: str = "", *, has_selector: bool = False) -> JMSException:
    """Return the exception for an ERROR frame.

    Args:
        error: The frame.
        command: That of the frame that was refused, if it is known.
        has_selector: Whether that frame had a selector.
    """
    headers = error.headers
    summary = headers.get("message", "the broker refused a frame")
    detail = error.body.decode("utf-8", "replace").strip("\0\r\n ")
    reason = f"{summary}: {detail}" if detail and detail != summary else summary
    code = headers.get("error-code")
    if code is not None:
        kind = _BY_CODE.get(code, TransactionRolledBackException if command == "COMMIT" else JMSException)
        if command == "UNSUBSCRIBE" and code == "unknown-subscription":
            kind = InvalidDestinationException  # JMS-345
        if command == "UNSUBSCRIBE" and code == "subscription-conflict":
            kind = IllegalStateException  # JMS-346
        return kind(reason, code)
    if has_selector:
        return InvalidSelectorException(reason)
    return _BY_COMMAND.get(command, JMSException)(reason)


def lost(cause: BaseException) -> JMSException:
    """Return the exception for a connection that was lost."""
    error = JMSException(f"the connection to the broker was lost: {cause}", CONNECTION_LOST)
    error.__cause__ = cause
    return error


def closed(what: str) -> IllegalStateException:
    """Return the exception for the use of something closed (JMS-186)."""
    return IllegalStateException(f"the {what} is closed")
