"""Soft errors: the opt-in on CONNECT, and the ERROR after which the session goes on."""

from __future__ import annotations

import pytest

from stompd.errors import InvalidHeader, UnknownDelivery
from stompd.wire.frame import Frame
from tests.session.peer import NOW, connected, frame, new_session, read


@pytest.mark.parametrize("name", ["soft-errors", "jms-soft-errors"])
@pytest.mark.parametrize(("value", "confirmed"), [("true", "true"), ("1", "true"), ("false", None), ("no", None)])
def test_opt_in_is_confirmed_by_its_name(name: str, value: str, confirmed: str | None) -> None:
    session = new_session()

    session.receive_frame(frame("CONNECT", {"accept-version": "1.2", name: value}), NOW)

    assert read(session.accepted("alice", NOW), None).headers.get(name) == confirmed
    assert session.has_soft_errors == (confirmed is not None)


def test_nobody_gets_them_unasked() -> None:
    assert not connected().has_soft_errors


def test_opt_in_says_yes_or_no() -> None:
    with pytest.raises(InvalidHeader, match="soft-errors:maybe"):
        new_session().receive_frame(frame("CONNECT", {"soft-errors": "maybe"}), NOW)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_soft_error_says_that_it_is_soft(version: str) -> None:
    found = read(connected(version).soft_error(UnknownDelivery("Never heard of it."), "r"), version)

    assert found == Frame(
        "ERROR",
        {
            "message": "The acknowledgement names no delivery of this session",
            "error-code": "unknown-delivery",
            "receipt-id": "r",
            "soft": "true",
            "jms-fatal": "false",
            "content-type": "text/plain",
            "content-length": "19",
        },
        b"Never heard of it.\n",
    )


def test_session_goes_on_after_a_soft_error() -> None:
    session = connected()

    session.soft_error(UnknownDelivery("Never heard of it."), "r")

    assert session.takes_frames


def test_other_errors_do_not_say_so() -> None:
    headers = read(connected().error(UnknownDelivery("Never heard of it."), "r")).headers

    assert not {"soft", "jms-fatal"} & headers.keys()
