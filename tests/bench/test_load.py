"""The load: a broker that misbehaves is noticed, and never measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from stompd.wire.frame import Frame
from tests.bench import load
from tests.bench.load import Address, LoadFailure, Outcome, Sending, Taking, left_over
from tests.scripted import Answer, ScriptedBroker, confirm

KEYS = [0, 1, 2]


def message(key: int, body: str = "") -> Frame:
    return Frame("MESSAGE", {"ack": f"a{key}"}, (body or f"{key:010}" + "x" * 10).encode())


def answering(command: str, *answers: Frame) -> Answer:
    """Return a script that confirms everything, and answers one command with some frames first."""

    def answer(frame: Frame) -> Iterable[Frame | bytes]:
        if frame.command == command:
            yield from answers
        yield from confirm(frame)

    return answer


def produce(answer: Answer, **changes: int | None) -> list[Frame]:
    """Let a producer send three messages, and return what the broker got."""
    with ScriptedBroker(answer) as broker:
        job = Sending(_address(broker), "/queue/a", 0, 3, 20, **changes)  # type: ignore[arg-type]
        job.begin([0], 0).work(0.0)
    return broker.frames


def consume(answer: Answer, count: int = 3) -> tuple[Outcome, list[Frame]]:
    """Let a consumer take messages, and return its outcome and what the broker got."""
    with ScriptedBroker(answer) as broker:
        outcome = Taking(_address(broker), "/queue/a", 20, count).begin([0], 0).work(0.0)
    return outcome, broker.frames


def _address(broker: ScriptedBroker) -> Address:
    return Address(int(broker.url.rpartition(":")[2]), "ann", "secret")


def _commands(frames: list[Frame]) -> str:
    return " ".join(frame.command for frame in frames)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon."""
    monkeypatch.setattr(load, "PATIENCE_SECONDS", 0.1)


def test_producer_sends_numbered_messages() -> None:
    frames = produce(confirm, window=2)

    assert _commands(frames) == "CONNECT SEND SEND SEND DISCONNECT"
    assert [frame.body for frame in frames[1:4]] == [f"{key:010}xxxxxxxxxx".encode() for key in KEYS]
    assert frames[0].headers["login"] == "ann"


def test_producer_sends_transactions() -> None:
    frames = produce(confirm, transaction=3)

    assert _commands(frames) == "CONNECT BEGIN SEND SEND SEND COMMIT DISCONNECT"
    assert ["receipt" in frame.headers for frame in frames[1:6]] == [False, False, False, False, True]


def test_producer_keeps_its_rate() -> None:
    frames = produce(confirm, rate=1000)

    assert _commands(frames) == "CONNECT SEND SEND SEND DISCONNECT"


def test_large_messages_are_rendered_as_they_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = produce(confirm)
    monkeypatch.setattr(load, "_MOST_RENDERED", 10)

    assert produce(confirm) == rendered


def test_consumer_acknowledges_what_it_gets() -> None:
    outcome, frames = consume(answering("SUBSCRIBE", *map(message, KEYS)))

    assert outcome.keys == KEYS
    assert _commands(frames) == "CONNECT SUBSCRIBE ACK ACK ACK DISCONNECT"
    assert [frame.headers["id"] for frame in frames[2:5]] == ["a0", "a1", "a2"]


def test_surplus_message_is_in_the_outcome() -> None:
    answers = {"SUBSCRIBE": list(map(message, KEYS)), "DISCONNECT": [message(1)]}

    outcome, _ = consume(lambda frame: [*answers.get(frame.command, []), *confirm(frame)])

    assert outcome.keys == [*KEYS, 1]


@pytest.mark.parametrize("work", [produce, consume])
def test_error_fails_with_its_text(work: Callable[[Answer], object]) -> None:
    def refuse(frame: Frame) -> Iterable[Frame]:
        is_open = frame.command == "CONNECT"
        return confirm(frame) if is_open else [Frame("ERROR", {"message": "no room"})]

    with pytest.raises(LoadFailure, match="no room"):
        work(refuse)


def test_connection_that_ends_early_fails() -> None:
    with pytest.raises(LoadFailure, match="closed the connection"):
        consume(lambda frame: [b"MESS"] if frame.command == "DISCONNECT" else confirm(frame), count=0)


@pytest.mark.usefixtures("impatient")
def test_receipt_that_does_not_come_fails() -> None:
    with pytest.raises(LoadFailure, match="nothing came"):
        produce(lambda frame: [] if frame.command == "SEND" else confirm(frame))


@pytest.mark.usefixtures("impatient")
def test_message_that_does_not_come_fails() -> None:
    with pytest.raises(LoadFailure, match="nothing came"):
        consume(answering("SUBSCRIBE", message(0), message(1)))


def test_receipt_of_another_frame_fails() -> None:
    with pytest.raises(LoadFailure, match="others came"):
        produce(lambda frame: [Frame("RECEIPT", {"receipt-id": "7"})] if frame.command == "SEND" else confirm(frame))


@pytest.mark.parametrize("body", ["something else", "0000000000 cut", "0000000000" + "x" * 11])
def test_message_that_is_not_of_the_load_fails(body: str) -> None:
    with pytest.raises(LoadFailure, match="expected messages of the load"):
        consume(answering("SUBSCRIBE", message(0, body)), count=1)


def test_messages_that_are_left_in_a_queue_are_counted() -> None:
    left = [message(1), message(2), Frame("MESSAGE", {}, b"end")]

    with ScriptedBroker(answering("SUBSCRIBE", *left)) as broker:
        assert left_over(_address(broker), "/queue/a") == 2
