"""Names with wildcards: which of many patterns match a name."""

from __future__ import annotations

from typing import Generic, TypeVar, final

from stompd.broker.destination import ANY_WORD, ANY_WORDS

V = TypeVar("V")


@final
class _Node(Generic[V]):
    """What begins with the same words."""

    __slots__ = ("children", "is_any", "value")

    def __init__(self, word: str) -> None:
        self.children: dict[str, _Node[V]] = {}
        self.is_any = word == ANY_WORDS
        self.value: V | None = None  # of the pattern that ends here


@final
class Patterns(Generic[V]):
    """A value for each of several patterns, found by the names that match.

    Patterns are given as their words, with no two `#` in succession. Matching takes time by the words of the name and
    by the places in the tree where it may be at the same time, never more: no pattern makes it try again.
    """

    __slots__ = ("_root", "count")

    def __init__(self) -> None:
        self._root: _Node[V] = _Node("")
        #: How many patterns there are.
        self.count = 0

    def get(self, words: tuple[str, ...]) -> V | None:
        """Return the value of a pattern; None when there is none."""
        node = self._root
        for word in words:
            child = node.children.get(word)
            if child is None:
                return None
            node = child
        return node.value

    def put(self, words: tuple[str, ...], value: V) -> None:
        """Add a pattern that is not there."""
        node = self._root
        for word in words:
            child = node.children.get(word)
            if child is None:
                child = node.children[word] = _Node(word)
            node = child
        node.value = value
        self.count += 1

    def remove(self, words: tuple[str, ...]) -> None:
        """Remove a pattern that is there, and what only led to it."""
        path = [self._root]
        for word in words:
            path.append(path[-1].children[word])
        path[-1].value = None
        self.count -= 1
        for parent, word, node in zip(path[-2::-1], reversed(words), path[:0:-1], strict=True):
            if node.children or node.value is not None:
                return
            del parent.children[word]

    def match(self, name: str, *, is_hidden: bool = False) -> list[V]:
        """Return the values of all patterns that match a name; if it is hidden, wildcards miss its first word."""
        words = name.split(".")
        places = {self._root: None}
        if is_hidden:
            first = self._root.children.get(words.pop(0))
            places = {} if first is None else {first: None}
        places = _with_any(places)
        for word in words:
            reached: dict[_Node[V], None] = {}
            for node in places:
                if node.is_any:
                    reached[node] = None
                for key in (word, ANY_WORD):
                    child = node.children.get(key)
                    if child is not None:
                        reached[child] = None
            places = _with_any(reached)
        return [node.value for node in places if node.value is not None]


def _with_any(places: dict[_Node[V], None]) -> dict[_Node[V], None]:
    """Add where a `#` leads that stands for no word."""
    for node in list(places):
        child = node.children.get(ANY_WORDS)
        if child is not None:
            places[child] = None
    return places
