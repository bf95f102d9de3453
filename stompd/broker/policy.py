"""What an operator decides about destinations by pattern: the most specific pattern that says something counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, final

#: Paths whose rule is remembered; clients use few destinations, and a broker may have many.
_MOST_REMEMBERED = 10_000

#: One word, and what stands for any number of words at the end or in the middle.
_WILDCARDS = re.compile(r"\.?(?:#|>|\*\*)|\*")


class Overflow(Enum):
    """What happens to a message for a queue that is full."""

    #: It is taken, and its sender has to wait until there is room.
    BLOCK = "block"
    #: Its sender gets an ERROR.
    REJECT = "reject"
    #: It is dropped, and its RECEIPT says so.
    DROP_NEW = "drop-new"
    #: The message at the head is dropped for it.
    DROP_OLD = "drop-old"
    #: The message at the head becomes a dead letter.
    DEAD_LETTER = "dead-letter"


class Expired(Enum):
    """What happens to a message that has expired in a queue."""

    #: It is dropped.
    DROP = "drop"
    #: It becomes a dead letter.
    DEAD_LETTER = "dead-letter"


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the destinations that a pattern matches; 0 leaves it to less specific patterns, then to `Limits`.

    The fields are the keys of a table `[[destination]]`.
    """

    #: Which destinations: a path such as `/queue/orders.*`, where `*` stands for one word between full stops and `#`,
    #: `>` or `**` for any number of them. The queues of durable subscriptions are `/dsub/CLIENT.NAME`.
    pattern: str = ""
    #: Messages in a queue, waiting or with consumers.
    max_messages: int = 0
    #: Bytes of their bodies.
    max_bytes: int = 0
    #: What happens when one of the two is reached: `block` lets the sender wait, `reject` answers with an ERROR,
    #: `drop-new` drops the new message, `drop-old` the oldest that waits, and `dead-letter` makes a dead letter of
    #: that. Without it, the sender waits.
    overflow: Overflow | None = None
    #: Bytes of the body of one message.
    message_bytes: int = 0
    #: Milliseconds after which a message expires that does not say when.
    default_ttl_ms: int = 0
    #: Milliseconds after which every message expires, whatever it says.
    highest_ttl_ms: int = 0
    #: What happens to messages that have expired in a queue or a durable subscription: `drop`, or `dead-letter`, which
    #: makes dead letters of them. Without it, they are dropped. Dead letters do not expire.
    expired: Expired | None = None
    #: Subscriptions of a destination at the same time; those that browse do not count.
    consumers: int = 0
    #: Deliveries of one message, in place of `limits.max_deliveries`.
    max_deliveries: int = 0
    #: In place of `limits.redelivery_delay_ms`.
    redelivery_delay_ms: int = 0
    #: In place of `limits.redelivery_delay_limit_ms`.
    redelivery_delay_limit_ms: int = 0
    #: Messages that a topic keeps for replay.
    retention_messages: int = 0
    #: Bytes of their bodies.
    retention_bytes: int = 0
    #: Seconds for which it keeps them.
    retention_seconds: int = 0
    #: Seconds after which an empty queue that nobody uses is removed, in place of `limits.idle_queue_seconds`.
    idle_seconds: int = 0

    @property
    def retains(self) -> bool:
        """Whether topics keep messages."""
        return bool(self.retention_messages or self.retention_bytes or self.retention_seconds)

    @property
    def is_bounded(self) -> bool:
        """Whether it bounds the length of queues."""
        return bool(self.max_messages or self.max_bytes)

    def expiry_ms(self, expires_ms: int, now_ms: int) -> int:
        """Return when a message expires that says `expires_ms`; 0 is never."""
        ttl_ms = self.highest_ttl_ms
        if not expires_ms:
            ttl_ms = min(self.default_ttl_ms, ttl_ms) or self.default_ttl_ms or ttl_ms
            return now_ms + ttl_ms if ttl_ms else 0
        return min(expires_ms, now_ms + ttl_ms) if ttl_ms else expires_ms


@final
class Policies:
    """Finds the rule of a destination."""

    __slots__ = ("_remembered", "_rules", "idle_seconds", "is_empty", "retains", "retention_seconds")

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        """Take the rules; of two that are equally specific the later one counts."""
        #: The least specific first.
        self._rules = [(_compile(rule.pattern), rule) for rule in sorted(rules, key=_specificity)]
        self._remembered: dict[str, Rule | None] = {}
        #: After how many seconds empty queues are removed, where a rule says so.
        self.idle_seconds = [rule.idle_seconds for rule in rules if rule.idle_seconds]
        #: Whether some topic keeps messages, and for how many seconds, where a rule says so.
        self.retains = any(rule.retains for rule in rules)
        self.retention_seconds = [rule.retention_seconds for rule in rules if rule.retention_seconds]
        #: Whether there is no rule for anything.
        self.is_empty = not rules

    def find(self, path: str) -> Rule | None:
        """Return what holds for the destination of a path, from all patterns that match it; None when none does."""
        if self.is_empty:
            return None
        if path not in self._remembered:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[path] = self._merge(path)
        return self._remembered[path]

    def _merge(self, path: str) -> Rule | None:
        said: dict[str, Any] = {}
        for pattern, rule in self._rules:
            if pattern.fullmatch(path):
                given = {field.name: getattr(rule, field.name) for field in fields(rule)}
                said |= {name: value for name, value in given.items() if value}
        return Rule(**said) if said else None


def _specificity(rule: Rule) -> tuple[bool, int, int]:
    """Return what patterns are sorted by: those without wildcards last, then by what is literal, then by `*`."""
    literal = _WILDCARDS.sub("", rule.pattern)
    return literal == rule.pattern, len(literal), -len(re.findall(r"#|>|\*\*", rule.pattern))


def _compile(pattern: str) -> re.Pattern[str]:
    """Return what matches the paths of a pattern."""
    parts, end = [], 0
    for found in _WILDCARDS.finditer(pattern):
        parts.append(re.escape(pattern[end : found.start()]))
        end = found.end()
        if found[0] == "*":
            parts.append(r"[^.]+")
        else:
            parts.append(r"(?:\..*)?" if found[0].startswith(".") else ".*")
    return re.compile("".join(parts) + re.escape(pattern[end:]), re.DOTALL)
