"""CONNECT and CONNECTED: versions, logins, and what the server tells of itself."""

from __future__ import annotations

import pytest

from stompd.errors import InvalidClientId, InvalidHeader, LoginFailed, MissingHeader, UnsupportedVersion
from stompd.session.login import CLIENT_ID_NAMES, Login, negotiate
from stompd.session.session import Session, SessionSettings
from stompd.wire.frame import Frame, Version
from tests.session.peer import NOW, connected, frame, new_session, read

ALL = (Version.V1_0, Version.V1_1, Version.V1_2)


def connect(session: Session, headers: dict[str, str], command: str = "CONNECT") -> Login:
    login = session.receive_frame(frame(command, headers), NOW)
    assert isinstance(login, Login)
    return login


def greeting(headers: dict[str, str], settings: SessionSettings | None = None, *, nonce: str = "") -> Frame:
    session = new_session(settings, nonce=nonce)
    connect(session, headers)
    return read(session.accepted("alice", NOW), None)


@pytest.mark.parametrize(
    ("accept_version", "version"),
    [
        (None, Version.V1_0),
        ("1.0", Version.V1_0),
        ("1.0,1.1", Version.V1_1),
        ("1.2,1.0,1.1", Version.V1_2),
        ("1.1, 1.2", Version.V1_2),
        (" 1.1 ", Version.V1_1),
        ("1.1,1.3,2.0", Version.V1_1),
    ],
)
def test_highest_common_version_is_spoken(accept_version: str | None, version: Version) -> None:
    assert negotiate(accept_version, ALL) is version


def test_version_that_is_not_offered_is_not_spoken() -> None:
    assert negotiate("1.1,1.2", (Version.V1_0, Version.V1_1)) is Version.V1_1


@pytest.mark.parametrize("accept_version", ["9.9", "", "1", "1.20"])
def test_no_common_version_is_an_error_that_lists_ours(accept_version: str) -> None:
    with pytest.raises(UnsupportedVersion) as caught:
        negotiate(accept_version, ALL)

    assert caught.value.headers == {"version": "1.0,1.1,1.2"}
    assert "this broker speaks 1.0,1.1,1.2" in caught.value.detail
    assert f"accept-version:{accept_version}" in caught.value.detail


def test_client_of_1_0_is_told_when_that_is_not_spoken() -> None:
    with pytest.raises(UnsupportedVersion, match="no accept-version header, which means"):
        negotiate(None, (Version.V1_1, Version.V1_2))


def test_long_accept_version_is_repeated_in_part_only() -> None:
    with pytest.raises(UnsupportedVersion) as caught:
        negotiate("9" * 10_000, ALL)

    assert len(caught.value.detail) < 300


def test_version_is_known_once_connect_was_read() -> None:
    session = new_session()
    before = session.version

    connect(session, {"accept-version": "1.1"})

    assert before is None
    assert session.version is Version.V1_1


@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
def test_connect_and_stomp_ask_for_a_login(command: str) -> None:
    login = connect(
        new_session(),
        {"accept-version": "1.2", "host": "h", "login": "alice", "passcode": "s\\n:", "client-id": "c"},
        command,
    )

    assert (login.login, login.passcode, login.host) == ("alice", "s\\n:", "h")
    assert login.headers == {"accept-version": "1.2", "host": "h", "login": "alice", "client-id": "c"}


def test_login_shows_no_secret() -> None:
    login = connect(new_session(), {"login": "alice", "passcode": "secret", "token": "secret"})

    assert "secret" not in repr(login)


@pytest.mark.parametrize("name", CLIENT_ID_NAMES)
def test_client_id_and_its_aliases(name: str) -> None:
    assert connect(new_session(), {name: "c"}).client_id == "c"


def test_client_id_may_be_spelled_twice() -> None:
    assert connect(new_session(), {"client_id": "a", "client-id": "a"}).client_id == "a"


def test_client_ids_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InvalidHeader, match="client_id:b and client-id:a on CONNECT contradict each other"):
        connect(new_session(), {"client_id": "b", "client-id": "a"})


def test_client_id_is_empty_if_there_is_none() -> None:
    assert connect(new_session(), {}).client_id == ""


@pytest.mark.parametrize("value", ["", "c" * 256])
def test_client_id_that_cannot_be_used_is_refused(value: str) -> None:
    with pytest.raises(InvalidClientId, match="1 to 255 characters, for example client-id:"):
        connect(new_session(), {"client-id": value})


def test_connect_without_login_is_nobodys() -> None:
    login = connect(new_session(), {})

    assert login == Login(None, None, None, {})


def test_values_are_trimmed_when_1_0_is_spoken() -> None:
    login = connect(new_session(), {"login": " alice ", "passcode": " s "})

    assert (login.login, login.passcode) == ("alice", "s")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_values_are_not_trimmed_when_a_later_version_is_spoken(version: str) -> None:
    login = connect(new_session(), {"accept-version": version, "login": " alice ", "passcode": " s "})

    assert (login.login, login.passcode) == (" alice ", " s ")


def test_no_frame_is_taken_while_logging_in() -> None:
    session = new_session()
    connect(session, {})

    assert not session.takes_frames
    with pytest.raises(RuntimeError, match="logging in"):
        session.receive_frame(frame("SEND"), NOW)


def test_frames_are_taken_after_the_login() -> None:
    session = connected()

    assert session.takes_frames
    assert session.user_name == "alice"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_connected_tells_of_the_session(version: str) -> None:
    found = greeting({"accept-version": version}, SessionSettings(server="stompd/9"), nonce="n")

    assert found == Frame(
        "CONNECTED",
        {
            "version": version,
            "session": "n-7",
            "server": "stompd/9",
            "heart-beat": "10000,10000",
            "user-name": "alice",
        },
    )


def test_connected_of_1_0_says_no_more_than_1_0_knows() -> None:
    found = greeting({"heart-beat": "nonsense that 1.0 does not look at"})

    assert found.headers == {"version": "1.0", "session": "7", "server": "stompd"}


def test_server_header_can_be_hidden() -> None:
    found = greeting({"accept-version": "1.2"}, SessionSettings(server=None))

    assert "server" not in found.headers


def test_connected_is_not_escaped() -> None:
    session = new_session(nonce="a:b\\c")
    connect(session, {"accept-version": "1.2"})

    octets = session.accepted("alice", NOW)

    assert b"\nsession:a:b\\c-7\n" in octets


def test_user_name_never_splits_connected() -> None:
    session = new_session()
    connect(session, {"accept-version": "1.2"})

    octets = session.accepted("alice\nserver:evil", NOW)

    assert b"\nuser-name:aliceserver:evil\n" in octets


def test_receipt_of_connect_is_ignored() -> None:
    found = greeting({"accept-version": "1.2", "receipt": "r"})

    assert "receipt-id" not in found.headers


def test_receipt_of_a_refused_connect_is_ignored() -> None:
    session = new_session()
    connect(session, {"accept-version": "1.2", "receipt": "r"})

    found = read(session.error(LoginFailed("No."), "r"))

    assert "receipt-id" not in found.headers


def test_request_id_is_answered() -> None:
    found = greeting({"accept-version": "1.1", "request-id": "5"})

    assert found.headers["response-id"] == "5"


def test_malformed_heart_beat_is_refused_with_an_example() -> None:
    with pytest.raises(InvalidHeader, match="heart-beat:10000,10000"):
        connect(new_session(), {"accept-version": "1.2", "heart-beat": "1000:1000"})


def test_host_is_not_needed_by_default() -> None:
    login = connect(new_session(), {"accept-version": "1.2"})

    assert login.host is None


def test_host_is_needed_where_the_settings_are_strict() -> None:
    session = new_session(SessionSettings(is_strict_host=True))

    with pytest.raises(MissingHeader, match="CONNECT needs the header host, for example host:localhost"):
        connect(session, {"accept-version": "1.2"})


def test_strict_settings_take_a_host() -> None:
    login = connect(new_session(SessionSettings(is_strict_host=True)), {"accept-version": "1.2", "host": "h"})

    assert login.host == "h"


def test_strict_settings_ask_no_host_of_1_0() -> None:
    login = connect(new_session(SessionSettings(is_strict_host=True)), {})

    assert login.host is None


def test_trailing_line_end_can_be_left_out() -> None:
    session = new_session(SessionSettings(trailing_eol=False))
    connect(session, {})

    assert session.accepted("alice", NOW).endswith(b"\n\n\0")


def test_trailing_line_end_is_written_by_default() -> None:
    session = new_session()
    connect(session, {})

    assert session.accepted("alice", NOW).endswith(b"\n\n\0\n")
