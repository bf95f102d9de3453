"""How SEND spells what is sent again and again, and questions about it."""

from __future__ import annotations

import pytest

from stompd.broker.destination import parse_destination
from stompd.broker.effects import SessionId
from stompd.broker.requests import Send
from stompd.errors import InvalidHeader, MissingHeader, StompError
from stompd.session.commands import BUILDERS
from stompd.wire.frame import Frame, Version

MANAGEMENT = "/topic/ActiveMQ.Scheduler.Management"


def send(destination: str = "/queue/a", /, **headers: str) -> Send:
    """Return what a SEND asks for; underscores in lower-case names stand for hyphens."""
    named = {name.replace("_", "-") if name.islower() else name: value for name, value in headers.items()}
    request = BUILDERS["SEND"](
        Frame("SEND", {"destination": destination, **named}), Version.V1_2, SessionId(1), 1_700_000_000.0
    )
    assert isinstance(request, Send)
    return request


@pytest.mark.parametrize(
    "headers",
    [
        {"schedule_period": "500", "schedule_repeat": "-1"},
        {"AMQ_SCHEDULED_PERIOD": "500", "AMQ_SCHEDULED_REPEAT": "-1"},
    ],
)
def test_repetition_has_two_spellings(headers: dict[str, str]) -> None:
    message = send(**headers).message

    assert message.headers == {"schedule-period": "500", "schedule-repeat": "-1"}
    assert message.wishes is not None
    assert message.wishes.is_repeated


@pytest.mark.parametrize("name", ["schedule-cron", "AMQ_SCHEDULED_CRON"])
def test_cron_has_two_spellings(name: str) -> None:
    message = send(**{name: "0 8 * * *"}).message

    assert message.headers == {"schedule-cron": "0 8 * * *"}


def test_empty_values_ask_for_nothing() -> None:
    message = send(AMQ_SCHEDULED_CRON="", AMQ_SCHEDULED_PERIOD="").message

    assert message.headers == {}
    assert message.wishes is None


@pytest.mark.parametrize(
    ("headers", "mentions"),
    [
        ({"AMQ_SCHEDULED_CRON": "every day"}, "AMQ_SCHEDULED_CRON:every day cannot be used, since it has 2 fields"),
        ({"schedule_cron": "0 0 31 2 *"}, "a time that comes"),
        ({"schedule_period": "0", "schedule_repeat": "1"}, "schedule-period:0 cannot be used"),
        ({"schedule_period": "x", "schedule_repeat": "1"}, "schedule-period:x cannot be used"),
        (
            {"schedule_period": "5", "schedule_repeat": "-2"},
            "Accepted is a number from -1 to",
        ),
        ({"AMQ_SCHEDULED_PERIOD": "5"}, "go together"),
        ({"AMQ_SCHEDULED_REPEAT": "5"}, "go together"),
        ({"schedule_cron": "0 0 * * *", "schedule_repeat": "5"}, "contradict"),
    ],
)
def test_schedule_that_cannot_be_is_refused(headers: dict[str, str], mentions: str) -> None:
    with pytest.raises(InvalidHeader) as caught:
        send(**headers)

    assert mentions in caught.value.detail


def test_question_is_read() -> None:
    browse = send(MANAGEMENT, AMQ_SCHEDULER_ACTION="BROWSE", reply_to="/queue/r").inspect
    remove = send(MANAGEMENT, AMQ_SCHEDULER_ACTION="REMOVE", scheduledJobId="17").inspect
    times = {"AMQ_SCHEDULER_ACTION_START_TIME": "5", "AMQ_SCHEDULER_ACTION_END_TIME": "9"}
    remove_all = send(MANAGEMENT, AMQ_SCHEDULER_ACTION="REMOVEALL", **times).inspect

    assert browse is not None
    assert (browse.removes, browse.reply_to) == (False, parse_destination("/queue/r"))
    assert remove is not None
    assert (remove.removes, remove.message_id) == (True, 17)
    assert remove_all is not None
    assert (remove_all.removes, remove_all.message_id, remove_all.start_ms, remove_all.end_ms) == (True, 0, 5, 9)


@pytest.mark.parametrize(
    ("destination", "headers", "error", "mentions"),
    [
        ("/queue/a", {"AMQ_SCHEDULER_ACTION": "BROWSE"}, InvalidHeader, MANAGEMENT),
        (MANAGEMENT, {"AMQ_SCHEDULER_ACTION": "LOOK"}, InvalidHeader, "REMOVEALL"),
        (MANAGEMENT, {"AMQ_SCHEDULER_ACTION": "BROWSE"}, MissingHeader, "reply-to"),
        (MANAGEMENT, {"AMQ_SCHEDULER_ACTION": "REMOVE"}, MissingHeader, "scheduledJobId"),
        (MANAGEMENT, {"AMQ_SCHEDULER_ACTION": "REMOVE", "scheduledJobId": "x"}, InvalidHeader, "scheduledJobId"),
    ],
)
def test_question_that_cannot_be_answered_is_refused(
    destination: str, headers: dict[str, str], error: type[StompError], mentions: str
) -> None:
    with pytest.raises(error, match=mentions):
        send(destination, **headers)
