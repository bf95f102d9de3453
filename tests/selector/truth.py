"""What a selector says of a message, in three-valued logic."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stompd.errors import SelectorError
from stompd.selector.evaluate import compile_selector
from stompd.selector.values import Value


def truth(text: str, values: Mapping[str, Value] | None = None, *, is_typed: bool = True) -> bool | None:
    """Return whether a selector is true, false or, since then its opposite is not true either, unknown (None)."""
    lookup = (values or {}).get
    if compile_selector(text).matches(lookup, is_typed=is_typed):
        return True
    is_false = compile_selector(f"NOT ({text})").matches(lookup, is_typed=is_typed)
    return False if is_false else None


def refusal(text: str) -> SelectorError:
    """Return the error that a selector is refused with."""
    with pytest.raises(SelectorError) as caught:
        compile_selector(text)
    return caught.value
