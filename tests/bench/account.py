"""Whether every message came once and in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tests.bench.load import key_of, producer_of

#: As many messages as a sentence names.
_NAMED = 3


def faults(counts: Mapping[int, int], streams: Sequence[Sequence[int]]) -> list[str]:
    """Return what is wrong with the messages that came, each as a sentence; an empty list when nothing is.

    Args:
        counts: How many messages each producer sent.
        streams: The keys that each consumer got; together they should have every message once.
    """
    expected = {key_of(producer, number) for producer, count in counts.items() for number in range(count)}
    arrived = Counter(key for stream in streams for key in stream)
    wrong = {
        "are missing": sorted(expected - arrived.keys()),
        "came more than once": sorted(key for key, times in arrived.items() if times > 1),
        "were never sent": sorted(arrived.keys() - expected),
        "came out of order": [key for stream in streams for key in _disordered(stream)],
    }
    return [f"{len(keys)} messages {what}, such as {keys[:_NAMED]}" for what, keys in wrong.items() if keys]


def _disordered(stream: Sequence[int]) -> list[int]:
    """Return the keys that came behind a later one of the same producer."""
    latest: dict[int, int] = defaultdict(lambda: -1)
    late = []
    for key in stream:
        producer = producer_of(key)
        if key < latest[producer]:
            late.append(key)
        latest[producer] = max(latest[producer], key)
    return late
