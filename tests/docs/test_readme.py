"""The examples of README.md work as printed."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stompd.settings import Settings
from tests.docs.documents import blocks, read, section
from tests.harness.process import BrokerProcess

README = "README.md"

#: A reader waits for an answer; only a failing test waits so long.
PATIENCE_SECONDS = 20.0

_TYPED = ("CONNECT\n", "SUBSCRIBE\n", "SEND\n", "ACK\n", "DISCONNECT\n")


def _session() -> list[str]:
    """Return the frames of the telnet session, typed ones and answers, each ended by ^@."""
    (transcript,) = blocks(README, "text")
    assert transcript.endswith("^@\n")
    return transcript.removesuffix("^@\n").split("^@\n")


def _read_frame(octets: Iterator[bytes]) -> str:
    """Return the next frame of the broker, without its NUL and without the line ends in front."""
    frame = b""
    for octet in octets:
        if octet == b"\0":
            break
        frame += octet
    return frame.decode().lstrip("\n")


def _octets(connection: socket.socket) -> Iterator[bytes]:
    while octet := connection.recv(1):
        yield octet


def _as_pattern(answer: str) -> str:
    return re.escape(answer).replace(re.escape("..."), r"[^\n]+")


def _program(library: str) -> str:
    """Return the program in Python that uses a library."""
    (program,) = [
        block for block in blocks(README, "python") if block.startswith((f"import {library}", f"from {library}"))
    ]
    return program


@pytest.mark.parametrize("line_end", ["\r\n", "\n"], ids=["telnet", "netcat"])
def test_telnet_session_goes_as_printed(broker: BrokerProcess, line_end: str) -> None:
    with socket.create_connection(("127.0.0.1", broker.port), PATIENCE_SECONDS) as connection:
        octets = _octets(connection)

        for frame in _session():
            if frame.startswith(_TYPED):
                connection.sendall(f"{frame}\0\n".replace("\n", line_end).encode())
            else:
                assert re.fullmatch(_as_pattern(frame), _read_frame(octets))

        assert not b"".join(octets).strip(b"\n"), "after DISCONNECT there comes nothing but the close"


def test_python_client_prints_its_message(broker: BrokerProcess) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _program("stomp").replace("61613", str(broker.port))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")

        assert any("hello from Python" in line for line in lines)

        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == 0


def test_python_client_has_ten_lines() -> None:
    assert len([line for line in _program("stomp").splitlines() if line]) == 10


def test_jms_program_prints_what_it_has_passed_on(broker: BrokerProcess) -> None:
    program = _program("jms_api").replace("61613", str(broker.port))

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "2 pounds of tea\n", "")


def test_jms_program_has_fifteen_lines() -> None:
    assert len([line for line in _program("jms_api").splitlines() if line]) <= 15


def test_shell_commands_send_and_receive(broker: BrokerProcess) -> None:
    (commands,) = [block for block in blocks(README, "sh") if block.startswith("stompd send")]

    output = [_run(command, broker) for command in commands.splitlines()]

    assert "Sent, and confirmed by the broker" in output[0]
    assert output[1].endswith("two pounds of tea\n\n")
    assert "type:grocery\n" in output[1]


def _run(command: str, broker: BrokerProcess) -> str:
    program, *arguments = shlex.split(command)
    assert program == "stompd"
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        env={**os.environ, "STOMPD_URL": f"stomp://127.0.0.1:{broker.port}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    return done.stdout


def test_every_document_is_linked(pytestconfig: pytest.Config) -> None:
    others = {path.name for path in Path(pytestconfig.rootpath).glob("*.md")} - {README}

    assert all(f"({name})" in section(README, "Read on") for name in others)


def test_ports_and_files_are_the_defaults() -> None:
    assert Settings().listen == ("tcp:61613:interface=127.0.0.1",)
    assert "127.0.0.1:61613" in read(README)
    assert Settings().store == "sqlite:///stompd.sqlite3"
    assert "stompd.sqlite3" in read(README)
