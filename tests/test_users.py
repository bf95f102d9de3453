"""`stompd user`: changes users in a file and in the database, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stompd.auth.passcodes import read_passcodes
from stompd.cli import main


def user(*arguments: str, typed: str | None = None) -> Result:
    """Run `stompd user` with arguments and standard input."""
    return CliRunner().invoke(main, ("user", *arguments), input=typed, prog_name="stompd")


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stompd.users.hash_passcode", lambda passcode: f"hash of {passcode}")


@pytest.fixture(params=["file", "sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The option that says where users are."""
    if request.param == "file":
        return ("--file", str(tmp_path / "users"))
    return ("--store", request.getfixturevalue(f"{request.param}_url"))


def test_users_are_added_changed_listed_and_removed(place: tuple[str, str]) -> None:
    results = [
        user("add", "zoë", *place, "--passcode", "one"),
        user("add", "ann", *place, "--passcode", "two"),
        user("passwd", "ann", *place, "--passcode", "three"),
        user("list", *place),
        user("remove", "zoë", *place),
        user("list", *place),
    ]

    assert [result.exit_code for result in results] == [0] * 6, results
    assert [result.stdout for result in results] == [
        "Added zoë.\n",
        "Added ann.\n",
        "Changed the passcode of ann.\n",
        "ann\nzoë\n",
        "Removed zoë.\n",
        "ann\n",
    ]


def test_adding_says_how_the_broker_is_started(place: tuple[str, str]) -> None:
    result = user("add", "ann", *place, "--passcode", "one")

    checker = f"file:{place[1]}" if place[0] == "--file" else "database"
    assert f"stompd --auth {checker}" in result.stderr


def test_passcode_is_asked_for_twice(tmp_path: Path) -> None:
    path = tmp_path / "users"

    user("add", "ann", "--file", str(path), typed="secret\nsecret\n")

    assert read_passcodes(path) == {b"ann": b"hash of secret"}


@pytest.mark.parametrize("command", ["passwd", "remove"])
def test_user_who_is_not_there_is_an_error(place: tuple[str, str], command: str) -> None:
    result = user(command, "ann", *place, *(["--passcode", "x"] if command == "passwd" else []))

    assert (result.exit_code, result.stderr) == (1, "Error: There is no user ann.\n")


def test_user_who_is_there_is_not_added_again(place: tuple[str, str]) -> None:
    user("add", "ann", *place, "--passcode", "one")

    result = user("add", "ann", *place, "--passcode", "two")

    assert result.exit_code == 1
    assert "There is a user ann already" in result.stderr


@pytest.mark.parametrize("name", ["", "a:b", "#a", "@a", "*", "a\nb", "x" * 256])
def test_name_that_a_file_or_a_rule_could_not_hold_is_refused(tmp_path: Path, name: str) -> None:
    result = user("add", "--file", str(tmp_path / "users"), "--passcode", "one", "--", name)

    assert result.exit_code == 2
    assert "cannot be a user" in result.stderr


def test_comments_other_users_and_the_mode_of_a_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("# ours\n\nbob:plain\nann:old\n")
    path.chmod(0o640)

    user("passwd", "ann", "--file", str(path), "--passcode", "new")

    assert path.read_text() == "# ours\n\nbob:plain\nann:hash of new\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    user("add", "ann", "--file", str(tmp_path / "users"), "--passcode", "one")

    assert (tmp_path / "users").stat().st_mode & 0o777 == 0o600


def test_file_that_is_none_of_users_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("no colon\n")

    result = user("add", "ann", "--file", str(path), "--passcode", "one")

    assert result.exit_code == 2
    assert "line 1 of" in result.stderr
    assert path.read_text() == "no colon\n"


def test_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    result = user("add", "ann", "--file", str(tmp_path / "none" / "users"), "--passcode", "one")

    assert result.exit_code == 2
    assert "cannot be written: No such file or directory" in result.stderr


@pytest.mark.parametrize("options", [[], ["--file", "x", "--store", "memory:"]])
def test_one_place_must_be_named(options: list[str]) -> None:
    result = user("list", *options)

    assert result.exit_code == 2
    assert "either --file FILE or --store URL" in result.stderr


def test_store_that_keeps_no_users_is_named() -> None:
    result = user("list", "--store", "memory:")

    assert result.exit_code == 2
    assert "keeps no users" in result.stderr
