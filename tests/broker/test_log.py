"""Topics that keep their messages, and subscriptions that begin in the past."""

from __future__ import annotations

import pytest

from stompd.broker.identity import first_id
from stompd.broker.policy import Rule
from stompd.broker.requests import Origin
from stompd.store.memory import MemoryStore
from tests.broker.core import Core

TOPIC = "/topic/a"
ALL = Origin("retroactive:true")
RULES = [Rule("/topic/a", retention_messages=1000)]


def keeping(**retention: int) -> Core:
    """Return a core whose topic keeps messages."""
    return Core(MemoryStore(), [Rule(TOPIC, **retention)])  # type: ignore[arg-type]  # the keys are integers


def replayed(core: Core, session: int = 2, origin: Origin = ALL, **options: object) -> list[str]:
    """Return the bodies that a subscription from the past gets."""
    options.setdefault("prefetch", 0)
    core.subscribe(session, TOPIC, origin=origin, **options)  # type: ignore[arg-type]  # as `subscribe` takes
    return [text.split()[2] for text in core.run() if text.startswith("deliver")]


def test_past_comes_before_the_present() -> None:
    core = keeping(retention_messages=100)
    core.send_all(1, "a b", TOPIC)
    core.run()

    past = replayed(core)
    core.send(1, "c", TOPIC)

    assert past == ["a", "b"]
    assert core.run() == ["deliver 2 c"]


def test_what_is_under_way_at_the_end_of_the_past_comes_once() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC)
    core.run()
    core.subscribe(2, TOPIC, origin=ALL, prefetch=0)
    core.effects()
    core.send(1, "b", TOPIC)
    core.effects()
    core.send(1, "c", TOPIC)

    assert core.run() == ["deliver 2 a", "deliver 2 b", "deliver 2 c"]


@pytest.mark.parametrize("steps", range(8))
def test_nothing_is_lost_or_doubled_wherever_the_present_begins(steps: int) -> None:
    core = Core(MemoryStore(), RULES, window_count=2, topic_backlog=2)
    for body in "abcde":
        core.send(1, body, TOPIC)
    core.run()
    core.subscribe(2, TOPIC, origin=ALL, prefetch=0)
    shown = core.effects()
    for number in range(8):
        core.send(1, str(number), TOPIC)
        shown += core.effects()
        if number >= steps:
            core.answer(min(2, len(core.journal)))
            shown += core.effects()
    shown += core.run()

    assert [text[-1] for text in shown if text.startswith("deliver")] == list("abcde01234567")


def test_refused_message_is_not_replayed() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC)
    core.run()
    core.subscribe(2, TOPIC, origin=ALL)
    core.effects()
    core.send(3, "b", TOPIC)
    core.effects()
    core.answer()
    core.effects()

    core.refuse_unit()

    assert "deliver 2 b" not in core.run()


def test_long_past_is_read_as_it_is_taken() -> None:
    core = Core(MemoryStore(), RULES, topic_backlog=3)
    for number in range(20):
        core.send(1, str(number), TOPIC)
    core.run()
    first = replayed(core, prefetch=2)
    rest = []
    for number in range(20):
        core.acknowledge(2, str(number))
        rest += [text.split()[2] for text in core.run()]

    assert first == ["0", "1"]
    assert rest == [str(number) for number in range(2, 20)]


def test_replay_begins_with_a_message() -> None:
    core = keeping(retention_messages=100)
    core.send_all(1, "a b c", TOPIC)
    core.run()
    replayed(core, 3)
    seq = int(core._deliveries[3, "b"].entry.message.headers["seq"])

    assert replayed(core, origin=Origin("", seq)) == ["b", "c"]


def test_replay_begins_at_a_time() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC)
    core.now += 10
    core.send(1, "b", TOPIC)
    core.run()

    assert replayed(core, origin=Origin("", first_id(int(core.now * 1000)))) == ["b"]


@pytest.mark.parametrize(("newest", "bodies"), [(1, ["c"]), (2, ["b", "c"]), (9, ["a", "b", "c"])])
def test_replay_of_the_newest(newest: int, bodies: list[str]) -> None:
    core = keeping(retention_messages=100)
    core.send_all(1, "a b c", TOPIC)
    core.run()

    assert replayed(core, origin=Origin("", newest=newest)) == bodies


def test_selector_applies_to_the_past() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC, headers={"color": "red"})
    core.send(1, "b", TOPIC)
    core.run()

    assert replayed(core, selector="color = 'red'") == ["a"]


def test_priority_is_kept_and_order_is_that_of_sending() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC, priority=1)
    core.send(1, "b", TOPIC)
    core.run()

    assert replayed(core, prefetch=1) == ["b"]  # a queue gives priority among what waits
    core.acknowledge(2, "b")
    core.run()
    message = core._deliveries[2, "a"].entry.message
    assert (message.priority, list(message.headers)) == (1, ["seq"])


def test_number_is_limited() -> None:
    core = keeping(retention_messages=3)
    core.send_all(1, "a b c d e", TOPIC)
    core.run()

    assert core.rows() == ["c", "d", "e"]


def test_size_is_limited() -> None:
    core = keeping(retention_bytes=10)
    core.send_all(1, "12345 23456 34567", TOPIC)
    core.run()

    assert core.rows() == ["23456", "34567"]


def test_time_is_limited() -> None:
    core = keeping(retention_seconds=10)
    core.send(1, "a", TOPIC)
    core.run()
    core.advance(8)
    core.send(1, "b", TOPIC)
    core.run()

    core.advance(4)

    assert core.rows() == ["b"]
    core.advance(20)
    assert core.rows() == []
    assert not core.store._queues


def test_past_survives_a_crash_but_for_what_is_volatile() -> None:
    core = keeping(retention_bytes=3)
    core.send(1, "a", TOPIC)
    core.send(1, "b", TOPIC, is_persistent=False)
    core.run()
    after = core.restart([Rule(TOPIC, retention_bytes=3)])

    assert replayed(after) == ["a"]
    after.send_all(1, "c d e", TOPIC)
    after.run()
    assert after.rows() == ["c", "d", "e"]


def test_log_of_a_topic_that_keeps_nothing_any_more_is_dropped() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC)
    core.run()
    after = core.restart()

    after.run()

    assert not after.store._queues


def test_expired_message_leaves_the_log() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC, expires_ms=round(core.now * 1000) + 1000)
    core.run()

    core.advance(10)

    assert core.rows() == []


def test_lost_subscriber_stops_reading() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC)
    core.run()
    core.subscribe(2, TOPIC, origin=ALL)
    core.effects()

    core.lose(2)

    assert core.run() == []
    core.send(1, "b", TOPIC, receipt="r")
    assert core.run() == ["confirm 1 r"]


def test_replay_of_a_topic_that_keeps_nothing_is_refused() -> None:
    core = Core()

    core.subscribe(1, TOPIC, origin=Origin("from-seq:1", 1), receipt="r")

    assert core.run() == ["refuse 1 invalid-header r"]
    assert "retention_messages" in core.errors[0].detail


def test_logs_are_limited_like_queues() -> None:
    core = Core(MemoryStore(), [Rule("/topic/#", retention_messages=1)], queues=1)
    core.send(1, "a", "/topic/a", receipt="a")
    core.send(1, "b", "/topic/b", receipt="b")

    assert "refuse 1 limit-exceeded b" in core.run()


def test_delayed_message_is_not_kept() -> None:
    core = keeping(retention_messages=100)
    core.send(1, "a", TOPIC, delay=5)
    core.run()

    assert replayed(core) == []
