"""SENDs that repeat the headers of the one before: each asks for what it would ask for if it were the first."""

from __future__ import annotations

import pytest

from stompd.broker.requests import Send
from stompd.session.session import Session
from tests.session.peer import NOW, connected, frame

PLAIN = {"destination": "/queue/a"}

HEADERS = [
    PLAIN,
    {"destination": "/topic/a"},
    {"destination": "/queue/a,/queue/b"},
    {"destination": "/temp-queue/a"},
    {**PLAIN, "persistent": "false"},
    {**PLAIN, "priority": "7", "colour": "red"},
    {**PLAIN, "transaction": "t"},
    {**PLAIN, "expires": "1900000000000"},
    {**PLAIN, "ttl": "1000"},
    {**PLAIN, "delay": "1000"},
    {**PLAIN, "dedup-id": "order-1"},
    {**PLAIN, "reply-to": "/temp-queue/a"},
    {**PLAIN, "reply-to": "/queue/b"},
    {**PLAIN, "mandatory": "true"},
    {"destination": "/topic/a", "retain": "set"},
]


def repeat(session: Session, headers: dict[str, str], form: object, *, now: float = NOW, body: bytes = b"") -> Send:
    """Take a SEND that the parser has recognized."""
    repeated = frame("SEND", dict(headers), body)
    repeated.form = form
    made = session.receive_frame(repeated, now)
    assert isinstance(made, Send)
    return made


def show(send: Send) -> list[object]:
    """Return everything that matters of a SEND."""
    message, wishes = send.message, send.message.wishes
    return [
        *(send.destination, send.transaction, send.receipt, send.reply_to, send.is_mandatory, send.inspect),
        *(send.is_plain, message.destination, message.headers, message.body, message.priority, message.expires_ms),
        *(message.is_persistent, message.due_ms),
        wishes and (wishes.dedup_id, wishes.last_value_key, wishes.is_repeated, wishes.retain),
    ]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: ",".join(headers.values()))
def test_each_asks_for_what_the_first_would_ask_for(headers: dict[str, str]) -> None:
    session, form = connected(), object()

    for number in range(4):
        now, body = NOW + number, b"%d" % number
        own = {**headers, "receipt": str(number)}
        made = repeat(session, own, form, now=now, body=body)

        assert show(made) == show(repeat(connected(), own, None, now=now, body=body))


def test_other_form_asks_for_something_else() -> None:
    session, form = connected(), object()
    for _ in range(3):
        repeat(session, PLAIN, form)

    made = repeat(session, {"destination": "/queue/b"}, object())

    assert made.message.destination == "/queue/b"


def test_form_is_taken_up_again_after_another_frame() -> None:
    session, form = connected(), object()
    repeat(session, PLAIN, form)
    session.receive_frame(frame("BEGIN", {"transaction": "t"}), NOW)

    made = repeat(session, PLAIN, form, body=b"later")

    assert show(made) == show(repeat(connected(), PLAIN, None, body=b"later"))


def test_every_receipt_has_its_warning() -> None:
    session, form = connected(), object()

    answers = []
    for number in range(3):
        repeat(session, {**PLAIN, "persistant": "true", "receipt": str(number)}, form)
        answers.append(session.receipt(str(number), {}))

    assert all(b"did you mean persistent?" in answer for answer in answers)


def test_no_body_is_kept_for_the_next() -> None:
    session, form = connected(), object()
    made = repeat(session, PLAIN, form, body=b"large")

    again = repeat(session, PLAIN, form)

    assert (made.message.body, again.message.body) == (b"large", b"")
    assert session._last_send is not None
    assert session._last_send.message.body == b""
