"""The judge of the recovery tests: what a good broker does passes, and each broken promise is told."""

from __future__ import annotations

import pytest

from tests.recovery.history import Certainty, Drained, History, Message, Transaction, violations

QUEUE = "/queue/in"


class Round:
    """A history in the making, and what the broker has after its restart."""

    def __init__(self) -> None:
        self.history = History()
        self.entries: list[Drained] = []

    def message(self, key: str, transaction: Transaction | None = None) -> Message:
        """A message of the producer p, sent and not confirmed."""
        message = Message(key, QUEUE, "p", order=len(self.history.messages))
        self.history.send(message, transaction)
        return message

    def confirmed(self, key: str) -> Message:
        message = self.message(key)
        message.own_sent = Certainty.YES
        return message

    def delivered(self, key: str) -> Message:
        message = self.confirmed(key)
        self.history.deliver(key, f"id-{key}")
        return message

    def drain(self, *keys: str, redelivered: str = "") -> None:
        self.entries = [Drained(key, f"id-{key}", key in redelivered) for key in keys]

    @property
    def violations(self) -> list[str]:
        return violations(self.history, {QUEUE: self.entries})


@pytest.fixture
def game() -> Round:
    return Round()


def assert_told(game: Round, *words: str) -> None:
    [violation] = game.violations
    assert all(word in violation for word in words), violation


# What a good broker may do.


def test_confirmed_message_may_be_there(game: Round) -> None:
    game.confirmed("a")

    game.drain("a")

    assert game.violations == []


@pytest.mark.parametrize("keys", [[], ["a"]])
def test_unconfirmed_message_may_be_there_or_not(game: Round, keys: list[str]) -> None:
    game.message("a")

    game.drain(*keys)

    assert game.violations == []


def test_settled_message_may_be_gone(game: Round) -> None:
    game.delivered("a").own_settled = Certainty.YES

    assert game.violations == []


@pytest.mark.parametrize("keys", [[], ["a"]])
def test_message_with_an_unconfirmed_ack_may_be_there_or_not(game: Round, keys: list[str]) -> None:
    game.history.settle([game.delivered("a")])

    game.drain(*keys, redelivered="a")

    assert game.violations == []


def test_message_may_be_flagged_although_its_consumer_never_read_it(game: Round) -> None:
    game.confirmed("a")

    game.drain("a", redelivered="a")

    assert game.violations == []


@pytest.mark.parametrize("keys", [["work"], ["one", "two"]])
def test_unconfirmed_transaction_may_have_happened_or_not(game: Round, keys: list[str]) -> None:
    transaction = unconfirmed_transaction(game)

    game.drain(*keys, redelivered="work")

    assert transaction.outcome is Certainty.MAYBE
    assert game.violations == []


def test_aborted_ack_leaves_the_message_there(game: Round) -> None:
    transaction = game.history.begin("t")
    game.history.settle([game.delivered("a")], transaction)
    game.history.abort(transaction)

    game.drain("a", redelivered="a")

    assert game.violations == []


# What it may not.


def test_lost_message_is_told(game: Round) -> None:
    game.confirmed("a")

    assert_told(game, "a was lost")


def test_lost_message_that_was_seen_is_told(game: Round) -> None:
    game.message("a")
    game.history.deliver("a", "id-a")

    assert_told(game, "a was lost")


def test_lost_message_of_a_confirmed_transaction_is_told(game: Round) -> None:
    transaction = game.history.begin("t")
    for key in ("a", "b"):
        game.message(key, transaction)
    transaction.outcome = Certainty.YES

    game.drain("a")

    assert_told(game, "b was lost")


def test_lost_message_of_an_aborted_ack_is_told(game: Round) -> None:
    transaction = game.history.begin("t")
    game.history.settle([game.delivered("a")], transaction)
    game.history.abort(transaction)

    assert_told(game, "a was lost")


def test_settled_message_that_returns_is_told(game: Round) -> None:
    game.delivered("a").own_settled = Certainty.YES

    game.drain("a", redelivered="a")

    assert_told(game, "a came back")


def test_message_settled_in_a_confirmed_transaction_that_returns_is_told(game: Round) -> None:
    transaction = game.history.begin("t")
    game.history.settle([game.delivered("a")], transaction)
    transaction.outcome = Certainty.YES

    game.drain("a", redelivered="a")

    assert_told(game, "a came back")


def test_message_of_a_transaction_without_commit_is_told(game: Round) -> None:
    game.message("a", game.history.begin("t"))

    game.drain("a")

    assert_told(game, "a is there", "t was never committed")


@pytest.mark.parametrize(
    "keys",
    [
        ["work", "one"],
        ["one"],
        ["work", "one", "two"],
        [],
    ],
    ids=[
        "half of its sends",
        "half of its sends and its ack",
        "its sends without its ack",
        "its ack without its sends",
    ],
)
def test_torn_transaction_is_told(game: Round, keys: list[str]) -> None:
    unconfirmed_transaction(game)

    game.drain(*keys, redelivered="work")

    assert_told(game, "t was torn")


def test_transaction_that_was_seen_and_is_undone_is_told(game: Round) -> None:
    unconfirmed_transaction(game)
    game.history.settle([game.history.deliver("one", "id-one")])

    game.drain("work", redelivered="work")

    assert_told(game, "t was torn", "seen before was ['one']")


def test_message_that_nobody_sent_is_told(game: Round) -> None:
    game.drain("ghost")

    assert_told(game, "ghost", "never sent")


def test_message_in_another_queue_is_told(game: Round) -> None:
    game.confirmed("a").queue = "/queue/other"

    game.drain("a")

    assert_told(game, "a is in /queue/in", "sent to /queue/other")


def test_missing_flag_is_told(game: Round) -> None:
    game.delivered("a")

    game.drain("a")

    assert_told(game, "a", "not flagged")


def test_changed_message_id_is_told(game: Round) -> None:
    game.confirmed("a")
    game.history.deliver("a", "another-id")

    game.drain("a", redelivered="a")

    assert_told(game, "a has become id-a")


def test_changed_order_of_a_producer_is_told(game: Round) -> None:
    for key in ("a", "b", "c"):
        game.confirmed(key)

    game.drain("a", "c", "b")

    assert_told(game, "b came behind c")


def test_duplicate_is_told(game: Round) -> None:
    game.confirmed("a")

    game.drain("a", "a")

    assert_told(game, "a came 2 times")


def test_delivery_before_the_commit_is_told(game: Round) -> None:
    transaction = game.history.begin("t")
    game.message("a", transaction)

    game.history.deliver("a", "id-a")

    transaction.outcome = Certainty.YES
    game.drain("a", redelivered="a")
    assert_told(game, "a was delivered before the COMMIT of t")


def test_delivery_after_a_confirmed_ack_is_told(game: Round) -> None:
    game.delivered("a").own_settled = Certainty.YES

    game.history.deliver("a", "id-a", is_redelivered=True)

    assert_told(game, "a was delivered again")


def unconfirmed_transaction(game: Round) -> Transaction:
    """A transaction whose COMMIT has no receipt: it acknowledges `work` and sends `one` and `two`."""
    work = game.delivered("work")
    transaction = game.history.begin("t")
    game.history.settle([work], transaction)
    for key in ("one", "two"):
        game.message(key, transaction)
    game.history.commit(transaction)
    return transaction
