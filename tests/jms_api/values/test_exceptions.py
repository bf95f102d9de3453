"""The two families of exceptions. JMS 3.1, 10."""

from __future__ import annotations

import pickle

import pytest

import jms_api
from jms_api import (
    IllegalArgumentException,
    IllegalStateException,
    IllegalStateRuntimeException,
    JMSError,
    JMSException,
    JMSRuntimeException,
    MessageEOFException,
    MessageNotReadableException,
    NullPointerException,
    NumberFormatException,
    UnsupportedOperationException,
)
from jms_api.exceptions import to_runtime

CHECKED = [kind for kind in vars(jms_api).values() if isinstance(kind, type) and issubclass(kind, JMSException)]
RUNTIME = [kind for kind in vars(jms_api).values() if isinstance(kind, type) and issubclass(kind, JMSRuntimeException)]


@pytest.mark.jms(
    *("JMSException.error_code", "JMSException.linked_exception", "JMSRuntimeException.error_code"),
    *("IllegalStateException", "InvalidClientIDException", "InvalidDestinationException", "InvalidSelectorException"),
    *("JMSSecurityException", "MessageEOFException", "MessageFormatException", "MessageNotReadableException"),
    *("MessageNotWriteableException", "ResourceAllocationException", "TransactionInProgressException"),
    *("TransactionRolledBackException", "IllegalStateRuntimeException", "InvalidClientIDRuntimeException"),
    *("InvalidDestinationRuntimeException", "InvalidSelectorRuntimeException", "JMSSecurityRuntimeException"),
    *("MessageFormatRuntimeException", "MessageNotWriteableRuntimeException", "ResourceAllocationRuntimeException"),
    *("TransactionInProgressRuntimeException", "TransactionRolledBackRuntimeException"),
)
@pytest.mark.parametrize("kind", [*CHECKED, *RUNTIME])
def test_jms_384_exception_has_reason_code_and_cause(kind: type[JMSError]) -> None:
    cause = ValueError("because")

    error = kind("reason", "code", cause)

    assert (str(error), error.reason, error.error_code) == ("reason", "reason", "code")
    assert error.linked_exception is error.__cause__ is cause
    assert (kind("reason").error_code, kind("reason").linked_exception) == (None, None)


@pytest.mark.parametrize("kind", [*CHECKED, *RUNTIME])
def test_jms_385_exception_derives_from_the_base_of_one_family(kind: type[JMSError]) -> None:
    assert (kind.__base__ in (JMSException, JMSRuntimeException)) or kind.__base__ is JMSError
    assert issubclass(kind, JMSException) is not issubclass(kind, JMSRuntimeException)


def test_jms_386_linked_exception_is_the_cause() -> None:
    error = JMSException("x")
    cause = ValueError()

    error.linked_exception = cause

    assert error.__cause__ is cause
    with pytest.raises(JMSError) as caught:
        raise JMSException("y") from cause
    assert caught.value.linked_exception is cause


def test_jms_386_exceptions_of_java_are_those_of_python_too() -> None:
    assert issubclass(NumberFormatException, ValueError)
    assert issubclass(IllegalArgumentException, ValueError)
    assert issubclass(NullPointerException, TypeError)
    assert issubclass(UnsupportedOperationException, NotImplementedError)


@pytest.mark.parametrize("kind", CHECKED)
def test_checked_exception_has_a_runtime_twin(kind: type[JMSException]) -> None:
    error = kind("reason", "code")

    twin = to_runtime(error)

    without = kind in (JMSException, MessageEOFException, MessageNotReadableException)
    expected = "JMSRuntimeException" if without else kind.__name__.replace("Exception", "RuntimeException")
    assert type(twin).__name__ == expected
    assert (str(twin), twin.error_code, twin.__cause__) == ("reason", "code", error)


def test_runtime_twin_of_a_subclass_is_that_of_its_base() -> None:
    class Narrower(IllegalStateException):
        """Something is not possible."""

    assert type(to_runtime(Narrower("x"))) is IllegalStateRuntimeException


def test_exception_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(JMSException("reason", "code")))

    assert (str(error), error.error_code) == ("reason", "code")
