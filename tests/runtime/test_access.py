"""Access: what users are asked for, and how often."""

from __future__ import annotations

import pytest
from zope.interface import implementer

from stompd.broker.broker import Broker
from stompd.broker.destination import parse_destination, parse_source, parse_target
from stompd.broker.effects import SessionId
from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.broker.requests import Inspect, Naming, Request, Send, Subscribe, Terms, Unsubscribe
from stompd.errors import AccessDenied
from stompd.interfaces import IStompUser
from stompd.runtime.access import Access
from stompd.store.memory import MemoryStore

SESSION = SessionId(1)


@implementer(IStompUser)
class User:
    """Notes what is asked, and may do all but some things."""

    name = "carla"
    expires_at = None

    def __init__(self, *denied: str) -> None:
        self.asked: list[str] = []
        self.open_paths: set[str] = set()
        self._denied = denied

    def may(self, action: str, destination: str) -> bool:
        self.asked.append(f"{action} {destination}")
        return self.asked[-1] not in self._denied


@pytest.fixture
def access() -> Access:
    """Access to a broker with the queue /queue/there."""
    broker = Broker(Limits(), MemoryStore().open())
    broker.open_session(SESSION)
    broker.submit(SESSION, send("/queue/there"), 0)
    return Access(broker)


def send(to: str, **headers: str) -> Send:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Send(parse_target(to), Message(to, named, b""))


def subscribe(to: str, naming: Naming | None = None) -> Subscribe:
    return Subscribe(parse_source(to), "1", naming=naming)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (send("/queue/a"), ["send /queue/a", "create /queue/a"]),
        (send("/topic/a"), ["send /topic/a"]),
        (send("/topic/a", reply_to="queue://b"), ["send /topic/a", "consume /queue/b"]),
        (send("/topic/a", reply_to="no destination"), ["send /topic/a"]),
        (subscribe("/queue/a"), ["consume /queue/a", "create /queue/a"]),
        (subscribe("/topic/a"), ["consume /topic/a"]),
        (subscribe("/topic/a", Naming("n", is_durable=False)), ["consume /topic/a"]),
        (subscribe("/topic/a", Naming("n")), ["consume /topic/a", "create /topic/a"]),
        (send("/queue/a,/topic/b"), ["send /queue/a", "create /queue/a", "send /topic/b"]),
        (send("/topic/a", reply_to="/queue/b, c"), ["send /topic/a", "consume /queue/b", "consume /queue/c"]),
        (send("/temp-queue/a"), ["send /temp-queue/a"]),
        (subscribe("/queue/a.*,/queue/b"), ["consume /queue/a.*", "consume /queue/b", "create /queue/b"]),
        (subscribe("/topic/a.>", Naming("n")), ["consume /topic/a.#", "create /topic/a.#"]),
        (subscribe("/temp-queue/a"), ["consume /temp-queue/a"]),
        (Unsubscribe("1"), []),
        (Unsubscribe("1", naming=Naming("n"), destination=parse_destination("/topic/a")), ["consume /topic/a"]),
    ],
)
def test_request_needs(access: Access, request_: Request, expected: list[str]) -> None:
    user = User()

    access.check(SESSION, user, request_)

    assert user.asked == expected


@pytest.mark.parametrize(
    ("request_", "denied"),
    [
        (send("/queue/a"), "send /queue/a"),
        (send("/queue/a"), "create /queue/a"),
        (subscribe("/queue/a"), "consume /queue/a"),
        (subscribe("/queue/a"), "create /queue/a"),
        (subscribe("/topic/a", Naming("n")), "create /topic/a"),
        (send("/queue/a,/topic/b"), "send /topic/b"),
        (subscribe("/queue/a.*,/queue/b"), "consume /queue/b"),
        (subscribe("/queue/a.*,/queue/b"), "create /queue/b"),
        (Unsubscribe("1", naming=Naming("n"), destination=parse_destination("/topic/a")), "consume /topic/a"),
    ],
)
def test_what_is_denied_is_named(access: Access, request_: Request, denied: str) -> None:
    action, path = denied.split()

    with pytest.raises(AccessDenied) as caught:
        access.check(SESSION, User(denied), request_)

    assert caught.value.detail == f"User carla has no permission to {action} on {path}."


def test_queue_that_is_there_need_not_be_created(access: Access) -> None:
    user = User("create /queue/there")

    access.check(SESSION, user, send("/queue/there"))
    access.check(SESSION, user, subscribe("/queue/there"))

    assert user.open_paths == set()


def test_path_that_is_open_is_noted(access: Access) -> None:
    user = User()

    access.check(SESSION, user, send("/queue/a"))
    access.check(SESSION, user, subscribe("/queue/b"))

    assert user.open_paths == {"/queue/a"}


def test_notes_are_bounded(access: Access) -> None:
    user = User()

    for number in range(2_000):
        access.check(SESSION, user, send(f"/queue/{number}"))

    assert len(user.open_paths) <= 1_024


def test_reply_to_needs_one_of_two_permissions(access: Access) -> None:
    request = send("/topic/a", reply_to="/queue/b")

    access.check(SESSION, User("consume /queue/b"), request)
    access.check(SESSION, User("send /queue/b"), request)
    with pytest.raises(AccessDenied, match="which reply-to names"):
        access.check(SESSION, User("consume /queue/b", "send /queue/b"), request)


def test_every_member_of_reply_to_needs_a_permission(access: Access) -> None:
    request = send("/topic/a", reply_to="/queue/b,/queue/c")

    with pytest.raises(AccessDenied, match="send to /queue/c, which reply-to names"):
        access.check(SESSION, User("consume /queue/c", "send /queue/c"), request)


def test_who_only_looks_needs_to_browse(access: Access) -> None:
    user = User()

    access.check(SESSION, user, Subscribe(parse_source("/queue/there"), "1", terms=Terms(is_browser=True)))

    assert user.asked[0] == "browse /queue/there"
    assert "consume /queue/there" not in user.asked


def inspection(reply_to: str | None = None) -> Send:
    """Return a question about the schedule."""
    request = send("/topic/ActiveMQ.Scheduler.Management")
    request.inspect = Inspect(removes=False, reply_to=None if reply_to is None else parse_destination(reply_to))
    return request


def test_question_about_the_schedule_is_asked_for_as_managing(access: Access) -> None:
    user = User()

    access.check(SESSION, user, inspection("/queue/replies"))

    assert user.asked == ["manage /topic/ActiveMQ.Scheduler.Management", "send /queue/replies"]
    assert not user.open_paths


@pytest.mark.parametrize("denied", ["manage /topic/ActiveMQ.Scheduler.Management", "send /queue/replies"])
def test_who_may_not_manage_or_answer_there_does_not_see_the_schedule(access: Access, denied: str) -> None:
    with pytest.raises(AccessDenied):
        access.check(SESSION, User(denied), inspection("/queue/replies"))


def test_schedule_can_be_cancelled_without_answers(access: Access) -> None:
    user = User()

    access.check(SESSION, user, inspection())

    assert user.asked == ["manage /topic/ActiveMQ.Scheduler.Management"]
