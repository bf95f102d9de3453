"""stompman: the asyncio client, which speaks 1.2."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, ClassVar

import pytest
import stompman
from stompman.connection import Connection

from tests.harness.process import BrokerProcess
from tests.harness.raw import PATIENCE_SECONDS
from tests.harness.waiting import wait_for_async
from tests.interop.conftest import HEART_BEAT

Put = Callable[..., None]
Contents = Callable[[str], list[str]]


class RecordingConnection(Connection):
    """A connection that keeps the frames that came, heart-beats included."""

    frames: ClassVar[list[Any]] = []
    connections: ClassVar[int] = 0

    @classmethod
    async def connect(cls, **options: Any) -> Any:
        cls.connections += 1
        return await super().connect(**options)

    async def read_frames(self) -> AsyncGenerator[Any, None]:
        async for frame in super().read_frames():
            self.frames.append(frame)
            yield frame


@pytest.fixture(autouse=True)
def _forget_frames() -> None:
    RecordingConnection.frames = []
    RecordingConnection.connections = 0


@pytest.fixture
def new_client(broker: BrokerProcess) -> Callable[..., stompman.Client]:
    """Make clients of the broker, not connected yet."""

    def make(**options: Any) -> stompman.Client:
        server = stompman.ConnectionParameters(host="127.0.0.1", port=broker.port, login="", passcode="")
        heart_beat = stompman.Heartbeat(HEART_BEAT, HEART_BEAT)
        return stompman.Client(
            [server], heartbeat=heart_beat, connection_class=RecordingConnection, on_error_frame=None, **options
        )

    return make


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test, and end it when it takes too long."""
    asyncio.run(asyncio.wait_for(coroutine, PATIENCE_SECONDS))


def received(kind: type) -> list[Any]:
    return [frame for frame in RecordingConnection.frames if isinstance(frame, kind)]


async def take(messages: asyncio.Queue[Any], *bodies: bytes) -> list[Any]:
    """Return the next messages, which must have these bodies."""
    frames = [await messages.get() for _ in bodies]
    assert [frame.body for frame in frames] == list(bodies)
    return frames


def test_connects_and_disconnects_with_a_receipt(new_client: Callable[..., stompman.Client]) -> None:
    async def scenario() -> None:
        async with new_client() as client:
            assert client.is_alive()

    run(scenario())

    [connected] = received(stompman.ConnectedFrame)
    assert connected.headers["version"] == "1.2"
    assert len(received(stompman.ReceiptFrame)) == 1


def test_sends_with_a_receipt(new_client: Callable[..., stompman.Client], queue: str, contents: Contents) -> None:
    async def scenario() -> None:
        async with new_client() as client:
            await client.send(b"text", queue, receipt_timeout=PATIENCE_SECONDS)

    run(scenario())

    assert contents(queue) == ["text"]


def test_sends_and_receives_in_auto_mode(
    new_client: Callable[..., stompman.Client], queue: str, contents: Contents
) -> None:
    headers = {"colour": "red", "note": "a\\b: c\n größe"}

    async def scenario() -> None:
        messages: asyncio.Queue[Any] = asyncio.Queue()
        async with new_client() as client:
            subscription = await client.subscribe_with_manual_ack(
                queue, messages.put, ack="auto", receipt_timeout=PATIENCE_SECONDS
            )
            await client.send(b"\0binary\xff", queue, content_type="application/x-odd", headers=headers)
            [message] = await take(messages, b"\0binary\xff")
            assert {name: message.headers[name] for name in headers} == headers
            assert message.headers["content-type"] == "application/x-odd"
            await subscription.unsubscribe()

    run(scenario())

    assert contents(queue) == []


@pytest.mark.parametrize(("mode", "left"), [("client", ["3"]), ("client-individual", ["1", "3"])])
def test_ack_settles(
    new_client: Callable[..., stompman.Client], queue: str, mode: Any, left: list[str], put: Put, contents: Contents
) -> None:
    put(queue, "1", "2", "3")

    async def scenario() -> None:
        messages: asyncio.Queue[Any] = asyncio.Queue()
        async with new_client() as client:
            subscription = await client.subscribe_with_manual_ack(queue, messages.put, ack=mode)
            _, second, _ = await take(messages, b"1", b"2", b"3")
            await second.ack()
            await subscription.unsubscribe()

    run(scenario())

    assert contents(queue) == left


def test_nack_brings_the_message_again(new_client: Callable[..., stompman.Client], queue: str, put: Put) -> None:
    put(queue, "text")

    async def scenario() -> None:
        messages: asyncio.Queue[Any] = asyncio.Queue()
        async with new_client() as client:
            subscription = await client.subscribe_with_manual_ack(queue, messages.put, ack="client-individual")
            [message] = await take(messages, b"text")
            await message.nack()
            [again] = await take(messages, b"text")
            assert again.headers["redelivered"] == "true"
            assert again.headers["message-id"] == message.headers["message-id"]
            await again.ack()
            await subscription.unsubscribe()

    run(scenario())


def test_subscription_acknowledges_what_its_handler_has_done(
    new_client: Callable[..., stompman.Client], queue: str, put: Put, contents: Contents
) -> None:
    put(queue, "good", "bad", "good")
    seen: list[bytes] = []

    async def scenario() -> None:
        is_done = asyncio.Event()

        async def work(frame: stompman.MessageFrame) -> None:
            seen.append(frame.body)
            if len(seen) == 4:
                is_done.set()
            if frame.body == b"bad" and seen.count(b"bad") == 1:
                raise ValueError

        async with new_client() as client:
            subscription = await client.subscribe(
                queue, work, ack="client-individual", on_suppressed_exception=lambda error, frame: None
            )
            await is_done.wait()
            await subscription.unsubscribe()

    run(scenario())

    assert (seen.count(b"good"), seen.count(b"bad")) == (2, 2)
    assert contents(queue) == []


def test_transaction_is_committed(new_client: Callable[..., stompman.Client], queue: str, contents: Contents) -> None:
    async def scenario() -> None:
        async with new_client() as client, client.begin() as transaction:
            await transaction.send(b"1", queue)
            await transaction.send(b"2", queue)

    run(scenario())

    assert contents(queue) == ["1", "2"]


def test_transaction_is_aborted(new_client: Callable[..., stompman.Client], queue: str, contents: Contents) -> None:
    async def abandon(client: stompman.Client) -> None:
        async with client.begin() as transaction:
            await transaction.send(b"1", queue)
            raise ZeroDivisionError

    async def scenario() -> None:
        async with new_client() as client:
            with pytest.raises(ZeroDivisionError):
                await abandon(client)
            await client.send(b"outside", queue)

    run(scenario())

    assert contents(queue) == ["outside"]


def test_heart_beats_are_kept(new_client: Callable[..., stompman.Client], queue: str) -> None:
    async def scenario() -> None:
        async with new_client(check_server_alive_interval_factor=5) as client:
            # Ten intervals are more than the broker would wait for a client that does not beat.
            await wait_for_async(lambda: len(received(stompman.HeartbeatFrame)) >= 20, "twenty heart-beats have come")
            assert client.is_alive()
            await client.send(b"still connected", queue, receipt_timeout=PATIENCE_SECONDS)

    run(scenario())

    assert RecordingConnection.connections == 1


def test_refused_send_is_told(new_client: Callable[..., stompman.Client]) -> None:
    async def scenario() -> None:
        async with new_client() as client:
            with pytest.raises(stompman.SendReceiptError):
                await client.send(b"text", "/nowhere/x", receipt_timeout=PATIENCE_SECONDS)

    run(scenario())

    [error] = received(stompman.ErrorFrame)
    assert error.headers["error-code"] == "invalid-destination"
