"""The types of a message's properties: values must be of them."""

from __future__ import annotations

import pytest

from stompd.broker.requests import Send
from stompd.errors import InvalidHeader
from tests.session.peer import request


def send(headers: dict[str, str]) -> Send:
    made = request("SEND", {"destination": "/queue/a", **headers})
    assert isinstance(made, Send)
    return made


@pytest.mark.parametrize("types", ["zz", "n=Q", "n=s", "n=", "=I", "n=I,", "n=I;m=J", "n=I+b", ","])
def test_list_of_types_that_cannot_be_read_is_refused(types: str) -> None:
    with pytest.raises(InvalidHeader) as caught:
        send({"jms-prop-types": types})

    assert caught.value.detail.startswith(f"jms-prop-types:{types} cannot be used. Accepted is a list of NAME=TYPE")
    assert caught.value.detail.endswith("for example jms-prop-types:age=I,ok=Z.")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("Z", "1"),
        ("Z", "TRUE"),
        ("B", "128"),
        ("S", "-32769"),
        ("I", "abc"),
        ("I", ""),
        ("I", "1.0"),
        ("I", "\u0664"),
        ("I", str(2**31)),
        ("J", str(2**63)),
        ("J", "9" * 30),
        ("F", "1,5"),
        ("D", "1_0"),
        ("D", "inf"),
        ("T+b", "a"),
        ("T+b", "\u00e9"),
    ],
)
def test_value_of_another_type_is_refused(code: str, value: str) -> None:
    with pytest.raises(InvalidHeader) as caught:
        send({"n": value, "jms-prop-types": f"n={code}"})

    said = f"n:{value} cannot be used, since jms-prop-types says n={code}. Accepted is "
    assert caught.value.detail.startswith(said)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("Z", "true"),
        ("B", "-128"),
        ("S", "32767"),
        ("I", str(-(2**31))),
        ("J", str(2**63 - 1)),
        ("F", "-1.5e10"),
        ("F", "NaN"),
        ("D", "-Infinity"),
        ("D", ".5"),
        ("T", "anything"),
        ("T+b", "AAA="),
        ("N", "null"),
    ],
)
def test_value_of_its_type_is_passed_on(code: str, value: str) -> None:
    headers = {"n": value, "jms-prop-types": f"n={code}"}

    assert send(headers).message.headers == headers


def test_spaces_between_types_do_not_count() -> None:
    assert send({"jms-prop-types": "a=I, b=Z", "a": "1", "b": "true"}).message.headers["a"] == "1"


def test_renamed_property_is_looked_at() -> None:
    with pytest.raises(InvalidHeader, match="jms-p-ttl:x cannot be used, since jms-prop-types says ttl=I"):
        send({"jms-p-ttl": "x", "jms-prop-types": "ttl=I"})


def test_property_that_is_not_there_is_left_alone() -> None:
    assert send({"jms-prop-types": "n=I"}).message.headers == {"jms-prop-types": "n=I"}
