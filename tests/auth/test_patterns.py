"""Patterns of destinations: what they hold for, also when the path has wildcards of its own."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stompd.auth.patterns import Extent, Pattern, write_user

WORDS = st.lists(st.sampled_from(["a", "b", "*", "#"]), min_size=1, max_size=4)


def extent(pattern: str, path: str) -> Extent:
    return Pattern.parse(pattern).extent(path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*", "/queue/a", Extent.ALL),
        ("*", "/reply-queue/0123", Extent.ALL),
        ("/queue/a", "/queue/a", Extent.ALL),
        ("/queue/a", "/topic/a", Extent.NONE),
        ("/queue/a", "/queue/a.b", Extent.NONE),
        ("/queue/a b", "/queue/a b", Extent.ALL),
        ("/queue/*", "/queue/a", Extent.ALL),
        ("/queue/*", "/queue/a.b", Extent.NONE),
        ("/queue/#", "/queue/a.b", Extent.ALL),
        ("/queue/a.#", "/queue/a", Extent.ALL),
        ("/queue/a.>", "/queue/a.b.c", Extent.ALL),
        ("/queue/a.**.z", "/queue/a.b.c.z", Extent.ALL),
        ("/queue/a.#", "/queue/ab", Extent.NONE),
        # What a subscription with wildcards would get.
        ("/queue/a.#", "/queue/a.*", Extent.ALL),
        ("/queue/a.*", "/queue/a.#", Extent.SOME),
        ("/queue/a.b", "/queue/#", Extent.SOME),
        ("/queue/a.b", "/queue/b.#", Extent.NONE),
        ("/queue/#.*", "/queue/*.#", Extent.ALL),
        ("/queue/DLQ.#", "/queue/>", Extent.SOME),
        ("/queue/a", "/topic/#", Extent.NONE),
        # A path that is none of ours.
        ("/queue/a", "nonsense", Extent.NONE),
    ],
)
def test_pattern_holds_for(pattern: str, path: str, expected: Extent) -> None:
    assert extent(pattern, path) is expected


@given(WORDS, WORDS)
def test_extent_never_promises_too_much(pattern: list[str], path: list[str]) -> None:
    found = extent("/queue/" + ".".join(pattern), "/queue/" + ".".join(path))

    names = [name for length in range(1, 6) for name in product("abc", repeat=length)]
    meant = {name for name in names if matches(path, name)}
    held = {name for name in meant if matches(pattern, name)}
    if found is Extent.ALL:
        assert held == meant
    if found is Extent.NONE:
        assert not held
    if set(path) <= {"a", "b"}:
        assert found is not Extent.SOME


def matches(pattern: list[str], name: tuple[str, ...]) -> bool:
    """The same in the words of regular expressions."""
    forms = {"*": "[abc] ", "#": "([abc] )*"}
    expression = "".join(forms.get(word, f"{word} ") for word in pattern)
    return re.fullmatch(expression, "".join(f"{word} " for word in name)) is not None


def test_many_wildcards_cost_little() -> None:
    pattern = "/queue/" + ".".join(["#", "a"] * 60)

    assert extent(pattern, "/queue/" + ".".join(["a"] * 100 + ["b"])) is Extent.NONE


@pytest.mark.parametrize("text", ["", "queue", "/queue/", "/queue/a*", "/queue/a.b#", "/queue/a,/queue/b", "#"])
def test_other_texts_are_no_patterns(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected such as /queue/|cannot be used"):
        Pattern.parse(text)


def test_user_stands_for_the_name() -> None:
    pattern = Pattern.parse("/queue/inbox.{user}.#").for_user("ann")

    assert pattern.extent("/queue/inbox.ann.new") is Extent.ALL
    assert pattern.extent("/queue/inbox.bob.new") is Extent.NONE


@pytest.mark.parametrize("name", ["*", "#", ">", "ann.bob", "a,b", "{user}"])
def test_user_can_name_no_wildcard_and_no_further_word(name: str) -> None:
    pattern = Pattern.parse("/queue/{user}.#").for_user(name)

    assert pattern.extent("/queue/ann") is Extent.NONE
    assert pattern.extent("/queue/ann.bob") is Extent.NONE
    assert pattern.extent(f"/queue/{write_user(name)}.x") is Extent.ALL


@given(st.text(max_size=5), st.text(max_size=5))
def test_different_users_are_written_differently(one: str, other: str) -> None:
    assert (write_user(one) == write_user(other)) == (one == other)
