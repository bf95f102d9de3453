"""Clients in JavaScript: @stomp/stompjs in Node and in a browser, stompit, and webstomp-client."""

from __future__ import annotations

import http.server
import json
import queue as queues
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.harness.process import BrokerProcess

NODE = Path(__file__).parent / "node"

#: What a page may ask for, and where it is.
FILES = {
    "/page.html": (NODE / "page.html", "text/html"),
    "/scenarios.mjs": (NODE / "scenarios.mjs", "text/javascript"),
    "/stomp.umd.min.js": (NODE / "node_modules/@stomp/stompjs/bundles/stomp.umd.min.js", "text/javascript"),
}

SCENARIOS = [
    "connects",
    "subscribes_and_sends",
    "acknowledges",
    "commits_and_aborts",
    "carries_binary_bodies",
    "text_beside_binary_bodies_stays_text",
    "carries_large_frames",
    "carries_frames_split_over_messages",
    "keeps_heart_beats",
    "connects_again",
    "learns_why_it_is_refused",
]

#: A browser that starts cold on a busy machine, and scenarios of a few seconds.
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker on TCP, on WebSocket, and on WebSocket with compression offered."""
    directory = tmp_path_factory.mktemp("broker")
    store = f"sqlite:///{directory / 'stompd.sqlite3'}"
    settings = "heart_beat = [200, 200]\nwebsocket_deflate = true\n"
    arguments = ["--listen", "ws:tcp:0:interface=127.0.0.1"]
    with BrokerProcess(directory, store, settings=settings, arguments=arguments) as broker:
        yield broker


def node(script: str, *arguments: str) -> Any:
    """Run a script in Node, and return what it prints."""
    program = shutil.which("node")
    assert program is not None, "Node.js is missing; on Debian and Ubuntu: apt install nodejs npm, then scripts/test"
    assert (NODE / "node_modules").is_dir(), (
        "the clients are missing; run scripts/test, or npm ci in tests/interop/node"
    )
    ran = subprocess.run(
        [program, script, *arguments], cwd=NODE, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


class Site:
    """Serves a page, and takes what the page reports."""

    def __init__(self) -> None:
        self.reports: queues.Queue[Any] = queues.Queue()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Visit, self.reports))
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it is served."""
        return int(self._server.server_address[1])


class _Visit(http.server.BaseHTTPRequestHandler):
    """One request of the browser."""

    def __init__(self, reports: queues.Queue[Any], *arguments: Any) -> None:
        self._reports = reports
        super().__init__(*arguments)

    def do_GET(self) -> None:  # http.server's
        path, kind = FILES.get(self.path.partition("?")[0], (None, ""))
        self.send_response(200 if path else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.end_headers()
        self.wfile.write(path.read_bytes() if path else b"")

    def do_POST(self) -> None:  # http.server's
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self._reports.put(json.loads(body))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def browse(directory: Path, broker: BrokerProcess, *, host: str = "127.0.0.1", **query: str) -> Any:
    """Open the page in a browser, as one of a host, and return what it reports."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program is not None, "a browser is missing; on Debian: apt install chromium, or run scripts/test as root"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    with Site() as site:
        asked = urlencode({"broker": f"ws://127.0.0.1:{broker.ports[1]}/ws", **query})
        url = f"http://{host}:{site.port}/page.html?{asked}"
        browser = subprocess.Popen(
            [program, *options, f"--user-data-dir={directory}", url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return site.reports.get(timeout=PATIENCE_SECONDS)
        finally:
            browser.terminate()
            browser.wait()


@pytest.fixture(scope="module")
def in_browser(broker: BrokerProcess, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What went wrong in each scenario in a browser."""
    results: dict[str, str | None] = browse(tmp_path_factory.mktemp("browser"), broker, scenarios="all")
    return results


@pytest.fixture(scope="module", params=["websocket", "tcp"])
def in_node(request: pytest.FixtureRequest, broker: BrokerProcess) -> dict[str, str | None]:
    """What went wrong in each scenario in Node."""
    port = broker.ports[1] if request.param == "websocket" else broker.port
    results: dict[str, str | None] = node("stompjs.mjs", request.param, "127.0.0.1", str(port))
    return results


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_stompjs_in_a_browser(in_browser: dict[str, str | None], scenario: str) -> None:
    assert in_browser[scenario] is None


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_stompjs_in_node(in_node: dict[str, str | None], scenario: str) -> None:
    assert in_node[scenario] is None


def test_no_scenario_is_forgotten(in_browser: dict[str, str | None]) -> None:
    assert sorted(in_browser) == sorted(SCENARIOS)


def test_page_of_another_host_is_kept_out(broker: BrokerProcess, tmp_path: Path) -> None:
    assert browse(tmp_path / "same", broker) is True

    assert browse(tmp_path / "other", broker, host="localhost") is False
    assert "Pages of 'http://localhost:" in broker.output


def test_stompit(broker: BrokerProcess) -> None:
    assert node("stompit.mjs", "127.0.0.1", str(broker.port)) is None


@pytest.mark.parametrize("form", ["text", "binary"])
def test_webstomp_client(broker: BrokerProcess, form: str) -> None:
    assert node("webstomp.mjs", form, "127.0.0.1", str(broker.ports[1])) is None
