"""Rules for destinations: which one counts, and what it says."""

from __future__ import annotations

import pytest

from stompd.broker.policy import Overflow, Policies, Rule


@pytest.mark.parametrize(
    ("pattern", "path", "is_matched"),
    [
        ("/queue/orders", "/queue/orders", True),
        ("/queue/orders", "/queue/orders.eu", False),
        ("/queue/orders.*", "/queue/orders.eu", True),
        ("/queue/orders.*", "/queue/orders.eu.north", False),
        ("/queue/orders.*", "/queue/orders", False),
        ("/queue/*.new", "/queue/orders.new", True),
        ("/queue/orders.#", "/queue/orders.eu.north", True),
        ("/queue/orders.#", "/queue/orders", True),
        ("/queue/orders.>", "/queue/orders.eu", True),
        ("/queue/orders.**", "/queue/orders.eu", True),
        ("/queue/>", "/queue/a/b.c", True),
        ("/queue/>", "/topic/a", False),
        ("/queue/a+b", "/queue/aab", False),
    ],
)
def test_pattern_matches_paths(pattern: str, path: str, is_matched: bool) -> None:
    policies = Policies([Rule(pattern, consumers=1)])

    assert (policies.find(path) is not None) is is_matched


def test_most_specific_pattern_wins_key_by_key() -> None:
    policies = Policies(
        [
            Rule("/queue/orders.eu", max_messages=1),
            Rule("/queue/#", max_messages=3, consumers=3, message_bytes=3),
            Rule("/queue/orders.*", max_messages=2, consumers=2),
        ]
    )

    rule = policies.find("/queue/orders.eu")

    assert rule is not None
    assert (rule.max_messages, rule.consumers, rule.message_bytes) == (1, 2, 3)
    assert rule.pattern == "/queue/orders.eu"


def test_of_equal_patterns_the_later_one_wins() -> None:
    policies = Policies([Rule("/queue/a", consumers=1), Rule("/queue/a", consumers=2)])

    assert policies.find("/queue/a") == Rule("/queue/a", consumers=2)


def test_without_rules_nothing_is_remembered() -> None:
    policies = Policies()

    assert policies.find("/queue/a") is None
    assert policies.is_empty


def test_rules_of_many_paths_are_found_again() -> None:
    policies = Policies([Rule("/queue/#", overflow=Overflow.REJECT)])

    found = {policies.find(f"/queue/{number}") for number in range(10_001)}

    assert found == {Rule("/queue/#", overflow=Overflow.REJECT)}


@pytest.mark.parametrize(
    ("default", "highest", "says", "expires"),
    [
        (0, 0, 0, 0),
        (0, 0, 500, 500),
        (50, 0, 0, 150),
        (50, 0, 500, 500),
        (0, 70, 0, 170),
        (0, 70, 500, 170),
        (50, 70, 0, 150),
        (90, 70, 0, 170),
        (50, 70, 120, 120),
    ],
)
def test_rule_says_when_a_message_expires(default: int, highest: int, says: int, expires: int) -> None:
    rule = Rule("/queue/a", default_ttl_ms=default, highest_ttl_ms=highest)

    assert rule.expiry_ms(says, 100) == expires
