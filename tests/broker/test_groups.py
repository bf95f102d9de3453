"""Message groups: one subscription gets the messages of a group, in order, as long as it is there."""

from __future__ import annotations

import pytest

from stompd.broker.policy import Overflow, Rule
from stompd.broker.requests import Terms
from tests.broker.core import Core


def send(core: Core, bodies: str, *, priority: int = 4, is_persistent: bool = True) -> None:
    """Send messages; the letters of a body name its group, `-` has none; a `!` at its end closes the group."""
    for body in bodies.split():
        headers = {} if body.startswith("-") else {"JMSXGroupID": body.rstrip("!0123456789")}
        if body.endswith("!"):
            headers["JMSXGroupSeq"] = "-1"
        core.send(1, body, headers=headers, priority=priority, is_persistent=is_persistent)


def pairs(shown: list[str]) -> list[tuple[int, str]]:
    return [(int(text.split()[1].partition("/")[0]), text.split()[2]) for text in shown]


def consume(core: Core) -> dict[str, list[int]]:
    """Acknowledge everything as it comes; return by group who got its messages, and see that they came in order."""
    holders: dict[str, list[int]] = {}
    last: dict[str, int] = {}
    while shown := core.run():
        for session, body in pairs(shown):
            group = body.rstrip("0123456789")
            number = int(body.removeprefix(group))
            assert number > last.get(group, -1)
            last[group] = number
            holders.setdefault(group, []).append(session)
            core.acknowledge(session, body)
    return holders


def test_group_goes_to_one_subscription_and_the_next_group_to_another() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3)

    send(core, "a1 a2 b1 a3 b2")

    assert sorted(core.run()) == ["deliver 2 a1", "deliver 2 a2", "deliver 2 a3", "deliver 3 b1", "deliver 3 b2"]


def test_group_waits_for_its_subscription_and_keeps_nobody_else_waiting() -> None:
    core = Core()
    core.subscribe(2, prefetch=1)
    core.subscribe(3)

    send(core, "a1 a2 b1 -1 a3")

    assert core.run() == ["deliver 2 a1", "deliver 3 b1", "deliver 3 -1"]
    core.acknowledge(2, "a1")
    assert core.run() == ["deliver 2 a2"]


def test_messages_without_a_group_are_shared() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3)

    send(core, "a1 -1 -2 -3")

    assert sorted(pairs(core.run())) == [(2, "-2"), (2, "a1"), (3, "-1"), (3, "-3")]


def test_empty_group_is_none() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3)

    core.send(1, "x", headers={"JMSXGroupID": ""})
    core.send(1, "y", headers={"JMSXGroupID": ""})

    assert core.run() == ["deliver 2 x", "deliver 3 y"]


def test_group_is_free_after_its_last_message() -> None:
    core = Core()
    core.subscribe(2, prefetch=1)
    core.subscribe(3)

    send(core, "a1! a2")

    assert core.run() == ["deliver 2 a1!", "deliver 3 a2"]


def test_groups_of_a_subscription_that_ends_go_to_others_with_what_it_had_first() -> None:
    core = Core()
    core.subscribe(2, prefetch=2)
    core.subscribe(3)
    send(core, "a1 a2 a3 b1")
    assert sorted(core.run()) == ["deliver 2 a1", "deliver 2 a2", "deliver 3 b1"]

    core.lose(2)

    assert core.run() == ["deliver 3 a1 again 1", "deliver 3 a2 again 1", "deliver 3 a3"]


def test_group_stays_with_its_subscription_when_a_message_was_rejected() -> None:
    core = Core()
    core.subscribe(2, prefetch=1)
    core.subscribe(3)
    send(core, "a1 a2")
    core.run()

    core.reject(2, "a1")

    assert core.run() == ["deliver 2 a1 again 1"]


def test_groups_are_heeded_from_the_first_one_on() -> None:
    core = Core()
    core.subscribe(2, prefetch=1)
    core.subscribe(3, prefetch=1)
    send(core, "-1 -2 -3 a1 a2")
    assert core.run() == ["deliver 2 -1", "deliver 3 -2"]

    core.acknowledge(2, "-1")
    assert core.run() == ["deliver 2 -3"]
    core.acknowledge(3, "-2")
    assert core.run() == ["deliver 3 a1"]
    core.acknowledge(2, "-3")

    assert core.run() == []


def test_groups_are_heeded_after_a_restart() -> None:
    core = Core()
    send(core, "a1 a2 b1")
    core.run()
    core = core.restart()

    core.subscribe(2)
    core.subscribe(3)

    assert core.run() == ["deliver 2 a1", "deliver 3 b1", "deliver 2 a2"]


def test_delayed_message_has_its_group() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3)
    core.send(1, "a1", headers={"JMSXGroupID": "a"})
    core.send(1, "a2", headers={"JMSXGroupID": "a"}, delay=5)
    assert core.run() == ["deliver 2 a1"]

    assert core.advance(6) == ["deliver 2 a2"]


def test_group_that_waits_does_not_keep_others_waiting_beyond_memory() -> None:
    core = Core(window_count=4)
    core.subscribe(2, prefetch=1)
    core.subscribe(3, prefetch=1)
    send(core, " ".join(f"a{number}" for number in range(1, 30)) + " b1 b2")
    assert core.run() == ["deliver 2 a1", "deliver 3 b1"]

    core.acknowledge(3, "b1")

    assert core.run() == ["deliver 3 b2"]


def test_group_in_the_store_goes_on_in_order_when_its_subscription_ends() -> None:
    core = Core(window_count=4)
    core.subscribe(2, prefetch=1)
    core.subscribe(3, prefetch=1)
    send(core, " ".join(f"a{number}" for number in range(1, 30)) + " b1")
    core.run()
    core.acknowledge(3, "b1")
    core.run()

    core.lose(2)

    assert consume(core) == {"a": [3] * 29}


def test_many_groups_are_consumed_in_order_by_one_holder_each() -> None:
    core = Core(window_count=5)
    for session in (1, 2, 3):
        core.subscribe(session, prefetch=3)
    send(core, " ".join(f"{group}{number}" for number in range(20) for group in "abcdefg"))

    holders = consume(core)

    assert all(len(set(sessions)) == 1 and len(sessions) == 20 for sessions in holders.values())
    assert len({sessions[0] for sessions in holders.values()}) == 3


def test_selector_and_groups_go_together() -> None:
    core = Core()
    core.subscribe(2, selector="JMSXGroupID = 'a'")
    core.subscribe(3)

    send(core, "b1 a1 b2 a2")

    assert sorted(pairs(core.run())) == [(2, "a1"), (2, "a2"), (3, "b1"), (3, "b2")]


def test_more_groups_than_allowed_are_put_together_and_keep_their_order() -> None:
    core = Core(message_groups=2)
    for session in (1, 2, 3):
        core.subscribe(session, prefetch=2)
    send(
        core, " ".join(f"{group}{number}" for number in range(9) for group in ("a", "b", "c", "d", "e", "f", "g", "h"))
    )

    holders = consume(core)

    assert all(len(set(sessions)) == 1 and len(sessions) == 9 for sessions in holders.values())
    assert len({sessions[0] for sessions in holders.values()}) == 3


def test_groups_that_are_put_together_are_not_closed_and_go_to_others_at_the_end() -> None:
    core = Core(message_groups=1)
    core.subscribe(2)
    core.subscribe(3, prefetch=1)
    send(core, "a1 b1! b2")
    assert sorted(pairs(core.run())) == [(2, "a1"), (3, "b1!")]

    core.lose(3)

    assert core.run() == ["deliver 2 b1! again 1", "deliver 2 b2"]


def test_groups_count_anew_when_all_subscriptions_have_ended() -> None:
    core = Core(message_groups=1)
    core.subscribe(2)
    send(core, "a1 b1")
    core.run()
    core.lose(2)
    core.run()

    core.subscribe(3)

    assert sorted(core.run()) == ["deliver 3 a1 again 1", "deliver 3 b1 again 1"]


def test_group_is_closed_again_and_again() -> None:
    core = Core()
    core.subscribe(2, prefetch=1)
    core.subscribe(3, prefetch=1)
    send(core, "a1 a2! a3 a4! a5")

    seen: list[str] = []
    while shown := core.run():
        for session, body in pairs(shown):
            seen.append(body)
            core.acknowledge(session, body)

    assert seen == ["a1", "a2!", "a3", "a4!", "a5"]


def test_volatile_messages_have_groups_too() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3)

    send(core, "a1 a2 b1", is_persistent=False)

    assert core.run() == ["deliver 2 a1", "deliver 3 b1", "deliver 2 a2"]


def test_exclusive_subscription_gets_all_groups() -> None:
    core = Core()
    core.subscribe(2)
    core.subscribe(3, terms=Terms(is_exclusive=True))

    send(core, "a1 b1")

    assert core.run() == ["deliver 3 a1", "deliver 3 b1"]


# The last message of a group is delivered to nobody.


def bound(core: Core, *, prefetch: int = 2) -> None:
    """Bind the group `a` to session 2; session 3 waits for anything."""
    core.subscribe(2, prefetch=prefetch)
    send(core, "a1")
    core.run()
    core.subscribe(3)
    core.run()


@pytest.mark.parametrize("is_persistent", [True, False])
def test_group_whose_last_message_expired_is_closed(is_persistent: bool) -> None:
    core = Core()
    bound(core, prefetch=1)
    headers = {"JMSXGroupID": "a", "JMSXGroupSeq": "-1"}
    core.send(1, "a2!", headers=headers, expires_ms=round(core.now * 1000) + 500, is_persistent=is_persistent)
    send(core, "a3", is_persistent=is_persistent)
    core.run()
    core.now += 1.0

    core.acknowledge(2, "a1")

    assert core.run() == ["deliver 3 a3"]


@pytest.mark.parametrize("is_persistent", [True, False])
def test_group_whose_last_message_was_swept_is_closed_in_its_place(is_persistent: bool) -> None:
    core = Core()
    bound(core, prefetch=1)
    headers = {"JMSXGroupID": "a", "JMSXGroupSeq": "-1"}
    send(core, "a2", is_persistent=is_persistent)
    core.send(1, "a3!", headers=headers, expires_ms=round(core.now * 1000) + 500, is_persistent=is_persistent)
    send(core, "a4", is_persistent=is_persistent)
    core.advance(5.0)

    core.acknowledge(2, "a1")
    first = core.run()
    core.acknowledge(2, "a2")

    assert first == ["deliver 2 a2"]
    assert core.run() == ["deliver 3 a4"]


def test_group_whose_last_message_was_dropped_is_closed() -> None:
    core = Core(None, [Rule("/queue/a", max_messages=3, overflow=Overflow.DROP_OLD)])
    bound(core, prefetch=1)
    send(core, "a2!")
    core.run()
    send(core, "a3 a4")
    core.run()

    core.acknowledge(2, "a1")

    assert core.run() == ["deliver 3 a3", "deliver 3 a4"]


def test_group_whose_last_message_was_replaced_is_closed() -> None:
    core = Core()
    bound(core, prefetch=1)
    for body, headers in (("a2!", {"JMSXGroupID": "a", "JMSXGroupSeq": "-1"}), ("a3", {"JMSXGroupID": "a"})):
        core.send(1, body, headers=headers, wishes={"last_value_key": "k"})
        core.run()

    core.acknowledge(2, "a1")

    assert core.run() == ["deliver 3 a3"]


def test_group_that_ended_with_its_subscription_is_not_closed_again() -> None:
    core = Core(None, [Rule("/queue/a", max_messages=3, overflow=Overflow.DROP_OLD)])
    bound(core, prefetch=1)
    send(core, "a2! a3 a4")
    core.run()

    core.lose(2)

    assert pairs(core.run()) == [(3, "a1"), (3, "a3"), (3, "a4")]
