"""What each frame of an open session asks of the core: one function for each command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from stompd.broker.destination import (
    OWN_PREFIXES,
    Destination,
    parse_destination,
    parse_source,
    parse_target,
    read_group,
)
from stompd.broker.effects import SessionId
from stompd.broker.matching import TYPES_HEADER
from stompd.broker.message import Message
from stompd.broker.requests import (
    Abort,
    AckMode,
    Acknowledge,
    Begin,
    Commit,
    DeliveredMessage,
    DeliveryName,
    DeliveryToken,
    Disconnect,
    Reject,
    Request,
    Send,
    Subscribe,
    Unsubscribe,
)
from stompd.errors import InvalidHeader, UnknownDelivery
from stompd.selector.evaluate import Selector, compile_selector
from stompd.session.aliases import refuse_contradictions
from stompd.session.headers import (
    SEND_HEADERS,
    invalid,
    missing,
    parse_boolean,
    read_meanings,
    read_prefetch,
    read_rejection,
    show,
)
from stompd.session.inspecting import ACTION, read_inspection
from stompd.session.kinds import qualify
from stompd.session.naming import read_deletion, read_no_local, read_subscription
from stompd.session.origin import read_origin
from stompd.session.properties import check_types
from stompd.session.terms import read_terms
from stompd.session.unsupported import UNSUPPORTED, refuse_unsupported
from stompd.wire.frame import Frame, Version

#: Builds the request that a frame makes, from the frame, the session's version and id, and the time.
Builder: TypeAlias = Callable[[Frame, Version, SessionId, float], Request]

#: Clients use few destinations and name them in every SEND. A name is short, and lists are bounded and rare.
_target = lru_cache(maxsize=1_024)(parse_target)
_source = lru_cache(maxsize=1_024)(parse_source)

_ACK_MODES: Mapping[str, AckMode] = {
    "auto": AckMode.AUTO,
    "none": AckMode.AUTO,  # Apollo's word for it
    "client": AckMode.CLIENT,
    "client-individual": AckMode.INDIVIDUAL,
}


def _send(frame: Frame, version: Version, session_id: SessionId, now: float) -> Send:
    headers = frame.headers.copy()
    text = headers.pop("destination", None)
    if text is None:
        # STOMP 1.2 "SEND": destination is required.
        raise missing("SEND", "destination", "/queue/orders")
    destination = _target(qualify("SEND", headers, text) if "destination-type" in headers else text)
    # What serves the transport of this frame alone is not passed on.
    headers.pop("content-length", None)
    receipt = headers.pop("receipt", None)
    transaction = headers.pop("transaction", None)
    if transaction == "":
        raise _empty_transaction()
    # STOMP 1.2 "SEND": all user-defined headers are passed through.
    message = Message(text, headers, frame.body)
    if SEND_HEADERS.isdisjoint(headers) and ACTION not in headers:
        return Send(destination, message, transaction, receipt)
    refuse_contradictions("SEND", headers)
    inspect = read_inspection(headers, destination)
    is_mandatory = parse_boolean("mandatory", headers.pop("mandatory", "") or "false")
    read_meanings(message, now)
    if TYPES_HEADER in headers:
        check_types(message.headers)
    reply_to = _reply_to(headers) if inspect is None else None
    send = Send(destination, message, transaction, receipt, reply_to=reply_to, is_mandatory=is_mandatory)
    send.inspect = inspect
    send.is_plain = inspect is None and "reply-to" not in headers
    return send


def repeat(last: Send, body: bytes, receipt: str | None) -> Send:
    """Return what a SEND asks for whose other headers are those of the last one."""
    like = last.message
    message = Message(like.destination, like.headers, body, priority=like.priority, is_persistent=like.is_persistent)
    send = Send(last.destination, message, last.transaction, receipt)
    send.is_plain = last.is_plain
    return send


def is_repeatable(send: Send) -> bool:
    """Whether what a SEND asks for depends on nothing else than its headers: not on the time, nor on the session."""
    message = send.message
    is_timed = message.expires_ms or message.due_ms or message.wishes is not None
    is_own = send.reply_to is not None or not send.destination.is_plain
    return not (is_timed or is_own or send.is_mandatory or send.inspect is not None)


def _reply_to(headers: Mapping[str, str]) -> Destination | None:
    """Return the temporary destination where the sender awaits replies; any other place is its own business."""
    text = headers.get("reply-to", "")
    return parse_destination(text) if text.startswith(OWN_PREFIXES) else None


def _subscribe(frame: Frame, version: Version, session_id: SessionId, now: float) -> Subscribe:
    headers = frame.headers
    text = headers.get("destination")
    if text is None:
        # STOMP 1.2 "SUBSCRIBE": destination is required.
        raise missing("SUBSCRIBE", "destination", "/queue/orders")
    destination = _source(qualify("SUBSCRIBE", headers, text) if "subscription-type" in headers else text)
    refuse_contradictions("SUBSCRIBE", headers)
    refuse_unsupported("SUBSCRIBE", headers, UNSUPPORTED["SUBSCRIBE"])
    subscription_id = headers.get("id")
    destination, naming = read_subscription(headers, destination, subscription_id)
    if not destination.is_topic:
        refuse_unsupported("SUBSCRIBE", headers, UNSUPPORTED["SUBSCRIBE of a queue"])
    no_local = read_no_local(headers)
    origin = read_origin(headers, naming, no_local=no_local) if destination.is_topic else None
    if subscription_id is None and version is not Version.V1_0:
        # STOMP 1.1 "SUBSCRIBE Header id": required.
        raise missing("SUBSCRIBE", "id", "0")
    # STOMP 1.2 "SUBSCRIBE Header ack": auto unless it says otherwise.
    ack = headers.get("ack", "auto")
    if ack not in _ACK_MODES:
        raise invalid("ack", ack, "auto, client or client-individual, for example ack:client-individual")
    return Subscribe(
        destination,
        # STOMP 1.0 "SUBSCRIBE": without an id, the destination identifies the subscription.
        text if subscription_id is None else subscription_id,
        _ACK_MODES[ack],
        prefetch=read_prefetch(headers),
        is_named=subscription_id is not None,
        receipt=headers.get("receipt"),
        selector=_selector(headers),
        naming=naming,
        no_local=no_local,
        origin=origin,
        terms=read_terms(headers, destination, _ACK_MODES[ack]),
    )


def _selector(headers: Mapping[str, str]) -> Selector | None:
    """Return what limits a subscription to some messages."""
    selector = compile_selector(headers.get("selector", ""))
    # JMS 3.1, 3.8.1.1: an empty selector is none.
    return None if selector.is_blank else selector


def _unsubscribe(frame: Frame, version: Version, session_id: SessionId, now: float) -> Unsubscribe:
    headers = frame.headers
    refuse_contradictions("UNSUBSCRIBE", headers)
    subscription_id = headers.get("id")
    naming = read_deletion(headers, subscription_id)
    if naming is not None:
        text = headers.get("destination")
        # A durable subscription is deleted by its name, so the id of the consumer may be missing.
        return Unsubscribe(
            subscription_id or text or "",
            headers.get("receipt"),
            naming=naming,
            destination=None if text is None else _topic(_source(text)),
        )
    if subscription_id is None and version is Version.V1_0:
        # STOMP 1.0 "UNSUBSCRIBE": the destination does instead of an id.
        subscription_id = headers.get("destination")
        if subscription_id is None:
            raise missing("UNSUBSCRIBE", "id (or destination)", "0")
    if subscription_id is None:
        # STOMP 1.1 "UNSUBSCRIBE": id is required.
        raise missing("UNSUBSCRIBE", "id", "0")
    return Unsubscribe(
        subscription_id,
        headers.get("receipt"),
        deleted=_deleted(headers),
        is_undelivered=parse_boolean("undelivered", headers.get("undelivered") or "false"),
    )


def _deleted(headers: Mapping[str, str]) -> Destination | None:
    """Return the temporary destination that an UNSUBSCRIBE wants deleted."""
    if not parse_boolean("delete", headers.get("delete") or "false"):
        return None
    text = headers.get("destination", "")
    if not text.startswith(OWN_PREFIXES):
        raise invalid(
            "destination", text, "one of this connection's temporary destinations, such as /temp-queue/replies"
        )
    return parse_destination(text)


def _topic(destination: Destination) -> Destination:
    """Return the topic that the destination of a named subscription means."""
    group = read_group(destination)
    return destination if group is None else group[1]


def _acknowledge(frame: Frame, version: Version, session_id: SessionId, now: float) -> Acknowledge:
    headers = frame.headers
    return Acknowledge(_delivery(frame, version, session_id), _transaction(headers), headers.get("receipt"))


def _reject(frame: Frame, version: Version, session_id: SessionId, now: float) -> Reject:
    # STOMP 1.2 "NACK": the same headers as ACK.
    headers = frame.headers
    name = _delivery(frame, version, session_id)
    return Reject(name, _transaction(headers), headers.get("receipt"), read_rejection(headers))


def _begin(frame: Frame, version: Version, session_id: SessionId, now: float) -> Begin:
    return Begin(_required_transaction(frame), frame.headers.get("receipt"))


def _commit(frame: Frame, version: Version, session_id: SessionId, now: float) -> Commit:
    return Commit(_required_transaction(frame), frame.headers.get("receipt"))


def _abort(frame: Frame, version: Version, session_id: SessionId, now: float) -> Abort:
    return Abort(_required_transaction(frame), frame.headers.get("receipt"))


def _disconnect(frame: Frame, version: Version, session_id: SessionId, now: float) -> Disconnect:
    return Disconnect(frame.headers.get("receipt"))


#: STOMP 1.2 "Body": only SEND has one here; a body on another frame is not looked at, as 1.0 has it.
BUILDERS: Mapping[str, Builder] = {
    "SEND": _send,
    "SUBSCRIBE": _subscribe,
    "UNSUBSCRIBE": _unsubscribe,
    "ACK": _acknowledge,
    "NACK": _reject,
    "BEGIN": _begin,
    "COMMIT": _commit,
    "ABORT": _abort,
    "DISCONNECT": _disconnect,
}


def _delivery(frame: Frame, version: Version, session_id: SessionId) -> DeliveryName:
    """Return the delivery that an ACK or a NACK names."""
    headers = frame.headers
    if version is Version.V1_2:
        token = headers.get("id")
        if token is None:
            # STOMP 1.2 "ACK": id is required, the MESSAGE's ack header; message-id and subscription say nothing.
            raise missing(frame.command, "id", "1-1-1, the value of the ack header of the MESSAGE")
        return _parse_token(frame.command, token, session_id)
    message_id = headers.get("message-id")
    if message_id is None:
        # STOMP 1.0 "ACK": message-id is required.
        raise missing(frame.command, "message-id", "1, the value of the message-id header of the MESSAGE")
    subscription_id = headers.get("subscription")
    if subscription_id is None and version is Version.V1_1:
        # STOMP 1.1 "ACK": subscription is required too; 1.0 does without.
        raise missing(frame.command, "subscription", "0, the value of the subscription header of the MESSAGE")
    return DeliveredMessage(message_id, subscription_id)


def _parse_token(command: str, token: str, session_id: SessionId) -> DeliveryToken:
    """Return the delivery that an `ack` header of this session stands for."""
    origin, _, delivery = token.rpartition("-")
    subscription_number = _subscription_number(origin, session_id) if len(origin) < 40 else None
    if subscription_number is not None and _is_number(delivery):
        return DeliveryToken(subscription_number, int(delivery))
    raise UnknownDelivery(
        f"{show('id', token)} on {command} was not issued by this session."
        " It must be the ack header of a MESSAGE that this connection received."
    )


@lru_cache(maxsize=1_024)  # of a session's acknowledgements, nearly all begin alike
def _subscription_number(origin: str, session_id: SessionId) -> int | None:
    """Return the number of the subscription whose tokens begin so, if they are of this session."""
    session, _, subscription = origin.partition("-")
    # A token counts only where it was issued: nobody settles somebody else's deliveries.
    return int(subscription) if session == str(session_id) and _is_number(subscription) else None


def _is_number(text: str) -> bool:
    """Whether a part of a token may be one of our numbers; twenty digits are more than ever are."""
    return len(text) < 20 and text.isdigit() and text.isascii()


def _transaction(headers: Mapping[str, str]) -> str | None:
    """Return the transaction a frame belongs to, if any."""
    transaction = headers.get("transaction")
    if transaction == "":
        raise _empty_transaction()
    return transaction


def _required_transaction(frame: Frame) -> str:
    """Return the transaction that a frame is about."""
    transaction = _transaction(frame.headers)
    if transaction is None:
        # STOMP 1.2 "BEGIN", "COMMIT", "ABORT": transaction is required.
        raise missing(frame.command, "transaction", "tx1")
    return transaction


def _empty_transaction() -> InvalidHeader:
    return invalid("transaction", "", "any name that is not empty, for example transaction:tx1")
