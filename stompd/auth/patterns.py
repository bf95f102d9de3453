"""Patterns of destinations in rules: whether a pattern holds for all, for some or for none of what a path means."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, TypeAlias, final

#: A prefix such as `/queue/`, and what follows it.
_PATH = re.compile(r"(/[a-z-]+/)(.+)", re.DOTALL)

_ANY_WORD = "*"
_ANY_WORDS = frozenset({"#", "**", ">"})

#: Stands for the name of whoever asks.
_USER = "{user}"

#: What separates words, what stands for them, and what is written with it.
_SPECIAL = frozenset(".*#>,%/")

#: The pattern that holds for everything.
_EVERYTHING = "*"

_Words: TypeAlias = tuple[str, ...]


class Extent(Enum):
    """For how much of what a path means a pattern holds."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


@final
class Pattern(NamedTuple):
    """Which destinations a rule is about; without a prefix, all."""

    text: str
    #: Such as `/queue/`; empty if it holds for everything.
    prefix: str
    words: _Words

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Return the pattern that a text spells.

        Raises:
            ValueError: It is neither `*` nor a prefix with a name; the message says what is expected.
        """
        if text == _EVERYTHING:
            return cls(text, "", ())
        match = _PATH.fullmatch(text)
        if match is None:
            raise ValueError("a destination is expected such as /queue/orders.#, or * for all")
        words = _normalize(match[2].split("."))
        for word in words:
            if word not in ("*", "#") and not _is_literal(word):
                raise ValueError(
                    f"{word} cannot be used: * stands for one whole word between dots, # or > for any number of words"
                )
        return cls(text, match[1], words)

    def for_user(self, name: str) -> Pattern:
        """Return the pattern with a user's name in place of `{user}`."""
        if _USER not in self.text:
            return self
        written = write_user(name)
        words = tuple(word.replace(_USER, written) for word in self.words)
        return Pattern(self.text.replace(_USER, written), self.prefix, words)

    def extent(self, path: str) -> Extent:
        """Return for how much of a path it holds; the path may have wildcards too."""
        if not self.prefix:
            return Extent.ALL
        match = _PATH.fullmatch(path)
        if match is None or match[1] != self.prefix:
            return Extent.NONE
        words = _normalize(match[2].split("."))
        if _covers(self.words, words):
            return Extent.ALL
        return Extent.SOME if _meet(self.words, words) else Extent.NONE


def write_user(name: str) -> str:
    """Return a user's name as one word of a destination, different for different users.

    Characters that would mean something there become `%` and two hexadecimal digits: `ann.lee` becomes `ann%2Elee`.
    Otherwise what is for the user `ann` and below would be open to, or hidden from, the user `ann.lee`.
    """
    return "".join(f"%{ord(character):02X}" if character in _SPECIAL else character for character in name)


def _normalize(words: list[str]) -> _Words:
    """Return words in which a run of wildcards has one spelling: `*` first, and `#` once."""
    normal: list[str] = []
    is_open = False
    for word in words:
        if word in _ANY_WORDS:
            is_open = True
            continue
        if is_open and word != _ANY_WORD:
            normal.append("#")
            is_open = False
        normal.append(word)
    return (*normal, "#") if is_open else tuple(normal)


def _is_literal(word: str) -> bool:
    return not set("*#>,").intersection(word)


def _covers(pattern: _Words, words: _Words) -> bool:
    """Whether every name that the words stand for is one of the pattern's."""
    return _walk(pattern, words, _step_within)


def _meet(pattern: _Words, words: _Words) -> bool:
    """Whether some name belongs to both."""
    return _walk(pattern, words, _step_together)


#: From a place in both, the places that may come next: how many words further in the one and in the other.
_Step: TypeAlias = Callable[[str | None, str | None], tuple[tuple[int, int], ...]]


def _step_within(one: str | None, other: str | None) -> tuple[tuple[int, int], ...]:
    if one == "#":
        return ((1, 0),) if other is None else ((1, 0), (0, 1))
    if one is None or other is None or other == "#":
        return ()
    return ((1, 1),) if one in (_ANY_WORD, other) else ()


def _step_together(one: str | None, other: str | None) -> tuple[tuple[int, int], ...]:
    if one == "#" or other == "#":
        steps = [(1, 0)] if one == "#" else []
        steps += [(0, 1)] if other is not None else []
        return (*steps, (1, 0)) if one is not None and other == "#" else tuple(steps)
    if one is None or other is None:
        return ()
    return ((1, 1),) if one in (_ANY_WORD, other) or other == _ANY_WORD else ()


@lru_cache(maxsize=256)
def _walk(pattern: _Words, words: _Words, step: _Step) -> bool:
    """Whether some way leads to the end of both; each pair of places is looked at once."""
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        i, j = waiting.pop()
        if i == len(pattern) and j == len(words):
            return True
        one = pattern[i] if i < len(pattern) else None
        other = words[j] if j < len(words) else None
        for by, beside in step(one, other):
            place = (i + by, j + beside)
            if place not in reached:
                reached.add(place)
                waiting.append(place)
    return False
