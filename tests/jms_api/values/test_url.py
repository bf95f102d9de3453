"""URLs: what they say, and what is said about wrong ones."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jms_api import IllegalArgumentException
from jms_api.profiles import RABBITMQ
from jms_api.url import ConnectionOptions


def parse(url: str, **overrides: object) -> ConnectionOptions:
    return ConnectionOptions.parse(url, **overrides)


def test_everything_can_be_said_in_a_url() -> None:
    options = parse("stomp://me:se%40cret@mq1,mq2:61614?client_id=shop&heartbeat=10s,500ms&profile=rabbitmq&prefetch=5")

    assert (options.scheme, options.addresses) == ("stomp", (("mq1", 61613), ("mq2", 61614)))
    assert (options.user_name, options.password) == ("me", "se@cret")
    assert (options.client_id, options.heartbeat) == ("shop", (10_000, 500))
    assert (options.profile, options.prefetch) == (RABBITMQ, 5)


def test_keywords_replace_what_the_url_says() -> None:
    options = parse(
        "stomp://a?client_id=x&reconnect=no", client_id="y", connect_timeout=timedelta(seconds=2), user_name=None
    )

    assert (options.client_id, options.connect_timeout, options.reconnect) == ("y", 2_000, False)
    assert options.user_name is None


def test_keywords_may_have_their_own_types() -> None:
    options = parse("stomp://h", reconnect=False, prefetch=5, connect_timeout=500, profile=RABBITMQ)

    assert (options.reconnect, options.prefetch, options.connect_timeout) == (False, 5, 500)
    assert options.profile is RABBITMQ


@pytest.mark.parametrize(
    ("url", "address", "is_encrypted", "is_websocket", "path"),
    [
        ("stomp://h", ("h", 61613), False, False, "/"),
        ("stomp+ssl://h", ("h", 61614), True, False, "/"),
        ("ws://h", ("h", 80), False, True, "/"),
        ("wss://h/stomp/v1", ("h", 443), True, True, "/stomp/v1"),
        ("stomp://[::1]:5", ("::1", 5), False, False, "/"),
        ("stomp://[fe80::1%25eth0]", ("fe80::1%eth0", 61613), False, False, "/"),
        ("stomp://h/", ("h", 61613), False, False, "/"),
    ],
)
def test_scheme_decides_port_and_encryption(
    url: str, address: tuple[str, int], is_encrypted: bool, is_websocket: bool, path: str
) -> None:
    options = parse(url)

    assert options.addresses == (address,)
    assert (options.is_encrypted, options.is_websocket, options.path) == (is_encrypted, is_websocket, path)


def test_nobody_is_logged_in_unless_the_url_says_so() -> None:
    assert (parse("stomp://h").user_name, parse("stomp://h").password) == (None, None)
    assert (parse("stomp://me@h").user_name, parse("stomp://me@h").password) == ("me", None)


@pytest.mark.parametrize("duration", ["0", 0, "0s", timedelta()])
def test_heartbeats_can_be_turned_off(duration: object) -> None:
    assert parse("stomp://h", heartbeat=(duration, duration)).heartbeat == (0, 0)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "scheme"),
        ("localhost:61613", "scheme"),
        ("tcp://h", "stomp, stomp+ssl, ws, wss"),
        ("stomp://", "no address"),
        ("stomp://a,,b", "no address"),
        ("stomp://a:0", "no address"),
        ("stomp://a:65536", "no address"),
        ("stomp://a:port", "no address"),
        ("stomp://::1", "no address"),
        ("stomp://h/path", "path"),
        ("stomp://h#x", "%23"),
        ("stomp://h?clientid=x", "'clientid'"),
        ("stomp://h?client_id=x&client_id=y", "twice"),
        ("stomp://h?client_id=", "client_id"),
        ("stomp://h?client_id=a%0Ab", "client_id"),
        ("stomp://h?heartbeat=10s", "two durations"),
        ("stomp://h?heartbeat=10,10", "unit"),
        ("stomp://h?heartbeat=-1s,1s", "unit"),
        ("stomp://h?connect_timeout=5", "unit"),
        ("stomp://h?prefetch=-1", "whole number"),
        ("stomp://h?prefetch=x", "whole number"),
        ("stomp://h?reconnect=maybe", "true or false"),
        ("stomp://h?profile=kafka", "kafka"),
        ("stomp://h?scheme=ws", "'scheme'"),
        ("stomp://h?allowed_classes=os.system", "not in the URL"),
    ],
)
def test_url_that_cannot_be_used_is_answered_with_a_sentence(url: str, says: str) -> None:
    with pytest.raises(IllegalArgumentException) as caught:
        parse(url)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    "overrides", [{"prefetch": True}, {"prefetch": 1.5}, {"client_id": 5}, {"heartbeat": 5}, {"allowed_classes": ["x"]}]
)
def test_keyword_of_the_wrong_type_is_refused(overrides: dict[str, object]) -> None:
    with pytest.raises(IllegalArgumentException):
        parse("stomp://h", **overrides)


@pytest.mark.parametrize("url", ["stomp://me:hunter2@h:0", "stomp://me:hunter2@h?x=1", "http://me:hunter2@h"])
def test_password_is_never_shown(url: str) -> None:
    with pytest.raises(IllegalArgumentException) as caught:
        parse(url)

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(parse("stomp://me:hunter2@h"))
