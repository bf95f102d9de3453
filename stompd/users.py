"""`stompd user`: adds, changes, removes and lists who may log in, in a file or in the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar, final

import click

from stompd.auth.passcodes import hash_passcode, read_passcodes
from stompd.errors import SettingError
from stompd.store.users import UserTable

_F = TypeVar("_F", bound=Callable[..., object])

#: What a file of users, or a rule, would take for something else.
_UNUSABLE_FIRST = ("#", "@", "*", "$argon2")

_LONGEST_NAME = 255


class _Users(Protocol):
    """Where users are kept. Names have been checked."""

    def names(self) -> list[str]:
        """Return all of them."""

    def add(self, name: str, passcode_hash: str) -> bool:
        """Add one, and return whether there was none of this name."""

    def change(self, name: str, passcode_hash: str) -> bool:
        """Give one another passcode, and return whether there is such a user."""

    def remove(self, name: str) -> bool:
        """Remove one, and return whether there was one."""


@final
class _UserFile:
    """A file with a line for each user; comments and the lines of others stay as they are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            read_passcodes(path)  # nothing is changed in a file that is not one of users
            self._lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            self._lines = []
        except (OSError, ValueError) as error:
            raise SettingError(f"--file: {error}") from error

    def names(self) -> list[str]:
        """Return the names, with what is no UTF-8 replaced."""
        names = [name for line in self._lines if (name := _name_in(line))]
        return sorted(name.decode("utf-8", "replace") for name in names)

    def add(self, name: str, passcode_hash: str) -> bool:
        """Append a line."""
        if self._is_there(name):
            return False
        self._write([*self._lines, _line(name, passcode_hash)])
        return True

    def change(self, name: str, passcode_hash: str) -> bool:
        """Replace a line."""
        if not self._is_there(name):
            return False
        line = _line(name, passcode_hash)
        self._write([line if _name_in(old) == name.encode() else old for old in self._lines])
        return True

    def remove(self, name: str) -> bool:
        """Take a line out."""
        if not self._is_there(name):
            return False
        self._write([line for line in self._lines if _name_in(line) != name.encode()])
        return True

    def _is_there(self, name: str) -> bool:
        return any(_name_in(line) == name.encode() for line in self._lines)

    def _write(self, lines: list[bytes]) -> None:
        """Replace the file at once, since the broker may read it at any moment; who may read it stays the same."""
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            mode = self._path.stat().st_mode & 0o777 if self._path.exists() else 0o600
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(b"".join(line + b"\n" for line in lines))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise SettingError(f"--file: {self._path} cannot be written: {error.strerror}") from error


def _place_options(command: _F) -> _F:
    """Add the options that say where users are kept."""
    for option in (
        click.option("--store", metavar="URL", help="Keep users in the database of this store."),
        click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="Keep users in this file."),
    ):
        command = option(command)
    return command


_passcode_option = click.password_option(
    "--passcode", prompt="Passcode", help="Asked for when not given, which keeps it out of ps."
)


@click.group("user")
def user_commands() -> None:
    """Add, change, remove and list who may log in. The broker need not be restarted."""


@user_commands.command()
@click.argument("name")
@_place_options
@_passcode_option
def add(name: str, file: Path | None, store: str | None, passcode: str) -> None:
    """Let NAME log in."""
    users, checker = _open(file, store)
    _check_name(name)
    if not users.add(name, hash_passcode(passcode)):
        raise click.ClickException(f"There is a user {name} already; change the passcode with: stompd user passwd")
    click.echo(f"Added {name}.")
    click.echo(f"Users are checked by a broker that is started with: stompd --auth {checker}", err=True)


@user_commands.command()
@click.argument("name")
@_place_options
@_passcode_option
def passwd(name: str, file: Path | None, store: str | None, passcode: str) -> None:
    """Give NAME another passcode; connections that are open stay."""
    users, _ = _open(file, store)
    _require(users.change(name, hash_passcode(passcode)), name)
    click.echo(f"Changed the passcode of {name}.")


@user_commands.command()
@click.argument("name")
@_place_options
def remove(name: str, file: Path | None, store: str | None) -> None:
    """Let NAME log in no more; connections that are open stay."""
    users, _ = _open(file, store)
    _require(users.remove(name), name)
    click.echo(f"Removed {name}.")


@user_commands.command("list")
@_place_options
def list_users(file: Path | None, store: str | None) -> None:
    """Show who may log in."""
    users, _ = _open(file, store)
    for name in users.names():
        click.echo(name)


def _open(file: Path | None, store: str | None) -> tuple[_Users, str]:
    """Return where the users are, and the checker that looks there."""
    if (file is None) == (store is None):
        raise click.UsageError("say where the users are: either --file FILE or --store URL")
    if file is not None:
        return _UserFile(file), f"file:{file}"
    table = UserTable(str(store))
    table.prepare()
    return table, "database"


def _check_name(name: str) -> None:
    is_short = 0 < len(name) <= _LONGEST_NAME
    if not is_short or not name.isprintable() or ":" in name or name.startswith(_UNUSABLE_FIRST):
        raise click.BadParameter(
            f"{name!r} cannot be a user: it has 1 to {_LONGEST_NAME} characters, no colon and no control characters,"
            " and does not begin with #, @ or *"
        )


def _require(is_there: bool, name: str) -> None:
    if not is_there:
        raise click.ClickException(f"There is no user {name}.")


def _line(name: str, passcode_hash: str) -> bytes:
    return f"{name}:{passcode_hash}".encode()


def _name_in(line: bytes) -> bytes | None:
    """Return whose line it is; None for comments and empty lines."""
    return None if not line.strip() or line.startswith(b"#") else line.partition(b":")[0]
