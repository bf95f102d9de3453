"""Sending dead letters back, with a broker that answers from a script."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from stompd import replay as module
from stompd.client import Address, Client
from stompd.replay import Replayed, replay
from stompd.wire.frame import Frame
from tests.scripted import ScriptedBroker, confirm

NOW_MS = 1_700_000_000_000


@pytest.fixture(autouse=True)
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a script that has ended."""
    monkeypatch.setattr(module, "_SILENCE_SECONDS", 0.05)


def letter(number: int, **headers: str) -> Frame:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Frame(
        "MESSAGE",
        {
            "subscription": "1",
            "ack": f"a{number}",
            "redelivered": "false",
            "JMSXDeliveryCount": "1",
            "message-id": f"m{number}",
            "timestamp": "1",
            "content-length": "1",
            "destination": "/queue/DLQ.a",
            "persistent": "true",
            "dlq-time": str(NOW_MS - 1),
            "dlq-reason": "rejected",
            "dlq-delivery-count": "1",
            "dlq-message-id": "9",
            "colour": "red",
            **given,
        },
        b"x",
    )


def run(*letters: Frame, to: str | None = None, count: int | None = None) -> tuple[Replayed, list[Frame], list[str]]:
    """Replay a queue that holds these letters; return the outcome, what was sent, and the progress."""

    def answer(frame: Frame) -> Iterable[Frame]:
        yield from confirm(frame)
        if frame.command == "SUBSCRIBE":
            yield from letters

    progress: list[str] = []
    with ScriptedBroker(answer) as broker:
        with Client(Address.parse(broker.url)) as client:
            replayed = replay(
                client,
                "DLQ.a",
                to=to,
                count=count,
                started_ms=NOW_MS,
                on_progress=lambda sent, destination: progress.append(f"{sent} {destination}"),
            )
        assert broker.frames[1].headers["destination"] == "/queue/DLQ.a"
        return replayed, [frame for frame in broker.frames if frame.command == "SEND"], progress


def test_letters_go_where_they_came_from() -> None:
    letters = [letter(number, original_destination=f"/queue/{number}") for number in (1, 2)]

    replayed, sent, progress = run(*letters)

    assert replayed == Replayed(sent=2, left=0)
    assert [frame.headers["destination"] for frame in sent] == ["/queue/1", "/queue/2"]
    assert progress == ["1 /queue/1", "2 /queue/2"]


def test_only_the_sender_s_headers_go_along() -> None:
    _, (sent,), _ = run(letter(1, original_destination="/queue/a"))

    assert set(sent.headers) == {"destination", "transaction", "persistent", "colour", "content-length"}


def test_header_that_the_broker_renamed_goes_back_under_its_own_name() -> None:
    headers = {"original-message-id": "order-1", "sender-timestamp": "5", "seq": "7", "scheduledJobId": "8"}
    stored = letter(1, original_destination="/queue/a")
    stored.headers.update(headers)

    _, sent, _ = run(stored)

    [replayed] = [frame for frame in sent if frame.command == "SEND"]
    assert (replayed.headers["message-id"], replayed.headers["timestamp"]) == ("order-1", "5")
    assert headers.keys().isdisjoint(replayed.headers)


def test_letters_may_go_elsewhere() -> None:
    _, (sent,), _ = run(letter(1), to="/queue/b")

    assert sent.headers["destination"] == "/queue/b"


def test_so_many_are_enough() -> None:
    replayed, sent, _ = run(*(letter(number, original_destination="/queue/a") for number in (1, 2, 3)), count=2)

    assert (replayed.sent, len(sent)) == (2, 2)


def test_letter_without_an_origin_stays() -> None:
    replayed, sent, _ = run(letter(1))

    assert (replayed, sent) == (Replayed(sent=0, left=1), [])


def test_what_became_a_dead_letter_meanwhile_stays() -> None:
    replayed, sent, _ = run(letter(1, original_destination="/queue/a", dlq_time=str(NOW_MS + 1)))

    assert (replayed, sent) == (Replayed(sent=0, left=0), [])
