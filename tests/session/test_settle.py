"""ACK and NACK in the three versions, transactions, and DISCONNECT."""

from __future__ import annotations

import pytest

from stompd.broker.requests import (
    PLAIN,
    Abort,
    Acknowledge,
    Begin,
    Commit,
    DeliveredMessage,
    DeliveryToken,
    Disconnect,
    Reject,
    Rejection,
)
from stompd.errors import InvalidHeader, MissingHeader, UnknownDelivery
from tests.session.peer import NOW, connected, frame, request

SETTLING = [("ACK", Acknowledge), ("NACK", Reject)]
NAMES = {
    "1.0": {"message-id": "5", "subscription": "0"},
    "1.1": {"message-id": "5", "subscription": "0"},
    "1.2": {"id": "7-1-2"},
}


def settle(command: str, headers: dict[str, str], version: str = "1.2") -> Acknowledge | Reject:
    made = request(command, headers, version=version)
    assert isinstance(made, Acknowledge | Reject)
    return made


@pytest.mark.parametrize(("command", "kind"), SETTLING)
def test_1_2_names_the_token(command: str, kind: type) -> None:
    made = settle(command, {"id": "7-12-345"})

    assert isinstance(made, kind)
    assert made.name == DeliveryToken(12, 345)
    assert (made.transaction, made.receipt) == (None, None)


@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_1_2_looks_at_nothing_but_the_token(command: str) -> None:
    made = settle(command, {"message-id": "5", "subscription": "0", "id": "7-1-2"})

    assert made.name == DeliveryToken(1, 2)


@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_1_2_needs_the_token(command: str) -> None:
    with pytest.raises(MissingHeader, match=f"{command} needs the header id, .*ack header of the MESSAGE"):
        settle(command, {"message-id": "5", "subscription": "0"})


@pytest.mark.parametrize(
    "token",
    [
        "8-1-2",
        "07-1-2",
        "",
        "7",
        "7-1",
        "7-1-2-3",
        "7-1-x",
        "7--2",
        "7-1-+2",
        "7-1-\u0662",
        "7-1-2\u00b2",
        "7-1-" + "9" * 20,
        "7-" + "9" * 5_000 + "-1",
    ],
)
def test_token_that_this_session_never_issued_is_refused(token: str) -> None:
    with pytest.raises(UnknownDelivery) as caught:
        settle("ACK", {"id": token})

    assert caught.value.detail.startswith(f"id:{token[:80]}")
    assert "on ACK was not issued by this session" in caught.value.detail


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(("command", "kind"), SETTLING)
def test_1_0_and_1_1_name_message_and_subscription(command: str, kind: type, version: str) -> None:
    made = settle(command, {"message-id": "5", "subscription": "s"}, version)

    assert isinstance(made, kind)
    assert made.name == DeliveredMessage("5", "s")


@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_1_1_needs_the_subscription(command: str) -> None:
    with pytest.raises(MissingHeader, match=f"{command} needs the header subscription"):
        settle(command, {"message-id": "5"}, "1.1")


@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_1_0_does_without_the_subscription(command: str) -> None:
    assert settle(command, {"message-id": "5"}, "1.0").name == DeliveredMessage("5", None)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_1_0_and_1_1_need_the_message(command: str, version: str) -> None:
    with pytest.raises(MissingHeader, match=f"{command} needs the header message-id"):
        settle(command, {"subscription": "0", "id": "7-1-2"}, version)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_settling_takes_transaction_and_receipt(command: str, version: str) -> None:
    made = settle(command, {**NAMES[version], "transaction": "t", "receipt": "r"}, version)

    assert (made.transaction, made.receipt) == ("t", "r")


@pytest.mark.parametrize("command", ["ACK", "NACK"])
def test_transaction_of_a_settlement_must_have_a_name(command: str) -> None:
    with pytest.raises(InvalidHeader, match="transaction:tx1"):
        settle(command, {"id": "7-1-2", "transaction": ""})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, PLAIN),
        ({"requeue": "true", "delay": "", "undelivered": "no"}, PLAIN),
        ({"requeue": "false"}, Rejection(requeue=False)),
        ({"delay": "100"}, Rejection(delay_ms=100)),
        ({"delay": "0"}, Rejection(delay_ms=0)),
        ({"undelivered": "true"}, Rejection(is_undelivered=True)),
    ],
)
def test_rejection_says_what_is_to_become_of_the_message(headers: dict[str, str], expected: Rejection) -> None:
    made = settle("NACK", {"id": "7-1-2", **headers})

    assert isinstance(made, Reject)
    assert made.rejection == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("requeue", "maybe"), ("delay", "soon"), ("delay", "-1"), ("delay", "315360000001"), ("undelivered", "2")],
)
def test_rejection_that_cannot_be_understood_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader, match=f"{name}:{value} cannot be used. Accepted is"):
        settle("NACK", {"id": "7-1-2", name: value})


@pytest.mark.parametrize(("command", "kind"), [("BEGIN", Begin), ("COMMIT", Commit), ("ABORT", Abort)])
def test_transaction_is_named(command: str, kind: type[Begin | Commit | Abort]) -> None:
    made = request(command, {"transaction": "t", "receipt": "r"})

    assert isinstance(made, kind)
    assert (made.transaction, made.receipt) == ("t", "r")


@pytest.mark.parametrize("command", ["BEGIN", "COMMIT", "ABORT"])
def test_transaction_frames_need_a_transaction(command: str) -> None:
    with pytest.raises(MissingHeader, match=f"{command} needs the header transaction, for example transaction:tx1"):
        request(command)


@pytest.mark.parametrize("command", ["BEGIN", "COMMIT", "ABORT"])
def test_transaction_must_have_a_name(command: str) -> None:
    with pytest.raises(InvalidHeader):
        request(command, {"transaction": ""})


def test_disconnect_takes_its_receipt() -> None:
    made = request("DISCONNECT", {"receipt": "r"})

    assert isinstance(made, Disconnect)
    assert made.receipt == "r"


def test_no_frame_is_taken_after_disconnect() -> None:
    session = connected()
    session.receive_frame(frame("DISCONNECT"), NOW)

    assert not session.takes_frames
