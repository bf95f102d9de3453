"""The `stompd` command: what it starts, prints and returns."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from stompd.cli import main
from stompd.config import load_settings
from stompd.errors import StoreError, StoreLocked, StoreUnavailable, StoreUnusable
from stompd.settings import LogFormat, Settings
from stompd.wire.frame import Frame
from tests.scripted import ScriptedBroker, confirm


def stompd(*arguments: str, typed: str | bytes | None = None) -> Result:
    """Run the command with arguments and standard input."""
    return CliRunner().invoke(main, arguments, input=typed, prog_name="stompd")


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    """A broker that takes everything and delivers two messages to each subscription."""

    def answer(frame: Frame) -> Iterable[Frame]:
        yield from confirm(frame)
        if frame.command == "SUBSCRIBE":
            yield Frame("MESSAGE", {"ack": "1", "x": "two\nlines"}, "grüße".encode())
            yield Frame("MESSAGE", {"ack": "2"}, b"\xff")

    with ScriptedBroker(answer) as broker:
        yield broker


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of every broker that was started, in place of starting it."""
    settings: list[Settings] = []

    def run(given: Settings) -> int:
        settings.append(given)
        return 7

    service = ModuleType("stompd.service")
    monkeypatch.setattr(service, "run", run, raising=False)
    monkeypatch.setitem(sys.modules, "stompd.service", service)
    return settings


def test_without_a_command_the_broker_runs(started: list[Settings]) -> None:
    result = stompd()

    assert started == [Settings()]
    assert result.exit_code == 7


def test_options_and_file_become_settings(started: list[Settings], tmp_path: Path) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text('store = "memory:"\nhide_server = true')
    users = tmp_path / "users"
    users.write_text("ann:secret\n")

    stompd(
        *("--config", str(path), "--store", "sqlite:///x", "--auth", f"file:{users}"),
        *("--listen", "tcp:1", "--listen", "tcp:2", "--log-format", "json"),
    )

    assert started == [
        Settings(
            listen=("tcp:1", "tcp:2"),
            store="sqlite:///x",
            auth=(f"file:{users}",),
            hide_server=True,
            log_format=LogFormat.JSON,
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--listen", "tcp:61613"), "Error: --listen: 'tcp:61613' can be reached from other machines and nobody"),
        (("--listen", "tcp:x"), "Error: --listen: endpoint 'tcp:x' cannot be used: "),
        (("--store", "mysql://h/d"), 'Error: --store: "mysql://h/d" cannot be used; give a URL'),
        (
            ("--auth", "ldap"),
            "Error: --auth: 'ldap' is not a known checker;"
            " use one of anonymous, certificate, database, file, jwt, unix",
        ),
        (("--config", "nowhere.toml"), "Error: nowhere.toml: the file cannot be read: No such file"),
        (("check-config", "nowhere.toml"), "Error: nowhere.toml: the file cannot be read: No such file"),
    ],
)
def test_wrong_setting_is_one_sentence_and_exit_code_2(
    started: list[Settings], arguments: tuple[str, ...], sentence: str
) -> None:
    result = stompd(*arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1
    assert not started


def test_options_for_the_broker_do_not_go_before_a_command() -> None:
    result = stompd("--store", "memory:", "send", "/queue/a", "x")

    assert result.exit_code == 2
    assert "options for the broker do not go before send" in result.stderr


def test_version_is_shown() -> None:
    result = stompd("--version")

    assert result.exit_code == 0
    assert result.stdout.startswith("stompd ")


def test_send_sends_one_message_and_says_so(broker: ScriptedBroker) -> None:
    result = stompd("send", "/queue/a", "grüße", "--url", broker.url, "--header", "x=y=z", "--header", "x2=")

    sent = broker.frames[1]
    assert (sent.body.decode(), sent.headers["x"], sent.headers["x2"]) == ("grüße", "y=z", "")
    assert sent.headers["content-type"] == "text/plain"
    assert result.stdout == "Sent, and confirmed by the broker: 1 message to /queue/a.\n"
    assert result.stderr == "Read with: stompd receive /queue/a\n"


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_send_sends_each_line_of_standard_input(broker: ScriptedBroker, arguments: tuple[str, ...]) -> None:
    result = stompd("send", "/queue/a", *arguments, "--url", broker.url, typed="one\ntwo\n\nlast")

    bodies = [frame.body for frame in broker.frames if frame.command == "SEND"]
    assert bodies == [b"one", b"two", b"", b"last"]
    assert "4 messages to /queue/a" in result.stdout


def test_send_lets_the_content_type_be_chosen(broker: ScriptedBroker) -> None:
    stompd("send", "/queue/a", "{}", "--url", broker.url, "--header", "content-type=application/json")

    assert broker.frames[1].headers["content-type"] == "application/json"


@pytest.mark.parametrize("header", ["x", "=y", ""])
def test_send_refuses_a_header_without_name_or_value(header: str) -> None:
    result = stompd("send", "/queue/a", "x", "--header", header)

    assert result.exit_code == 2
    assert f"{header!r} is not NAME=VALUE" in result.stderr


def test_wrong_url_is_refused() -> None:
    result = stompd("send", "/queue/a", "x", "--url", "http://h")

    assert result.exit_code == 2
    assert "a broker's URL is stomp://login:passcode@host:port" in result.stderr


def test_url_may_come_from_the_environment(broker: ScriptedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOMPD_URL", broker.url)

    assert stompd("send", "/queue/a", "x").exit_code == 0


def test_broker_that_is_not_there_is_one_sentence_and_exit_code_1() -> None:
    result = stompd("send", "/queue/a", "x", "--url", "stomp://127.0.0.1:1")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: cannot connect to 127.0.0.1:1: ")


def test_error_of_the_broker_is_told_with_its_reason() -> None:
    error = Frame("ERROR", {"message": "The user may not do that"}, b"ann may not send to /queue/a.")

    with ScriptedBroker(lambda frame: [error] if frame.command == "SEND" else confirm(frame)) as broker:
        result = stompd("send", "/queue/a", "x", "--url", broker.url)

    assert result.exit_code == 1
    assert result.stderr == "Error: the broker refused: The user may not do that: ann may not send to /queue/a.\n"


def test_receive_shows_a_message_and_removes_it(broker: ScriptedBroker) -> None:
    result = stompd("receive", "/queue/a", "--url", broker.url)

    assert result.stdout == "ack:1\nx:two\\nlines\ncontent-length:7\n\ngrüße\n\n"
    assert broker.commands == ["CONNECT", "SUBSCRIBE", "ACK", "DISCONNECT"]
    assert "Received 1 message from /queue/a, removed from it." in result.stderr
    assert result.stderr.endswith('Send with: stompd send /queue/a "some text"\n')


def test_receive_asks_for_no_more_than_it_shows(broker: ScriptedBroker) -> None:
    stompd("receive", "/queue/a", "--url", broker.url, "--count", "2")

    assert broker.frames[1].headers["prefetch-count"] == "2"
    assert broker.commands.count("ACK") == 2


def test_receive_shows_octets_as_they_are(broker: ScriptedBroker) -> None:
    result = stompd("receive", "/queue/a", "--url", broker.url, "--count", "2")

    assert result.stdout_bytes.endswith(b"ack:2\ncontent-length:1\n\n\xff\n\n")


def test_receive_without_ack_gives_messages_back(broker: ScriptedBroker) -> None:
    result = stompd("receive", "/queue/a", "--url", broker.url, "--no-ack")

    assert "ACK" not in broker.commands
    assert "given back to it" in result.stderr


def test_receive_that_follows_goes_on_until_interrupted(
    broker: ScriptedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_after(2, monkeypatch)

    result = stompd("receive", "/queue/a", "--url", broker.url, "--follow")

    assert result.exit_code == 0
    assert "Received 2 messages from /queue/a" in result.stderr
    assert broker.commands[-1] == "DISCONNECT"


def interrupt_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client be interrupted as by Ctrl-C when it waits for another message."""
    from stompd.client import Client

    receive: Callable[[Client], Frame] = Client.receive
    received = iter(range(count))

    def receive_or_stop(self: Client) -> Frame:
        if next(received, None) is None:
            raise KeyboardInterrupt
        return receive(self)

    monkeypatch.setattr(Client, "receive", receive_or_stop)


def test_check_config_shows_every_setting_and_where_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text('store = "memory:"\n[limits]\nconnections = 5\n')

    result = stompd("check-config", str(path))

    lines = {" ".join(line.split()) for line in result.stdout.splitlines()}
    assert f'store = "memory:" # {path}' in lines
    assert f"connections = 5 # {path}" in lines
    assert 'log_level = "info" # default' in lines
    assert result.stderr == f"\nThese settings can be used. Start with: stompd --config {path}\n"


def test_what_check_config_shows_is_a_settings_file(tmp_path: Path) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text(stompd("check-config").stdout)

    assert tomllib.loads(path.read_text())["limits"]["connections"] == 10_000
    assert load_settings(path, {}) == Settings()


@pytest.fixture
def migrated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URL of every database that was migrated, in place of doing it."""
    urls: list[str] = []

    def migrate(url: str) -> str:
        urls.append(url)
        return "The database is up to date."

    module = ModuleType("stompd.store.migrate")
    monkeypatch.setattr(module, "migrate", migrate, raising=False)
    monkeypatch.setitem(sys.modules, "stompd.store.migrate", module)
    return urls


def test_migrate_brings_the_database_up_to_date(migrated: list[str]) -> None:
    result = stompd("migrate", "--store", "sqlite:///x")

    assert migrated == ["sqlite:///x"]
    assert result.stdout == "The database is up to date.\n"
    assert result.stderr.endswith("Now start the broker with: stompd\n")


def test_migrate_takes_the_store_from_a_file(migrated: list[str], tmp_path: Path) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text('store = "sqlite:///y"')

    stompd("migrate", "--config", str(path))

    assert migrated == ["sqlite:///y"]


@pytest.mark.parametrize(("error", "exit_code"), [(StoreUnusable, 2), (StoreLocked, 1), (StoreUnavailable, 1)])
def test_store_that_cannot_be_migrated_is_one_sentence(
    migrated: list[str], monkeypatch: pytest.MonkeyPatch, error: type[StoreError], exit_code: int
) -> None:
    def fail(url: str) -> str:
        raise error("The reason.")

    monkeypatch.setattr(sys.modules["stompd.store.migrate"], "migrate", fail)

    result = stompd("migrate", "--store", "sqlite:///x")

    assert result.exit_code == exit_code
    assert result.stderr.endswith("Error: The reason.\n")


def test_hash_passcode_makes_a_line_that_lets_the_user_in(tmp_path: Path) -> None:
    result = stompd("hash-passcode", "ann", typed="secret\nsecret\n")

    line = result.stdout.splitlines()[-1]
    assert line.startswith("ann:$argon2id$")
    assert "secret" not in result.output
    users = tmp_path / "users"
    users.write_text(line)
    assert load_settings(None, {"auth": (f"file:{users}",)}).auth


@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        (
            ("ann", "send", "queue://orders"),
            0,
            [
                "ann may send /queue/orders (rule 2: allow ann,@ops send,consume /queue/orders.#)",
                "ann may create /queue/orders (no rule is about it, so whoever may send or consume may create)",
            ],
        ),
        (("ann", "browse", "/queue/orders"), 1, ["ann may not browse /queue/orders (no rule allows it)"]),
        (("bob", "consume", "/topic/#"), 1, ["bob may not consume /topic/# (rule 1: deny bob * *)"]),
        (
            ("zoe", "consume", "/queue/orders.*", "--group", "ops"),
            0,
            [
                "zoe may consume /queue/orders.* (rule 2: allow ann,@ops send,consume /queue/orders.#)",
                "zoe may create /queue/orders.* (no rule is about it, so whoever may send or consume may create)",
            ],
        ),
    ],
)
def test_explain_tells_which_rule_decides(
    tmp_path: Path, arguments: tuple[str, ...], code: int, lines: list[str]
) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text('permissions = ["deny bob * *", "allow ann,@ops send,consume /queue/orders.#"]')

    result = stompd("explain", *arguments, "--config", str(path))

    assert (result.exit_code, result.stdout.splitlines()) == (code, lines)


def test_explain_refuses_what_is_no_destination() -> None:
    result = stompd("explain", "ann", "send", "orders")

    assert result.exit_code == 2
    assert "/queue/orders" in result.stderr


def test_rule_that_cannot_be_parsed_is_shown_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text('permissions = [\n    "allow ann * *",\n    "allow bob read /queue/a",\n]\n')

    result = stompd("check-config", str(path))

    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {path}: permissions: line 3, column 16: read is no action; use send, consume, browse, create, manage"
        " or *\n"
    )
