"""Permissions: which rule decides, for whom, and what is true without one."""

from __future__ import annotations

import gc

import pytest

from stompd.auth.permissions import ACTIONS, Permissions, Rule, RuleError

GROUPS = {"billing": ("ann", "bob"), "ops": ("olga",)}


def permissions(*rules: str) -> Permissions:
    return Permissions.parse(rules, GROUPS)


def may(rules: list[str], user: str, action: str, path: str) -> bool:
    return permissions(*rules).of(user).may(action, path)


@pytest.mark.parametrize("action", ACTIONS)
def test_without_rules_everybody_may_do_everything(action: str) -> None:
    assert may([], "ann", action, "/queue/a")


@pytest.mark.parametrize("action", ["send", "consume", "browse", "manage"])
def test_with_rules_what_none_allows_is_denied(action: str) -> None:
    assert not may(["allow bob * *"], "ann", action, "/queue/a")


def test_user_is_named() -> None:
    rules = ["allow ann,carl send /queue/a"]

    assert may(rules, "ann", "send", "/queue/a")
    assert may(rules, "carl", "send", "/queue/a")
    assert not may(rules, "bob", "send", "/queue/a")


def test_group_is_named() -> None:
    rules = ["allow @billing send /queue/a"]

    assert may(rules, "bob", "send", "/queue/a")
    assert not may(rules, "olga", "send", "/queue/a")
    assert not may(rules, "billing", "send", "/queue/a")


def test_group_may_come_with_the_login() -> None:
    decisions = permissions("allow @guests send /queue/a").of("zoe", ["guests"])

    assert decisions.may("send", "/queue/a")


@pytest.mark.parametrize("name", ["@billing", "*"])
def test_user_who_calls_himself_like_a_group_is_not_in_it(name: str) -> None:
    decisions = permissions("allow @billing send /queue/a", f"allow {name} send /queue/b").of(name)

    assert not decisions.may("send", "/queue/a")


def test_everybody_is_named_by_an_asterisk() -> None:
    assert may(["allow * send /queue/a"], "anonymous", "send", "/queue/a")


@pytest.mark.parametrize("action", ACTIONS)
def test_rule_is_about_its_actions(action: str) -> None:
    rules = [f"allow ann {action} /queue/a", "deny * * *"]

    assert [other for other in ACTIONS if may(rules, "ann", other, "/queue/a")] == [action]


def test_first_rule_that_holds_decides() -> None:
    rules = ["deny bob send /queue/a", "allow @billing send /queue/a", "deny * send /queue/#"]

    assert may(rules, "ann", "send", "/queue/a")
    assert not may(rules, "bob", "send", "/queue/a")
    assert not may(rules, "ann", "send", "/queue/b")


def test_own_destinations_are_named_by_user() -> None:
    rules = ["allow * send,consume /queue/inbox.{user}.#"]

    assert may(rules, "ann", "consume", "/queue/inbox.ann.new")
    assert not may(rules, "bob", "consume", "/queue/inbox.ann.new")


def test_path_with_wildcards_must_be_allowed_as_a_whole() -> None:
    rules = ["allow ann consume /queue/a.*"]

    assert may(rules, "ann", "consume", "/queue/a.*")
    assert not may(rules, "ann", "consume", "/queue/a.#")


def test_path_with_wildcards_is_denied_if_a_part_of_it_is() -> None:
    rules = ["deny ann consume /queue/DLQ.#", "allow ann consume /queue/#"]

    assert may(rules, "ann", "consume", "/queue/orders.*")
    assert not may(rules, "ann", "consume", "/queue/#")


def test_who_may_send_or_consume_may_create_unless_a_rule_says_otherwise() -> None:
    assert may(["allow ann send /queue/a"], "ann", "create", "/queue/a")
    assert not may(["deny * create /queue/#", "allow ann send /queue/a"], "ann", "create", "/queue/a")


@pytest.mark.parametrize("path", ["/temp-queue/a", "/temp-topic/a", "/reply-queue/0f", "/reply-topic/0f"])
def test_temporary_destinations_need_no_rule(path: str) -> None:
    assert may(["allow bob send /queue/a"], "ann", "send", path)
    assert may(["allow bob send /queue/a"], "ann", "consume", path)
    assert not may(["allow bob send /queue/a"], "ann", "manage", path)
    assert not may(["deny * send *"], "ann", "send", path)


def test_deciding_rule_is_told() -> None:
    decisions = permissions("deny bob * *", "allow ann  send /queue/a").of("ann")

    assert decisions.explain("send", "/queue/a") == (True, 2, "allow ann  send /queue/a")
    assert decisions.explain("send", "/queue/b") == (False, None, "no rule allows it")


def test_decisions_of_a_user_are_shared_and_forgotten_with_the_last_connection() -> None:
    made = permissions("allow ann send /queue/a")
    first = made.of("ann")

    assert made.of("ann") is first
    del first
    gc.collect()
    assert not made._decisions


def test_remembered_decisions_are_bounded() -> None:
    decisions = permissions("allow ann send /queue/#").of("ann")

    for number in range(5_000):
        assert decisions.may("send", f"/queue/{number}")

    assert len(decisions._known) <= 4_096


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("", 1, "allow or deny expected"),
        ("permit ann send /queue/a", 1, "allow or deny expected"),
        ("allow", 6, "users or @groups expected"),
        ("allow ann", 10, "actions expected"),
        ("allow ann send", 15, "a destination expected"),
        ("allow ann, send /queue/a", 11, "a user, a group such as @billing, or * expected"),
        ("allow @ send /queue/a", 7, "a user, a group such as @billing, or * expected"),
        ("allow ann send,read /queue/a", 16, "read is no action; use send, consume, browse, create, manage or *"),
        ("allow ann send queue", 16, "a destination is expected such as /queue/orders.#, or * for all"),
        ("allow ann send /queue/a*", 16, "a* cannot be used"),
    ],
)
def test_wrong_rule_is_answered_with_a_column(text: str, column: int, sentence: str) -> None:
    with pytest.raises(RuleError) as caught:
        Rule.parse(text)

    assert caught.value.column == column
    assert str(caught.value).startswith(sentence)
