"""Which patterns match a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stompd.broker.destination import parse_source
from stompd.broker.wildcard import Patterns
from tests.broker.core import Core

_NAMES = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=5)
_PATTERNS = st.lists(st.sampled_from(["a", "b", "", "*", "#"]), min_size=1, max_size=6)


def words_of(pattern: str) -> tuple[str, ...]:
    return parse_source(f"/topic/{pattern}").words or tuple(pattern.split("."))


def match(patterns: list[str], name: str) -> list[str]:
    tree: Patterns[str] = Patterns()
    for pattern in patterns:
        tree.put(words_of(pattern), pattern)
    return tree.match(name)


def is_match(words: list[str], name: list[str]) -> bool:
    """The definition of a match."""
    if not words:
        return not name
    if words[0] == "#":
        return any(is_match(words[1:], name[skipped:]) for skipped in range(len(name) + 1))
    return bool(name) and words[0] in ("*", name[0]) and is_match(words[1:], name[1:])


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a.*", "a.b"),
        ("*", "a"),
        ("*.b.*", "a.b.c"),
        ("a.#", "a"),
        ("a.#", "a.b"),
        ("a.>", "a.b.c"),
        ("#", "a.b.c"),
        ("#.c", "c"),
        ("a.#.c", "a.c"),
        ("a.**.c", "a.b.b.c"),
        ("#.b.#", "a.b.c"),
    ],
)
def test_pattern_matches(pattern: str, name: str) -> None:
    assert match([pattern], name) == [pattern]


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("a.*", "a"), ("a.*", "a.b.c"), ("*", "a.b"), ("a.#", "b"), ("a.#", "ab"), ("#.c", "c.d"), ("a.#.c", "a.b")],
)
def test_pattern_does_not_match(pattern: str, name: str) -> None:
    assert match([pattern], name) == []


@pytest.mark.parametrize(
    ("pattern", "is_match"),
    [("*.b", False), ("#", False), ("#.a.b", False), ("*.*", False), ("a.*", True), ("a.#", True), ("a.b.#", True)],
)
def test_wildcard_misses_the_first_word_of_a_hidden_name(pattern: str, is_match: bool) -> None:
    tree: Patterns[str] = Patterns()
    tree.put(words_of(pattern), pattern)

    assert tree.match("a.b", is_hidden=True) == [pattern] * is_match


@given(st.lists(_PATTERNS, max_size=4), _NAMES)
def test_matches_are_those_of_the_definition(patterns: list[list[str]], name: list[str]) -> None:
    texts = {".".join(words_of(".".join(words))) for words in patterns if set(words) & {"*", "#"}}

    found = match(sorted(texts), ".".join(name))

    assert sorted(found) == sorted(text for text in texts if is_match(text.split("."), name))


def test_pattern_of_many_wildcards_costs_no_more_than_others() -> None:
    pattern = ".".join(["#", "a"] * 40)

    assert match([pattern], ".".join(["a"] * 100 + ["b"])) == []


def test_pattern_that_was_removed_leaves_nothing_behind() -> None:
    tree: Patterns[str] = Patterns()
    for pattern in ("a.*", "a.*.b", "#"):
        tree.put(words_of(pattern), pattern)

    for pattern in ("a.*", "#", "a.*.b"):
        tree.remove(words_of(pattern))

    assert tree.count == 0
    assert not tree._root.children


def test_removed_pattern_leaves_longer_and_shorter_ones() -> None:
    tree: Patterns[str] = Patterns()
    for pattern in ("a.*", "a.*.b", "a.*.b.#"):
        tree.put(words_of(pattern), pattern)

    tree.remove(words_of("a.*.b"))

    assert (tree.match("a.x"), tree.match("a.x.b")) == (["a.*"], ["a.*.b.#"])


def test_subscription_gets_what_any_matching_topic_gets() -> None:
    core = Core()
    core.subscribe(1, "/topic/prices.*")

    core.send(2, "a", "/topic/prices.eur")
    core.send(2, "b", "/topic/prices.usd")
    core.send(2, "c", "/topic/prices.usd.ny")

    assert core.run() == ["deliver 1 a", "deliver 1 b"]
    assert core.message(1, "b").destination == "/topic/prices.usd"


def test_plain_subscriptions_get_their_messages_beside_it() -> None:
    core = Core()
    core.subscribe(1, "/topic/a.#")
    core.subscribe(2, "/topic/a.b")

    core.send(3, "x", "/topic/a.b")
    core.send(3, "y", "/topic/a.c")

    assert sorted(core.run()) == ["deliver 1 x", "deliver 1 y", "deliver 2 x"]


def test_subscriptions_with_one_pattern_are_told_apart() -> None:
    core = Core()
    core.subscribe(1, "/topic/a.*")
    core.subscribe(2, "/topic/a.*")
    core.unsubscribe(1)

    core.send(3, "x", "/topic/a.b")

    assert core.run() == ["deliver 2 x"]


def test_pattern_of_topics_does_not_match_queues_or_temporary_topics() -> None:
    core = Core()
    core.subscribe(1, "/topic/#")

    core.send(2, "a", "/queue/x")
    core.send(2, "b", "/temp-topic/x")

    assert core.run() == []


def test_nothing_is_left_of_a_pattern_without_subscriptions() -> None:
    core = Core()
    core.subscribe(1, "/topic/a.*")
    core.subscribe(2, "/queue/a.*")

    core.unsubscribe(1)
    core.lose(2)

    assert len(core.broker._catalogue._topics) == 0
    assert core.broker._catalogue._watchers.count == 0
