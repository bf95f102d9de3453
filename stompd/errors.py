"""Everything that can go wrong, in three families: the peer's faults, the store's, and the operator's.

A class stands for one kind of fault. Its docstring is its message in one sentence; `detail` says what was wrong this
time, where, and what to do about it, and never repeats a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

#: As many characters of a selector as an error shows, so that it fits on one line of a terminal.
_EXCERPT_LENGTH = 72


class StompError(Exception):
    """The frame cannot be accepted."""

    #: The stable value of the ERROR frame's `error-code` header; client programs may depend on it.
    code: ClassVar[str] = "error"

    #: Whether it is about one frame alone, so that a session that wants it so can go on; all others end the session.
    is_of_frame: ClassVar[bool] = True

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """Say what was wrong.

        Args:
            detail: The body of the ERROR frame: the header or octet at fault, and the cure. Never a secret.
            headers: Further headers for the ERROR frame, such as `version`.
        """
        super().__init__(detail)
        self.detail = detail
        self.headers: Mapping[str, str] = headers or {}

    @property
    def summary(self) -> str:
        """The ERROR frame's `message` header: the first line of the class's docstring, without its full stop."""
        return (type(self).__doc__ or "").partition("\n")[0].rstrip(".")


class ProtocolError(StompError):
    """The octets are not STOMP."""

    code = "protocol-error"
    is_of_frame = False

    #: The `receipt` header of the frame at fault, as far as it could be read.
    receipt: str | None = None


class MalformedFrame(ProtocolError):
    """The frame is malformed."""

    code = "malformed-frame"


class FrameTooLarge(ProtocolError):
    """The frame is larger than this broker allows."""

    code = "frame-too-large"


class UnknownCommand(StompError):
    """The command is not known."""

    code = "unknown-command"
    is_of_frame = False


class NotConnected(StompError):
    """The first frame must be CONNECT or STOMP."""

    code = "not-connected"
    is_of_frame = False


class AlreadyConnected(StompError):
    """The session is connected already."""

    code = "already-connected"
    is_of_frame = False


class UnsupportedVersion(StompError):
    """No STOMP version is common to both sides."""

    code = "unsupported-version"
    is_of_frame = False


class MissingHeader(StompError):
    """A required header is missing."""

    code = "missing-header"


class InvalidHeader(StompError):
    """A header has a value that cannot be used."""

    code = "invalid-header"


class UnsupportedHeader(StompError):
    """A header asks for something this broker does not do."""

    code = "unsupported-header"


class InvalidDestination(StompError):
    """The destination cannot be used."""

    code = "invalid-destination"


class Undeliverable(StompError):
    """Nobody would get the message."""

    code = "undeliverable"


class SelectorError(StompError):
    """The selector cannot be used."""

    code = "invalid-selector"

    #: Where in the selector it cannot be read on, in characters from 1.
    column: int = 1

    @classmethod
    def at(cls, text: str, column: int, sentence: str) -> SelectorError:
        """Return the error for one place of a selector.

        Args:
            text: The whole selector.
            column: In characters from 1; one behind its end says that something is missing there.
            sentence: What was expected, without a full stop.

        Returns:
            An error whose detail is the sentence, and below it two lines: the selector, cut out around the column if it
            is long, and a caret under the column.
        """
        begin = max(0, column - 1 - _EXCERPT_LENGTH // 2)
        before = "..." if begin else ""
        after = "..." if begin + _EXCERPT_LENGTH < len(text) else ""
        # One place for each character, or the caret would point elsewhere.
        shown = "".join(c if c.isprintable() else " " for c in text[begin : begin + _EXCERPT_LENGTH])
        caret = " " * (len(before) + column - 1 - begin) + "^"
        error = cls(f"{sentence}, at column {column} of the selector.\n{before}{shown}{after}\n{caret}")
        error.column = column
        return error


class LoginFailed(StompError):
    """The login was refused."""

    code = "login-failed"
    is_of_frame = False


class LoginExpired(StompError):
    """The login has expired."""

    code = "login-expired"
    is_of_frame = False


class LoginTimedOut(StompError):
    """The login took too long."""

    code = "login-timeout"
    is_of_frame = False


class InvalidClientId(StompError):
    """The client id cannot be used."""

    code = "invalid-client-id"
    is_of_frame = False


class TakenOver(StompError):
    """Another connection has taken over the client id."""

    code = "taken-over"
    is_of_frame = False


class UnknownHost(StompError):
    """There is no such virtual host."""

    code = "unknown-host"
    is_of_frame = False


class AccessDenied(StompError):
    """The user may not do that."""

    code = "access-denied"


class DuplicateSubscription(StompError):
    """The subscription id is in use."""

    code = "duplicate-subscription"


class UnknownSubscription(StompError):
    """The subscription does not exist."""

    code = "unknown-subscription"


class SubscriptionConflict(StompError):
    """The subscription is in use."""

    code = "subscription-conflict"


class UnknownDelivery(StompError):
    """The acknowledgement names no delivery of this session."""

    code = "unknown-delivery"


class DuplicateTransaction(StompError):
    """The transaction is open already."""

    code = "duplicate-transaction"


class UnknownTransaction(StompError):
    """The transaction is not open."""

    code = "unknown-transaction"


class LimitExceeded(StompError):
    """A limit of this broker was exceeded."""

    code = "limit-exceeded"


class SlowConsumer(StompError):
    """The subscription has fallen too far behind."""

    code = "slow-consumer"
    is_of_frame = False


class HeartBeatMissed(StompError):
    """Nothing was heard for longer than the heart-beat allows."""

    code = "heart-beat-missed"
    is_of_frame = False


class RefusedByStore(StompError):
    """The store refused the message."""

    code = "refused-by-store"


class ShuttingDown(StompError):
    """The broker is shutting down."""

    code = "shutting-down"
    is_of_frame = False


class InternalError(StompError):
    """The broker failed with an internal error."""

    code = "internal-error"
    is_of_frame = False


class StoreError(Exception):
    """The store cannot do what was asked."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or is busy; the same call may succeed later."""


class StoreRefused(StoreError):
    """The store will never accept these units as they are."""


class StoreLocked(StoreError):
    """Another broker holds the store."""


class StoreLost(StoreError):
    """The store has been taken over by another broker, so this one must stop."""


class StoreUnusable(StoreError):
    """The store cannot be used by this program: its URL is wrong, it is newer, or it refuses the login."""


class SettingError(Exception):
    """A setting cannot be used.

    Its text is one sentence that names the setting and the cure; the command line prints it and exits with 2.
    """
