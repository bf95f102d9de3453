"""Which broker it is, what it can do, and what it tells about itself."""

from __future__ import annotations

import pytest

from jms_api import ConnectionMetaData, IllegalArgumentException, TextMessage, UnsupportedOperationException
from jms_api.mapping import needs_length, to_frame_parts
from jms_api.mapping.names import COLLIDING_NAMES, FIELD_HEADERS, header_of, property_of
from jms_api.profiles import ACTIVEMQ, ARTEMIS, RABBITMQ, STOMPD, UNKNOWN, Profile, profile_named, profile_of
from stompd.selector.lexer import is_name
from stompd.session.dialect import HEADERS
from stompd.session.headers import MEANINGS
from stompd.session.unsupported import UNSUPPORTED


@pytest.mark.parametrize(
    ("server", "profile"),
    [
        ("stompd/0.1.0", STOMPD),
        ("stompd", STOMPD),
        ("ActiveMQ/6.1.0", ACTIVEMQ),
        ("ActiveMQ-Artemis/2.33.0 ActiveMQ Artemis Messaging Engine", ARTEMIS),
        ("RabbitMQ/3.13.0", RABBITMQ),
        ("apache-apollo/1.7", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_broker_is_known_by_what_it_says(server: str | None, profile: Profile) -> None:
    assert profile_of(server) is profile


def test_profile_has_a_name() -> None:
    assert profile_named("RabbitMQ") is RABBITMQ
    with pytest.raises(IllegalArgumentException, match="stompd, activemq, activemq-scheduler, artemis, rabbitmq"):
        profile_named("kafka")


def test_stompd_can_do_everything() -> None:
    assert all(
        getattr(STOMPD, name) for name in dir(STOMPD) if name.startswith("has_") and name != "has_relative_expiry"
    )


def test_unknown_broker_promises_nothing_but_transactions() -> None:
    assert [name for name in dir(UNKNOWN) if name.startswith("has_") and getattr(UNKNOWN, name)] == [
        "has_atomic_transactions"
    ]


def test_text_with_a_nul_keeps_its_length_and_says_what_it_is() -> None:
    headers, _ = to_frame_parts(TextMessage("a\0b"), ACTIVEMQ)

    assert headers["amq-msg-type"] == "text"
    assert needs_length(headers, ACTIVEMQ)


def test_text_with_a_nul_cannot_be_sent_by_artemis() -> None:
    with pytest.raises(UnsupportedOperationException):
        to_frame_parts(TextMessage("a\0b"), ARTEMIS)


@pytest.mark.parametrize(
    "name", sorted({header.name for header in HEADERS["SEND"]} | {*MEANINGS, *UNSUPPORTED.get("SEND", {})})
)
def test_no_property_is_taken_for_a_header_of_stompd(name: str) -> None:
    if not is_name(name):
        return

    assert header_of(name) != name or name.startswith("JMSXGroup")


@pytest.mark.parametrize("name", sorted(name for name in COLLIDING_NAMES if is_name(name)))
def test_renamed_property_is_read_by_its_name(name: str) -> None:
    header = header_of(name)

    assert header == f"jms-p-{name}"
    assert property_of(header) == name


def test_field_is_no_property() -> None:
    assert not [name for name in FIELD_HEADERS if property_of(name)]


@pytest.mark.jms(
    *("ConnectionMetaData.jms_version", "ConnectionMetaData.jms_major_version"),
    *("ConnectionMetaData.jms_minor_version", "ConnectionMetaData.jms_provider_name"),
    *("ConnectionMetaData.provider_version", "ConnectionMetaData.provider_major_version"),
    *("ConnectionMetaData.provider_minor_version", "ConnectionMetaData.jmsx_property_names"),
)
def test_jms_206_connection_tells_versions() -> None:
    meta = ConnectionMetaData("stompd/0.12.3")

    assert (meta.jms_version, meta.jms_major_version, meta.jms_minor_version) == ("3.1", 3, 1)
    assert (meta.jms_provider_name, meta.provider_version) == ("stompd", "0.12.3")
    assert (meta.provider_major_version, meta.provider_minor_version) == (0, 12)


@pytest.mark.parametrize(
    ("server", "name", "version", "numbers"),
    [
        (None, "unknown", "", (0, 0)),
        ("", "unknown", "", (0, 0)),
        ("broker", "broker", "", (0, 0)),
        ("ActiveMQ-Artemis/2.33.0 ActiveMQ Artemis", "ActiveMQ-Artemis", "2.33.0", (2, 33)),
        ("ActiveMQ/6-SNAPSHOT", "ActiveMQ", "6-SNAPSHOT", (6, 0)),
        ("x/y", "x", "y", (0, 0)),
    ],
)
def test_broker_that_tells_little_has_some_version(
    server: str | None, name: str, version: str, numbers: tuple[int, int]
) -> None:
    meta = ConnectionMetaData(server)

    assert (meta.jms_provider_name, meta.provider_version) == (name, version)
    assert (meta.provider_major_version, meta.provider_minor_version) == numbers


def test_metadata_shows_what_it_is_about() -> None:
    assert repr(ConnectionMetaData("stompd/1")) == "<ConnectionMetaData JMS 3.1 on stompd/1>"


def test_jms_063_mandatory_properties_are_supported() -> None:
    assert {*ConnectionMetaData("stompd/1").jmsx_property_names} >= {"JMSXDeliveryCount", "JMSXGroupID", "JMSXGroupSeq"}
