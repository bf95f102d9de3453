"""Retained messages: who subscribes later gets the last one first."""

from __future__ import annotations

import pytest

from stompd.broker.message import Retain
from stompd.broker.requests import Naming
from stompd.store.memory import MemoryStore
from tests.broker.core import Core

TOPIC = "/topic/a"


def retain(core: Core, body: str, what: Retain = Retain.SET, **options: object) -> None:
    """Send a message to be retained."""
    core.send(1, body, TOPIC, wishes={"retain": what}, **options)  # type: ignore[arg-type]  # as `send` takes


def test_later_subscriber_gets_the_last_one_first() -> None:
    core = Core()
    retain(core, "a")
    retain(core, "b")
    core.run()

    core.subscribe(2, TOPIC, receipt="r")
    core.send(1, "c", TOPIC)

    assert core.run() == ["confirm 2 r prefetch-count:1000", "deliver 2 b", "deliver 2 c"]
    assert core.rows() == ["b"]


def test_present_subscriber_gets_it_once() -> None:
    core = Core()
    core.subscribe(2, TOPIC)

    retain(core, "a")

    assert core.run() == ["deliver 2 a"]


def test_retained_message_says_so() -> None:
    core = Core()
    retain(core, "a")

    core.subscribe(2, TOPIC)
    core.run()

    assert core._deliveries[2, "a"].entry.message.headers == {"retained": "true"}


@pytest.mark.parametrize(("body", "what"), [("", Retain.SET), ("x", Retain.REMOVE)])
def test_retained_message_can_be_removed(body: str, what: Retain) -> None:
    core = Core()
    retain(core, "a")
    retain(core, body, what)
    retain(core, body, what)
    core.run()

    core.subscribe(2, TOPIC)

    assert core.run() == []
    assert core.rows() == []


def test_selector_applies() -> None:
    core = Core()
    retain(core, "a", headers={"color": "red"})
    core.run()
    core.subscribe(2, TOPIC, selector="color = 'blue'")
    core.subscribe(3, TOPIC, selector="color = 'red'")

    assert core.run() == ["deliver 3 a"]


def test_it_survives_a_crash() -> None:
    core = Core(MemoryStore())
    retain(core, "a")
    retain(core, "b")
    core.run()
    after = core.restart()
    after.subscribe(2, TOPIC)
    shown = after.run()
    retain(after, "c")
    after.run()
    last = after.restart()

    last.subscribe(2, TOPIC)

    assert (shown, last.run()) == (["deliver 2 b"], ["deliver 2 c"])
    assert last.rows() == ["c"]


def test_volatile_one_takes_the_place_of_a_persistent_one() -> None:
    core = Core(MemoryStore())
    retain(core, "a")
    retain(core, "b", is_persistent=False)
    core.run()
    core.subscribe(2, TOPIC)
    shown = core.run()
    after = core.restart()

    after.subscribe(2, TOPIC)

    assert (shown, after.run()) == (["deliver 2 b"], [])


def test_subscriber_waits_for_one_that_is_under_way() -> None:
    core = Core()
    retain(core, "a", receipt="kept")
    core.subscribe(2, TOPIC, receipt="r")

    assert core.run() == ["confirm 1 kept", "confirm 2 r prefetch-count:1000", "deliver 2 a"]


def test_refused_one_leaves_the_one_before() -> None:
    core = Core()
    retain(core, "a")
    core.run()
    retain(core, "b")
    core.effects()
    core.refuse_unit()

    core.subscribe(2, TOPIC)

    assert "deliver 2 a" in core.run()


def test_new_durable_subscription_begins_with_it_and_keeps_it() -> None:
    core = Core(MemoryStore())
    retain(core, "a")
    core.run()
    core.subscribe(2, TOPIC, naming=Naming("n", is_shared=True))
    core.run()
    after = core.restart()

    after.subscribe(2, TOPIC, naming=Naming("n", is_shared=True), prefetch=9)

    assert after.run() == ["deliver 2 a again 1"]


def test_second_consumer_of_a_shared_subscription_gets_nothing() -> None:
    core = Core()
    retain(core, "a")
    core.run()
    core.subscribe(2, TOPIC, naming=Naming("n", is_durable=False, is_shared=True))
    core.subscribe(3, TOPIC, naming=Naming("n", is_durable=False, is_shared=True))

    assert core.run() == ["deliver 2 a"]


def test_expired_one_is_removed() -> None:
    core = Core()
    retain(core, "a", expires_ms=round(core.now * 1000) + 1000)
    core.run()
    core.advance(10)

    core.subscribe(2, TOPIC)

    assert core.run() == []
    assert core.rows() == []
    assert core.advance(100) == []


def test_number_and_size_are_limited() -> None:
    core = Core(retained=1, retained_bytes=3)
    retain(core, "abc", receipt="first")
    core.send(2, "x", "/topic/b", wishes={"retain": Retain.SET}, receipt="number")
    core.send(3, "abcd", TOPIC, wishes={"retain": Retain.SET}, receipt="size")

    assert core.run() == ["refuse 2 limit-exceeded number", "refuse 3 limit-exceeded size", "confirm 1 first"]


def test_queue_retains_nothing() -> None:
    core = Core()

    core.send(1, "a", "/queue/a", wishes={"retain": Retain.SET}, receipt="r")

    assert core.run() == ["refuse 1 invalid-header r"]


def test_leftover_of_a_refused_removal_is_removed_at_the_next_start() -> None:
    core = Core(MemoryStore())
    retain(core, "a")
    core.run()
    retain(core, "b")
    core.effects()
    retain(core, "c")
    core.effects()
    core.refuse_unit()
    core.run()
    core.open(1)

    after = core.restart()
    after.subscribe(2, TOPIC)

    assert after.run() == ["deliver 2 c"]
    assert after.rows() == ["c"]
