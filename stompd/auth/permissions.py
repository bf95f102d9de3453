"""Permissions: ordered rules that say who may do what where; the first one that holds decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, final
from weakref import WeakValueDictionary

from stompd.auth.patterns import Extent, Pattern
from stompd.errors import SettingError
from stompd.settings import Settings

#: What a user may want to do.
ACTIONS = ("send", "consume", "browse", "create", "manage")

#: Temporary destinations: the core lets only their owner consume, and whoever was told the name send.
_TEMPORARY = re.compile(r"/(temp|reply)-(queue|topic)/")

#: Decisions of one user that are remembered: a megabyte at most.
_MOST_DECISIONS = 4_096

_TOKEN = re.compile(r"\S+")

_EXAMPLE = 'for example "allow ann,@billing send,consume /queue/orders.#"'


class RuleError(ValueError):
    """A rule cannot be parsed; the message says what is expected at the column."""

    def __init__(self, column: int, sentence: str) -> None:
        """Say what was expected; the column counts characters from 1."""
        super().__init__(sentence)
        self.column = column


@final
class Rule(NamedTuple):
    """One line of the settings."""

    text: str
    is_allowing: bool
    #: Names; those of groups begin with `@`, and `*` is everybody.
    who: frozenset[str]
    actions: frozenset[str]
    pattern: Pattern

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Return the rule that a line spells: `allow|deny WHO ACTIONS DESTINATION`.

        Raises:
            RuleError: It cannot be parsed.
        """
        tokens = list(_TOKEN.finditer(text))
        if tokens and tokens[0][0] not in ("allow", "deny"):
            raise RuleError(tokens[0].start() + 1, f"allow or deny expected, {_EXAMPLE}")
        missing = ("allow or deny", "users or @groups", "actions", "a destination")
        if len(tokens) < len(missing):
            raise RuleError(len(text.rstrip()) + 1, f"{missing[len(tokens)]} expected, {_EXAMPLE}")
        verdict, who, actions, destination = tokens[:4]
        names = [name for _, name in _parts(who, "a user, a group such as @billing, or *")]
        for place, action in _parts(actions, "an action"):
            if action not in (*ACTIONS, "*"):
                raise RuleError(place, f"{action} is no action; use {', '.join(ACTIONS)} or *")
        chosen = {action for _, action in _parts(actions, "an action")}
        try:
            # The name of a destination may have spaces.
            pattern = Pattern.parse(text[destination.start() :].rstrip())
        except ValueError as error:
            raise RuleError(destination.start() + 1, str(error)) from error
        return cls(
            text.strip(),
            verdict[0] == "allow",
            frozenset(names),
            frozenset(ACTIONS if "*" in chosen else chosen),
            pattern,
        )

    def is_about(self, names: frozenset[str]) -> bool:
        """Whether it is about somebody with these names."""
        return not self.who.isdisjoint(names)


@final
class Verdict(NamedTuple):
    """What was decided, and by which rule."""

    is_allowed: bool
    #: From 1; None if no rule holds.
    number: int | None
    #: Its text, or what holds without one.
    reason: str


@final
class Decisions:
    """What one user may do, worked out from the rules about him and remembered; shared by all his connections."""

    __slots__ = ("__weakref__", "_has_rules", "_known", "_rules")

    def __init__(self, rules: Sequence[tuple[int, Rule]], *, has_rules: bool) -> None:
        self._rules = rules
        self._has_rules = has_rules
        self._known: dict[tuple[str, str], bool] = {}

    def may(self, action: str, destination: str) -> bool:
        """Whether the action is allowed on a path, which may have wildcards: on everything it stands for."""
        if not self._has_rules:
            return True
        known = self._known.get((action, destination))
        if known is None:
            if len(self._known) >= _MOST_DECISIONS:
                self._known.clear()
            known = self._known[action, destination] = self.explain(action, destination).is_allowed
        return known

    def explain(self, action: str, destination: str) -> Verdict:
        """Return which rule decides.

        Of a path with wildcards, a rule that allows must hold for all; one that denies need hold for some.
        """
        for number, rule in self._rules:
            if action not in rule.actions:
                continue
            extent = rule.pattern.extent(destination)
            if extent is Extent.ALL or (extent is Extent.SOME and not rule.is_allowing):
                return Verdict(rule.is_allowing, number, rule.text)
        return self._without_rule(action, destination)

    def _without_rule(self, action: str, destination: str) -> Verdict:
        if not self._has_rules:
            return Verdict(True, None, "there are no rules, so everybody may do everything")
        if _TEMPORARY.match(destination) and action in ("send", "consume", "create"):
            return Verdict(True, None, "no rule is about it, and temporary destinations protect themselves")
        if action == "create":
            return Verdict(True, None, "no rule is about it, so whoever may send or consume may create")
        return Verdict(False, None, "no rule allows it")


@final
class Permissions:
    """All rules, and who is in which group."""

    def __init__(self, rules: Sequence[Rule] = (), groups: Mapping[str, Sequence[str]] | None = None) -> None:
        """Take rules in their order, and the names of each group's members."""
        self._rules = tuple(enumerate(rules, 1))
        self._groups: dict[str, set[str]] = {}
        for group, members in (groups or {}).items():
            for name in members:
                self._groups.setdefault(name, set()).add(group)
        self._decisions: WeakValueDictionary[tuple[str, frozenset[str]], Decisions] = WeakValueDictionary()

    @classmethod
    def parse(cls, texts: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Permissions:
        """Return the permissions that lines and groups of the settings spell.

        Raises:
            RuleError: A rule cannot be parsed.
        """
        return cls([Rule.parse(text) for text in texts], groups)

    def of(self, name: str, groups: Sequence[str] = ()) -> Decisions:
        """Return what a user may do.

        Args:
            name: As logged in.
            groups: Those that his login says he is in, beside those of the settings.
        """
        every = frozenset(groups) | self._groups.get(name, set())
        key = (name, every)
        decisions = self._decisions.get(key)
        if decisions is None:
            names = _names(name, every)
            rules = [
                (number, rule._replace(pattern=rule.pattern.for_user(name)))
                for number, rule in self._rules
                if rule.is_about(names)
            ]
            decisions = self._decisions[key] = Decisions(rules, has_rules=bool(self._rules))
        return decisions


def check_permissions(settings: Settings, path: Path | None) -> None:
    """Make sure that the rules of all virtual hosts can be parsed.

    Args:
        settings: Those with the rules.
        path: The file they are from, if they are from one.

    Raises:
        SettingError: One cannot; the error says where it stands.
    """
    hosts = [f"hosts.{name}.permissions" for name, host in settings.hosts.items() for _ in host.permissions]
    names = ["permissions" for _ in settings.permissions] + hosts
    texts = [*settings.permissions, *(text for host in settings.hosts.values() for text in host.permissions)]
    for number, (name, text) in enumerate(zip(names, texts, strict=True), 1):
        try:
            Rule.parse(text)
        except RuleError as error:
            place = _place_in_file(path, text, error.column) or f"rule {number}, column {error.column}"
            raise SettingError(f"{path}: {name}: {place}: {error}") from error


def _place_in_file(path: Path | None, text: str, column: int) -> str | None:
    """Return the line and column of a text in the settings file; None where the file spells it with escapes."""
    lines = path.read_text("utf-8").splitlines() if path else []
    for number, line in enumerate(lines, 1):
        for quote in "\"'":
            start = line.find(f"{quote}{text}{quote}")
            if start >= 0:
                return f"line {number}, column {start + 1 + column}"
    return None


def _names(name: str, groups: frozenset[str]) -> frozenset[str]:
    """Return the words in rules that mean a user; who calls himself like a group is not in it."""
    own = {name} if not name.startswith(("@", "*")) else set()
    return frozenset({"*"} | own | {f"@{group}" for group in groups})


def _parts(token: re.Match[str], expected: str) -> list[tuple[int, str]]:
    """Return what stands between the commas of a token, each with its column."""
    parts = []
    column = token.start() + 1
    for part in token[0].split(","):
        if not part or part == "@":
            raise RuleError(column, f"{expected} expected")
        parts.append((column, part))
        column += len(part) + 1
    return parts
