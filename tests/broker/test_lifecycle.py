"""How sessions end: DISCONNECT, an ERROR, or a lost connection."""

from __future__ import annotations

from stompd.broker.requests import AckMode
from tests.broker.core import Core


def test_disconnect_without_receipt_closes() -> None:
    core = Core()

    core.disconnect(1)

    assert core.effects() == ["close 1"]


def test_disconnect_with_receipt_confirms_then_closes() -> None:
    core = Core()

    core.disconnect(1, receipt="r")

    assert core.effects() == ["confirm 1 r", "close 1"]


def test_disconnect_waits_for_units_of_its_session() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.disconnect(1, receipt="2")

    assert core.effects() == ["persist queue /queue/a, insert a", "persist nothing"]
    core.answer()
    assert core.effects() == ["confirm 1 1"]
    core.answer()
    assert core.effects() == ["confirm 1 2", "close 1"]


def test_disconnect_waits_for_acknowledgements_that_ride() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.acknowledge(1, "a")
    core.disconnect(1, receipt="r")

    assert core.effects() == ["later delete a", "persist nothing"]
    core.answer()
    assert core.effects() == []
    core.answer()
    assert core.effects() == ["confirm 1 r", "close 1"]


def test_disconnect_waits_for_acknowledgements_that_have_ridden_off() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.acknowledge(1, "a")
    core.effects()
    core.disconnect(1, receipt="r")

    assert core.effects() == ["persist nothing"]
    assert core.run() == ["confirm 1 r", "close 1"]


def test_disconnect_without_receipt_waits_for_its_units() -> None:
    core = Core()
    core.send(1, "a")
    core.disconnect(1)

    assert core.effects() == ["persist queue /queue/a, insert a", "persist nothing"]
    assert core.run() == ["close 1"]


def test_nothing_after_disconnect_is_processed() -> None:
    core = Core()
    core.disconnect(1)

    core.send(1, "a", receipt="r")

    assert core.run() == ["close 1"]
    assert core.depth() == 0


def test_disconnect_gives_messages_back_in_their_old_order() -> None:
    core = Core()
    core.subscribe(1)
    core.send_all(2, "a b c")
    core.run()
    core.acknowledge(1, "b")
    core.disconnect(1)
    core.subscribe(3)

    assert core.run() == ["close 1", "deliver 3 a again 1", "deliver 3 c again 1"]


def test_lost_session_gives_messages_back_in_their_old_order() -> None:
    core = Core()
    core.subscribe(1)
    core.subscribe(2)
    core.send_all(3, "a b c d", is_persistent=False)
    assert core.run() == ["deliver 1 a", "deliver 2 b", "deliver 1 c", "deliver 2 d"]
    core.lose(1)
    core.lose(2)
    core.subscribe(3)

    assert core.run() == ["deliver 3 a again 1", "deliver 3 b again 1", "deliver 3 c again 1", "deliver 3 d again 1"]


def test_requests_of_a_lost_session_are_carried_out() -> None:
    core = Core()
    core.send(1, "a", receipt="r")
    core.lose(1)
    core.subscribe(2)

    assert core.run() == ["deliver 2 a"]


def test_lost_session_gets_no_effects() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.disconnect(1, receipt="2")
    core.effects()

    core.lose(1)

    assert core.run() == []


def test_losing_a_session_twice_is_harmless() -> None:
    core = Core()
    core.lose(1)

    core.lose(1)

    assert core.run() == []


def test_error_ends_the_subscriptions_of_its_session() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.commit(1, "unknown")
    core.subscribe(3)

    assert core.run() == ["refuse 1 unknown-transaction", "deliver 3 a again 1"]


def test_transport_reports_of_a_session_that_is_gone_are_ignored() -> None:
    core = Core()
    core.lose(1)

    core.set_writable(1, True)

    assert not core.settle_written(1)


def test_undelivered_messages_survive_a_crash_unflagged() -> None:
    core = Core()
    core.send_all(1, "a b")
    core.run()

    again = core.restart()
    again.subscribe(1)

    assert again.run() == ["deliver 1 a", "deliver 1 b"]


def test_delivered_messages_come_back_flagged_after_a_crash() -> None:
    core = Core()
    core.subscribe(1, prefetch=1)
    core.send(2, "a")
    core.run()

    again = core.restart()
    again.subscribe(1)

    assert again.run() == ["deliver 1 a again 1"]


def test_acknowledged_messages_do_not_come_back_after_a_crash() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.CLIENT)
    core.send_all(2, "a b c")
    core.run()
    core.acknowledge(1, "b", receipt="r")
    core.run()

    again = core.restart()
    again.subscribe(1)

    assert again.run() == ["deliver 1 c again 1"]


def test_message_that_is_not_persistent_does_not_survive() -> None:
    core = Core()
    core.send(1, "a", is_persistent=False)
    core.send(1, "b")
    core.run()

    again = core.restart()
    again.subscribe(1)

    assert again.run() == ["deliver 1 b"]
