"""Tokens: which are accepted, as whom and until when; and what the operator may write."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import DeferredSemaphore, maybeDeferred
from zope.interface.verify import verifyObject

from stompd.auth.checkers import make_checkers, make_portal
from stompd.auth.tokens import Identity, TokenChecker
from stompd.errors import SettingError
from stompd.interfaces import IBearerToken, IStompUser
from stompd.net.credentials import BearerToken
from tests.auth.test_checkers import result_of

SECRET = "0123456789abcdef0123456789abcdef"
LATER = 4_000_000_000


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stompd.auth.turns.deferToThread", maybeDeferred)
    monkeypatch.setattr("stompd.auth.turns._turns", DeferredSemaphore(2))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Any, Path]]:
    """By algorithm: what signs, and the file with what checks."""
    directory = tmp_path_factory.mktemp("keys")
    secret = directory / "secret"
    secret.write_text(SECRET + "\n")
    pairs: dict[str, Any] = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
    }
    found: dict[str, tuple[Any, Path]] = {"HS256": (SECRET, secret)}
    for algorithm, pair in pairs.items():
        path = directory / f"{algorithm}.pem"
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        path.write_bytes(pair.public_key().public_bytes(serialization.Encoding.PEM, form))
        found[algorithm] = (pair, path)
    return found


@pytest.fixture
def argument(keys: Mapping[str, tuple[Any, Path]]) -> str:
    return f"key={keys['HS256'][1]},algorithm=HS256"


def token(key: Any = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    return jwt.encode({"sub": "ann", "exp": LATER, **claims}, key, algorithm)


def log_in(argument: str, text: str) -> Any:
    return result_of(TokenChecker(argument).requestAvatarId(BearerToken(text)))


def test_checker_and_token_provide_their_interfaces(argument: str) -> None:
    assert verifyObject(ICredentialsChecker, TokenChecker(argument))
    assert verifyObject(IBearerToken, BearerToken("x"))


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256"])
def test_token_says_who_and_until_when(keys: Mapping[str, tuple[Any, Path]], algorithm: str) -> None:
    key, path = keys[algorithm]

    identity = log_in(f"key={path},algorithm={algorithm}", token(key, algorithm))

    assert isinstance(identity, Identity)
    assert (identity, identity.expires_at, identity.groups) == (b"ann", LATER, ())


def test_token_may_be_a_passcode(argument: str) -> None:
    credentials = UsernamePassword(b"whatever", token().encode())

    assert result_of(TokenChecker(argument).requestAvatarId(credentials)) == b"ann"


def test_claims_are_chosen_by_the_operator(argument: str) -> None:
    text = token(email="zoë@example.org", roles=["b", "a", "a"])

    identity = log_in(f"{argument},user=email,groups=roles", text)

    assert (identity.decode(), identity.groups) == ("zoë@example.org", ("a", "b"))


def test_group_may_be_a_single_text(argument: str) -> None:
    assert log_in(f"{argument},groups=role", token(role="ops")).groups == ("ops",)


def test_issuer_and_audience_are_checked_if_the_operator_names_them(argument: str) -> None:
    wanted = f"{argument},issuer=https://login.example,audience=stompd"

    assert log_in(wanted, token(iss="https://login.example", aud="stompd")) == b"ann"
    assert log_in(argument, token(iss="x", aud="y")) == b"ann"
    for claims in ({"iss": "https://login.example"}, {"iss": "x", "aud": "stompd"}, {"aud": "stompd"}):
        with pytest.raises(UnauthorizedLogin):
            log_in(wanted, token(**claims))


def unsigned() -> str:
    header, claims = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT"}, {"sub": "ann", "exp": LATER})
    )
    return f"{header}.{claims}."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(token(exp=1_000_000_000), id="expired"),
        pytest.param(token(nbf=LATER - 1), id="not valid yet"),
        pytest.param(jwt.encode({"sub": "ann"}, SECRET), id="without an end"),
        pytest.param(jwt.encode({"exp": LATER}, SECRET), id="without a name"),
        pytest.param(token(sub=""), id="with an empty name"),
        pytest.param(token(sub="x" * 256), id="with a long name"),
        pytest.param(token(sub="a\nsession:x"), id="with a line end in the name"),
        pytest.param(token(sub="\ud800"), id="with a name that is no text"),
        pytest.param(token(exp=1e400), id="with an endless end"),
        pytest.param(token(exp="soon"), id="with an end that is no time"),
        pytest.param(token(key="f" * 32), id="of another key"),
        pytest.param(token()[:-4] + "AAAA", id="changed"),
        pytest.param(unsigned(), id="unsigned"),
        pytest.param("eyJ", id="begun"),
        pytest.param("", id="empty"),
        pytest.param("secret", id="a passcode"),
    ],
)
def test_token_is_refused(argument: str, text: str) -> None:
    with pytest.raises(UnauthorizedLogin):
        log_in(argument, text)


def test_public_key_cannot_be_used_as_a_secret(keys: Mapping[str, tuple[Any, Path]]) -> None:
    path = keys["RS256"][1]
    body = token().split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(f"{header}.{body}".encode(), path.read_bytes())
    forged = f"{header}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    with pytest.raises(UnauthorizedLogin):
        log_in(f"key={path},algorithm=RS256", forged)
    with pytest.raises(ValueError, match="has no key for HS256"):
        TokenChecker(f"key={path},algorithm=HS256")


def test_changed_key_counts_from_the_next_login(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET)
    checker = TokenChecker(f"key={path},algorithm=HS256")

    path.write_text("f" * 32)

    assert result_of(checker.requestAvatarId(BearerToken(token("f" * 32)))) == b"ann"
    path.unlink()
    with pytest.raises(UnauthorizedLogin):
        result_of(checker.requestAvatarId(BearerToken(token("f" * 32))))


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("", "key= is missing"),
        ("key=KEY", "algorithm= is missing"),
        ("key=KEY,algorithm=none", "the algorithm must be one of HS256, RS256, ES256"),
        ("key=KEY,algorithm=RS256", "has no key for RS256"),
        ("key=KEY,algorithm=HS256,leeway=5", "'leeway' is not NAME=VALUE"),
        ("key=KEY,algorithm=HS256,user", "'user' is not NAME=VALUE"),
        ("key=SHORT,algorithm=HS256", "has 5 bytes; HS256 needs 32"),
        ("key=WEAK,algorithm=RS256", "has 1024 bits; RS256 needs 2048"),
        ("key=MISSING,algorithm=HS256", "No such file"),
    ],
)
def test_wrong_argument_is_one_sentence(tmp_path: Path, argument: str, sentence: str) -> None:
    (tmp_path / "KEY").write_text(SECRET)
    (tmp_path / "SHORT").write_text("short")
    weak = rsa.generate_private_key(65537, 1024).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "WEAK").write_bytes(weak.public_bytes(serialization.Encoding.PEM, form))

    with pytest.raises(SettingError, match="the checker 'jwt' cannot be used: ") as caught:
        make_checkers([f"jwt:{argument.replace('key=', f'key={tmp_path}/')}"])

    assert sentence in str(caught.value)


def test_user_has_what_the_token_says(argument: str) -> None:
    portal = make_portal([f"jwt:{argument}"], allow_anonymous=False)

    _, user, _ = result_of(portal.login(BearerToken(token()), None, IStompUser))

    assert (user.name, user.expires_at) == ("ann", LATER)
