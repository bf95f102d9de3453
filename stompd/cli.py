"""The `stompd` command: runs the broker, and lets a person send, receive and check."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from stompd import scheduled as scheduling
from stompd.auth.passcodes import hash_passcode
from stompd.auth.permissions import ACTIONS
from stompd.broker.destination import parse_destination
from stompd.client import Address, Client, ClientError
from stompd.config import KEYS, RULE_KEYS, load_settings, make_permissions, read_settings, show
from stompd.errors import SettingError, StompError, StoreError, StoreUnusable
from stompd.replay import replay as replay_letters
from stompd.settings import LogFormat, LogLevel, Settings
from stompd.users import user_commands
from stompd.wire.escaping import escape
from stompd.wire.frame import Frame, Version

#: How far `stompd receive` reads ahead; what it does not show goes back to the queue.
_PREFETCH = 100

#: After so many messages `stompd replay` says how far it is.
_PROGRESS = 1_000


class _SettingFailure(click.ClickException):
    exit_code = 2


class _Commands(click.Group):
    """Turns what an operator can mend into one sentence and an exit code: 2 for settings, 1 for the rest."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (SettingError, StoreUnusable) as error:
            raise _SettingFailure(str(error)) from error
        except (ClientError, StoreError) as error:
            raise click.ClickException(str(error)) from error


def _parse_url(ctx: click.Context, param: click.Parameter, value: str) -> Address:
    try:
        return Address.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _parse_headers(ctx: click.Context, param: click.Parameter, value: Sequence[str]) -> dict[str, str]:
    headers = {}
    for text in value:
        name, sign, headers[name] = text.partition("=")
        if not name or not sign:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
    return headers


_config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A TOML file with settings; options come before it.",
)
_store_option = click.option(
    "--store",
    metavar="URL",
    help="Where messages are kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
)
_url_option = click.option(
    "--url",
    "address",
    callback=_parse_url,
    default="stomp://127.0.0.1",
    envvar="STOMPD_URL",
    metavar="URL",
    help="The broker, as stomp://LOGIN:PASSCODE@HOST:PORT; STOMPD_URL in the environment keeps a passcode out of ps.",
)


@click.group(cls=_Commands, invoke_without_command=True)
@click.option(
    "--listen", multiple=True, metavar="ENDPOINT", help="Where to accept STOMP, as a Twisted endpoint string."
)
@_store_option
@_config_option
@click.option("--auth", multiple=True, metavar="CHECKER", help="Who may log in, such as file:/etc/stompd/users.")
@click.option("--log-format", type=click.Choice([choice.value for choice in LogFormat]))
@click.option("--log-level", type=click.Choice([choice.value for choice in LogLevel]))
@click.version_option(package_name="stompd", message="stompd %(version)s")
@click.pass_context
def main(ctx: click.Context, /, config: Path | None, **options: Any) -> None:
    """Run a durable STOMP message broker, or one of the commands below.

    Without options it listens on 127.0.0.1:61613 and keeps its messages in stompd.sqlite3 in this directory. --listen
    and --auth may be repeated.
    """
    given = {name: value for name, value in options.items() if value}
    if ctx.invoked_subcommand is None:
        ctx.exit(_run(load_settings(config, given)))
    if given or config:
        raise click.UsageError(f"options for the broker do not go before {ctx.invoked_subcommand}")


@main.command()
@click.argument("destination")
@click.argument("body", required=False)
@_url_option
@click.option(
    "--header",
    "headers",
    callback=_parse_headers,
    multiple=True,
    metavar="NAME=VALUE",
    help="A header of the message; may be repeated.",
)
def send(destination: str, body: str | None, address: Address, headers: Mapping[str, str]) -> None:
    """Send BODY as a message to DESTINATION, such as /queue/orders.

    Without BODY, or with - in its place, each line of standard input is a message.
    """
    count = 0
    with Client(address) as client:
        for text in _lines() if body in (None, "-") else [str(body)]:
            client.send(destination, text.encode(), {"content-type": "text/plain", **headers})
            count += 1
    click.echo(f"Sent, and confirmed by the broker: {_messages(count)} to {destination}.")
    click.echo(f"Read with: stompd receive {destination}", err=True)


@main.command()
@click.argument("destination")
@_url_option
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="End after so many messages.")
@click.option("--follow", is_flag=True, help="Go on until interrupted.")
@click.option("--ack/--no-ack", default=True, help="Whether messages are removed from the queue once shown.")
def receive(destination: str, address: Address, count: int, follow: bool, ack: bool) -> None:
    """Show messages of DESTINATION as they come, headers and body, and remove them from the queue."""
    shown = 0
    with Client(address) as client:
        client.subscribe(destination, _PREFETCH if follow else count)
        click.echo(f"Waiting for messages from {destination}; Ctrl-C ends.", err=True)
        with suppress(KeyboardInterrupt):
            while follow or shown < count:
                message = client.receive()
                _show_message(message)
                if ack:
                    client.acknowledge(message)
                shown += 1
    fate = "removed from it" if ack else "given back to it; leave out --no-ack to remove them"
    click.echo(f"Received {_messages(shown)} from {destination}, {fate}.", err=True)
    click.echo(f'Send with: stompd send {destination} "some text"', err=True)


@main.command()
@click.argument("queue")
@_url_option
@click.option("--to", metavar="DESTINATION", help="Where to send them, instead of where they came from.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many messages.")
def replay(queue: str, address: Address, to: str | None, count: int | None) -> None:
    """Send the messages of the dead-letter queue QUEUE, such as DLQ.orders, back to where they came from.

    Each is sent and removed in one transaction. Those that become dead letters meanwhile stay.
    """

    def show_progress(sent: int, destination: str) -> None:
        if sent % _PROGRESS == 0:
            click.echo(f"{_messages(sent)} so far, the last one to {destination}.", err=True)

    started_ms = int(time.time() * 1000)
    with Client(address) as client:
        replayed = replay_letters(client, queue, to=to, count=count, started_ms=started_ms, on_progress=show_progress)
    click.echo(f"Sent back, and confirmed by the broker: {_messages(replayed.sent)} from {queue}.")
    if replayed.left:
        click.echo(f"{_messages(replayed.left)} without original-destination stayed; give --to DESTINATION.", err=True)


@main.group()
def scheduled() -> None:
    """List and cancel delayed messages, and those that are sent again and again."""


@scheduled.command("list")
@_url_option
def list_scheduled(address: Address) -> None:
    """Show what is scheduled: its id, when it is due, where it goes, and how often."""
    count = 0
    with Client(address) as client:
        for found in scheduling.list_scheduled(client):
            headers = found.headers
            due = datetime.fromtimestamp(int(headers["scheduled-at"]) / 1000, UTC)
            rule = headers.get("schedule-cron") or headers.get("schedule-period", "")
            parts = (headers["scheduledJobId"], f"{due:%Y-%m-%dT%H:%M:%SZ}", headers["scheduled-destination"], rule)
            click.echo("  ".join(parts).rstrip())
            count += 1
    click.echo(f"{_messages(count)} scheduled. Cancel one with: stompd scheduled cancel ID", err=True)


@scheduled.command("cancel")
@click.argument("job_id", metavar="ID")
@_url_option
def cancel_scheduled(job_id: str, address: Address) -> None:
    """Cancel the scheduled message ID, which `stompd scheduled list` shows."""
    with Client(address) as client:
        is_cancelled = scheduling.cancel_scheduled(client, job_id)
    if not is_cancelled:
        raise click.ClickException(f"nothing is scheduled under the id {job_id}; see: stompd scheduled list")
    click.echo(f"Cancelled: {job_id}.")


@main.command("check-config")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check_config(file: Path | None) -> None:
    """Show every setting, and whether it comes from FILE or is the default; passwords are left out."""
    settings = load_settings(file, {})
    in_file = read_settings(file) if file else {}
    table = None
    for key in KEYS.values():
        if key.table != table:
            table = key.table
            click.echo(f"\n[{table}]")
        line = f"{key.field} = {show(key.name, key.value(settings))}"
        click.echo(f"{line:50} # {file if key.name in in_file else 'default'}")
    for rule in settings.destinations:
        click.echo("\n[[destination]]")
        for name in RULE_KEYS:
            if value := getattr(rule, name):
                click.echo(f"{f'{name} = {show(name, value)}':50} # {file}")
    click.echo(f"\nThese settings can be used. Start with: stompd{f' --config {file}' if file else ''}", err=True)


@main.command()
@_store_option
@_config_option
def migrate(store: str | None, config: Path | None) -> None:
    """Bring the database up to date with this version of stompd."""
    # Only this command needs the database, so only it pays for the import.
    from stompd.store.migrate import migrate as migrate_database

    settings = load_settings(config, {"store": store} if store else {})
    click.echo(f"Bringing {show('store', settings.store)} up to date.", err=True)
    click.echo(migrate_database(settings.store))
    click.echo("Now start the broker with: stompd", err=True)


@main.command("hash-passcode")
@click.argument("login")
@click.password_option("--passcode", prompt="Passcode", help="Asked for when not given, which keeps it out of ps.")
def hash_passcode_for(login: str, passcode: str) -> None:
    """Show the line that lets LOGIN log in, with a hash of the passcode, for the file of --auth file:PATH."""
    click.echo(f"{login}:{hash_passcode(passcode)}")
    click.echo("Append this line to a file, and start the broker with: stompd --auth file:PATH", err=True)


@main.command()
@click.argument("user")
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("destination")
@_config_option
@click.option("--group", "groups", multiple=True, metavar="NAME", help="A group that a token of USER names.")
def explain(user: str, action: str, destination: str, config: Path | None, groups: Sequence[str]) -> None:
    """Tell whether USER may do ACTION on DESTINATION, and which rule of the settings decides.

    The exit code is 0 if so, and 1 if not.
    """
    decisions = make_permissions(load_settings(config, {})).of(user, groups)
    path = _path(destination)
    asked = [action, "create"] if action in ("send", "consume") and path.startswith("/queue/") else [action]
    verdicts = [decisions.explain(each, path) for each in asked]
    for each, verdict in zip(asked, verdicts, strict=True):
        rule = verdict.reason if verdict.number is None else f"rule {verdict.number}: {verdict.reason}"
        click.echo(f"{user} {'may' if verdict.is_allowed else 'may not'} {each} {path} ({rule})")
    click.get_current_context().exit(0 if verdicts[0].is_allowed else 1)


def _path(destination: str) -> str:
    """Return the canonical path of a destination; one with wildcards is taken as it is."""
    if not set("*#>").isdisjoint(destination):
        return destination
    try:
        return parse_destination(destination).path
    except StompError as error:
        raise click.BadParameter(error.detail) from error


main.add_command(user_commands)


def _run(settings: Settings) -> int:
    # Importing the service installs a reactor, which no other command needs.
    from stompd.service import run

    return run(settings)


def _lines() -> Iterator[str]:
    if sys.stdin.isatty():
        click.echo("Each line is a message; Ctrl-D ends.", err=True)
    return (line.rstrip("\n") for line in sys.stdin)


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _show_message(message: Frame) -> None:
    # In the form they have on the wire, where no value can break its line.
    for name, value in message.headers.items():
        click.echo(f"{escape(name, Version.V1_2)}:{escape(value, Version.V1_2)}")
    click.echo()
    click.echo(message.body)
    click.echo()
