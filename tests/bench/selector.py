"""How fast selectors are compiled, and how fast they decide on messages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from stompd.selector.evaluate import Selector
from tests.bench.figures import Figure, Measure, Stopwatch, WrongResult

#: Messages or texts between two looks at the clock.
_TURN: Final = 500

_SHORT: Final = "region = 'eu-west'"
_LONG: Final = "region LIKE 'eu-%' AND amount BETWEEN 10 AND 500 AND (type IN ('order', 'refund') OR urgent = TRUE)"

#: The first one is selected by both, the other by none.
_MESSAGES: Final = (
    {"region": "eu-west", "amount": "250", "type": "order"},
    {"region": "us-east", "amount": "250", "type": "order"},
)


def selector(seconds: float) -> Iterator[Measure]:
    """Yield measurements of a selector of one comparison, and of one that asks for much."""
    for name, text in (("one comparison", _SHORT), ("four conditions", _LONG)):
        yield partial(_compile, name, text, seconds)
        yield partial(_match, name, text, seconds)


def _compile(name: str, text: str, seconds: float) -> Iterator[Figure]:
    watch = Stopwatch()
    count = 0
    while watch.seconds < seconds:
        with watch:
            for _ in range(_TURN):
                Selector(text)
        count += _TURN
    yield Figure(f"selector compile, {name}", count / watch.seconds, "selectors/s", "from its text, not remembered")


def _match(name: str, text: str, seconds: float) -> Iterator[Figure]:
    condition = Selector(text)
    lookups = [message.get for message in _MESSAGES * (_TURN // len(_MESSAGES))]
    watch = Stopwatch()
    count = 0
    while watch.seconds < seconds:
        with watch:
            answers = [condition.matches(lookup) for lookup in lookups]
        if answers[:2] != [True, False] or sum(answers) != len(answers) // 2:
            raise WrongResult(f"selector match, {name}: {sum(answers)} of {len(answers)} messages were selected.")
        count += len(answers)
    yield Figure(f"selector match, {name}", count / watch.seconds, "messages/s", "strings as they come in headers")
