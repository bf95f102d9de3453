"""Last values: of what waits with the same key, only the newest counts."""

from __future__ import annotations

import pytest

from stompd.store.memory import MemoryStore
from tests.broker.core import Core


def send(core: Core, body: str, key: str = "k", to: str = "/queue/a", **options: object) -> None:
    """Send a message with a key."""
    wishes: dict[str, object] = {"last_value_key": key}
    core.send(1, body, to, wishes=wishes, headers={"last-value-key": key}, **options)  # type: ignore[arg-type]


def taken(core: Core, session: int = 2, to: str = "/queue/a") -> list[str]:
    """Return the bodies that a new consumer gets."""
    core.subscribe(session, to, prefetch=0)
    return [text.split()[2] for text in core.run() if text.startswith("deliver")]


@pytest.mark.parametrize("is_persistent", [True, False])
def test_newer_message_replaces_the_one_that_waits(is_persistent: bool) -> None:
    core = Core()
    for body in "ab":
        send(core, body, is_persistent=is_persistent)
        core.run()
    send(core, "c", "other", is_persistent=is_persistent)
    core.run()

    assert core.depth() == 2
    assert taken(core) == ["b", "c"]
    assert core.rows() == (["b", "c"] if is_persistent else [])


def test_message_that_is_under_way_is_replaced() -> None:
    core = Core()
    send(core, "a")
    send(core, "b")
    core.run()

    assert core.rows() == ["b"]
    assert core.depth() == 1
    assert taken(core) == ["b"]


def test_old_and_new_change_places_in_one_unit() -> None:
    core = Core()
    send(core, "a")
    core.run()

    send(core, "b")

    assert core.effects() == ["persist delete a, insert b"]


def test_message_with_a_consumer_is_not_replaced() -> None:
    core = Core()
    core.subscribe(2)
    send(core, "a")
    core.run()
    send(core, "b")
    shown = core.run()

    core.acknowledge(2, "a", receipt="r")
    core.run()

    assert shown == ["deliver 2 b"]
    assert core.depth() == 1
    assert core.rows() == ["b"]


def test_refused_message_replaces_nothing() -> None:
    core = Core()
    send(core, "a")
    core.run()
    send(core, "b")
    core.effects()
    core.refuse_unit()
    core.run()
    core.open(1)
    send(core, "c")
    core.run()

    assert core.rows() == ["c"]
    assert core.depth() == 1


def test_message_beyond_the_window_is_replaced() -> None:
    core = Core(window_count=1)
    core.send(1, "x")
    send(core, "a")
    core.run()
    send(core, "b")
    core.run()

    assert core.rows() == ["x", "b"]
    assert core.depth() == 2
    assert taken(core) == ["x", "b"]


def test_message_ahead_of_the_window_is_replaced() -> None:
    core = Core(window_count=1)
    core.send(1, "x")
    send(core, "a")
    core.subscribe(3, name="s", selector="\"last-value-key\" = 'k'", prefetch=1)
    core.run()
    send(core, "b")
    send(core, "c")
    core.run()

    assert core.rows() == ["x", "a", "c"]
    assert core.depth() == 3


def test_keys_are_known_after_a_crash() -> None:
    core = Core(MemoryStore())
    send(core, "a")
    core.run()
    after = core.restart()

    send(after, "b")
    after.run()

    assert after.rows() == ["b"]
    assert after.depth() == 1


def test_transaction_replaces_too() -> None:
    core = Core()
    send(core, "a")
    core.begin(1)
    send(core, "b", transaction="t")
    send(core, "c", transaction="t")
    core.commit(1)
    core.run()

    assert core.rows() == ["c"]
    assert core.depth() == 1


def test_subscription_of_a_topic_is_given_the_newest() -> None:
    core = Core()
    core.subscribe(2, "/topic/a", prefetch=1)
    core.run()
    for body in "abc":
        send(core, body, to="/topic/a")
        core.run()

    core.acknowledge(2, "a")

    assert core.run() == ["deliver 2 c"]


def test_keys_of_a_queue_are_limited() -> None:
    core = Core(last_value_keys=1)
    send(core, "a", "1", receipt="one")
    send(core, "b", "1", receipt="same")
    core.run()

    send(core, "c", "2", receipt="r")

    assert core.run() == ["refuse 1 limit-exceeded r"]


def test_key_is_free_when_its_message_was_consumed() -> None:
    core = Core(last_value_keys=1)
    core.subscribe(2)
    send(core, "a", "1")
    core.run()
    core.acknowledge(2, "a", receipt="r")
    core.run()

    send(core, "b", "2", receipt="r")

    assert "confirm 1 r" in core.run()


def test_key_of_a_dead_letter_replaces_nothing() -> None:
    core = Core(MemoryStore(), max_deliveries=1)
    core.subscribe(2)
    for body in "ab":
        send(core, body)
        core.run()
        core.reject(2, body)
        core.run()
    after = core.restart(max_deliveries=1)

    assert sorted(after.rows()) == ["a", "b"]
    assert taken(after, 3, "/queue/DLQ.a") == ["a", "b"]


def stored_twice(selector: str = "") -> Core:
    """A broker that was started again and reads a page, which will bring x and a, the last value of k."""
    before = Core(MemoryStore())
    before.send(1, "x")
    send(before, "a")
    before.run()
    core = before.restart()
    core.subscribe(2, prefetch=0, selector=selector)
    core.effects()
    return core


@pytest.mark.parametrize("selector", ["", "JMSPriority = 4"])
def test_message_that_a_page_is_bringing_is_replaced(selector: str) -> None:
    core = stored_twice(selector)

    send(core, "b")

    assert [text for text in core.run() if text.startswith("deliver")] == ["deliver 2 x", "deliver 2 b"]
    assert core.rows() == ["x", "b"]
    assert core.depth() == 2


def test_message_that_a_selector_is_reading_is_replaced() -> None:
    before = Core(MemoryStore(), window_count=1)
    before.send(1, "x")
    send(before, "a")
    before.run()
    core = before.restart(window_count=1)
    core.subscribe(2, selector="\"last-value-key\" = 'k'")
    core.effects()
    core.answer()  # the window's page
    core.effects()

    send(core, "b")

    assert [text for text in core.run() if text.startswith("deliver")] == ["deliver 2 b"]
    assert core.rows() == ["x", "b"]
    assert core.depth() == 2


def test_refused_message_leaves_what_a_page_was_bringing() -> None:
    core = stored_twice()
    send(core, "b")
    core.effects()
    core.answer()  # the page
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store", "deliver 2 x", "deliver 2 a"]
    assert core.depth() == 2


def test_message_that_arrives_while_a_page_is_read_is_replaced() -> None:
    core = Core(window_count=1)
    core.send(1, "x")
    core.send(1, "y")
    core.run()
    send(core, "a")
    send(core, "b")
    core.effects()
    core.answer()
    core.subscribe(2, prefetch=0)
    core.effects()

    core.run()

    assert core.depth() == 3
    assert core.rows() == ["x", "y", "b"]
