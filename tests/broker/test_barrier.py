"""The RECEIPT of an ABORT comes behind what the session's subscriptions get, also where the store has it."""

from __future__ import annotations

import pytest

from stompd.broker.barrier import _MOST_ANSWERS
from stompd.errors import MalformedFrame
from tests.broker.core import Core


@pytest.fixture
def core() -> Core:
    """A broker that was started again, with two messages in a queue."""
    before = Core()
    before.send_all(1, "a b")
    before.run()
    return before.restart()


def ask(core: Core, session: int = 1, receipt: str = "r") -> None:
    """Let a client ask for what there is."""
    core.begin(session, receipt)
    core.abort(session, receipt, receipt=receipt)


def test_receipt_waits_for_the_first_page_and_its_mark(core: Core) -> None:
    core.subscribe(1)
    ask(core)

    assert core.run() == ["deliver 1 a", "deliver 1 b", "confirm 1 r"]


def test_receipt_waits_also_when_the_page_is_on_its_way_already(core: Core) -> None:
    core.subscribe(1)
    core.effects()
    ask(core)

    assert core.run() == ["deliver 1 a", "deliver 1 b", "confirm 1 r"]


def test_receipt_comes_at_once_when_everything_is_in_memory(core: Core) -> None:
    core.subscribe(1)
    core.run()
    core.send(2, "c", is_persistent=False)
    ask(core)

    assert core.effects() == ["deliver 1 c", "confirm 1 r"]


def test_receipt_comes_when_there_is_no_message(core: Core) -> None:
    core.subscribe(1, "/queue/empty")
    ask(core)

    assert core.run() == ["confirm 1 r"]


def test_receipt_waits_for_what_has_become_due() -> None:
    before = Core()
    before.send(1, "a", delay=1.0)
    before.run()
    core = before.restart()
    core.advance(2.0)
    core.subscribe(1)
    ask(core)

    assert core.run() == ["deliver 1 a", "confirm 1 r"]


def test_receipt_does_not_wait_without_credit(core: Core) -> None:
    core.subscribe(1, prefetch=1)
    core.run()
    core.subscribe(1, name="t", prefetch=1)
    core.run()
    ask(core)

    assert core.effects() == ["confirm 1 r"]


def test_receipts_stay_in_order_while_one_waits(core: Core) -> None:
    core.subscribe(1)
    ask(core)
    core.begin(1, receipt="then")
    core.send(1, "c", "/queue/other", receipt="last")

    assert core.run() == ["deliver 1 a", "deliver 1 b", "confirm 1 r", "confirm 1 then", "confirm 1 last"]


def test_receipts_of_others_do_not_wait(core: Core) -> None:
    core.subscribe(1)
    ask(core)
    ask(core, 2, "other")

    assert core.run()[0] == "confirm 2 other"


def test_error_waits_behind_the_receipt(core: Core) -> None:
    core.subscribe(1)
    ask(core)
    core.effects()
    core.refuse(1, MalformedFrame("no"))

    assert core.effects() == ["confirm 1 r", "refuse 1 malformed-frame"]


def test_disconnect_waits_for_nothing_more(core: Core) -> None:
    core.subscribe(1)
    ask(core)
    core.effects()
    core.disconnect(1)

    assert core.effects() == ["confirm 1 r", "close 1"]


def test_receipt_of_a_later_subscription_comes_before_its_first_message(core: Core) -> None:
    core.subscribe(1)
    ask(core)
    core.subscribe(1, "/queue/c", "t", receipt="t")
    core.send(2, "c", "/queue/c", is_persistent=False)

    seen = core.run()

    assert seen.index("confirm 1 t prefetch-count:100") < seen.index("deliver 1/t c")


def test_subscription_that_is_stored_first_is_waited_for() -> None:
    before = Core()
    before.send_all(1, "a b")
    before.run()
    core = before.restart()
    core.send(1, "c", "/queue/other")  # what comes next waits behind it
    core.subscribe(1, receipt="s")
    ask(core)

    assert core.run() == ["confirm 1 s prefetch-count:100", "deliver 1 a", "deliver 1 b", "confirm 1 r"]


def test_page_that_never_comes_is_not_waited_for(core: Core) -> None:
    core.subscribe(1)
    ask(core)
    core.effects()
    core.journal.popleft()  # the store cannot read it

    assert core.run() == ["confirm 1 r"]


def test_answers_that_wait_are_bounded(core: Core) -> None:
    core.subscribe(1)
    for number in range(_MOST_ANSWERS - 1):
        ask(core, receipt=str(number))
    before = core.effects()
    ask(core)

    after = core.effects()

    assert not [text for text in before if text.startswith("confirm")]
    assert len(after) == _MOST_ANSWERS


def test_lost_session_leaves_nothing_that_waits(core: Core) -> None:
    core.subscribe(1)
    ask(core)
    core.effects()
    core.lose(1)

    core.run()

    assert not core.broker._barriers.waiting


def test_queues_of_a_list_are_waited_for(core: Core) -> None:
    core.subscribe(1, "/queue/a,/queue/b")
    ask(core)

    assert core.run() == ["deliver 1 a", "deliver 1 b", "confirm 1 r"]
