"""Settings: where they come from, what is accepted, and what the operator reads when something is not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from runpy import run_path

import pytest

from stompd.broker.policy import Overflow, Rule
from stompd.config import KEYS, find_store_factory, load_settings, show
from stompd.errors import SettingError
from stompd.settings import HostSettings, LogFormat, LogLevel, Settings


@pytest.fixture
def users(tmp_path: Path) -> str:
    """A checker string for a file with one user."""
    path = tmp_path / "users"
    path.write_text("ann:secret\n")
    return f"file:{path}"


def write(directory: Path, text: str) -> Path:
    """Write a settings file."""
    path = directory / "stompd.toml"
    path.write_text(text)
    return path


def refusal(directory: Path, text: str) -> str:
    """Return what the operator reads about a settings file, without the directory."""
    with pytest.raises(SettingError) as caught:
        load_settings(write(directory, text), {})
    return str(caught.value).removeprefix(f"{directory}/")


def test_without_a_file_everything_is_at_its_default() -> None:
    assert load_settings(None, {}) == Settings()


def test_default_listens_on_loopback_and_stores_in_the_working_directory() -> None:
    settings = load_settings(None, {})

    assert settings.listen == ("tcp:61613:interface=127.0.0.1",)
    assert settings.store == "sqlite:///stompd.sqlite3"


def test_file_sets_every_kind_of_value(tmp_path: Path, users: str) -> None:
    text = f"""
        listen = ["tcp:0", "unix:/tmp/stompd"]
        auth = ["{users}"]
        upgrade_schema = false
        heart_beat = [0, 5000]
        log_format = "json"
        log_level = "debug"
        [limits]
        connections = 7
        body_bytes = 1024
        subscriptions = 3
    """

    settings = load_settings(write(tmp_path, text), {})

    assert settings.listen == ("tcp:0", "unix:/tmp/stompd")
    assert settings.auth == (users,)
    assert settings.upgrade_schema is False
    assert settings.heart_beat == (0, 5000)
    assert (settings.log_format, settings.log_level) == (LogFormat.JSON, LogLevel.DEBUG)
    assert settings.limits.connections == 7
    assert settings.frame_limits.body_bytes == 1024
    assert settings.broker_limits.subscriptions == 3


def test_command_line_comes_before_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'store = "sqlite:///file.sqlite3"\nlog_level = "debug"')

    settings = load_settings(path, {"store": "sqlite:///option.sqlite3"})

    assert (settings.store, settings.log_level) == ("sqlite:///option.sqlite3", LogLevel.DEBUG)


def test_unknown_setting_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    assert refusal(tmp_path, "lisen = []") == (
        "stompd.toml: lisen: there is no setting of that name; did you mean listen?"
    )


def test_unknown_limit_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    assert "did you mean limits.connections?" in refusal(tmp_path, "[limits]\nconections = 5")


def test_limit_outside_its_table_is_answered_with_its_whole_name(tmp_path: Path) -> None:
    assert "did you mean limits.connections?" in refusal(tmp_path, "connections = 5")


def test_unknown_setting_like_no_other_is_answered_with_all(tmp_path: Path) -> None:
    answer = refusal(tmp_path, "zzz = 5")

    assert "listen, store, auth" in answer


def test_group_of_limits_is_no_setting(tmp_path: Path) -> None:
    assert "no setting of that name" in refusal(tmp_path, "broker_limits = 5")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('listen = "tcp:61613"', 'listen: "tcp:61613" cannot be used; give a list of texts that are not empty'),
        ("listen = [5]", "listen: [5] cannot be used; give a list of texts that are not empty"),
        ("store = 5", 'store: "5" cannot be used; give a text that is not empty'),
        ('store = ""', 'store: "" cannot be used; give a text that is not empty'),
        ("hide_server = 1", "hide_server: 1 cannot be used; give true or false"),
        ("groups = 5", "groups: 5 cannot be used; give a table of lists of users, such as billing ="),
        ("[groups]\na = 5", 'groups: { "a" = 5 } cannot be used; give a table of lists of users'),
        ('permissions = ["allow a b *"]', "permissions: line 1, column 25: b is no action"),
        ('permissions = ["\\u0061llow a b *"]', "permissions: rule 1, column 9: b is no action"),
        ('log_format = "xml"', 'log_format: "xml" cannot be used; give one of text, json'),
        ("log_level = 3", "log_level: 3 cannot be used; give one of debug, info, warn, error, critical"),
        ("heart_beat = [10]", "heart_beat: [10] cannot be used; give a list of two numbers of milliseconds"),
        ("heart_beat = [-1, 0]", "heart_beat: [-1, 0] cannot be used"),
        ("heart_beat = [0, 86400001]", "heart_beat: [0, 86400001] cannot be used"),
        ("[limits]\nconnections = 0", "limits.connections: 0 cannot be used; give a whole number from 1 to"),
        ("[limits]\nconnections = true", "limits.connections: true cannot be used"),
        ("[limits]\nconnections = 1.5", "limits.connections: 1.5 cannot be used"),
        ("[limits]\nbody_bytes = 1099511627777", "limits.body_bytes: 1099511627777 cannot be used"),
        ("[limits]\nbody_bytes = 2024-01-01", 'limits.body_bytes: "2024-01-01" cannot be used'),
        ("limits = 5", "limits must be a table"),
        ("listen = [", "the file is not TOML: "),
    ],
)
def test_value_that_cannot_be_used_is_named_with_what_can(tmp_path: Path, text: str, answer: str) -> None:
    assert refusal(tmp_path, text).startswith(f"stompd.toml: {answer}")


def test_option_that_cannot_be_used_is_named_as_typed() -> None:
    with pytest.raises(SettingError, match=r'^--log-level: "loud" cannot be used; give one of debug, info'):
        load_settings(None, {"log_level": "loud"})


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"none\.toml: the file cannot be read: No such file or directory"):
        load_settings(tmp_path / "none.toml", {})


def test_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stompd.toml"
    path.write_bytes(b'store = "\xff"')

    with pytest.raises(SettingError, match="is not TOML"):
        load_settings(path, {})


def test_prefetch_above_the_highest_is_refused(tmp_path: Path) -> None:
    assert "limits.highest_prefetch is lower than" in refusal(tmp_path, "[limits]\nhighest_prefetch = 50")


@pytest.mark.parametrize(
    "endpoint", ["tcp:61613", "tcp6:61613", "tcp:61613:interface=192.0.2.1", "systemd:domain=INET"]
)
def test_listening_beyond_loopback_needs_a_login(endpoint: str) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(None, {"listen": (endpoint,)})

    assert str(caught.value) == (
        f"--listen: {endpoint!r} can be reached from other machines and nobody would have to log in; "
        "add --auth file:PATH or listen on interface=127.0.0.1"
    )


def test_listening_beyond_loopback_is_fine_with_a_login(users: str) -> None:
    settings = load_settings(None, {"listen": ("tcp:61613",), "auth": (users,)})

    assert not settings.allows_anonymous


def test_one_exposed_endpoint_among_local_ones_is_enough() -> None:
    with pytest.raises(SettingError, match="'tcp:61614' can be reached"):
        load_settings(None, {"listen": ("tcp:61613:interface=127.0.0.1", "tcp:61614")})


def test_loopback_needs_no_login() -> None:
    assert load_settings(None, {}).allows_anonymous


def test_listening_nowhere_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "listen = []").startswith("stompd.toml: listen: there is nowhere to listen")


def test_malformed_endpoint_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'listen = ["tcp:x"]').startswith("stompd.toml: listen: endpoint 'tcp:x' cannot be used: ")


def test_malformed_network_of_proxies_is_named(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, 'trusted_proxies = ["10.0.0.0/33"]')

    assert sentence.startswith("stompd.toml: trusted_proxies: '10.0.0.0/33' does not appear to be")


def test_unknown_checker_is_answered_with_the_known_ones() -> None:
    known = "anonymous, certificate, database, file, jwt, unix"
    with pytest.raises(SettingError, match=f"^--auth: 'ldap' is not a known checker; use one of {known}"):
        load_settings(None, {"auth": ("ldap:x",)})


def test_unknown_store_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(None, {"store": "mysql://root:secret@db/stompd"})

    assert str(caught.value) == (
        '--store: "mysql://***@db/stompd" cannot be used; give a URL that begins with one of memory, postgresql, sqlite'
    )


@pytest.mark.parametrize("url", ["sqlite:///x", "sqlite+pysqlite:///x", "postgresql://h/d", "postgresql+psycopg://h/d"])
def test_store_factory_is_found_by_scheme(url: str) -> None:
    assert url.startswith(find_store_factory(url).scheme)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("store", "postgresql://ann:secret@db/stompd?sslkey=secret", '"postgresql://***@db/stompd"'),
        ("store", "postgresql://ann:s@cret/@db/stompd", '"postgresql://***@db/stompd"'),
        ("store", "sqlite:///stompd.sqlite3", '"sqlite:///stompd.sqlite3"'),
        ("auth", ("memory:ann:secret", "file:/etc/users", "unix"), '["memory:***", "file:/etc/users", "unix"]'),
    ],
)
def test_secrets_are_never_shown(name: str, value: object, shown: str) -> None:
    assert show(name, value) == shown


def test_every_default_is_shown_as_toml_that_sets_it() -> None:
    lines: list[str] = []
    for key in KEYS.values():
        if key.table and f"[{key.table}]" not in lines:
            lines.append(f"[{key.table}]")
        lines.append(f"{key.field} = {show(key.name, key.value(Settings()))}")

    document = tomllib.loads("\n".join(lines))

    assert document.pop("limits").keys() | document.keys() == {key.field for key in KEYS.values()}


def test_names_of_limits_are_unique() -> None:
    fields = [key.field for key in KEYS.values()]

    assert len(fields) == len(set(fields))


def test_every_setting_is_documented_above_its_field() -> None:
    script = run_path(str(Path(__file__).parent.parent / "scripts" / "settings.py"))

    entries = [script["entry"](key) for key in KEYS.values()]

    assert entries[0].startswith('* `listen = ["tcp:61613:interface=127.0.0.1"]`: Endpoint strings of Twisted')


def test_frames_before_the_login_are_kept_small() -> None:
    settings = Settings()

    assert settings.login_frame_limits.body_bytes == settings.limits.login_frame_bytes
    assert settings.login_frame_limits.header_line_bytes == settings.frame_limits.header_line_bytes


def test_tables_of_destinations_are_rules(tmp_path: Path) -> None:
    text = """
        [[destination]]
        pattern = "/queue/orders.*"
        max_messages = 100
        overflow = "drop-old"
        [[destination]]
        pattern = "/topic/#"
        message_bytes = 1024
    """

    settings = load_settings(write(tmp_path, text), {})

    assert settings.destinations == (
        Rule("/queue/orders.*", max_messages=100, overflow=Overflow.DROP_OLD),
        Rule("/topic/#", message_bytes=1024),
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("destination = 5", "destination must be a table in an array: write [[destination]]"),
        ("[destination]", "destination must be a table in an array: write [[destination]]"),
        (
            '[[destination]]\npatern = "/queue/a"',
            "patern: there is no key of that name; did you mean pattern",
        ),
        ("[[destination]]\nzzz = 1", "there is no key of that name; the keys are pattern, max_messages"),
        ('[[destination]]\npattern = "orders"', "pattern must begin with one of /queue/, /topic/, /dsub/"),
        ("[[destination]]\nconsumers = 1", "pattern must begin with one of /queue/, /topic/, /dsub/"),
        (
            '[[destination]]\npattern = "/queue/a"\nconsumers = 0',
            "destination 1: consumers: 0 cannot be used",
        ),
        (
            '[[destination]]\npattern = "/queue/a"\noverflow = "burst"',
            'overflow: "burst" cannot be used; give one of block, reject, drop-new, drop-old, dead-letter',
        ),
        (
            '[[destination]]\npattern = "/queue/a"\nexpired = "keep"',
            'expired: "keep" cannot be used; give one of drop, dead-letter',
        ),
        (
            '[[destination]]\npattern = "/dsub/a.b"\nmax_bytes = 1',
            "overflow of a durable subscription must be",
        ),
    ],
)
def test_rule_that_cannot_be_used_is_explained(tmp_path: Path, text: str, answer: str) -> None:
    assert answer in refusal(tmp_path, text)


def test_groups_are_a_table_of_users(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[groups]\nbilling = ["ann", "bob"]'), {})

    assert settings.groups == {"billing": ("ann", "bob")}
    assert tomllib.loads(f"groups = {show('groups', settings.groups)}") == {"groups": {"billing": ["ann", "bob"]}}


HOSTS = """
[hosts."shop.example"]
auth = ["anonymous"]
permissions = ["allow * send /queue/a"]
groups = { sales = ["ann"] }
connections = 5
queues = 7
[hosts.club]
"""


def test_hosts_are_tables_with_settings_of_their_own(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, HOSTS), {})

    shop = settings.hosts["shop.example"]
    assert (shop.auth, shop.connections, shop.durable_subscriptions) == (("anonymous",), 5, 0)
    assert settings.hosts["club"] == HostSettings()
    assert settings.host_limits["shop.example"].queues == 7
    assert settings.host_limits["club"] == settings.broker_limits


def test_hosts_are_shown_as_toml(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, HOSTS), {})

    assert tomllib.loads(f"hosts = {show('hosts', settings.hosts)}") == tomllib.loads(HOSTS)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hosts = 5", "hosts: 5 cannot be used; give a table for each virtual host, with auth, permissions, groups"),
        ("[hosts.a]\nauht = []", "hosts: {"),
        ("[hosts.a]\nqueues = -1", "hosts: {"),
        ('[hosts."a/b"]', "hosts: {"),
        ("[hosts.a]\nauth = ['ldap']", "hosts: 'ldap' is not a known checker"),
        ("[hosts.LocalHost]", "hosts: localhost is the default host (setting default_host)"),
        ("[hosts.a]\npermissions = ['permit']", "hosts.a.permissions: line 2, column 17: allow or deny"),
        (
            "[limits]\nuser_bytes_per_second = -1",
            "limits.user_bytes_per_second: -1 cannot be used; give a whole number from 0",
        ),
    ],
)
def test_host_that_cannot_be_used_is_named(tmp_path: Path, text: str, answer: str) -> None:
    assert refusal(tmp_path, text).startswith(f"stompd.toml: {answer}")
