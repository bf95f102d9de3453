"""MESSAGE, RECEIPT and ERROR as octets."""

from __future__ import annotations

import pytest

from stompd.broker.message import Message
from stompd.broker.requests import AckMode, DeliveryToken
from stompd.errors import InternalError, InvalidHeader, MalformedFrame, NotConnected, StompError, UnsupportedVersion
from stompd.session.session import SessionSettings
from stompd.wire.frame import Frame
from tests.session.peer import NOW, connected, delivery, frame, new_session, read, subscription

VERSIONS = ["1.0", "1.1", "1.2"]


def message(headers: dict[str, str] | None = None, body: bytes = b"hello", **properties: int) -> Message:
    return Message("/queue/a", headers or {}, body, message_id=42, timestamp_ms=1_700_000_000_000, **properties)


def test_message_as_octets() -> None:
    octets = connected().message(delivery(message({"a": "b"}), number=3))

    assert octets == (
        b"MESSAGE\nsubscription:0\nack:7-1-3\nredelivered:false\nJMSXDeliveryCount:1\nmessage-id:42\npersistent:true\n"
        b"priority:4\ntimestamp:1700000000000\ncontent-length:5\ndestination:/queue/a\na:b\n\nhello\0\n"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_message_has_its_body_and_the_senders_headers(version: str) -> None:
    sent = message({"content-type": "text/plain", "n\u00e4me": "v\u00e4lue"}, b"a\0b")

    found = read(connected(version).message(delivery(sent)), version)

    assert (found.command, found.body) == ("MESSAGE", b"a\0b")
    assert found.headers["content-length"] == "3"
    assert found.headers["content-type"] == "text/plain"
    assert found.headers["n\u00e4me"] == "v\u00e4lue"


def test_message_tells_its_properties() -> None:
    sent = message(priority=7, expires_ms=1_800_000_000_000, is_persistent=False)

    found = read(connected().message(delivery(sent))).headers

    assert (found["priority"], found["expires"], found["persistent"]) == ("7", "1800000000000", "false")
    assert (found["message-id"], found["timestamp"]) == ("42", "1700000000000")


def test_message_that_never_expires_says_nothing_of_it() -> None:
    assert "expires" not in read(connected().message(delivery(message()))).headers


def test_first_delivery_is_flagged_so() -> None:
    found = read(connected().message(delivery(message()))).headers

    assert (found["redelivered"], found["JMSXDeliveryCount"]) == ("false", "1")


def test_redelivery_is_flagged_and_counted() -> None:
    found = read(connected().message(delivery(message(), delivery_count=2))).headers

    assert (found["redelivered"], found["JMSXDeliveryCount"]) == ("true", "3")


@pytest.mark.parametrize("mode", [AckMode.CLIENT, AckMode.INDIVIDUAL])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_message_to_be_acknowledged_has_a_token(version: str, mode: AckMode) -> None:
    given = delivery(message(), subscription(number=5, ack_mode=mode), number=9)

    assert read(connected(version).message(given), version).headers["ack"] == "7-5-9"


def test_token_is_understood_when_it_comes_back() -> None:
    session = connected()
    token = read(session.message(delivery(message(), subscription(number=5), number=9))).headers["ack"]

    made = session.receive_frame(frame("ACK", {"id": token}), NOW)

    assert made.name == DeliveryToken(5, 9)


def test_automatic_subscription_has_no_token() -> None:
    given = delivery(message(), subscription(ack_mode=AckMode.AUTO))

    assert "ack" not in read(connected().message(given)).headers


def test_1_0_has_no_token() -> None:
    assert "ack" not in read(connected("1.0").message(delivery(message())), "1.0").headers


def test_unnamed_subscription_of_1_0_is_not_named() -> None:
    given = delivery(message(), subscription("/queue/a", is_named=False))

    assert "subscription" not in read(connected("1.0").message(given), "1.0").headers


@pytest.mark.parametrize("version", VERSIONS)
def test_named_subscription_is_named(version: str) -> None:
    given = delivery(message(), subscription("s"))

    assert read(connected(version).message(given), version).headers["subscription"] == "s"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_ids_and_headers_are_escaped(version: str) -> None:
    sent = message({"na:me\\": "va:l\nue\\"})
    given = delivery(sent, subscription("s:\\\n"))

    found = read(connected(version).message(given), version).headers

    assert found["subscription"] == "s:\\\n"
    assert found["na:me\\"] == "va:l\nue\\"


def test_1_0_gets_only_what_it_can_read() -> None:
    sent = message({"na:me": "x", "line\nend": "x", "value": "a:b\nack:forged\\"})

    found = read(connected("1.0").message(delivery(sent)), "1.0").headers

    assert found["value"] == "a:back:forged\\"
    assert not {"na", "na:me", "line", "end", "ack"} & found.keys()


def test_message_is_encoded_once_for_all_receivers_of_a_version() -> None:
    sent = message()
    connected("1.2").message(delivery(sent))
    encodings = sent.encodings
    kept = dict(encodings or {})

    connected("1.2").message(delivery(sent, subscription(number=2)))
    connected("1.1").message(delivery(sent))

    assert list(kept) == ["1.2"]
    assert sent.encodings is encodings
    assert list(encodings or {}) == ["1.2", "1.1"]
    assert (encodings or {})["1.2"] is kept["1.2"]


def test_receivers_with_and_without_trailing_line_ends_share_an_encoding() -> None:
    sent = message()

    with_eol = connected().message(delivery(sent))
    without_eol = connected(settings=SessionSettings(trailing_eol=False)).message(delivery(sent))

    assert with_eol == without_eol + b"\n"


def test_many_subscriptions_of_one_session_stay_apart() -> None:
    session = connected()
    all_given = [delivery(message(), subscription(f"s{n}", number=n), number=n) for n in range(1, 1_100)]

    tokens = [read(session.message(given)).headers["ack"] for given in all_given + all_given]

    assert tokens == [f"7-{n}-{n}" for n in range(1, 1_100)] * 2


@pytest.mark.parametrize("version", VERSIONS)
def test_receipt_names_what_it_confirms(version: str) -> None:
    assert connected(version).receipt("r-1", {}) == b"RECEIPT\nreceipt-id:r-1\n\n\0\n"


@pytest.mark.parametrize("receipt", ["", "a:b", "a\\b", "a\nb", "\u00e4"])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_receipt_is_escaped(version: str, receipt: str) -> None:
    found = read(connected(version).receipt(receipt, {}), version)

    assert found == Frame("RECEIPT", {"receipt-id": receipt})


def test_receipt_may_tell_more() -> None:
    found = read(connected().receipt("r", {"prefetch-count": "1:0"}))

    assert found.headers == {"receipt-id": "r", "prefetch-count": "1:0"}


@pytest.mark.parametrize("version", VERSIONS)
def test_error_names_the_fault_and_teaches(version: str) -> None:
    error = InvalidHeader("priority:x cannot be used.", {"setting": "s"})

    found = read(connected(version).error(error, "r"), version)

    assert found == Frame(
        "ERROR",
        {
            "message": "A header has a value that cannot be used",
            "error-code": "invalid-header",
            "receipt-id": "r",
            "setting": "s",
            "content-type": "text/plain",
            "content-length": "27",
        },
        b"priority:x cannot be used.\n",
    )


def test_error_as_octets_ends_like_every_frame() -> None:
    octets = connected().error(InternalError("It was us."), None)

    assert octets == (
        b"ERROR\nmessage:The broker failed with an internal error\nerror-code:internal-error\n"
        b"content-type:text/plain\ncontent-length:11\n\nIt was us.\n\0\n"
    )


@pytest.mark.parametrize("receipt", [None, "r"])
def test_error_has_a_receipt_id_only_where_one_was_asked_for(receipt: str | None) -> None:
    found = read(connected().error(InternalError("It was us."), receipt))

    assert found.headers.get("receipt-id") == receipt


@pytest.mark.parametrize("error", [NotConnected("SEND came first."), MalformedFrame("No colon.")])
def test_error_before_connect_is_plain(error: StompError) -> None:
    found = read(new_session().error(error, "a:b\\c"), None)

    assert found.headers["error-code"] == error.code
    assert found.headers["receipt-id"] == "a:b\\c"


def test_error_without_a_common_version_lists_ours() -> None:
    session = new_session()
    with pytest.raises(UnsupportedVersion) as caught:
        session.receive_frame(frame("CONNECT", {"accept-version": "9.9"}), NOW)

    found = read(session.error(caught.value, None), None)

    assert found.headers["version"] == "1.0,1.1,1.2"
    assert b"1.0,1.1,1.2" in found.body


def test_error_ends_the_session() -> None:
    session = connected()

    session.error(InternalError("It was us."), None)

    assert not session.takes_frames


def test_error_can_follow_a_disconnect() -> None:
    session = connected()
    session.receive_frame(frame("DISCONNECT", {"receipt": "r"}), NOW)

    found = read(session.error(InternalError("It was us."), "r"))

    assert found.headers["receipt-id"] == "r"


def test_heart_beat_is_one_line_end() -> None:
    assert connected().heart_beat() == b"\n"
