"""Virtual hosts over a real socket: their own destinations, users, rules, limits and client ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.conftest import StartBroker
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient, unique_name
from tests.postgres import create_database, drop_database

SETTINGS = """
auth = ["file:{directory}/users"]

[hosts."shop.example"]
auth = ["file:{directory}/shop-users"]
permissions = ["deny * * /queue/closed", "allow ann send,consume /queue/#", "allow ann send,consume /topic/#"]
queues = 3
connections = 3
durable_subscriptions = 1

[hosts."club.example"]
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The databases that keep the queues of all hosts."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'stompd.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_database(server)
    yield url
    drop_database(server, url)


@pytest.fixture(scope="module")
def broker(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker with two hosts beside the default one."""
    directory = tmp_path_factory.mktemp("hosts")
    (directory / "users").write_text("ann:default\nbob:default\n")
    (directory / "shop-users").write_text("ann:shop\n")
    with BrokerProcess(directory, store_url, settings=SETTINGS.format(directory=directory)) as broker:
        yield broker


def connect(broker: BrokerProcess, host: str, passcode: str = "default", **headers: str) -> RawClient:
    client = RawClient(broker.port)
    client.send_frame(
        "CONNECT", {"accept-version": "1.2", "host": host, "login": "ann", "passcode": passcode, **headers}
    )
    client.expect("CONNECTED")
    client.use_version("1.2")
    return client


def test_queue_of_one_host_is_not_that_of_another(broker: BrokerProcess) -> None:
    queue = "/queue/same"
    with connect(broker, "localhost") as default, connect(broker, "shop.example", "shop") as shop:
        default.send_message(queue, "of the default host")
        shop.send_message(queue, "of the shop")

        shop.subscribe(queue, "client-individual")
        default.subscribe(queue, "client-individual")

        shop.settle(*shop.expect_bodies("of the shop"))
        default.settle(*default.expect_bodies("of the default host"))
        shop.expect_nothing()


def test_topic_of_one_host_is_not_that_of_another(broker: BrokerProcess) -> None:
    topic = unique_name("/topic/test")
    with connect(broker, "localhost") as default, connect(broker, "shop.example", "shop") as shop:
        default.subscribe(topic)
        shop.subscribe(topic)

        shop.send_message(topic, "of the shop")

        shop.expect_bodies("of the shop")
        default.expect_nothing()


def test_host_has_users_of_its_own(broker: BrokerProcess) -> None:
    for host, passcode in (("shop.example", "default"), ("localhost", "shop"), ("club.example", "shop")):
        with RawClient(broker.port) as client:
            client.send_frame("CONNECT", {"accept-version": "1.2", "host": host, "login": "ann", "passcode": passcode})
            client.expect_error("login-failed")


def test_host_has_rules_of_its_own(broker: BrokerProcess) -> None:
    with connect(broker, "shop.example", "shop") as shop, connect(broker, "localhost") as default:
        default.send_message("/queue/closed")
        shop.send_frame("SUBSCRIBE", {"destination": "/queue/closed", "id": "1"})
        shop.expect_error("access-denied", "/queue/closed")


def test_list_and_pattern_are_asked_for_as_a_whole(broker: BrokerProcess) -> None:
    for to in ("/queue/same,/queue/closed", "/queue/#", "/queue/*,/topic/t"):
        with connect(broker, "shop.example", "shop") as shop:
            shop.send_frame("SUBSCRIBE", {"destination": to, "id": "1"})
            shop.expect_error("access-denied")
    with connect(broker, "shop.example", "shop") as shop:
        shop.send_frame("SEND", {"destination": "/topic/t,/queue/closed"})
        shop.expect_error("access-denied", "/queue/closed")
    with connect(broker, "shop.example", "shop") as shop:
        shop.send_frame("SEND", {"destination": "/topic/t", "reply-to": "/queue/same,/queue/closed"})
        shop.expect_error("access-denied", "reply-to")


def test_wildcards_stay_on_their_host(broker: BrokerProcess) -> None:
    topic = unique_name("/topic/test")
    with connect(broker, "localhost") as default, connect(broker, "shop.example", "shop") as shop:
        default.subscribe("/topic/#", id="all")
        default.subscribe("/queue/wild.#", id="queues")
        shop.subscribe("/topic/*")

        shop.send_message("/queue/wild.same", "of the shop")
        shop.send_message(topic, "of the shop")

        shop.expect_bodies("of the shop")
        default.expect_nothing()


def test_reply_reaches_who_asked_on_the_same_host_alone(broker: BrokerProcess) -> None:
    with connect(broker, "localhost") as default, connect(broker, "shop.example", "shop") as shop:
        shop.subscribe("/topic/work", id="work")
        shop.send_message("/topic/work", "question", reply_to="/temp-queue/answers")
        name = shop.expect("MESSAGE")["reply-to"]

        default.send_frame("SEND", {"destination": name, "receipt": "r"})
        default.expect_error("invalid-destination", receipt="r")
        shop.send_message(name, "answer")

        shop.expect_bodies("answer")


def test_retained_message_and_ids_of_senders_stay_on_their_host_over_a_crash(broker: BrokerProcess) -> None:
    topic = unique_name("/topic/test")
    with connect(broker, "shop.example", "shop") as shop:
        shop.request("SEND", {"destination": topic, "retain": "set", "dedup-id": "1"}, b"of the shop")
    broker.kill()
    broker.restart()

    with connect(broker, "localhost") as default, connect(broker, "shop.example", "shop") as shop:
        first = default.request("SEND", {"destination": topic, "dedup-id": "1"})
        second = shop.request("SEND", {"destination": topic, "dedup-id": "1"})
        default.subscribe(topic)
        shop.subscribe(topic)

        shop.expect_bodies("of the shop")
        default.expect_nothing()
    assert "duplicate" not in first
    assert second["duplicate"] == "true"


def test_schedule_is_for_those_who_may_manage_it(broker: BrokerProcess) -> None:
    question = {"destination": "/topic/ActiveMQ.Scheduler.Management", "AMQ_SCHEDULER_ACTION": "REMOVEALL"}
    with connect(broker, "shop.example", "shop") as shop, connect(broker, "localhost") as default:
        default.request("SEND", question)
        shop.send_frame("SEND", {**question, "receipt": "r"})

        shop.expect_error("access-denied", "manage", receipt="r")


@pytest.mark.parametrize("host", ["no.such.host", "LOCALHOST", ""])
def test_unknown_host_means_the_default_one(broker: BrokerProcess, host: str) -> None:
    queue = unique_name("/queue/test")
    with connect(broker, host) as client, connect(broker, "localhost") as default:
        client.send_message(queue, "x")
        default.subscribe(queue)
        default.expect_bodies("x")


def test_connections_of_a_host_are_limited(broker: BrokerProcess) -> None:
    clients = [connect(broker, "SHOP.example", "shop") for _ in range(3)]

    with RawClient(broker.port) as client:
        client.send_frame(
            "CONNECT", {"accept-version": "1.2", "host": "shop.example", "login": "ann", "passcode": "shop"}
        )
        client.expect_error("limit-exceeded", "hosts.shop.example.connections")
    connect(broker, "localhost").close()
    for each in clients:
        each.disconnect()
        each.close()


def test_client_id_and_durable_subscription_belong_to_a_host(broker: BrokerProcess) -> None:
    topic = unique_name("/topic/test")
    durable = {"durable_subscription_name": "n"}
    with (
        connect(broker, "localhost", **{"client-id": "c"}) as default,
        connect(broker, "shop.example", "shop", **{"client-id": "c"}) as shop,
    ):
        default.subscribe(topic, **durable)
        shop.subscribe(topic, **durable)
        shop.send_message(topic, "of the shop")
        shop.expect_bodies("of the shop")
        default.expect_nothing()
        shop.send_frame(
            "SUBSCRIBE", {"destination": topic, "id": "2", "durable-subscription-name": "m", "receipt": "r"}
        )
        shop.expect_error("limit-exceeded", "durable_subscriptions", receipt="r")


def test_messages_of_a_host_survive_a_restart_and_queues_are_limited(
    start_broker: StartBroker, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("own")
    (directory / "users").write_text("ann:default\n")
    (directory / "shop-users").write_text("ann:shop\n")
    broker = start_broker(SETTINGS.format(directory=directory), store=database_url)
    with connect(broker, "shop.example", "shop", **{"client-id": "c"}) as shop, connect(broker, "localhost") as default:
        shop.subscribe("/topic/t", id="t", durable_subscription_name="n")
        shop.request("UNSUBSCRIBE", {"id": "t"})
        for number in range(3):
            shop.send_message(f"/queue/{number}", "of the shop")
        shop.send_message("/topic/t", "of the shop's topic")
        default.send_message("/queue/0", "of the default host")
        shop.send_frame("SEND", {"destination": "/queue/3", "receipt": "r"})
        shop.expect_error("limit-exceeded", "queues", receipt="r")

    broker.kill()
    broker.restart()

    with connect(broker, "shop.example", "shop", **{"client-id": "c"}) as shop, connect(broker, "localhost") as default:
        shop.subscribe("/queue/0")
        shop.expect_bodies("of the shop")
        shop.subscribe("/topic/t", id="t", durable_subscription_name="n")
        shop.expect_bodies("of the shop's topic")
        default.subscribe("/queue/0")
        default.expect_bodies("of the default host")


def test_strict_broker_refuses_unknown_and_missing_hosts(start_broker: StartBroker) -> None:
    broker = start_broker('strict_host = true\n[hosts."shop.example"]\n')

    for headers in ({"host": "no.such.host"}, {}):
        with RawClient(broker.port) as client:
            client.send_frame("CONNECT", {"accept-version": "1.2", **headers})
            client.expect_error("unknown-host", "host")
    for host in ("shop.example", "localhost"):
        with RawClient(broker.port) as client:
            client.send_frame("CONNECT", {"accept-version": "1.2", "host": host})
            client.expect("CONNECTED")
