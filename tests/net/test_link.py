"""One connection: how frames are taken, suspended and refused, and how octets leave."""

from __future__ import annotations

import socket

import pytest
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from zope.interface.verify import verifyObject

from stompd.broker.requests import Send
from tests.logged import LoggedEvents
from tests.net.site import Client, LateChecker, Site, frame

CONNECT = frame("CONNECT", accept_version="1.2", host="localhost")


def send(body: str, receipt: str | None = None, to: str = "/queue/a", **headers: str) -> bytes:
    asked = {} if receipt is None else {"receipt": receipt}
    return frame("SEND", body.encode(), destination=to, **asked, **headers)


def subscribe(to: str = "/queue/a", ack: str = "auto", **headers: str) -> bytes:
    return frame("SUBSCRIBE", destination=to, id="s", ack=ack, **headers)


def full_site() -> Site:
    """A site whose journal is full, with a store that does not answer yet."""
    site = Site(journal_units=1)
    filler = site.client()
    filler.send(send("filler 1", to="/queue/other") + send("filler 2", to="/queue/other"))
    site.turn()
    return site


def test_link_provides_what_twisted_calls() -> None:
    client = Site().client()

    assert verifyObject(IHalfCloseableProtocol, client.link)
    assert verifyObject(IPushProducer, client.link)


# Taking frames


def test_link_says_nothing_before_the_client_does() -> None:
    client = Site().client(None)

    assert client.transport.writes == []


def test_frame_in_pieces_is_taken_when_it_is_whole() -> None:
    site = Site()
    client = site.client()

    for octet in send("hello", "r1"):
        client.send(bytes([octet]))
    site.run()

    assert client.texts() == ["RECEIPT r1"]
    assert site.bodies() == ["hello"]


def test_conversation_in_one_piece_is_answered_whole() -> None:
    site = Site()
    client = site.client(None)

    client.send(CONNECT + send("a", "r1") + frame("DISCONNECT", receipt="r2"))
    client.finish()
    site.run()

    assert client.texts() == ["CONNECTED", "RECEIPT r1", "RECEIPT r2"]
    assert client.transport.ending == ["closed"]
    assert site.bodies() == ["a"]


def test_peer_that_ends_its_half_gets_its_receipts() -> None:
    site = Site()
    client = site.client()

    client.send(send("a", "r1"))
    client.finish()
    before = client.transport.ending.copy()
    site.run()

    assert before == []
    assert client.texts() == ["RECEIPT r1"]
    assert client.transport.ending == ["closed"]


def test_peer_that_ends_its_half_before_connect_is_let_go() -> None:
    client = Site().client(None)

    client.send(b"CONN")
    client.finish()

    assert client.transport.writes == []
    assert client.transport.ending == ["closed"]


def test_nothing_behind_disconnect_is_taken() -> None:
    site = Site()
    client = site.client()

    client.send(frame("DISCONNECT", receipt="r1") + send("late", "r2"))
    client.send(send("later", "r3"))
    site.run()

    assert client.texts() == ["RECEIPT r1"]
    assert site.bodies() == []


def test_answers_of_one_turn_are_one_write() -> None:
    site = Site()
    client = site.client()
    writes_before = len(client.transport.writes)

    client.send(send("a", "r1") + send("b", "r2") + send("c", "r3"))
    site.run()

    assert client.texts() == ["RECEIPT r1", "RECEIPT r2", "RECEIPT r3"]
    assert len(client.transport.writes) == writes_before + 1


def test_frames_received_before_the_connection_is_lost_take_effect() -> None:
    site = Site()
    client = site.client()

    client.send(send("a", "r1"))
    client.lose()
    site.run()

    assert site.bodies() == ["a"]


def test_transaction_of_a_lost_connection_is_aborted() -> None:
    site = Site()
    client = site.client()

    client.send(frame("BEGIN", transaction="t") + send("a", transaction="t"))
    client.lose()
    site.run()

    assert site.bodies() == []


def test_deliveries_of_a_lost_connection_return() -> None:
    site = Site()
    lost, other = site.client(), site.client()
    lost.send(subscribe(ack="client") + send("a"))
    site.run()

    lost.lose()
    other.send(subscribe())
    site.run()

    (message,) = other.received()
    assert message["redelivered"] == "true"


# Logging in


def test_login_and_passcode_reach_the_portal() -> None:
    site = Site()

    connected = site.client(None).connect(login="ann", passcode="secret")

    assert connected["user-name"] == "ann"


def test_frames_behind_connect_wait_for_the_portal() -> None:
    checker = LateChecker()
    site = Site(checker)
    client = site.client(None)

    client.send(CONNECT + send("a", "r1"))
    site.run()
    before = client.texts()
    checker.answers[0].callback(b"ann")
    site.run()

    assert before == []
    assert client.texts() == ["CONNECTED", "RECEIPT r1"]


def test_frames_behind_connect_are_read_in_the_negotiated_version() -> None:
    checker = LateChecker()
    site = Site(checker)
    client = site.client(None)

    client.send(CONNECT + subscribe() + send("a", x="one\ntwo"))
    checker.answers[0].callback(b"ann")
    site.run()

    _, message = client.received()
    assert message["x"] == "one\ntwo"


def test_connect_of_1_0_is_followed_by_frames_of_1_0() -> None:
    site = Site()
    client = site.client(None)

    client.send(frame("CONNECT") + b"SEND\ndestination: /queue/a\nreceipt: r1\nx:a\\nb\n\nhi\0")
    site.run()

    client._reader.version = "1.0"
    assert client.texts() == ["CONNECTED", "RECEIPT r1"]


def test_link_does_not_read_while_the_portal_is_asked() -> None:
    checker = LateChecker()
    client = Site(checker).client(None)

    client.send(CONNECT)
    before = client.transport.is_reading
    checker.answers[0].callback(b"ann")

    assert not before, "a stranger could fill the memory"
    assert client.transport.is_reading


def test_connection_lost_during_login_leaves_nothing_behind() -> None:
    checker = LateChecker()
    site = Site(checker)
    client = site.client(None)
    client.send(frame("CONNECT", accept_version="1.2", host="x", heart_beat="1000,1000"))

    client.lose()
    checker.answers[0].callback(b"ann")
    site.run()

    assert client.transport.writes == []
    assert site.timers == []


def test_frames_behind_the_connect_of_a_lost_connection_take_effect() -> None:
    checker = LateChecker()
    site = Site(checker)
    client = site.client(None)
    client.send(CONNECT + send("a"))

    client.lose()
    checker.answers[0].callback(b"ann")
    site.run()

    assert site.bodies() == ["a"]


def test_login_that_is_refused_after_the_connection_was_lost_is_no_fault() -> None:
    checker = LateChecker()
    site = Site(checker)
    client = site.client(None)
    client.send(CONNECT)

    client.lose()
    checker.answers[0].errback(UnauthorizedLogin())
    site.run()

    assert client.transport.writes == []
    assert site.timers == []


def test_refused_login_is_an_error() -> None:
    checker = LateChecker()
    client = Site(checker).client(None)
    client.send(frame("CONNECT", accept_version="1.2", host="x", login="ann", passcode="s3cret", receipt="r"))

    checker.answers[0].errback(UnauthorizedLogin())

    (error,) = client.received()
    assert (error.command, error["error-code"]) == ("ERROR", "login-failed")
    assert b"passcode" in error.body
    assert b"s3cret" not in error.body
    assert client.transport.ending == ["half-closed"]


def test_client_id_in_use_is_an_error() -> None:
    site = Site()
    first = site.client(client_id="c")
    second = site.client(None)

    second.send(frame("CONNECT", accept_version="1.2", host="x", client_id="c"))

    assert second.texts() == ["ERROR invalid-client-id"]
    assert second.transport.ending == ["half-closed"]
    assert first.texts() == []


def test_client_id_is_free_when_its_connection_is_lost() -> None:
    site = Site()
    site.client(client_id="c").lose()
    site.run()

    site.client(client_id="c")


def test_client_id_stays_in_use_when_a_second_connection_is_refused() -> None:
    site = Site()
    site.client(client_id="c")
    for _ in range(2):
        client = site.client(None)

        client.send(frame("CONNECT", accept_version="1.2", host="x", client_id="c"))
        client.lose()

        assert client.texts() == ["ERROR invalid-client-id"]


def test_portal_that_breaks_is_an_internal_error(logged: LoggedEvents) -> None:
    checker = LateChecker()
    client = Site(checker).client(None)
    client.send(CONNECT)

    checker.answers[0].errback(ZeroDivisionError("s3cret"))

    (error,) = client.received()
    assert error["error-code"] == "internal-error"
    assert b"s3cret" not in error.body
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]


def test_portal_that_raises_is_an_internal_error(logged: LoggedEvents) -> None:
    class Broken:
        def login(self, *arguments: object) -> None:
            raise ZeroDivisionError

    client = Site(portal=Broken()).client(None)

    client.send(CONNECT)

    assert client.texts() == ["ERROR internal-error"]
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]


def test_silent_connection_is_refused_after_login_seconds() -> None:
    site = Site(login_seconds=3)
    client = site.client(None)

    site.advance(2.9)
    before = client.texts()
    site.advance(0.1)

    assert before == []
    assert client.texts() == ["ERROR login-timeout"]


def test_login_seconds_bound_the_portal_as_well() -> None:
    checker = LateChecker()
    site = Site(checker, login_seconds=3)
    client = site.client(None)
    client.send(CONNECT)

    site.advance(3)
    checker.answers[0].callback(b"ann")
    site.run()

    assert client.texts() == ["ERROR login-timeout"]
    assert client.transport.is_reading


@pytest.mark.parametrize("answer", [UnauthorizedLogin(), ZeroDivisionError()])
def test_portal_that_fails_too_late_is_not_heard(answer: Exception, logged: LoggedEvents) -> None:
    checker = LateChecker()
    site = Site(checker, login_seconds=3)
    client = site.client(None)
    client.send(CONNECT)

    site.advance(3)
    checker.answers[0].errback(answer)

    assert client.texts() == ["ERROR login-timeout"]
    assert not logged.failures


def test_login_in_time_is_not_timed_out() -> None:
    site = Site(login_seconds=3)
    client = site.client()

    site.advance(100)

    assert client.texts() == []
    assert client.transport.ending == []


def test_unfinished_connect_is_bounded() -> None:
    client = Site(login_frame_bytes=1_000).client(None)

    client.send(b"CONNECT\n" + b"x:" + b"y" * 990)
    before = client.texts()
    client.send(b"y")

    assert before == []
    (error,) = client.received()
    assert error["error-code"] == "frame-too-large"
    assert b"limits.login_frame_bytes" in error.body


def test_frames_behind_the_login_may_be_longer_than_it() -> None:
    site = Site(login_frame_bytes=1_000)
    client = site.client()

    client.send(send("x" * 5_000, "r1"))
    site.run()

    assert client.texts() == ["RECEIPT r1"]


def test_typed_frames_are_answered_with_line_ends() -> None:
    site = Site()
    typed, sent = site.client(None), site.client(None)

    typed.send(CONNECT + b"\n")
    sent.send(CONNECT)

    assert typed.transport.value().endswith(b"\0\n")
    assert sent.transport.value().endswith(b"\0")


# ERROR and closing


def test_error_comes_behind_the_receipts_that_are_owed() -> None:
    site = Site()
    client = site.client()

    client.send(send("a", "r1") + frame("SUBSCRIBE", receipt="r2", id="1"))
    before = client.texts()
    site.run()

    assert before == []
    assert client.texts() == ["RECEIPT r1", "ERROR missing-header r2"]


def test_malformed_octets_are_refused_behind_the_receipts_that_are_owed() -> None:
    site = Site()
    client = site.client()

    client.send(send("a", "r1") + b"SEND\nno colon\n\n\0")
    site.run()

    assert client.texts() == ["RECEIPT r1", "ERROR malformed-frame"]


def test_nothing_is_taken_or_sent_after_an_error() -> None:
    site = Site()
    client, sender = site.client(), site.client()
    client.send(subscribe() + frame("BOO") + send("late", "r1"))
    site.run()

    client.send(send("later", "r2"))
    sender.send(send("a", "r3"))
    site.run()

    assert client.texts() == ["ERROR unknown-command"]
    assert sender.texts() == ["RECEIPT r3"]
    assert site.bodies() == ["a"]


def test_error_before_connect_is_sent_at_once() -> None:
    client = Site().client(None)

    client.send(send("a", "r1"))

    assert client.texts() == ["ERROR not-connected r1"]
    assert client.transport.ending == ["half-closed"]


def test_refused_link_reads_on_and_forgets_it() -> None:
    site = Site()
    client = site.client()
    client.send(frame("BOO"))
    site.run()

    client.send(b"x" * 100_000)

    assert client.transport.ending == ["half-closed"]
    assert client.transport.is_reading


def test_link_closes_as_soon_as_the_peer_has() -> None:
    site = Site()
    client = site.client()
    client.send(frame("BOO"))
    site.run()

    client.finish()

    assert client.transport.ending == ["half-closed", "closed"]


def test_link_is_cut_after_linger_seconds() -> None:
    site = Site(linger_seconds=7)
    client = site.client()
    client.send(frame("BOO"))
    site.run()

    site.advance(6.9)
    before = client.transport.ending.copy()
    site.advance(0.1)

    assert before == ["half-closed"]
    assert client.transport.ending == ["half-closed", "aborted"]
    assert site.timers == []


def test_linger_ends_with_the_connection() -> None:
    site = Site()
    client = site.client()
    client.send(frame("BOO"))
    site.run()

    client.lose()

    assert site.timers == []


def test_link_that_is_closed_tells_of_its_half() -> None:
    site = Site()
    client = site.client()
    client.send(frame("BOO"))
    site.run()

    client.link.writeConnectionLost()

    assert client.transport.ending == ["half-closed"]


def test_link_lets_go_of_its_transport() -> None:
    site = Site()
    client = site.client()
    before = client.transport.producer
    client.send(frame("DISCONNECT"))
    site.run()

    assert before is client.link
    assert client.transport.producer is None


def test_tls_is_closed_by_its_own_handshake() -> None:
    site = Site(linger_seconds=7)
    client = site.client(is_tls=True)
    client.send(frame("BOO"))
    site.run()
    before = client.transport.ending.copy()
    site.advance(7)

    assert before == ["closed"]
    assert client.transport.ending == ["closed", "aborted"]


def test_internal_error_is_logged_and_hurts_no_other(monkeypatch: pytest.MonkeyPatch, logged: LoggedEvents) -> None:
    site = Site()
    client, other = site.client(), site.client()
    broker_submit = type(site.broker).submit

    def fail_on_boom(broker: object, session: object, request: object, now: float) -> None:
        if isinstance(request, Send) and request.message.body == b"boom":
            raise ZeroDivisionError("s3cret")
        broker_submit(broker, session, request, now)  # type: ignore[arg-type]

    monkeypatch.setattr(type(site.broker), "submit", fail_on_boom)

    client.send(send("a", "r1") + send("boom", "r2"))
    other.send(send("b", "r3"))
    site.run()

    *_, error = frames = client.received()
    assert [found.command for found in frames] == ["RECEIPT", "ERROR"]
    assert (error["error-code"], error.get("receipt-id")) == ("internal-error", "r2")
    assert b"s3cret" not in error.body
    assert other.texts() == ["RECEIPT r3"]
    assert [failure.type for failure in logged.failures] == [ZeroDivisionError]


# Soft errors and advice


def test_frame_that_fails_softly_is_answered_in_its_turn() -> None:
    site = Site()
    client = site.client(soft_errors="true")

    client.send(send("a", "r1") + frame("SEND", receipt="r2") + send("b", "r3"))
    site.run()

    assert client.texts() == ["RECEIPT r1", "ERROR missing-header r2", "RECEIPT r3"]
    assert client.transport.ending == []


def test_frame_without_receipt_that_fails_is_the_end_all_the_same() -> None:
    site = Site()
    client = site.client(soft_errors="true")

    client.send(frame("SEND") + send("b", "r3"))
    site.run()

    assert client.texts() == ["ERROR missing-header"]
    assert client.transport.ending == ["half-closed"]


def test_malformed_frame_is_the_end_all_the_same() -> None:
    site = Site()
    client = site.client(soft_errors="true")

    client.send(b"SEND\nreceipt:r1\nno colon\n\n\0" + send("b", "r3"))
    site.run()

    assert client.texts() == ["ERROR malformed-frame r1"]
    assert client.transport.ending == ["half-closed"]


def test_advice_that_no_receipt_can_carry_is_logged_once(logged: LoggedEvents) -> None:
    site = Site()
    client = site.client()

    client.send_frame("SEND", destination="/queue/a", persistant="true")
    site.advance(60)
    client.send_frame("SEND", destination="/queue/a", persistant="true")

    lines = [line for line in logged.lines if "without effect" in line]
    assert [line.partition(": ")[2] for line in lines] == [
        "headers without effect: persistant has no effect (did you mean persistent?)"
    ]


def test_advice_on_the_last_frame_is_logged(logged: LoggedEvents) -> None:
    client = Site().client()

    client.send_frame("DISCONNECT", reciept="1")

    assert [line for line in logged.lines if "reciept is ignored (did you mean receipt?)" in line]


def test_advice_to_many_is_logged_once_a_second(logged: LoggedEvents) -> None:
    site = Site()
    for _ in range(5):
        site.client().send_frame("SEND", destination="/queue/a", persistant="true")
    site.advance(1)
    site.client().send_frame("SEND", destination="/queue/a", persistant="true")

    assert len([line for line in logged.lines if "without effect" in line]) == 2


def test_advice_that_a_receipt_carries_is_not_logged(logged: LoggedEvents) -> None:
    site = Site()
    client = site.client()

    client.send_frame("SEND", destination="/queue/a", persistant="true", receipt="r1")
    site.run()

    (receipt,) = client.received()
    assert receipt["warning"] == "persistant has no effect (did you mean persistent?)"
    assert not [line for line in logged.lines if "without effect" in line]


# Back-pressure


def test_sender_is_not_read_from_while_the_journal_is_full() -> None:
    site = full_site()
    client = site.client()

    client.send(send("a", "r1") + send("b", "r2"))
    before = client.transport.is_reading
    site.run()

    assert not before
    assert client.transport.is_reading
    assert client.texts() == ["RECEIPT r1", "RECEIPT r2"]


def test_frames_behind_the_one_that_waits_wait_as_well() -> None:
    site = full_site()
    client = site.client()

    client.send(send("a", "r1") + send("b", "r2"))
    site.writer.write()
    site.writer.write()
    before = site.bodies()
    site.run()

    assert before == ["filler 1", "filler 2", "a"]
    assert site.bodies() == ["filler 1", "filler 2", "a", "b"]


def test_receiver_is_read_from_while_the_journal_is_full() -> None:
    site = Site(journal_units=3)
    reader, sender = site.client(), site.client()
    reader.send(subscribe(ack="client-individual") + send("a"))
    site.run()
    sender.send(b"".join(send(body) for body in "bcde"))
    site.turn()
    is_full = site.journal.is_full

    (message,) = reader.received()
    reader.send_frame("ACK", id=message["ack"], receipt="r1")
    site.run()

    assert is_full
    assert reader.transport.is_reading
    assert "RECEIPT r1" in reader.texts()


def test_connection_lost_while_it_waits_is_still_taken() -> None:
    site = full_site()
    client = site.client()
    client.send(send("a", "r1") + send("b", "r2"))

    client.lose()
    site.run()

    assert site.bodies() == ["filler 1", "filler 2", "a", "b"]
    assert site.timers == []


def test_lost_connection_that_waits_is_given_nothing() -> None:
    site = Site(journal_units=2)
    lost, other, sender, last = (site.client() for _ in range(4))
    for reader in (lost, other):
        reader.send(subscribe(ack="client"))
    site.run()
    sender.send(b"".join(send("x", to="/queue/other") for _ in range(3)))
    site.turn()
    lost.send(send("b"))

    lost.lose()
    last.send(send("a", persistent="false"))
    site.turn()

    assert not site.journal.is_drained
    assert other.texts() == ["MESSAGE a"]


def test_refused_link_that_waits_reads_on() -> None:
    site = full_site()
    client = site.client()
    client.send(send("a", "r1") + send("b"))

    client.link.shut_down()
    site.run()

    assert client.transport.is_reading
    assert client.texts() == ["RECEIPT r1", "ERROR shutting-down"]
    assert site.bodies() == ["filler 1", "filler 2", "a"]


def test_tls_that_waits_reads_the_handshake_by_which_it_is_closed() -> None:
    site = full_site()
    client = site.client(is_tls=True)
    client.send(frame("DISCONNECT", receipt="r1"))
    before = client.transport.is_reading

    site.run()

    assert not before
    assert client.transport.is_reading
    assert client.transport.ending == ["closed"]


# The transport is full


def test_client_that_does_not_read_gets_no_more_deliveries() -> None:
    site = Site()
    reader, sender = site.client(), site.client()
    reader.send(subscribe(prefetch_count="0"))
    site.run()
    reader.transport.is_peer_reading = False
    body = "x" * 40_000

    for _ in range(5):
        sender.send(send(body, persistent="false"))
        site.run()
    held = len(reader.received())
    reader.transport.drain()
    site.run()

    assert held == 2
    assert len(reader.received()) == 3


def test_client_that_does_not_read_hurts_no_other() -> None:
    site = Site()
    slow, fast, sender = site.client(), site.client(), site.client()
    for reader in (slow, fast):
        reader.send(subscribe("/topic/a"))
    slow.transport.is_peer_reading = False

    for _ in range(5):
        sender.send(send("x" * 40_000, to="/topic/a"))
        site.run()

    assert len(fast.received()) == 5
    assert len(slow.received()) == 2


def test_automatic_delivery_in_the_buffer_of_a_lost_connection_returns() -> None:
    site = Site()
    slow, other = site.client(), site.client()
    slow.transport.is_peer_reading = False
    slow.send(subscribe() + send("x" * 70_000))
    site.run()

    slow.lose()
    other.send(subscribe())
    site.run()

    (message,) = other.received()
    assert message["redelivered"] == "true"


def unread_client(site: Site) -> Client:
    """Return a client that subscribes and then reads nothing, whose transport is full."""
    client = site.client()
    client.transport.is_peer_reading = False
    client.send(subscribe() + send("x" * 70_000, persistent="false"))
    site.run()
    assert not client.link.is_writable
    return client


def test_client_that_reads_nothing_is_not_read_from_for_ever() -> None:
    site = Site(outgoing_bytes=1_000)
    client = unread_client(site)
    writes_before = len(client.transport.writes)

    client.send(b"".join(send("a", f"a{number}", to="/queue/b") for number in range(10)))
    site.run()
    before = client.transport.is_reading
    client.send(b"".join(send("b", f"b{number}", to="/queue/b") for number in range(100)))
    site.run()

    assert before
    assert not client.transport.is_reading
    assert len(client.transport.writes) == writes_before, "more was handed to a transport that is full"


def test_client_that_reads_on_gets_everything_and_is_read_from() -> None:
    site = Site(outgoing_bytes=1_000)
    client = unread_client(site)
    client.send(b"".join(send("x", str(number), to="/queue/b") for number in range(100)))
    site.run()
    was_reading = client.transport.is_reading

    client.transport.drain()
    site.run()

    assert not was_reading
    assert client.texts()[1:] == [f"RECEIPT {number}" for number in range(100)]
    assert client.transport.is_reading


def test_transport_that_is_full_again_gets_no_more() -> None:
    site = Site()
    client = unread_client(site)
    client.send(b"".join(send("x", "r" * 1_000 + str(number), to="/queue/b") for number in range(80)))
    site.run()

    client.transport.drain(goes_on=False)
    client.send(send("y", "last", to="/queue/b"))
    site.run()

    assert not client.link.is_writable
    assert "RECEIPT last" not in client.texts()


def test_what_an_unread_connection_sent_before_it_was_lost_is_taken() -> None:
    site = Site(outgoing_bytes=100)
    client = unread_client(site)
    client.send(send("a", "r" * 200, to="/queue/b"))
    site.run()
    is_held = not client.transport.is_reading
    client.link.dataReceived(send("b", to="/queue/b"))  # as TLS does, which had it already

    client.lose()
    site.run()

    assert is_held
    assert site.bodies() == ["a", "b"]


def test_link_waits_until_nothing_holds_it() -> None:
    site = Site(journal_units=1, outgoing_bytes=100)
    client = unread_client(site)
    client.send(send("a", "r" * 200, to="/queue/b"))
    site.run()
    client.link.suspend()

    client.link.resume()
    before = client.transport.is_reading
    client.transport.drain()

    assert not before
    assert client.transport.is_reading


# Heart-beats


def test_heart_beat_is_sent_at_half_the_interval() -> None:
    site = Site()
    client = site.client(heart_beat="0,10000")
    length = len(client.transport.value())

    site.advance(4.9)
    before = client.transport.value()[length:]
    site.advance(0.1)
    first = client.transport.value()[length:]
    site.advance(5)

    assert before == b""
    assert first == b"\n"
    assert client.transport.value()[length:] == b"\n\n"


def test_heart_beat_is_put_off_by_what_else_is_sent() -> None:
    site = Site()
    client = site.client(heart_beat="0,10000")
    site.advance(4)
    client.send(send("a", "r1"))
    site.run()
    length = len(client.transport.value())

    site.advance(4.9)
    before = client.transport.value()[length:]
    site.advance(0.1)

    assert before == b""
    assert client.transport.value()[length:] == b"\n"


def test_silent_peer_is_given_up_after_twice_its_interval_and_a_second() -> None:
    site = Site()
    client = site.client(heart_beat="10000,0")

    site.advance(20.9)
    before = client.texts()
    site.advance(0.1)

    assert before == []
    assert client.texts() == ["ERROR heart-beat-missed"]
    assert client.transport.ending == ["half-closed"]


def test_any_octet_keeps_the_connection() -> None:
    site = Site()
    client = site.client(heart_beat="10000,0")

    for _ in range(5):
        site.advance(20)
        client.send(b"\n")

    assert client.texts() == []


def test_silence_of_a_link_that_is_not_read_from_is_no_fault() -> None:
    site = full_site()
    client = site.client(heart_beat="10000,0")
    client.send(send("a"))

    site.reactor.advance(100)

    assert client.texts() == []


def test_silence_counts_again_when_reading_goes_on() -> None:
    site = full_site()
    client = site.client(heart_beat="10000,0")
    client.send(send("a"))
    site.reactor.advance(100)
    site.run()

    site.advance(20.9)
    before = client.texts()
    site.advance(0.1)

    assert before == []
    assert client.texts() == ["ERROR heart-beat-missed"]


def test_hearts_beat_while_the_journal_is_full() -> None:
    site = full_site()
    client = site.client(heart_beat="10000,10000")
    client.send(send("a"))
    length = len(client.transport.value())

    site.reactor.advance(5)
    site.reactor.advance(5)

    assert client.transport.value()[length:] == b"\n\n"


@pytest.mark.parametrize("last", [frame("DISCONNECT", receipt="r2"), frame("BOO"), b""])
def test_hearts_beat_while_the_last_receipts_are_awaited(last: bytes) -> None:
    site = Site()
    client = site.client(heart_beat="1000,10000")
    client.send(send("a", "r1") + last)
    if not last:
        client.finish()
    length = len(client.transport.value())

    for _ in range(6):
        site.reactor.advance(5)

    assert client.transport.value()[length:] == b"\n" * 6
    site.run()
    assert client.texts()[0] == "RECEIPT r1"


def test_heart_stops_with_the_connection() -> None:
    site = Site()
    client = site.client(heart_beat="1000,1000")

    client.lose()

    site.turn()
    assert site.timers == []


def test_nothing_is_sent_when_no_heart_beat_was_agreed_upon() -> None:
    site = Site()
    client = site.client(heart_beat="0,0")
    length = len(client.transport.value())

    site.advance(1_000)

    assert client.transport.value()[length:] == b""


# The socket


def test_socket_sends_at_once_and_finds_dead_peers() -> None:
    client = Site().client()

    assert client.transport.options == [("no delay", True), ("keep alive", True)]
    assert client.transport.handle.options == {
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 60,
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 15,
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 4,
    }


@pytest.mark.parametrize("error", [OSError("not supported"), AttributeError("no such option")])
def test_socket_without_such_options_serves(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("tests.net.site.Handle.setsockopt", refuse)
    monkeypatch.setattr("tests.net.site.Transport.setTcpNoDelay", refuse)
    site = Site()
    client = site.client()

    client.send(send("a", "r1"))
    site.run()

    assert client.texts() == ["RECEIPT r1"]


# Shutting down


def test_link_that_is_shut_down_owes_nothing() -> None:
    site = Site()
    client = site.client()
    client.send(send("a", "r1"))

    client.link.shut_down()
    client.send(send("late", "r2"))
    site.run()

    assert client.texts() == ["RECEIPT r1", "ERROR shutting-down"]
    assert site.bodies() == ["a"]


def test_link_without_session_is_shut_down_at_once() -> None:
    checker = LateChecker()
    site = Site(checker)
    client = site.client(None)
    client.send(CONNECT)

    client.link.shut_down()
    checker.answers[0].callback(b"ann")

    assert client.texts() == ["ERROR shutting-down"]


def test_link_that_ends_already_is_not_told() -> None:
    site = Site()
    client = site.client()
    client.send(frame("DISCONNECT", receipt="r1"))

    client.link.shut_down()
    site.run()

    assert client.texts() == ["RECEIPT r1"]


def test_link_that_was_refused_is_not_told() -> None:
    client = Site().client(None)
    client.send_frame("BOO")

    client.link.shut_down()

    assert client.texts() == ["ERROR unknown-command"]


def test_link_can_be_cut() -> None:
    site = Site()
    client: Client = site.client()

    client.link.abort()

    assert client.transport.ending == ["aborted"]
