"""What happens where messages arrive: rules, duplicates, retained messages, last values, replay and schedules; on both
databases, and over a restart."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from stompd.cli import main
from tests.conformance.conftest import Clients, StartBroker
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient, unique_name
from tests.harness.waiting import wait_for
from tests.postgres import create_database, drop_database

RULES = """
[[destination]]
pattern = "/queue/rejecting.#"
max_messages = 2
overflow = "reject"
[[destination]]
pattern = "/queue/blocking.#"
max_messages = 2
[[destination]]
pattern = "/queue/ring.#"
max_messages = 2
overflow = "drop-old"
[[destination]]
pattern = "/queue/dropping.#"
max_messages = 1
overflow = "drop-new"
[[destination]]
pattern = "/queue/mortal.#"
expired = "dead-letter"
[[destination]]
pattern = "/topic/kept.#"
retention_messages = 1000
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Either database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture(scope="module")
def settings() -> str:
    return RULES


@pytest.fixture(scope="module")
def listen() -> str:
    """TCP alone, which the commands need."""
    return "tcp:0:interface=127.0.0.1"


def crash(broker: BrokerProcess) -> None:
    """Kill the broker and start it again."""
    broker.kill()
    broker.restart()


def send(client: RawClient, destination: str, body: str, **headers: str) -> dict[str, str]:
    """Send a message, and return what its RECEIPT says."""
    named = {name.replace("_", "-") if name.islower() else name: value for name, value in headers.items()}
    receipt = client.request("SEND", {"destination": destination, **named}, body.encode())
    return dict(receipt.headers)


def test_rejecting_queue(clients: Clients) -> None:
    queue = unique_name("/queue/rejecting.q")
    client = clients.connect()
    for body in "ab":
        send(client, queue, body)

    client.send_frame("SEND", {"destination": queue, "receipt": "r"}, b"c")

    client.expect_error("limit-exceeded", "max_messages", receipt="r")


def test_blocking_queue_lets_its_sender_wait(clients: Clients) -> None:
    queue = unique_name("/queue/blocking.q")
    sender, consumer = clients.connect(), clients.connect()
    for body in "abcdef":
        sender.send_frame("SEND", {"destination": queue, "receipt": body}, body.encode())
    assert [sender.expect("RECEIPT")["receipt-id"] for _ in range(2)] == ["a", "b"]
    assert sender.poll_frame(0.3) is None

    consumer.subscribe(queue, ack="client-individual")
    for body in "abcdef":
        consumer.ack(consumer.expect_bodies(body)[0])

    assert [sender.expect("RECEIPT")["receipt-id"] for _ in range(4)] == ["c", "d", "e", "f"]


def test_queue_that_drops_its_head(clients: Clients) -> None:
    queue = unique_name("/queue/ring.q")
    client = clients.connect()
    for body in "abcd":
        send(client, queue, body)

    client.subscribe(queue)
    client.expect_bodies("c", "d")


@pytest.mark.parametrize("name", ["dedup_id", "_AMQ_DUPL_ID"])
def test_duplicate_is_confirmed_as_such(clients: Clients, queue: str, name: str) -> None:
    client = clients.connect()
    first = send(client, queue, "a", **{name: "1"})

    second = send(client, queue, "b", **{name: "1"})

    assert "duplicate" not in first
    assert second["duplicate"] == "true"
    assert [frame.body for frame in client.take_all(queue)] == [b"a"]


def test_full_queue_drops_the_oldest_whatever_its_priority_after_a_crash(broker: BrokerProcess) -> None:
    ring = unique_name("/queue/ring.q")
    with broker.client() as client:
        client.send_message(ring, "old", priority="1")
        client.send_message(ring, "urgent", priority="9")
    crash(broker)

    with broker.client() as client:
        client.send_message(ring, "new", priority="0")
        client.subscribe(ring)

        client.expect_bodies("urgent", "new")


def test_duplicate_is_found_after_a_crash(broker: BrokerProcess, queue: str) -> None:
    with broker.client() as client:
        send(client, queue, "a", dedup_id="1")
    crash(broker)

    with broker.client() as client:
        assert send(client, queue, "b", dedup_id="1")["duplicate"] == "true"
        assert [frame.body for frame in client.take_all(queue)] == [b"a"]


def test_duplicate_in_a_transaction(clients: Clients, queue: str) -> None:
    client = clients.connect()
    send(client, queue, "a", dedup_id="1")
    client.send_frame("BEGIN", {"transaction": "t"})
    client.send_frame("SEND", {"destination": queue, "transaction": "t", "dedup-id": "1"}, b"b")
    client.send_frame("SEND", {"destination": queue, "transaction": "t", "dedup-id": "2"}, b"c")

    receipt = client.request("COMMIT", {"transaction": "t"})

    assert receipt["duplicate"] == "true"
    assert [frame.body for frame in client.take_all(queue)] == [b"a", b"c"]


def test_message_that_was_dropped_may_be_sent_again(broker: BrokerProcess) -> None:
    queue = unique_name("/queue/dropping.q")
    with broker.client() as client:
        send(client, queue, "first")
        dropped = send(client, queue, "a", dedup_id="1")
    crash(broker)

    with broker.client() as client:
        client.subscribe(queue, ack="client")
        client.settle(*client.expect_bodies("first"))
        taken = send(client, queue, "b", dedup_id="1")

        assert dropped["dropped"] == "true"
        assert not {"dropped", "duplicate"} & taken.keys()
        client.expect_bodies("b")


def test_members_of_a_list_get_what_they_have_not_seen(broker: BrokerProcess) -> None:
    first, second = unique_name("/queue/m"), unique_name("/queue/m")
    with broker.client() as client:
        answers = [send(client, to, to, dedup_id="Z") for to in (first, f"{first},{second}")]
    crash(broker)

    with broker.client() as client:
        answers += [send(client, to, to, dedup_id="Z") for to in (f"{second},{first}", second)]

        assert ["duplicate" in answer for answer in answers] == [False, False, True, True]
        assert [len(client.take_all(queue)) for queue in (first, second)] == [1, 1]


def test_expired_message_becomes_a_dead_letter_where_nobody_reads(broker: BrokerProcess) -> None:
    queue = unique_name("/queue/mortal.q")
    with broker.client() as client:
        client.send_message(queue, "delayed", ttl="50", delay="60000", colour="red")
        client.send_message(queue, "waiting", ttl="50", priority="7")
        client.send_message(queue, "memory", ttl="50", persistent="false")
        client.send_message(queue, "lasting")
        client.subscribe(queue.replace("/queue/", "/queue/DLQ."), id="letters")

        letters = {frame.body.decode(): frame for frame in (client.expect("MESSAGE") for _ in range(3))}

        assert letters.keys() == {"delayed", "waiting", "memory"}
        for letter in letters.values():
            assert (letter["original-destination"], letter["dlq-reason"]) == (queue, "expired")
            assert letter["dlq-delivery-count"] == "0"
            assert letter.get("expires") is None
        assert (letters["delayed"]["colour"], letters["waiting"]["priority"]) == ("red", "7")
        assert [frame.body for frame in client.take_all(queue)] == [b"lasting"]


def test_expired_messages_become_dead_letters_once_over_a_crash(broker: BrokerProcess) -> None:
    queue = unique_name("/queue/mortal.q")
    letters = queue.replace("/queue/", "/queue/DLQ.")
    bodies = [str(number) for number in range(150)]
    with broker.client() as client:
        for body in bodies:
            client.send_frame("SEND", {"destination": queue, "ttl": "1000"}, body.encode())
        client.send_message(queue, "lasting")
    broker.kill()
    time.sleep(1.0)  # it is about what expires while nobody is there
    broker.restart()
    crash(broker)

    with broker.client() as client:
        client.subscribe(letters)
        received = [client.expect("MESSAGE").body.decode() for _ in bodies]
        client.expect_nothing()

        assert received == bodies
        assert [frame.body for frame in client.take_all(queue)] == [b"lasting"]


def test_header_that_only_the_broker_says_cannot_be_forged(clients: Clients, queue: str) -> None:
    client = clients.connect()
    names = ("seq", "scheduledJobId", "scheduled-at", "original-message-id", "dlq-reason")

    receipt = client.request("SEND", {"destination": queue, **dict.fromkeys(names, "forged")}, b"a")

    client.subscribe(queue)
    (message,) = client.expect_bodies("a")
    assert all(name in receipt["warning"] for name in names)
    assert all(message.get(name) is None for name in names)


def test_retained_message_after_a_crash(broker: BrokerProcess, topic: str) -> None:
    with broker.client() as client:
        send(client, topic, "a", retain="set")
        send(client, topic, "b", retain="set")
    crash(broker)

    with broker.client() as client:
        client.subscribe(topic)
        (message,) = client.expect_bodies("b")
        send(client, topic, "", retain="set")
        client.expect_bodies("")
        client.subscribe(topic, id="2")
        client.expect_nothing()

    assert message["retained"] == "true"


def test_last_value_after_a_crash(broker: BrokerProcess, queue: str) -> None:
    with broker.client() as client:
        for body, key in (("a", "x"), ("b", "y"), ("c", "x")):
            send(client, queue, body, last_value_key=key)
    crash(broker)

    with broker.client() as client:
        send(client, queue, "d", _AMQ_LVQ_NAME="y")
        assert [frame.body for frame in client.take_all(queue)] == [b"c", b"d"]


def test_replay_goes_on_where_the_client_was(broker: BrokerProcess) -> None:
    topic = unique_name("/topic/kept.t")
    with broker.client() as client:
        for body in "abc":
            send(client, topic, body)
        client.subscribe(topic, retroactive="true")
        seq = client.expect_bodies("a", "b", "c")[1]["seq"]
    crash(broker)

    with broker.client() as client:
        send(client, topic, "d")
        client.subscribe(topic, from_seq=str(int(seq) + 1))
        client.expect_bodies("c", "d")
    with broker.client() as client:
        client.subscribe(topic, x_stream_offset="last")
        client.expect_bodies("d")


def test_replay_has_neither_gaps_nor_doubles_under_load(clients: Clients) -> None:
    topic = unique_name("/topic/kept.t")
    sender, consumer = clients.connect(), clients.connect()
    for number in range(300):
        sender.send_message(topic, str(number))
    consumer.subscribe(topic, from_seq="0")
    for number in range(300, 600):
        sender.send_message(topic, str(number))

    consumer.expect_bodies(*map(str, range(600)))


def test_replay_of_what_is_not_kept_is_refused(clients: Clients, topic: str) -> None:
    client = clients.connect()
    client.send_frame("SUBSCRIBE", {"destination": topic, "id": "1", "from-seq": "1"})

    client.expect_error("invalid-header", "from-seq:1", "retention_messages")


def test_repeated_message_goes_on_after_a_crash(broker: BrokerProcess, queue: str) -> None:
    with broker.client() as client:
        send(client, queue, "a", AMQ_SCHEDULED_PERIOD="300", AMQ_SCHEDULED_REPEAT="-1")
        client.subscribe(queue, ack="client-individual")
        first, second = client.expect_bodies("a", "a")
        for message in (first, second):
            client.settle(message)
    crash(broker)

    with broker.client() as client:
        client.subscribe(queue)
        (third,) = client.expect_bodies("a")
        answer = CliRunner().invoke(main, ["scheduled", "cancel", third["scheduledJobId"], "--url", url(broker)])

    assert answer.exit_code == 0, answer.output
    assert first["scheduledJobId"] == second["scheduledJobId"] == third["scheduledJobId"]
    assert len({first["message-id"], second["message-id"], third["message-id"]}) == 3


def url(broker: BrokerProcess) -> str:
    return f"stomp://127.0.0.1:{broker.port}"


def test_schedule_is_listed_and_cancelled_by_a_command(broker: BrokerProcess, queue: str) -> None:
    with broker.client() as client:
        send(client, queue, "a", delay="3600000")
        send(client, queue, "b", schedule_cron="0 8 * * MON")
    listed = CliRunner().invoke(main, ["scheduled", "list", "--url", url(broker)])
    lines = [line.split("  ") for line in listed.stdout.splitlines() if queue in line]

    cancelled = [CliRunner().invoke(main, ["scheduled", "cancel", line[0], "--url", url(broker)]) for line in lines]
    again = CliRunner().invoke(main, ["scheduled", "cancel", lines[0][0], "--url", url(broker)])
    rest = CliRunner().invoke(main, ["scheduled", "list", "--url", url(broker)])

    assert sorted(line[3:] for line in lines) == [[], ["0 8 * * MON"]]
    assert [answer.exit_code for answer in cancelled] == [0, 0]
    assert (again.exit_code, "nothing is scheduled" in again.output) == (1, True)
    assert queue not in rest.output


def test_schedule_is_browsed_as_with_activemq(clients: Clients, queue: str) -> None:
    client = clients.connect()
    replies = unique_name("/queue/replies")
    due = int(time.time() * 1000) + 7_200_000
    send(client, queue, "a", AMQ_SCHEDULED_TIME=str(due))
    send(
        client,
        "/topic/ActiveMQ.Scheduler.Management",
        "",
        AMQ_SCHEDULER_ACTION="BROWSE",
        AMQ_SCHEDULER_ACTION_START_TIME=str(due),
        AMQ_SCHEDULER_ACTION_END_TIME=str(due),
        reply_to=replies,
    )
    client.subscribe(replies)

    found, end = client.expect_bodies("a", "")

    assert (found["scheduled-at"], found["scheduled-destination"]) == (str(due), queue)
    assert (end["browser"], end["count"]) == ("end", "1")


def test_idle_queue_is_removed(start_broker: StartBroker, queue: str) -> None:
    broker = start_broker("[limits]\nidle_queue_seconds = 1\nqueues = 1\n")
    with broker.client() as client:
        send(client, queue, "a")
        client.take_all(queue)

    def is_free() -> bool:
        with broker.client() as other:
            other.send_frame("SEND", {"destination": f"{queue}.other", "receipt": "r"}, b"")
            return bool(other.read_frame().command == "RECEIPT")

    wait_for(is_free, "the queue is removed")
