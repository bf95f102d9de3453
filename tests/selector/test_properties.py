"""What holds for all selectors, and that SQLite thinks the same of them."""

from __future__ import annotations

from math import inf, nan

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from stompd.errors import SelectorError
from stompd.selector.evaluate import Selector, compile_selector
from stompd.selector.parser import parse
from tests.selector.sql import ask_sqlite
from tests.selector.trees import loose_conditions, messages, selector, sensible_conditions
from tests.selector.truth import truth

#: However busy the machine is.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

#: What selectors are made of, and what resembles it.
FRAGMENTS = [
    *(
        "a",
        "b",
        "x-y",
        '"q r"',
        "größe",
        "JMSPriority",
        "JMSReplyTo",
        "'s'",
        "'it''s'",
        "''",
        "'",
        '"',
        "'a%_'",
        "1",
        "0",
    ),
    *(
        "2.5",
        ".5e3",
        "0x1F",
        "017",
        "9223372036854775807",
        "9223372036854775808",
        "1e400",
        "5L",
        "1f",
        "0.0",
        "-",
        "--",
    ),
    *("+", "*", "/", "=", "<>", "<", "<=", ">", ">=", "!=", "(", ")", ",", ".", "AND", "OR", "NOT", "BETWEEN", "LIKE"),
    *(
        "IN",
        "IS",
        "NULL",
        "ESCAPE",
        "TRUE",
        "false",
        "is not null",
        "a = 1",
        "('x', 'y')",
        "\n",
        "\0",
        "\ud800",
        "\u0131",
    ),
    *("hyphenated_props:", "convert_string_expressions:"),
]
random_texts = st.text(max_size=40) | st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(" ".join)
glued_texts = st.lists(st.sampled_from(FRAGMENTS), max_size=10).map("".join)

values = st.sampled_from(
    [None, True, False, 0, 1, -(2**63), 2**63, 10**400, 0.0, -0.0, 1e308, inf, -inf, nan]
) | st.text("0123456789.eE+-truefals \u0665", max_size=25)


@settings(unhurried, max_examples=500)
@given(loose_conditions, messages)
def test_sqlite_agrees_on_values_of_all_types(node, message):
    text = selector(node)
    assume(_is_accepted(text))

    assert truth(text, message) is ask_sqlite(node, message)


@settings(unhurried, max_examples=300)
@given(sensible_conditions, messages)
def test_sqlite_agrees_on_messages_of_text_alone(node, message):
    as_text = {name: None if value is None else _spell(value) for name, value in message.items()}

    outcome = truth(selector(node), as_text | {"any": message["any"]}, is_typed=False)

    assert outcome is ask_sqlite(node, message)


def _spell(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(unhurried, max_examples=300)
@given(loose_conditions)
def test_selector_is_read_as_it_was_written(node):
    text = selector(node)
    assume(_is_accepted(text))

    # By its text, since in Python True, 1 and 1.0 are equal.
    assert repr(parse(text).condition) == repr(node)


def _is_accepted(text: str) -> bool:
    """Whether a selector does not compare what cannot be equal, such as a literal with a literal of another type."""
    try:
        compile_selector(text)
    except SelectorError as error:
        if "cannot equal" in error.detail:
            return False
        raise
    return True


@settings(unhurried, max_examples=1_000)
@given(
    random_texts | glued_texts,
    st.dictionaries(st.sampled_from(["a", "b", "x-y", "x", "y", "q r"]), values),
    st.booleans(),
)
@example("a / 0.0 = b * 10 OR a / b > 1", {"a": 10**400, "b": 0}, True)
def test_random_text_is_a_selector_or_an_error_with_a_column(text, message, is_typed):
    compiled = _compile(text)

    if isinstance(compiled, SelectorError):
        first, _, caret = compiled.detail.split("\n")
        assert first.endswith(f", at column {compiled.column} of the selector.")
        assert 1 <= compiled.column <= len(text) + 1
        assert caret.strip() == "^"
    else:
        assert compiled.matches(message.get, is_typed=is_typed) in (True, False)


def _compile(text: str) -> Selector | SelectorError:
    try:
        return compile_selector(text)
    except SelectorError as error:
        return error


@given(st.text("ab_%!.*", max_size=12), st.text("ab!.*\n", max_size=12))
@example("%a%b%", "ba")
def test_like_is_what_trying_every_split_finds(pattern, value):
    assert truth(f"a LIKE '{pattern}'", {"a": value}) is _fits(pattern, value)


def _fits(pattern: str, value: str) -> bool:
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(_fits(pattern[1:], value[start:]) for start in range(len(value) + 1))
    return value != "" and pattern[0] in ("_", value[0]) and _fits(pattern[1:], value[1:])


@unhurried
@given(sensible_conditions, messages)
def test_selector_asks_for_no_other_names_than_it_says(node, message):
    compiled = compile_selector(selector(node))
    asked: set[str] = set()

    def lookup(name):
        asked.add(name)
        return message[name]

    compiled.matches(lookup)

    assert asked <= compiled.identifiers
