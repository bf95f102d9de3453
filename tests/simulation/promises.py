"""What must hold at every delivery, at every moment, and when nothing is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stompd.broker.broker import Broker
from stompd.broker.destination import parse_destination
from stompd.broker.limits import Limits
from tests.simulation.records import ClientSession, ClientSubscription, Copy, Home, State, Violation

#: Messages of a queue that may arrive after newer ones and then stay in memory; about as many as there are sessions.
_LATE = 5


def check_delivery(
    subscription: ClientSubscription,
    copy: Copy,
    count: int,
    *,
    answered: int,
    now: float,
    latest: float,
    limits: Limits,
) -> None:
    """It may be delivered, to this subscription, now, and says how often it was delivered before."""
    where = f"{copy.name} to session {subscription.session.session_id}"
    if copy.state is not State.WAITING:
        raise Violation(f"delivered {where} while {copy.state.name}")
    if not subscription.wants(copy.message):
        raise Violation(f"delivered {where}, which did not select it")
    if copy.is_settled:
        raise Violation(f"delivered {where} though its acknowledgement was confirmed")
    if copy.was_seen and not count:
        raise Violation(f"delivered {where} again without a flag")
    if count != copy.count:
        raise Violation(f"delivered {where} with count {count} instead of {copy.count}")
    if 0 < copy.message.expires_ms <= now * 1000:
        raise Violation(f"delivered {where} after it expired")
    if copy.due_ms > round(latest * 1000):
        raise Violation(f"delivered {where} before it was due")
    if not subscription.session.is_writable:
        raise Violation(f"delivered {where}, which takes nothing")
    if subscription.record.receipt is not None and not subscription.record.is_answered:
        raise Violation(f"delivered {where} before the RECEIPT of its SUBSCRIBE")
    _check_credit(subscription, copy, limits)
    _check_turn(subscription, copy, answered)
    _check_sender(subscription, copy)
    _check_group(subscription, copy)
    _check_rank(subscription, copy, limits)


def _check_credit(subscription: ClientSubscription, copy: Copy, limits: Limits) -> None:
    before = subscription.with_client()
    if len(before) >= subscription.credit:
        raise Violation(f"delivered {copy.name} beyond a prefetch of {subscription.credit}")
    size = sum(each.size for each in before)
    if size >= limits.outstanding_bytes:
        raise Violation(f"delivered {copy.name} beyond the bytes allowed")


def _check_turn(subscription: ClientSubscription, copy: Copy, answered: int) -> None:
    """No message that is surely there is more urgent, or earlier from the same sender."""
    priority = copy.message.priority
    for other in copy.home.live:
        if other.state is not State.WAITING or other.visible_after > answered or other.may_expire or other.is_late:
            continue
        if not subscription.may_take(other) or _may_have_ended(other):
            continue
        if other.message.priority > priority:
            raise Violation(f"delivered {copy.name} before {other.name}, which is more urgent")
        if other.sender == copy.sender and other.message.priority == priority and other.order < copy.order:
            raise Violation(f"delivered {copy.name} before {other.name}")


def _check_sender(subscription: ClientSubscription, copy: Copy) -> None:
    """What one session sent with one priority is delivered in that order, the first time.

    Where selectors choose, this holds for each subscription by itself (JMS 3.1, 4.1.2).
    """
    if copy.was_seen or copy.is_late:
        return
    chooser = subscription if copy.home.is_selected_from else None
    sender = copy.sender, copy.message.priority, chooser, copy.group
    if copy.order < copy.home.last_first_delivery.get(sender, 0):
        raise Violation(f"delivered {copy.name} for the first time after a newer one of its sender")
    copy.home.last_first_delivery[sender] = copy.order


def _check_group(subscription: ClientSubscription, copy: Copy) -> None:
    """A group has one holder until it is closed or the holder ends; when it is closed, it waits for the others."""
    home, group = copy.home, copy.group
    if not group:
        return
    holder = home.holders.get(group)
    is_elsewhere = holder is not None and holder is not subscription and holder.is_active
    if is_elsewhere and not _may_have_ended(copy):
        raise Violation(f"delivered {copy.name} of group {group}, which belongs to another subscription")
    home.closed.discard(group)  # it is free when nobody has found anything else
    home.holders[group] = subscription
    if copy.message.headers.get("JMSXGroupSeq") == "-1":
        del home.holders[group]
        home.closed.add(group)


def _may_have_ended(copy: Copy) -> bool:
    """Whether the last message of a message's group stood before it, and may have expired."""
    return bool(copy.group) and any(
        other.may_expire  # it may also have been dropped
        and other.group == copy.group
        and other.message.headers.get("JMSXGroupSeq") == "-1"
        and other.message.place < copy.message.place
        for other in copy.home.by_id.values()
    )


def _check_rank(subscription: ClientSubscription, copy: Copy, limits: Limits) -> None:
    """An exclusive subscription shares with nobody, and higher priorities go first."""
    home = copy.home
    if home.exclusive is not None and home.exclusive.is_active and home.exclusive is not subscription:
        raise Violation(f"delivered {copy.name} to somebody beside the exclusive subscription")
    if subscription.terms.is_exclusive:
        home.exclusive = subscription
    if subscription not in home.servants:
        home.servants.append(subscription)
    if home.is_grouped or home.is_selected_from or subscription.terms.is_exclusive:
        return
    for other in home.servants:
        if other.terms.priority > subscription.terms.priority and other.is_active and has_credit(other, limits):
            raise Violation(f"delivered {copy.name} to a subscription that does not go first")


def has_credit(subscription: ClientSubscription, limits: Limits) -> bool:
    """Whether a subscription can be given something."""
    before = subscription.with_client()
    has_room = sum(copy.size for copy in before) < limits.outstanding_bytes
    return subscription.session.is_writable and len(before) < subscription.credit and has_room


def check_shown(subscription: ClientSubscription, copy: Copy | None, now: float, latest: float) -> None:
    """A browser is shown what is there, once, in its order; without a copy, that this was all."""
    subscription.unwritten += 1
    if copy is None:
        subscription.has_ended = True
        missing = [
            other.name
            for other in subscription.expected
            if other.state is State.WAITING and not other.is_late and other not in subscription.shown
        ]
        if missing or subscription.terms.follows:
            raise Violation(f"the browser has come to an end without {missing}")
        return
    where = f"showed {copy.name} to session {subscription.session.session_id}"
    if subscription.has_ended or copy in subscription.shown:
        raise Violation(f"{where} again")
    if copy.state is State.ARRIVING:
        raise Violation(f"{where} before it was sure to be there")
    if not subscription.wants(copy.message):
        raise Violation(f"{where}, which did not select it")
    if 0 < copy.message.expires_ms <= now * 1000 or copy.message.due_ms > round(latest * 1000):
        raise Violation(f"{where} at the wrong time")
    last = subscription.shown[-1] if subscription.shown else copy
    if not subscription.terms.follows and last.message.place > copy.message.place:
        raise Violation(f"{where} after {last.name}")
    subscription.shown.append(copy)


def check_dropped(copy: Copy) -> None:
    """A full queue drops the oldest message that waits, and only if it is full."""
    home = copy.home
    # One that needs no unit may have been acknowledged, which takes effect behind another unit.
    if len(home.live) < home.limit - 1:
        raise Violation(f"{home.name} dropped {copy.name} though it is not full")
    for other in home.live:
        is_older = other.message.message_id < copy.message.message_id
        if is_older and other.state is State.WAITING and other.is_durable and not (other.is_late or other.expires):
            raise Violation(f"{home.name} dropped {copy.name} before {other.name}")


def check_memory(broker: Broker, homes_by_id: Mapping[int, Home], limits: Limits) -> None:
    """A queue's memory is bounded by its window, a page for each priority in use, and what came back."""
    for queue_id, queue in broker._catalogue._by_id.items():
        home = homes_by_id.get(queue_id)
        if home is None:
            continue
        returned = sum(copy.was_seen_now for copy in home.live)
        priorities = {copy.message.priority for copy in home.live}
        due = 4 if any(copy.is_late for copy in home.live) else 0
        bound = limits.window_count * (1 + 1.5 * len(priorities) + due) + returned + _LATE
        if len(queue.window) > bound:
            raise Violation(f"{home.name} keeps {len(queue.window)} messages in memory, {bound} are allowed")


def depth_of(broker: Broker, home: Home) -> int:
    """How many messages the broker counts in a queue."""
    if home.topic is None:
        return broker.depth(parse_destination(home.name))
    return next(queue.depth for queue in broker._catalogue._by_id.values() if queue.name == home.name)


def check_quiet(
    broker: Broker, sessions: Iterable[ClientSession], homes: Iterable[Home], limits: Limits, now: float
) -> None:
    """Everything was answered, nobody is stuck, and the depths are right."""
    for session in sessions:
        if session.is_lost or session.is_refused:
            continue
        if session.expected or session.fault:
            raise Violation(f"session {session.session_id} gets no answer")
        for subscription in session.subscriptions.values():
            _check_progress(subscription, limits, now)
    for home in homes:
        depth = depth_of(broker, home)
        certain = sum(not copy.may_expire for copy in home.live)
        kept = sum(copy.state is not State.WAITING or copy.is_late for copy in home.live)
        if home.was_bounded and depth > max(home.limit, 1, kept):
            raise Violation(f"{home.name} has {depth} messages, and {home.limit} are allowed")
        if not certain <= depth <= len(home.live):
            raise Violation(f"{home.name} has depth {depth}, expected {certain} to {len(home.live)}")


def _check_progress(subscription: ClientSubscription, limits: Limits, now: float) -> None:
    if subscription.terms.is_browser:
        is_over = subscription.has_ended or subscription.terms.follows or subscription.unwritten
        if subscription.session.is_writable and not is_over:
            raise Violation(f"{subscription.name} of session {subscription.session.session_id} is shown no end")
        return
    homes = [
        home for home in subscription.homes if not any(each.terms.is_exclusive for each in home.rivals(subscription))
    ]
    live = [copy for home in homes for copy in home.live]
    waiting = [copy for copy in live if copy.state is State.WAITING and copy.due_ms <= now * 1000]
    # When what came back is due in a queue that is not durable, only the broker knows.
    waiting = [copy for copy in waiting if copy.home.is_durable or not copy.is_late]
    waiting = [copy for copy in waiting if subscription.may_take(copy)]
    if all(copy.may_expire for copy in waiting) or not subscription.session.is_writable:
        return
    if has_credit(subscription, limits):
        name = f"{subscription.name} of session {subscription.session.session_id}"
        raise Violation(f"{subscription.home.name} does not move though {name} has credit")


def recover(copy: Copy, row: tuple[int, int] | None) -> None:
    """After a crash, the store has what it must have of a message: its count of deliveries and when it is due."""
    copy.was_seen_now = False
    copy.record = None  # its frame will never be answered
    if row is None:
        if copy.is_banked and copy.state is not State.GONE and copy.state is not State.SETTLING:
            raise Violation(f"{copy.name} was lost")
        copy.move(State.GONE)
        return
    if copy.is_settled:
        raise Violation(f"{copy.name} came back though its acknowledgement was confirmed")
    count, copy.due_ms = row
    if copy.was_seen and not count:
        raise Violation(f"{copy.name} was delivered before the crash and is not flagged")
    copy.count, copy.visible_after = count, 0
    copy.home.live.setdefault(copy)
    copy.move(State.WAITING)
