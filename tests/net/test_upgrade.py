"""Requests for a WebSocket: which are granted."""

from __future__ import annotations

from base64 import b64encode
from http import HTTPStatus

import pytest
from wsproto.events import Request

from stompd.net.upgrade import Authorization, UpgradeRefused, judge, read_authorization

PATHS = ("/", "/ws")


def request(
    target: str = "/ws", *, host: str = "broker.example:15674", subprotocols: tuple[str, ...] = (), **headers: str
) -> Request:
    others = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(host=host, target=target, subprotocols=list(subprotocols), extra_headers=others)


@pytest.mark.parametrize("target", ["/", "/ws", "/ws?token=1"])
def test_path_in_the_list_is_served(target: str) -> None:
    assert judge(request(target), PATHS, ()).subprotocol is None


@pytest.mark.parametrize("target", ["/ws/", "/nowhere", "/" + "x" * 1_000])
def test_other_path_is_not_found(target: str) -> None:
    with pytest.raises(UpgradeRefused, match=r"only at /, /ws \(websocket_paths\)") as caught:
        judge(request(target), PATHS, ())

    assert caught.value.status is HTTPStatus.NOT_FOUND
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("v10.stomp", "v12.stomp", "v11.stomp"), "v12.stomp"),
        (("v10.stomp", "v11.stomp"), "v11.stomp"),
        (("stomp", "v10.stomp"), "v10.stomp"),
        (("stomp",), "stomp"),
        (("mqtt",), None),
        ((), None),
    ],
)
def test_highest_subprotocol_wins(offered: tuple[str, ...], chosen: str | None) -> None:
    assert judge(request(subprotocols=offered), PATHS, ()).subprotocol == chosen


@pytest.mark.parametrize("origin", ["http://broker.example", "https://broker.example:8443", "https://BROKER.example"])
def test_page_of_the_same_host_is_let_in(origin: str) -> None:
    judge(request(origin=origin), PATHS, ())


def test_program_without_an_origin_is_let_in() -> None:
    judge(request(), PATHS, ("https://example.org",))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://broker.example.evil.example", "", "http://["]
)
def test_page_of_another_host_is_kept_out(origin: str) -> None:
    with pytest.raises(UpgradeRefused, match="websocket_origins") as caught:
        judge(request(origin=origin), PATHS, ())

    assert caught.value.status is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("origins", [("https://example.org",), ("https://EXAMPLE.org/",), ("*",)])
def test_page_of_a_listed_site_is_let_in(origins: tuple[str, ...]) -> None:
    judge(request(origin="https://example.org"), PATHS, origins)


@pytest.mark.parametrize("origin", ["http://example.org", "https://example.org:444", "http://broker.example"])
def test_list_is_taken_literally(origin: str) -> None:
    with pytest.raises(UpgradeRefused):
        judge(request(origin=origin), PATHS, ("https://example.org",))


def test_basic_credentials_are_read() -> None:
    encoded = b64encode("zoë:a:b".encode()).decode()

    assert read_authorization(f"Basic {encoded}") == Authorization("zoë", "a:b")


def test_bearer_token_is_a_passcode_without_login() -> None:
    assert judge(request(authorization="bearer abc.def"), PATHS, ()).authorization == Authorization(None, "abc.def")


@pytest.mark.parametrize("value", [None, "", "Digest x", "Negotiate abc"])
def test_other_schemes_are_left_to_others(value: str | None) -> None:
    assert read_authorization(value) is None


@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic YWJj", "Basic /////w==", "Basic ä"])
def test_malformed_credentials_are_refused(value: str) -> None:
    with pytest.raises(UpgradeRefused, match="Authorization") as caught:
        read_authorization(value)

    assert caught.value.status is HTTPStatus.BAD_REQUEST


def test_credentials_are_not_shown() -> None:
    assert "secret" not in repr(Authorization("ann", "secret"))
