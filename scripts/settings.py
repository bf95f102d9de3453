"""Prints the list of settings for OPERATING.md, with defaults and reasons: .venv/bin/python scripts/settings.py"""

from __future__ import annotations

import inspect
import re

from stompd.broker.policy import Rule
from stompd.config import KEYS, RULE_KEYS, Key, show
from stompd.settings import Settings


def documentation(key: Key) -> str:
    """Return the comment above the setting's field, as one line."""
    above = re.search(rf"(?m)((?:^    #: .+\n)+)    {key.field}: ", inspect.getsource(key.owner))
    assert above, f"{key.name} has no comment that begins with #:"
    return " ".join(line.strip().removeprefix("#: ") for line in above[1].splitlines())


def entry(key: Key) -> str:
    """Return the setting as an item of a Markdown list."""
    if key.owner is Rule:
        return f"* `{key.name}`: {documentation(key)}"
    return f"* `{key.name} = {show(key.name, key.value(Settings()))}`: {documentation(key)}"


if __name__ == "__main__":
    print(*map(entry, (*KEYS.values(), *RULE_KEYS.values())), sep="\n")
