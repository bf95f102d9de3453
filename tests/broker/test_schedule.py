"""Messages that are sent again and again, and looking through what is scheduled."""

from __future__ import annotations

from stompd.broker.destination import parse_destination
from stompd.broker.policy import Rule
from stompd.broker.requests import AckMode, Inspect, Send
from stompd.store.memory import MemoryStore
from tests.broker.core import Core, new_message

REPLIES = parse_destination("/queue/replies")


def repeat(core: Core, body: str, count: int = -1, *, period_ms: int = 1000, **options: object) -> None:
    """Send a message that comes again."""
    headers = {"schedule-period": str(period_ms), "schedule-repeat": str(count)}
    core.send(1, body, headers=headers, wishes={"is_repeated": True}, **options)  # type: ignore[arg-type]


def inspect(core: Core, **options: object) -> list[str]:
    """Ask about the schedule, and return the answers."""
    options.setdefault("removes", False)
    question = Inspect(reply_to=REPLIES, **options)  # type: ignore[arg-type]  # as the type says
    topic = parse_destination("/topic/ActiveMQ.Scheduler.Management")
    request = Send(topic, new_message("", topic.path), None, "asked")
    request.inspect = question
    core.submit(3, request)
    shown = core.run()
    assert shown[0] == "confirm 3 asked"
    core.subscribe(3, REPLIES.path, "replies", prefetch=0, ack=AckMode.AUTO)
    bodies = [text.split(" ")[2] for text in core.run()]
    core.settle_written(3)
    core.unsubscribe(3, "replies")
    return bodies


def headers_of(core: Core, body: str, session: int = 3) -> dict[str, str]:
    return core._deliveries[session, body].entry.message.headers


def test_message_is_sent_at_once_and_so_many_times_again() -> None:
    core = Core()
    core.subscribe(2, prefetch=0)
    repeat(core, "a", 2)

    assert core.advance(0.5) == ["deliver 2 a"]
    assert core.advance(1) == ["deliver 2 a"]
    assert core.advance(1) == ["deliver 2 a"]
    assert core.advance(60) == []
    assert core.rows() == ["a", "a", "a"]  # those that the consumer holds


def test_delay_comes_first() -> None:
    core = Core()
    core.subscribe(2, prefetch=0)
    repeat(core, "a", 1, delay=10)

    assert core.advance(9.5) == []
    assert core.advance(1) == ["deliver 2 a"]
    assert core.advance(1) == ["deliver 2 a"]


def test_occurrences_are_new_messages_that_name_their_job() -> None:
    core = Core()
    core.subscribe(2, prefetch=0)
    repeat(core, "a", 1)
    core.advance(0.5)
    first = core._deliveries[2, "a"].entry.message
    core.advance(1)
    second = core._deliveries[2, "a"].entry.message

    assert first.message_id != second.message_id
    assert first.headers == second.headers
    assert list(first.headers) == ["scheduledJobId"]


def test_cron_says_when() -> None:
    core = Core()
    core.subscribe(2, prefetch=0)
    core.send(1, "a", headers={"schedule-cron": "*/10 * * * *"}, wishes={"is_repeated": True})

    assert core.advance(599) == ["deliver 2 a"]
    assert core.advance(1200) == ["deliver 2 a", "deliver 2 a"]


def test_jobs_survive_a_crash_and_make_up_for_what_was_missed_once() -> None:
    core = Core(MemoryStore())
    repeat(core, "a", 3)
    core.run()
    after = core.restart()
    after.now += 60
    after.subscribe(2, prefetch=0)

    assert after.advance(0.5) == ["deliver 2 a"]
    assert after.advance(1) == ["deliver 2 a"]
    assert after.advance(60) == ["deliver 2 a", "deliver 2 a"]


def test_volatile_job_does_not_survive() -> None:
    core = Core(MemoryStore())
    repeat(core, "a", is_persistent=False)
    core.run()
    after = core.restart()
    after.subscribe(2)

    assert after.advance(10) == []


def test_transaction_schedules_when_it_is_committed() -> None:
    core = Core()
    core.subscribe(2)
    core.begin(1)
    repeat(core, "a", 0, transaction="t")
    before = core.advance(5)
    core.commit(1)

    assert (before, core.advance(0.5)) == ([], ["deliver 2 a"])


def test_expired_job_ends() -> None:
    core = Core()
    repeat(core, "a", expires_ms=round(core.now * 1000) + 2500, delay=5)

    core.advance(20)

    assert core.rows() == []


def test_job_that_meets_a_limit_is_tried_again() -> None:
    core = Core(MemoryStore(), [Rule("/queue/a", message_bytes=1)], queues=1)
    core.send(1, "x", "/queue/b")
    core.send(
        1, "a", "/topic/a", headers={"schedule-period": "1000", "schedule-repeat": "0"}, wishes={"is_repeated": True}
    )
    core.run()
    (job,) = [row for queue in core.store._queues.values() for row in queue.rows.values() if row.due_ms]
    job.message.destination = "/queue/a"

    core.advance(1)

    assert job.due_ms > core.now * 1000 + 50_000


def test_what_is_scheduled_is_listed() -> None:
    core = Core()
    repeat(core, "job", delay=100)
    core.send(1, "delayed", delay=50)
    core.send(1, "waiting")
    core.run()

    assert sorted(inspect(core)) == ["", "delayed", "job"]
    assert headers_of(core, "delayed")["scheduled-destination"] == "/queue/a"
    assert headers_of(core, "delayed")["scheduled-at"] == str(round(core.now * 1000) + 50_000)
    assert headers_of(core, "job")["schedule-period"] == "1000"
    assert headers_of(core, "") == {"browser": "end", "count": "2"}


def test_what_came_back_from_a_consumer_is_not_listed() -> None:
    core = Core()
    core.subscribe(2)
    core.send(1, "a")
    core.run()
    core.reject(2, "a", delay_ms=50_000)
    core.run()

    assert inspect(core) == [""]


def test_long_schedule_is_listed_whole() -> None:
    core = Core()
    for number in range(250):
        core.send(1, str(number), delay=50 + number)
    core.run()

    assert inspect(core) == [str(number) for number in range(250)] + [""]
    assert inspect(core, start_ms=round(core.now * 1000) + 297_000) == ["247", "248", "249", ""]


def test_scheduled_message_is_cancelled_by_its_id() -> None:
    core = Core(MemoryStore())
    repeat(core, "job", delay=100)
    core.send(1, "delayed", delay=50)
    core.run()
    inspect(core)
    for body in ("job", "delayed"):
        inspect(core, removes=True, message_id=int(headers_of(core, body)["scheduledJobId"]))

        assert headers_of(core, "")["count"] == "1"
    assert core.rows() == []
    assert core.depth() == 0
    inspect(core, removes=True, message_id=17)
    assert headers_of(core, "")["count"] == "0"


def test_all_is_cancelled() -> None:
    core = Core()
    repeat(core, "job", delay=100)
    core.send(1, "delayed", delay=50)
    core.run()

    assert inspect(core, removes=True) == [""]
    assert headers_of(core, "")["count"] == "2"
    assert core.rows() == []


def test_questions_are_answered_one_after_the_other() -> None:
    core = Core()
    core.send(1, "delayed", delay=50)
    core.run()
    topic = parse_destination("/topic/ActiveMQ.Scheduler.Management")
    browse, remove = Inspect(removes=False, reply_to=REPLIES), Inspect(removes=True)
    for session, question in ((2, browse), (3, browse), (1, remove)):
        request = Send(topic, new_message("", topic.path))
        request.inspect = question
        core.submit(session, request)
    core.run()

    core.subscribe(1, REPLIES.path, "replies", prefetch=0)
    assert [text.split(" ")[2] for text in core.run()] == ["delayed", "", "delayed", ""]
    assert core.rows() == []
