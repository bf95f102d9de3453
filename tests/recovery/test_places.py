"""The judge on copies: what a good broker may do with a topic, dead letters, delays and repetitions, and what not."""

from __future__ import annotations

import pytest

from tests.recovery.history import Certainty, Drained, History, Message, Transaction, violations
from tests.recovery.places import note_repetition

#: When the delayed message of these tests is due.
DUE = 1000.0


class Round:
    """A history in the making, and what each place has after the restart."""

    def __init__(self) -> None:
        self.history = History()

    def copies(self, key: str, *places: str, transaction: Transaction | None = None) -> list[Message]:
        """A message that was sent to several places and not confirmed."""
        copies = [Message(f"{key}@{place}", place, "p", order=len(self.history.messages)) for place in places]
        for copy in copies:
            self.history.send(copy, transaction)
        return copies

    def confirmed(self, key: str, *places: str) -> list[Message]:
        copies = self.copies(key, *places)
        for copy in copies:
            copy.own_sent = Certainty.YES
        return copies

    def delayed(self) -> Message:
        [message] = self.confirmed("a", "later")
        message.due = DUE
        return message

    def burial(self) -> Transaction:
        """The NACK of a delivered message that makes a dead letter of it, without its RECEIPT."""
        [message] = self.confirmed("a", "orders")
        self.history.deliver(message.key, "id-a")
        burial = self.history.begin("burial")
        self.history.settle([message], burial)
        self.copies("a", "dead", transaction=burial)
        self.history.commit(burial)
        return burial

    def violations(self, *found: str, came: float = DUE) -> list[str]:
        """What the judge says when these copies are there after the restart, flagged as redelivered."""
        drained: dict[str, list[Drained]] = {}
        for key in found:
            entry = Drained(key, f"id-{key.partition('@')[0]}", is_redelivered=True, came=came)
            drained.setdefault(key.partition("@")[2], []).append(entry)
        return violations(self.history, drained)


@pytest.fixture
def game() -> Round:
    return Round()


# What a good broker may do.


def test_each_subscription_has_its_copy(game: Round) -> None:
    game.confirmed("a", "active", "idle")

    assert game.violations("a@active", "a@idle") == []


@pytest.mark.parametrize("found", [[], ["a@active", "a@idle", "a@orders"]])
def test_transaction_in_doubt_is_at_all_places_or_none(game: Round, found: list[str]) -> None:
    transaction = game.history.begin("t")
    game.copies("a", "active", "idle", "orders", transaction=transaction)
    game.history.commit(transaction)

    assert game.violations(*found) == []


@pytest.mark.parametrize("place", ["orders", "dead"])
def test_message_whose_burial_is_in_doubt_is_at_one_place(game: Round, place: str) -> None:
    game.burial()

    assert game.violations(f"a@{place}") == []


def test_message_that_was_repeated_is_there_once(game: Round) -> None:
    [message] = game.copies("a", "once")

    note_repetition(game.history, message, is_duplicate=True)

    assert game.violations("a@once") == []


def test_repetition_of_a_transaction_that_did_not_happen_is_no_duplicate(game: Round) -> None:
    transaction = game.history.begin("t")
    [message] = game.copies("a", "once", transaction=transaction)
    game.history.commit(transaction)

    note_repetition(game.history, message, is_duplicate=False)

    assert game.violations("a@once") == []


def test_delayed_message_may_come_when_it_is_due(game: Round) -> None:
    game.history.deliver(game.delayed().key, "id-a", came=DUE)

    assert game.violations("a@later") == []


# What it may not.


def assert_told(found: list[str], *words: str) -> None:
    [violation] = found
    assert all(word in violation for word in words), violation


def test_copy_that_one_subscription_lost_is_told(game: Round) -> None:
    game.confirmed("a", "active", "idle")

    assert_told(game.violations("a@active"), "a@idle was lost")


@pytest.mark.parametrize("found", [["a@active", "a@idle"], ["a@orders"], ["a@active", "a@orders"]])
def test_transaction_that_is_at_some_of_its_places_is_told(game: Round, found: list[str]) -> None:
    transaction = game.history.begin("t")
    game.copies("a", "active", "idle", "orders", transaction=transaction)
    game.history.commit(transaction)

    assert_told(game.violations(*found), "t was torn")


@pytest.mark.parametrize("found", [[], ["a@orders", "a@dead"]], ids=["neither", "both"])
def test_burial_in_doubt_at_neither_place_or_at_both_is_told(game: Round, found: list[str]) -> None:
    game.burial()

    assert_told(game.violations(*found), "burial was torn")


def test_dead_letter_that_is_missing_after_its_receipt_is_told(game: Round) -> None:
    game.burial().outcome = Certainty.YES

    assert_told(game.violations(), "a@dead was lost")


def test_message_that_is_in_its_queue_after_its_burial_is_told(game: Round) -> None:
    game.burial().outcome = Certainty.YES

    assert_told(game.violations("a@orders", "a@dead"), "a@orders came back")


def test_dead_letter_that_is_there_twice_is_told(game: Round) -> None:
    game.burial().outcome = Certainty.YES

    assert_told(game.violations("a@dead", "a@dead"), "a@dead came 2 times")


def test_dead_letter_that_nobody_asked_for_is_told(game: Round) -> None:
    game.confirmed("a", "orders")

    assert_told(game.violations("a@orders", "a@dead"), "a@dead", "never sent")


def test_repeated_message_that_is_there_twice_is_told(game: Round) -> None:
    [message] = game.copies("a", "once")

    note_repetition(game.history, message, is_duplicate=False)

    assert_told(game.violations("a@once", "a@once"), "a@once came 2 times")


def test_repeated_message_that_is_missing_is_told(game: Round) -> None:
    [message] = game.copies("a", "once")

    note_repetition(game.history, message, is_duplicate=True)

    assert_told(game.violations(), "a@once was lost")


def test_repetition_that_was_taken_although_the_first_was_confirmed_is_told(game: Round) -> None:
    [message] = game.confirmed("a", "once")

    note_repetition(game.history, message, is_duplicate=False)

    assert_told(game.violations("a@once"), "a@once was taken a second time")


def test_repeated_message_that_was_settled_before_is_told(game: Round) -> None:
    [message] = game.confirmed("a", "once")
    game.history.deliver(message.key, "id-a")
    message.own_settled = Certainty.YES

    note_repetition(game.history, message, is_duplicate=True)

    assert_told(game.violations("a@once"), "a@once came back")


def test_delayed_message_that_is_lost_is_told(game: Round) -> None:
    game.delayed()

    assert_told(game.violations(), "a@later was lost")


def test_delayed_message_that_came_before_its_time_is_told(game: Round) -> None:
    game.history.deliver(game.delayed().key, "id-a", came=DUE - 0.25)

    assert_told(game.violations("a@later"), "a@later came 0.250 s before its time")


def test_delayed_message_that_comes_before_its_time_after_the_crash_is_told(game: Round) -> None:
    game.delayed()

    assert_told(game.violations("a@later", came=DUE - 0.25), "a@later came 0.250 s before its time")


def test_repetition_that_is_not_flagged_is_told(game: Round) -> None:
    [message] = game.confirmed("a", "active")
    game.history.deliver(message.key, "id-a")

    game.history.deliver(message.key, "id-a", is_redelivered=False)

    assert_told(game.violations("a@active"), "a@active was delivered again", "not flagged")
