"""Two spellings of one header on one frame: the same value, or an ERROR."""

from __future__ import annotations

import pytest

from stompd.errors import InvalidHeader
from stompd.session.aliases import refuse_contradictions
from stompd.session.dialect import HEADERS
from tests.session.peer import request

_PAIRS = [
    (command, header.name, alias)
    for command, headers in HEADERS.items()
    for header in headers
    for alias in header.aliases
]


@pytest.mark.parametrize(("command", "name", "alias"), _PAIRS)
def test_spellings_that_differ_are_refused(command: str, name: str, alias: str) -> None:
    for said in ({name: "1", alias: "0"}, {alias: "1", name: "0"}):
        with pytest.raises(InvalidHeader) as caught:
            refuse_contradictions(command, said)

        assert all(f"{header}:{value}" in caught.value.detail for header, value in said.items())


@pytest.mark.parametrize(("command", "name", "alias"), _PAIRS)
def test_spellings_that_agree_are_taken(command: str, name: str, alias: str) -> None:
    refuse_contradictions(command, {name: "1", alias: "1"})


@pytest.mark.parametrize(("command", "name", "alias"), _PAIRS)
def test_empty_spelling_contradicts_nothing(command: str, name: str, alias: str) -> None:
    refuse_contradictions(command, {name: "1", alias: ""})
    refuse_contradictions(command, {name: "", alias: "1"})


def test_two_aliases_are_compared_too() -> None:
    with pytest.raises(InvalidHeader, match="x-delay:1 and AMQ_SCHEDULED_DELAY:2 on SEND contradict"):
        refuse_contradictions("SEND", {"x-delay": "1", "AMQ_SCHEDULED_DELAY": "2"})


@pytest.mark.parametrize(
    ("command", "headers"),
    [
        ("SUBSCRIBE", {"no-local": "true", "no_local": "1", "activemq.noLocal": "YES"}),
        ("SUBSCRIBE", {"exclusive": "false", "activemq.exclusive": "no"}),
        ("SUBSCRIBE", {"prefetch-count": "5", "credit": "5,65536"}),
        ("SUBSCRIBE", {"from-seq": "5", "x-stream-offset": "offset=5"}),
        ("SEND", {"ttl": "5", "expires": "1900000000000"}),
    ],
)
def test_what_means_the_same_or_something_else_is_no_contradiction(command: str, headers: dict[str, str]) -> None:
    refuse_contradictions(command, headers)


@pytest.mark.parametrize(
    ("command", "headers"),
    [
        ("SEND", {"last-value-key": "a", "_AMQ_LVQ_NAME": "b"}),
        ("SEND", {"JMSXGroupID": "a", "message_group": "b"}),
        ("SUBSCRIBE", {"id": "1", "prefetch-count": "5", "credit": "7"}),
        ("SUBSCRIBE", {"id": "1", "durable": "true", "persistent": "false"}),
        ("UNSUBSCRIBE", {"id": "1", "durable-subscription-name": "a", "activemq.subscriptionName": "b"}),
    ],
)
def test_frame_that_contradicts_itself_is_refused(command: str, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidHeader, match="contradict each other, being two spellings of one header"):
        request(command, {"destination": "/queue/a", **headers})
