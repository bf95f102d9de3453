"""What goes wrong: the two families of JMS exceptions, and those that Java has in its language.

The classic API raises the family of `JMSException`, the simplified one (`JMSContext`, `JMSProducer`, `JMSConsumer`)
that of `JMSRuntimeException`; `JMSError` is both. A class's docstring is its message in one sentence (JMS-384 to
JMS-387).
"""

from __future__ import annotations


class JMSError(Exception):
    """Something about messaging went wrong."""

    #: The broker's `error-code`, or None.
    error_code: str | None = None

    def __init__(
        self, reason: str = "", error_code: str | None = None, linked_exception: BaseException | None = None
    ) -> None:
        """Say what was wrong, and what to do about it.

        Args:
            reason: For a person; may show headers, never a secret.
            error_code: What a program may compare.
            linked_exception: What caused it; the same as `raise ... from linked_exception`.
        """
        super().__init__(reason)
        self.error_code = error_code
        if linked_exception is not None:
            self.__cause__ = linked_exception

    @property
    def reason(self) -> str:
        """What was wrong."""
        return str(self)

    @property
    def linked_exception(self) -> BaseException | None:
        """What caused it; the other name of `__cause__` (JMS-386)."""
        return self.__cause__

    @linked_exception.setter
    def linked_exception(self, cause: BaseException | None) -> None:
        self.__cause__ = cause


class JMSException(JMSError):
    """The classic API cannot do what was asked."""


class IllegalStateException(JMSException):
    """The call is not possible now, or not on this object."""


class InvalidClientIDException(JMSException):
    """The client id cannot be used."""


class InvalidDestinationException(JMSException):
    """The destination is unknown, or is none."""


class InvalidSelectorException(JMSException):
    """The selector cannot be used."""


class JMSSecurityException(JMSException):
    """The login or the permission was refused."""


class MessageEOFException(JMSException):
    """The body has no more to read."""


class MessageFormatException(JMSException):
    """A value has the wrong type, or a body cannot be decoded."""


class MessageNotReadableException(JMSException):
    """The body is being written; `reset()` ends that."""


class MessageNotWriteableException(JMSException):
    """The body or the properties are read-only; `clear_body()` or `clear_properties()` ends that."""


class ResourceAllocationException(JMSException):
    """The broker has no room for it."""


class TransactionInProgressException(JMSException):
    """A distributed transaction is in progress."""


class TransactionRolledBackException(JMSException):
    """The transaction was rolled back instead of committed."""


class JMSRuntimeException(JMSError):
    """The simplified API cannot do what was asked."""

    def __init__(
        self, detail_message: str = "", error_code: str | None = None, cause: BaseException | None = None
    ) -> None:
        """Say what was wrong; the arguments are those of JMSError by their names in JMS."""
        super().__init__(detail_message, error_code, cause)


class IllegalStateRuntimeException(JMSRuntimeException):
    """The call is not possible now, or not on this object."""


class InvalidClientIDRuntimeException(JMSRuntimeException):
    """The client id cannot be used."""


class InvalidDestinationRuntimeException(JMSRuntimeException):
    """The destination is unknown, or is none."""


class InvalidSelectorRuntimeException(JMSRuntimeException):
    """The selector cannot be used."""


class JMSSecurityRuntimeException(JMSRuntimeException):
    """The login or the permission was refused."""


class MessageFormatRuntimeException(JMSRuntimeException):
    """A value has the wrong type, or a body cannot be decoded."""


class MessageNotWriteableRuntimeException(JMSRuntimeException):
    """The properties are read-only; `clear_properties()` ends that."""


class ResourceAllocationRuntimeException(JMSRuntimeException):
    """The broker has no room for it."""


class TransactionInProgressRuntimeException(JMSRuntimeException):
    """A distributed transaction is in progress."""


class TransactionRolledBackRuntimeException(JMSRuntimeException):
    """The transaction was rolled back instead of committed."""


class IllegalArgumentException(ValueError):
    """An argument is null, empty or out of range."""


class NumberFormatException(IllegalArgumentException):
    """The text is no number of that type."""


class NullPointerException(TypeError):
    """There is no value where one is needed."""


class UnsupportedOperationException(NotImplementedError):
    """The broker cannot do that, and an approximation would deceive."""


#: The runtime twin of each checked exception that has one. JMS 3.1, "Exceptions": the others become the base.
_TWINS: dict[type[JMSError], type[JMSRuntimeException]] = {
    IllegalStateException: IllegalStateRuntimeException,
    InvalidClientIDException: InvalidClientIDRuntimeException,
    InvalidDestinationException: InvalidDestinationRuntimeException,
    InvalidSelectorException: InvalidSelectorRuntimeException,
    JMSSecurityException: JMSSecurityRuntimeException,
    MessageFormatException: MessageFormatRuntimeException,
    MessageNotWriteableException: MessageNotWriteableRuntimeException,
    ResourceAllocationException: ResourceAllocationRuntimeException,
    TransactionInProgressException: TransactionInProgressRuntimeException,
    TransactionRolledBackException: TransactionRolledBackRuntimeException,
    JMSException: JMSRuntimeException,
}


def to_runtime(error: JMSException) -> JMSRuntimeException:
    """Return what the simplified API raises where the classic one raises `error`, with that as its cause."""
    twin = next(_TWINS[kind] for kind in type(error).__mro__ if kind in _TWINS)
    return twin(str(error), error.error_code, error)
