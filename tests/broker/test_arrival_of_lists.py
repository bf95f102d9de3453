"""Lists and wildcards, together with what is special about the arrival of a message."""

from __future__ import annotations

from stompd.broker.message import Retain
from stompd.broker.policy import Overflow, Rule
from stompd.broker.requests import Origin
from stompd.store.memory import MemoryStore
from tests.broker.core import Core


def test_each_member_of_a_list_has_its_rules() -> None:
    core = Core(None, [Rule("/queue/b", max_messages=1, overflow=Overflow.REJECT)])
    core.send(1, "a", "/queue/a,/queue/b", receipt="first")
    core.send(1, "b", "/queue/a,/queue/b", receipt="second")

    assert core.run() == ["confirm 1 first", "refuse 1 limit-exceeded second"]
    assert (core.depth("/queue/a"), core.depth("/queue/b")) == (1, 1)


def test_transaction_reserves_room_in_each_member() -> None:
    rules = [Rule(f"/queue/{name}", max_messages=1, overflow=Overflow.REJECT) for name in "ab"]
    core = Core(None, rules)
    core.begin(1)
    core.send(1, "a", "/queue/a,/queue/b", transaction="t")
    core.send(2, "b", "/queue/a", receipt="a")
    core.send(3, "b", "/queue/b", receipt="b")
    core.commit(1, receipt="done")

    assert sorted(core.run()) == ["confirm 1 done", "refuse 2 limit-exceeded a", "refuse 3 limit-exceeded b"]


def test_message_to_a_list_that_all_members_have_seen_is_a_duplicate() -> None:
    core = Core()
    for body in "ab":
        core.send(1, body, "/queue/a,/queue/b", wishes={"dedup_id": "1"}, receipt=body)

    assert core.run() == ["confirm 1 a", "confirm 1 b duplicate:true"]
    assert core.rows() == ["a", "a"]


def test_subscription_with_wildcards_gets_all_retained_messages_that_match() -> None:
    core = Core()
    for name in ("a.x", "a.y", "b.x"):
        core.send(1, name, f"/topic/{name}", wishes={"retain": Retain.SET})
    core.run()

    core.subscribe(2, "/topic/a.*")

    assert core.run() == ["deliver 2 a.x", "deliver 2 a.y"]


def test_list_of_topics_retains_for_each() -> None:
    core = Core()
    core.send(1, "m", "/topic/a,/topic/b", wishes={"retain": Retain.SET})
    core.run()

    core.subscribe(2, "/topic/b")

    assert core.run() == ["deliver 2 m"]


def test_replay_of_several_topics_is_refused() -> None:
    core = Core(MemoryStore(), [Rule("/topic/#", retention_messages=9)])

    core.subscribe(2, "/topic/a.*", origin=Origin("from-seq:1", 1), receipt="r")

    assert core.run() == ["refuse 2 invalid-header r"]


def test_member_of_a_list_is_kept_and_numbered() -> None:
    core = Core(MemoryStore(), [Rule("/topic/a", retention_messages=9)])
    core.send(1, "m", "/topic/a,/queue/b")
    core.run()

    core.subscribe(2, "/topic/a", origin=Origin("from-seq:1", 1))
    core.subscribe(3, "/queue/b")

    assert sorted(core.run()) == ["deliver 2 m", "deliver 3 m"]
    assert "seq" in core._deliveries[2, "m"].entry.message.headers
    assert "seq" not in core._deliveries[3, "m"].entry.message.headers


def test_last_value_replaces_in_each_member() -> None:
    core = Core()
    for body in "ab":
        core.send(1, body, "/queue/a,/queue/b", wishes={"last_value_key": "k"}, headers={"last-value-key": "k"})
        core.run()

    assert core.rows() == ["b", "b"]


def test_message_to_a_list_may_be_repeated() -> None:
    core = Core()
    core.send(1, "m", "/topic/a,/queue/b", headers={"schedule-cron": "0 0 * * *"}, wishes={"is_repeated": True})
    core.subscribe(2, "/queue/b")
    core.run()

    assert core.advance(86_400) == ["deliver 2 m"]
