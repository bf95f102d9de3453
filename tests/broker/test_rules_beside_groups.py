"""Full queues, last values and idle queues where there are groups, selectors, exclusive subscriptions or browsers."""

from __future__ import annotations

import pytest

from stompd.broker.groups import GROUP_HEADER
from stompd.broker.policy import Overflow, Rule
from stompd.broker.requests import ORDINARY, AckMode, Terms
from stompd.store.memory import MemoryStore
from tests.broker.core import Core

LOOK = Terms(is_browser=True)
FOLLOW = Terms(is_browser=True, follows=True)
ALONE = Terms(is_exclusive=True)


def new_core(*rules: Rule, **limits: int) -> Core:
    return Core(MemoryStore(), rules, **limits)


def send(core: Core, body: str, *, key: str = "", is_persistent: bool = True) -> None:
    """Send a message of the group that its first letter names, perhaps with a last value."""
    headers = {GROUP_HEADER: body[0]}
    if key:
        headers["last-value-key"] = key
    wishes: dict[str, object] = {"last_value_key": key} if key else {}
    core.send(1, body, headers=headers, wishes=wishes, is_persistent=is_persistent)


@pytest.mark.parametrize("is_persistent", [True, False])
def test_group_goes_on_behind_what_a_full_queue_dropped(is_persistent: bool) -> None:
    core = new_core(Rule("/queue/a", max_messages=3, overflow=Overflow.DROP_OLD))
    core.subscribe(2, prefetch=1)
    core.subscribe(3, prefetch=1)
    send(core, "a1", is_persistent=is_persistent)
    assert core.run() == ["deliver 2 a1"]
    for body in ("a2", "a3", "a4"):  # of the same group, so all wait for session 2
        send(core, body, is_persistent=is_persistent)
        assert core.run() == []

    core.acknowledge(2, "a1")
    shown = core.run()
    core.acknowledge(2, "a3")

    assert [*shown, *core.run()] == ["deliver 2 a3", "deliver 2 a4"]
    assert core.depth() == 1


@pytest.mark.parametrize("terms", [ALONE, Terms(priority=5), ORDINARY])
def test_what_a_full_queue_dropped_is_delivered_to_nobody(terms: Terms) -> None:
    core = new_core(Rule("/queue/a", max_messages=2, overflow=Overflow.DROP_OLD))
    core.subscribe(2, prefetch=1, terms=terms)
    core.send_all(1, "a b c d")
    core.run()

    core.acknowledge(2, "a")

    assert core.run() == ["deliver 2 d"]


@pytest.mark.parametrize("is_persistent", [True, False])
def test_last_value_replaces_a_message_that_its_group_keeps_waiting(is_persistent: bool) -> None:
    core = new_core()
    core.subscribe(2, prefetch=1)
    core.subscribe(3, prefetch=1)
    send(core, "a1", is_persistent=is_persistent)
    core.run()
    send(core, "a2", key="k", is_persistent=is_persistent)
    core.run()

    send(core, "a3", key="k", is_persistent=is_persistent)
    core.run()
    core.acknowledge(2, "a1")

    assert core.run() == ["deliver 2 a3"]
    assert core.depth() == 1


def test_last_value_that_changes_its_group_goes_to_who_has_that() -> None:
    core = new_core()
    core.subscribe(2, prefetch=1)
    core.subscribe(3, prefetch=1)
    send(core, "a1")
    send(core, "b1")
    core.run()
    send(core, "a2", key="k")
    core.run()

    send(core, "b2", key="k")
    core.run()
    core.acknowledge(2, "a1")
    core.acknowledge(3, "b1")

    assert core.run() == ["deliver 3 b2"]


@pytest.mark.parametrize("terms", [LOOK, FOLLOW])
def test_who_browses_is_shown_the_last_value(terms: Terms) -> None:
    core = new_core()
    for body in ("a1", "a2"):
        send(core, body, key="k")
        core.run()

    core.subscribe(2, ack=AckMode.AUTO, terms=terms)

    assert core.run()[0] == "deliver 2 a2"


def test_empty_queue_that_is_browsed_is_not_idle() -> None:
    core = new_core(idle_queue_seconds=10)
    core.send(1, "a")
    core.subscribe(1)
    core.run()
    core.acknowledge(1, "a")
    core.unsubscribe(1)
    core.subscribe(2, ack=AckMode.AUTO, terms=FOLLOW)
    core.run()

    core.advance(100)
    core.send(1, "b")

    assert core.run() == ["deliver 2 b"]


def test_who_browses_is_no_consumer_for_the_limit_of_a_rule() -> None:
    core = new_core(Rule("/queue/a", consumers=1))
    core.subscribe(1)

    core.subscribe(2, ack=AckMode.AUTO, terms=LOOK, receipt="r")

    assert core.run()[0].startswith("confirm 2 r")
