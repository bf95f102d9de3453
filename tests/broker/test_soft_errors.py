"""Sessions that go on after an ERROR about one frame."""

from __future__ import annotations

import pytest

from stompd import errors
from stompd.broker.effects import SessionId
from stompd.broker.requests import AckMode
from stompd.errors import InternalError, InvalidHeader, MalformedFrame, SlowConsumer, StompError
from tests.broker.core import Core


def soft_core(**limits: int) -> Core:
    """Return a core whose session 1 asked for soft errors."""
    core = Core(**limits)
    core.broker.open_session(SessionId(1), has_soft_errors=True)
    return core


def test_request_that_fails_is_declined_and_the_session_goes_on() -> None:
    core = soft_core()

    core.unsubscribe(1, "unknown", receipt="1")
    core.send(1, "a", receipt="2")

    assert core.run() == ["decline 1 unknown-subscription 1", "confirm 1 2"]


def test_frame_that_never_became_a_request_is_declined() -> None:
    core = soft_core()

    core.refuse(1, InvalidHeader("x"), "1")
    core.send(1, "a", receipt="2")

    assert core.run() == ["decline 1 invalid-header 1", "confirm 1 2"]


def test_failure_that_nobody_waits_for_ends_the_session() -> None:
    core = soft_core()

    core.unsubscribe(1, "unknown")
    core.send(1, "a", receipt="2")

    assert core.run() == ["refuse 1 unknown-subscription"]


def test_session_that_did_not_ask_is_ended() -> None:
    core = soft_core()

    core.unsubscribe(2, "unknown", receipt="1")

    assert core.run() == ["refuse 2 unknown-subscription 1"]


@pytest.mark.parametrize("error", [MalformedFrame("x"), InternalError("x"), SlowConsumer("x")])
def test_error_that_is_about_more_than_a_frame_ends_the_session(error: StompError) -> None:
    core = soft_core()

    core.refuse(1, error, "1")
    core.send(1, "a", receipt="2")

    assert core.run() == [f"refuse 1 {error.code} 1"]


def test_refuse_tells_whether_it_is_the_end() -> None:
    core = soft_core()

    assert not core.broker.refuse(SessionId(1), InvalidHeader("x"), "1")
    assert core.broker.refuse(SessionId(1), InvalidHeader("x"), None)
    assert core.broker.refuse(SessionId(1), InvalidHeader("x"), "2")


def test_errors_come_in_the_order_of_their_frames() -> None:
    core = soft_core()
    core.send(1, "a", receipt="1")
    core.unsubscribe(1, "unknown", receipt="2")
    core.send(1, "b", receipt="3", is_persistent=False)
    core.unsubscribe(1, "unknown", receipt="4")

    assert core.run() == [
        "confirm 1 1",
        "decline 1 unknown-subscription 2",
        "confirm 1 3",
        "decline 1 unknown-subscription 4",
    ]


def test_soft_error_comes_before_the_one_that_ends_the_session() -> None:
    core = soft_core()
    core.send(1, "a", receipt="1")
    core.unsubscribe(1, "unknown", receipt="2")
    core.unsubscribe(1, "unknown")

    assert core.run() == ["confirm 1 1", "decline 1 unknown-subscription 2", "refuse 1 unknown-subscription"]


def test_subscriptions_and_deliveries_stay() -> None:
    core = soft_core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    core.unsubscribe(1, "unknown", receipt="1")
    core.send(2, "b")

    assert core.run() == ["decline 1 unknown-subscription 1", "deliver 1 b"]


def test_transaction_stays_open_without_the_frame_that_failed() -> None:
    core = soft_core(transaction_operations=1)
    core.begin(1)
    core.send(1, "a", transaction="t", receipt="1")
    core.send(1, "b", transaction="t", receipt="2")
    core.commit(1, receipt="3")
    core.subscribe(2)

    assert core.run() == ["confirm 1 1", "decline 1 limit-exceeded 2", "confirm 1 3", "deliver 2 a"]


def test_second_begin_leaves_the_transaction_open() -> None:
    core = soft_core()
    core.begin(1)
    core.send(1, "a", transaction="t")

    core.begin(1, receipt="1")
    core.commit(1, receipt="2")

    assert core.run() == ["decline 1 duplicate-transaction 1", "confirm 1 2"]
    assert core.depth() == 1


def test_acknowledgement_that_fails_leaves_the_delivery() -> None:
    core = soft_core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    core.acknowledge(1, "a", transaction="unknown", receipt="1")
    core.acknowledge(1, "a", receipt="2")

    assert core.run() == ["decline 1 unknown-transaction 1", "confirm 1 2"]
    assert core.depth() == 0


def test_message_that_the_store_refuses_is_declined() -> None:
    core = soft_core()
    core.send(1, "a", receipt="1")
    core.effects()

    core.refuse_unit()
    core.send(1, "b", receipt="2")

    assert core.run() == ["decline 1 refused-by-store 1", "confirm 1 2"]
    assert core.depth() == 1


def test_message_without_receipt_that_the_store_refuses_ends_the_session() -> None:
    core = soft_core()
    core.send(1, "a")
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store"]


def test_transaction_that_the_store_refuses_is_over_and_its_deliveries_come_again() -> None:
    core = soft_core()
    core.subscribe(1, ack=AckMode.INDIVIDUAL)
    core.send(2, "a")
    core.run()
    core.begin(1)
    core.acknowledge(1, "a", transaction="t")
    core.send(1, "b", to="/queue/b", transaction="t")
    core.commit(1, receipt="1")
    core.effects()

    core.refuse_unit()

    assert core.run() == ["decline 1 refused-by-store 1", "deliver 1 a again 1"]
    assert core.depth("/queue/b") == 0
    core.commit(1, receipt="2")
    assert core.run() == ["decline 1 unknown-transaction 2"]


def test_each_error_says_whether_it_is_about_one_frame() -> None:
    others = {
        error.__name__
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, StompError) and not error.is_of_frame
    }

    assert others == {
        "AlreadyConnected",
        "FrameTooLarge",
        "HeartBeatMissed",
        "InternalError",
        "InvalidClientId",
        "LoginExpired",
        "LoginFailed",
        "LoginTimedOut",
        "MalformedFrame",
        "NotConnected",
        "ProtocolError",
        "ShuttingDown",
        "SlowConsumer",
        "TakenOver",
        "UnknownCommand",
        "UnknownHost",
        "UnsupportedVersion",
    }
