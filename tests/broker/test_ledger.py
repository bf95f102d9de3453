"""The order in which requests take effect, and what a refused unit undoes."""

from __future__ import annotations

import pytest

from stompd.broker.destination import parse_destination
from stompd.broker.requests import AckMode, Send
from stompd.errors import MissingHeader
from tests.broker.core import Core, new_message


def test_receipt_of_a_persistent_message_waits_for_its_unit() -> None:
    core = Core()

    core.send(1, "a", receipt="r")

    assert core.effects() == ["persist queue /queue/a, insert a"]
    core.answer()
    assert core.effects() == ["confirm 1 r"]


def test_message_is_delivered_after_its_unit_was_applied() -> None:
    core = Core()
    core.subscribe(2)
    core.send(1, "a")

    assert core.effects() == ["persist queue /queue/a, mark", "persist queue /queue/a, insert a"]
    core.answer()
    assert core.effects() == []
    core.answer()
    assert core.effects() == ["deliver 2 a"]


def test_receipt_comes_before_the_message_is_delivered() -> None:
    core = Core()
    core.subscribe(1)
    core.send(1, "a", receipt="r")

    assert core.run() == ["confirm 1 r", "deliver 1 a"]


def test_receipt_of_a_message_that_is_not_persistent_comes_at_once() -> None:
    core = Core()

    core.send(1, "a", receipt="r", is_persistent=False)

    assert core.effects() == ["confirm 1 r"]


def test_receipts_come_in_the_order_of_their_frames() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.send(1, "b", receipt="2", is_persistent=False)
    core.begin(1, receipt="3")
    core.send(1, "c", receipt="4", transaction="t")
    core.send(1, "d", receipt="5")
    core.abort(1, receipt="6")
    core.effects()

    for number in range(1, 7):
        core.answer()
        assert core.effects() == [f"confirm 1 {number}"]


def test_receipts_of_one_session_do_not_wait_for_another() -> None:
    core = Core()
    core.send(1, "a", receipt="1")

    core.send(2, "b", receipt="2", is_persistent=False)

    assert core.effects() == ["persist queue /queue/a, insert a", "confirm 2 2"]


def test_message_in_memory_waits_for_a_persistent_one_of_its_session() -> None:
    core = Core()
    core.subscribe(2, prefetch=5)
    core.send(1, "a")
    core.send(1, "b", is_persistent=False)

    assert core.run() == ["deliver 2 a", "deliver 2 b"]


def test_unit_applied_out_of_turn_is_a_fault_of_the_program() -> None:
    core = Core()
    core.send_all(1, "a b")
    core.effects()

    with pytest.raises(RuntimeError, match="unit 1 was to be answered next, not unit 2"):
        core.broker.unit_applied(2)


def test_refused_unit_gives_its_sender_an_error() -> None:
    core = Core()
    core.send(1, "a", receipt="r")
    core.effects()

    core.refuse_unit()

    assert core.effects() == ["refuse 1 refused-by-store r"]


def test_refused_message_is_not_delivered() -> None:
    core = Core()
    core.send(1, "a")
    core.effects()
    core.refuse_unit()
    core.subscribe(2)

    assert core.run() == ["refuse 1 refused-by-store"]
    assert core.depth() == 0


def test_receipts_before_a_refused_unit_are_sent() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.begin(1, receipt="2")
    core.send(1, "b", receipt="3")
    core.effects()

    core.answer()
    core.answer()
    core.refuse_unit()

    assert core.effects() == ["confirm 1 1", "confirm 1 2", "refuse 1 refused-by-store 3"]


def test_nothing_follows_a_refused_unit_in_its_session() -> None:
    core = Core()
    core.send(1, "a")
    core.send(1, "b", receipt="2", is_persistent=False)
    core.send(1, "c", receipt="3")
    core.disconnect(1, receipt="4")
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store"]


def test_requests_after_a_refused_unit_are_ignored() -> None:
    core = Core()
    core.send(1, "a")
    core.effects()
    core.refuse_unit()

    core.send(1, "b", receipt="r")

    assert core.run() == ["refuse 1 refused-by-store"]


def test_units_of_other_sessions_go_on_after_a_refused_one() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.send(2, "b", receipt="2")
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store 1", "confirm 2 2"]


def test_refused_unit_of_a_lost_session_is_told_to_nobody() -> None:
    core = Core()
    core.send(1, "a", receipt="r")
    core.effects()
    core.lose(1)

    core.refuse_unit()

    assert core.run() == []


def test_refused_acknowledgement_brings_its_messages_back_in_order() -> None:
    core = Core()
    core.subscribe(1, ack=AckMode.CLIENT)
    core.send_all(2, "a b c d")
    core.run()
    core.acknowledge(1, "c", receipt="r")
    core.effects()
    core.refuse_unit()
    core.effects()
    core.subscribe(2)

    assert core.run() == ["deliver 2 a again 1", "deliver 2 b again 1", "deliver 2 c again 1", "deliver 2 d again 1"]


def test_refused_rejection_brings_its_message_back() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()
    core.reject(1, "a", receipt="r")
    core.effects()
    core.refuse_unit()
    core.effects()
    core.subscribe(2)

    assert core.advance(1.0) == ["deliver 2 a again 2"]


def test_acknowledgement_without_receipt_rides() -> None:
    core = Core()
    core.subscribe(1)
    core.send_all(2, "a b")
    core.run()

    core.acknowledge(1, "a")
    core.acknowledge(1, "b")

    assert core.effects() == ["later delete a, delete b"]


def test_unit_does_not_overtake_what_rides() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a")
    core.run()

    core.acknowledge(1, "a")
    core.send(2, "b", to="/queue/b")

    assert core.effects() == ["later delete a", "persist queue /queue/b, insert b"]


def test_error_comes_after_the_receipts_before_it() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.commit(1, "unknown", receipt="2")
    core.send(1, "b", receipt="3", is_persistent=False)

    assert core.run() == ["confirm 1 1", "refuse 1 unknown-transaction 2"]


def test_frame_that_never_became_a_request_is_refused_in_its_turn() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.refuse(1, MissingHeader("no destination"), receipt="2")
    core.refuse(1, MissingHeader("no destination"), receipt="3")

    assert core.run() == ["confirm 1 1", "refuse 1 missing-header 2"]


def test_refused_unit_before_an_error_is_the_only_error() -> None:
    core = Core()
    core.send(1, "a", receipt="1")
    core.commit(1, "unknown", receipt="2")
    core.effects()

    core.refuse_unit()

    assert core.run() == ["refuse 1 refused-by-store 1"]


def test_request_for_an_unknown_session_is_a_fault_of_the_program() -> None:
    core = Core()

    with pytest.raises(KeyError):
        core.submit(99, Send(parse_destination("/queue/a"), new_message("a")))
