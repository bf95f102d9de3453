"""What is sent twice with the same id arrives once."""

from __future__ import annotations

from stompd.broker.effects import SessionId
from stompd.broker.policy import Overflow, Rule
from stompd.broker.requests import Naming
from stompd.store.memory import MemoryStore
from tests.broker.core import Core


def send(core: Core, body: str, dedup_id: str, session: int = 1, to: str = "/queue/a", **options: object) -> None:
    """Send a message with an id, and ask for a receipt that is called as the body."""
    options.setdefault("receipt", body)
    core.send(session, body, to, wishes={"dedup_id": dedup_id}, **options)  # type: ignore[arg-type]  # as `send` takes


def test_duplicate_is_confirmed_as_such_and_has_no_effect() -> None:
    core = Core()
    send(core, "a", "1")
    core.run()

    send(core, "b", "1")

    assert core.run() == ["confirm 1 b duplicate:true"]
    assert core.rows() == ["a"]


def test_ids_of_different_messages_and_destinations_do_not_meet() -> None:
    core = Core()
    send(core, "a", "1")
    send(core, "b", "2")
    send(core, "c", "1", to="/queue/b")

    assert core.run() == ["confirm 1 a", "confirm 1 b", "confirm 1 c"]


def test_message_and_its_id_are_one_unit() -> None:
    core = Core()

    send(core, "a", "1")

    assert core.effects() == ["persist queue /queue/a, insert a, remember 1"]


def test_duplicate_waits_until_the_first_one_is_durable() -> None:
    core = Core()
    send(core, "a", "1", 1)
    send(core, "b", "1", 2)
    core.effects()

    core.answer()

    assert core.effects() == ["confirm 1 a"]
    assert core.run() == ["confirm 2 b duplicate:true"]


def test_duplicate_of_what_the_store_refused_is_refused_too() -> None:
    core = Core()
    send(core, "a", "1", 1)
    send(core, "b", "1", 2)
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store a", "refuse 2 refused-by-store b"]


def test_id_of_what_the_store_refused_may_be_used_again() -> None:
    core = Core()
    send(core, "a", "1", 1)
    core.effects()
    core.refuse_unit()

    send(core, "b", "1", 2)

    assert "confirm 2 b" in core.run()


def test_ids_survive_a_crash() -> None:
    core = Core(MemoryStore())
    send(core, "a", "1")
    core.run()
    after = core.restart()

    send(after, "b", "1")

    assert after.run() == ["confirm 1 b duplicate:true"]


def test_id_of_a_message_that_is_not_persistent_is_as_volatile() -> None:
    core = Core(MemoryStore())
    send(core, "a", "1", is_persistent=False)
    send(core, "b", "1", is_persistent=False)
    shown = core.run()
    after = core.restart()

    send(after, "c", "1")

    assert shown == ["confirm 1 a", "confirm 1 b duplicate:true"]
    assert after.run() == ["confirm 1 c"]


def test_transaction_drops_duplicates_when_it_is_committed() -> None:
    core = Core()
    core.begin(1)
    send(core, "a", "1", transaction="t")
    send(core, "b", "1", transaction="t")
    core.send(1, "c", transaction="t")
    core.run()

    core.commit(1, receipt="done")

    assert core.run() == ["confirm 1 done duplicate:true"]
    assert core.rows() == ["a", "c"]


def test_id_of_an_aborted_transaction_may_be_used_again() -> None:
    core = Core()
    core.begin(1)
    send(core, "a", "1", transaction="t")
    core.abort(1)
    core.run()

    send(core, "b", "1")

    assert core.run() == ["confirm 1 b"]


def test_topic_knows_duplicates_too() -> None:
    core = Core()
    core.subscribe(2, "/topic/a")
    send(core, "a", "1", to="/topic/a")
    send(core, "b", "1", to="/topic/a")

    assert core.run() == ["confirm 1 a", "deliver 2 a", "confirm 1 b duplicate:true"]


def test_window_of_a_destination_is_limited() -> None:
    core = Core(MemoryStore(), dedup_count=2)
    for name in "abc":
        send(core, name, name)
    core.run()

    send(core, "again", "a")
    send(core, "twice", "c")

    assert core.run() == ["confirm 1 again", "confirm 1 twice duplicate:true"]
    assert sorted(dedup_id for _, dedup_id in core.store._sends) == ["a", "c"]


def test_windows_of_all_destinations_are_limited() -> None:
    core = Core(MemoryStore(), dedup_total=3)
    for number in range(5):
        send(core, str(number), "1", to=f"/queue/{number}")
    core.run()

    assert len(core.store._sends) == 3
    send(core, "again", "1", to="/queue/0")
    assert core.run() == ["confirm 1 again"]


def test_window_ends_after_a_time() -> None:
    core = Core(MemoryStore(), dedup_seconds=10)
    send(core, "a", "1")
    core.run()
    core.now += 11

    send(core, "b", "1")

    assert core.run() == ["confirm 1 b"]
    assert core.restart(dedup_seconds=10).broker is not None


def test_order_does_not_grow_with_what_is_forgotten() -> None:
    core = Core(dedup_count=1)
    for number in range(300):
        send(core, str(number), str(number), receipt=None)
    core.run()

    assert len(core.broker._sending.duplicates._order) < 100


def test_id_of_a_message_that_was_dropped_may_be_used_again() -> None:
    core = Core(MemoryStore(), [Rule("/queue/a", max_messages=1, overflow=Overflow.DROP_NEW)])
    core.subscribe(2)
    core.send(1, "first")
    send(core, "a", "1")
    shown = core.run()
    core.acknowledge(2, "first")
    core.run()

    send(core, "b", "1")

    assert shown == ["deliver 2 first", "confirm 1 a dropped:true"]
    assert core.run() == ["confirm 1 b", "deliver 2 b"]


def test_id_of_a_message_that_was_dropped_may_be_used_again_after_a_crash() -> None:
    rules = [Rule("/queue/a", max_messages=1, overflow=Overflow.DROP_NEW)]
    core = Core(MemoryStore(), rules)
    core.send(1, "first")
    send(core, "a", "1")
    core.run()
    after = core.restart()

    send(after, "b", "1")

    assert after.run() == ["confirm 1 b"]


def test_id_is_kept_when_one_subscription_of_a_topic_has_taken_what_another_one_dropped() -> None:
    core = Core(MemoryStore(), [Rule("/dsub/c.full", max_messages=1, overflow=Overflow.DROP_NEW)])
    core.open(4, "c")
    core.subscribe(4, "/topic/a", naming=Naming("full"))
    core.lose(4)
    core.send(1, "first", "/topic/a")
    core.subscribe(2, "/topic/a")
    core.run()

    send(core, "a", "1", to="/topic/a")
    send(core, "b", "1", to="/topic/a")

    assert core.run() == ["confirm 1 a dropped:true", "deliver 2 a", "confirm 1 b duplicate:true"]


def test_receipt_of_a_transaction_tells_of_duplicates_and_of_what_was_dropped() -> None:
    core = Core(MemoryStore(), [Rule("/queue/a", max_messages=1, overflow=Overflow.DROP_NEW)])
    send(core, "a", "1")
    core.begin(1)
    send(core, "b", "1", transaction="t", receipt=None)
    core.send(1, "c", transaction="t")
    core.run()

    core.commit(1, receipt="done")

    assert core.run() == ["confirm 1 done duplicate:true dropped:true"]


def test_members_of_a_list_get_what_they_have_not_seen() -> None:
    core = Core(MemoryStore())
    send(core, "a", "Z", to="/queue/m1")
    send(core, "b", "Z", to="/queue/m1,/queue/m2")
    send(core, "c", "Z", to="/queue/m2,/queue/m1")
    send(core, "d", "Z", to="/queue/m2")
    send(core, "e", "Z", to="/queue/m3,/queue/m1")

    assert core.run() == [
        "confirm 1 a",
        "confirm 1 b",
        "confirm 1 c duplicate:true",
        "confirm 1 d duplicate:true",
        "confirm 1 e",
    ]
    assert [core.depth(f"/queue/m{number}") for number in (1, 2, 3)] == [1, 1, 1]


def test_members_of_a_list_remember_what_they_got_over_a_crash() -> None:
    core = Core(MemoryStore())
    send(core, "a", "Z", to="/queue/m1,/queue/m2")
    core.run()
    after = core.restart()

    send(after, "b", "Z", to="/queue/m2")
    send(after, "c", "Z", to="/queue/m2,/queue/m3")

    assert after.run() == ["confirm 1 b duplicate:true", "confirm 1 c"]
    assert (after.depth("/queue/m2"), after.depth("/queue/m3")) == (1, 1)


def test_message_to_a_list_and_its_ids_are_one_unit() -> None:
    core = Core()

    send(core, "a", "Z", to="/queue/m1,/queue/m2")

    assert core.effects() == [
        "persist queue /queue/m1, insert a, remember Z, queue /queue/m2, insert a, remember Z",
    ]


def test_members_of_a_list_that_the_store_refused_may_have_the_id_again() -> None:
    core = Core()
    send(core, "a", "Z", to="/queue/m1,/queue/m2")
    core.effects()
    core.refuse_unit()

    send(core, "b", "Z", session=2, to="/queue/m2")

    assert core.run() == ["refuse 1 refused-by-store a", "confirm 2 b"]


def test_list_of_which_a_member_was_left_out_for_what_the_store_refused_is_refused_once() -> None:
    core = Core()
    core.broker.open_session(SessionId(4), has_soft_errors=True)
    send(core, "a", "Z", to="/queue/m1,/queue/m2")
    send(core, "b", "Z", session=4, to="/queue/m1,/queue/m2,/queue/m3")
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store a", "decline 4 refused-by-store b"]
    send(core, "c", "Z", session=4, to="/queue/m1,/queue/m3")
    assert core.run() == ["confirm 4 c"]
    assert (core.depth("/queue/m1"), core.depth("/queue/m3")) == (1, 1)


def test_list_waits_until_what_a_member_has_seen_is_durable() -> None:
    core = Core()
    send(core, "a", "Z", to="/queue/m1")
    send(core, "b", "Z", session=2, to="/queue/m1,/queue/m2", is_persistent=False)

    shown = core.effects()

    assert not any(text.startswith("confirm") for text in shown)
    assert core.run() == ["confirm 1 a", "confirm 2 b"]


def test_list_is_sent_again_and_again_to_the_members_that_have_not_seen_it() -> None:
    core = Core(MemoryStore())
    send(core, "a", "Z", to="/queue/m1")
    headers = {"schedule-period": "1000", "schedule-repeat": "1"}
    wishes: dict[str, object] = {"dedup_id": "Z", "is_repeated": True}
    core.send(1, "b", "/queue/m1,/queue/m2", headers=headers, wishes=wishes, receipt="b")
    core.send(1, "c", "/queue/m2", headers=headers, wishes=wishes, receipt="c")

    shown = core.advance(3.0)

    assert shown == ["confirm 1 a", "confirm 1 b", "confirm 1 c duplicate:true"]
    assert (core.depth("/queue/m1"), core.depth("/queue/m2")) == (1, 2)
