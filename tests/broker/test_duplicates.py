"""What is sent twice with the same id arrives once."""

from __future__ import annotations

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

    assert core.effects() == ["persist remember 1, queue /queue/a, insert a"]


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

    assert len(core.broker._sending._duplicates._order) < 100
