"""The part of a queue that is in memory: its bounds, its order, and the pages that fill it."""

from __future__ import annotations

from stompd.broker.delivery import Entry
from stompd.broker.message import DEFAULT_PRIORITY, Message, Place
from stompd.broker.units import Page, StoredMessage
from stompd.broker.window import PAGE_COUNT, Window

_MUCH = 1_000_000


def _message(message_id: int, priority: int = DEFAULT_PRIORITY, body: bytes = b"") -> Message:
    return Message("/queue/a", {}, body, priority=priority, message_id=message_id)


def _entry(message_id: int, priority: int = DEFAULT_PRIORITY, *, body: bytes = b"", is_stored: bool = True) -> Entry:
    return Entry(_message(message_id, priority, body), is_stored=is_stored)


def _page(*places: tuple[int, int], is_last: bool = False) -> Page:
    """A page of messages, given as priority and id."""
    return Page([StoredMessage(_message(message_id, priority), 0) for priority, message_id in places], is_last=is_last)


def _drain(window: Window) -> list[int]:
    """Take everything that can be delivered."""
    ids = []
    while entry := window.head():
        ids.append(int(entry.message.message_id))
        window.pop(entry)
    return ids


def _take(window: Window) -> None:
    """Take the entry at the head."""
    entry = window.head()
    assert entry is not None
    window.pop(entry)


def test_window_begins_empty_and_complete() -> None:
    window = Window(10, _MUCH)

    assert window.head() is None
    assert window.next_page() is None
    assert window.is_complete
    assert len(window) == 0


def test_entries_leave_in_order() -> None:
    window = Window(10, _MUCH)
    for message_id in (1, 2, 3):
        window.append(_entry(message_id))

    assert len(window) == 3
    assert _drain(window) == [1, 2, 3]


def test_urgent_entries_leave_first() -> None:
    window = Window(10, _MUCH)
    for message_id, priority in ((1, 0), (2, 4), (3, 9), (4, 4)):
        window.append(_entry(message_id, priority))

    assert _drain(window) == [3, 2, 4, 1]


def test_returned_entry_is_in_its_old_place() -> None:
    window = Window(10, _MUCH)
    entries = [_entry(message_id) for message_id in (1, 2, 3, 4)]
    for entry in entries:
        window.append(entry)
    for _ in range(3):
        _take(window)
    for index in (1, 0, 2):
        window.put_back(entries[index])

    assert _drain(window) == [1, 2, 3, 4]


def test_count_is_bounded() -> None:
    window = Window(2, _MUCH)
    for message_id in (1, 2, 3):
        window.append(_entry(message_id))

    assert len(window) == 2
    assert not window.is_complete


def test_bytes_are_bounded() -> None:
    window = Window(10, 5)
    for message_id in (1, 2, 3):
        window.append(_entry(message_id, body=b"xx"))

    assert len(window) == 2


def test_one_entry_is_kept_whatever_its_size() -> None:
    window = Window(10, 5)

    window.append(_entry(1, body=b"xxxxxxxxxx"))

    assert len(window) == 1


def test_nobody_reading_leaves_all_but_a_page_in_the_store() -> None:
    window = Window(10 * PAGE_COUNT, _MUCH)

    taken = [window.append(_entry(number), is_read=False) for number in range(1, PAGE_COUNT + 3)]

    assert taken == [True] * PAGE_COUNT + [False] * 2


def test_nobody_reading_leaves_what_is_beyond_a_quarter_of_the_bytes_in_the_store() -> None:
    window = Window(100, 40)

    taken = [window.append(_entry(number, body=b"12345"), is_read=False) for number in range(1, 4)]

    assert taken == [True, True, False]


def test_entry_behind_one_that_was_left_is_left_too() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(1))
    window.append(_entry(2))
    _take(window)

    window.append(_entry(3))

    assert len(window) == 0


def test_bounds_are_those_of_all_priorities_together() -> None:
    window = Window(2, _MUCH)
    for message_id, priority in ((1, 4), (2, 4), (3, 9)):
        window.append(_entry(message_id, priority))

    assert len(window) == 2


def test_nothing_is_delivered_before_what_the_store_holds_of_higher_priority() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(1, 4))
    window.append(_entry(2, 9))

    assert window.head() is None


def test_entry_that_was_on_its_way_while_a_newer_one_arrived_is_kept_in_its_place() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(2))

    window.append(_entry(1))

    assert _drain(window) == [1, 2]


def test_entry_in_memory_that_waited_for_its_session_is_put_in_its_place() -> None:
    window = Window(10, _MUCH)
    window.append(_entry(2, is_stored=False))

    window.append(_entry(1, is_stored=False))

    assert _drain(window) == [1, 2]


def test_page_is_put_before_newer_entries_in_memory() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(3, is_stored=False))
    window.append(_entry(1))
    window.next_page()

    window.admit(Place(5, 0), _page((4, 1), is_last=True))

    assert _drain(window) == [1, 3]


def test_message_in_memory_has_room_in_an_empty_window() -> None:
    assert Window(10, _MUCH).has_room(_message(1))


def test_message_in_memory_has_no_room_in_a_full_window() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(1, is_stored=False))

    assert not window.has_room(_message(2))


def test_message_in_memory_has_no_room_behind_what_the_store_holds() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(1))
    window.append(_entry(2))
    _take(window)

    assert not window.has_room(_message(3))


def test_message_in_memory_has_room_in_a_priority_of_its_own() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(1))
    window.append(_entry(2))
    _take(window)

    assert window.has_room(_message(3, 9))


def test_recovered_window_has_no_room() -> None:
    assert not Window(10, _MUCH, is_recovered=True).has_room(_message(1))


def test_recovered_window_asks_for_its_first_page() -> None:
    window = Window(10, _MUCH, is_recovered=True)

    assert window.head() is None
    assert not window.is_complete
    assert window.next_page() == Place(0, 0)


def test_recovered_window_leaves_new_entries_in_the_store() -> None:
    window = Window(10, _MUCH, is_recovered=True)
    window.append(_entry(5))
    window.next_page()

    window.admit(Place(0, 0), _page((4, 5), is_last=True))

    assert _drain(window) == [5]


def test_one_page_is_asked_for_at_a_time() -> None:
    window = Window(10, _MUCH, is_recovered=True)
    window.next_page()

    assert window.next_page() is None


def test_page_is_asked_for_behind_the_last_stored_entry() -> None:
    window = Window(2, _MUCH)
    for message_id in (1, 2, 3):
        window.append(_entry(message_id))
    _drain(window)

    assert window.next_page() == Place(5, 2)


def test_page_is_asked_for_when_half_a_page_is_left() -> None:
    window = Window(4, _MUCH)
    for message_id in (1, 2, 3, 4, 5):
        window.append(_entry(message_id))
    _take(window)
    assert window.next_page() is None

    _take(window)

    assert window.next_page() == Place(5, 4)


def test_page_is_no_larger_than_the_window() -> None:
    assert Window(7, _MUCH).page_count == 7
    assert Window(_MUCH, _MUCH).page_count == PAGE_COUNT


def test_no_page_is_asked_for_behind_entries_of_higher_priority() -> None:
    window = Window(2, _MUCH)
    for message_id, priority in ((1, 9), (2, 4), (3, 4)):
        window.append(_entry(message_id, priority))

    assert window.next_page() is None


def test_last_page_completes_the_window() -> None:
    window = Window(10, _MUCH, is_recovered=True)
    window.next_page()

    window.admit(Place(0, 0), _page((4, 1), (4, 2), is_last=True))

    assert window.is_complete
    assert _drain(window) == [1, 2]


def test_page_completes_the_priorities_it_went_past() -> None:
    window = Window(10, _MUCH, is_recovered=True)
    window.next_page()

    window.admit(Place(0, 0), _page((9, 3), (4, 1), (4, 2)))

    assert not window.is_complete
    assert _drain(window) == [3, 1, 2]
    assert window.next_page() == Place(5, 2)


def test_page_keeps_delivery_counts() -> None:
    window = Window(10, _MUCH, is_recovered=True)
    window.next_page()

    window.admit(Place(0, 0), Page([StoredMessage(_message(1), 3)], is_last=True))

    entry = window.head()
    assert entry is not None
    assert entry.delivery_count == 3


def test_empty_last_page_completes_the_window() -> None:
    window = Window(10, _MUCH, is_recovered=True)
    window.next_page()

    window.admit(Place(0, 0), _page(is_last=True))

    assert window.is_complete


def test_page_does_not_bring_what_is_in_memory_already() -> None:
    window = Window(3, _MUCH)
    for message_id, priority in ((1, 4), (2, 4), (3, 4), (4, 9)):
        window.append(_entry(message_id, priority))
    window.next_page()

    window.admit(Place(0, 0), _page((9, 4), (4, 1), (4, 2), (4, 3), is_last=True))

    assert _drain(window) == [4, 1, 2, 3]


def test_page_does_not_bring_what_is_with_a_subscription() -> None:
    window = Window(2, _MUCH)
    for message_id in (2, 3, 4):
        window.append(_entry(message_id))
    _take(window)
    for message_id in (5, 6):
        window.append(_entry(message_id, 9))
    _take(window)
    window.next_page()

    window.admit(Place(0, 5), _page((9, 6), (4, 2), (4, 3), (4, 4), is_last=True))

    assert _drain(window) == [6, 3]


def test_page_of_a_new_priority_completes_it() -> None:
    window = Window(1, _MUCH)
    window.append(_entry(1))
    window.append(_entry(2))
    _take(window)
    window.next_page()

    window.admit(Place(5, 1), _page((4, 2), (0, 3), is_last=True))

    assert _drain(window) == [2]


def test_page_takes_of_lower_priorities_only_what_fits() -> None:
    window = Window(3, _MUCH, is_recovered=True)
    window.next_page()

    window.admit(Place(0, 0), _page((9, 4), (4, 1), (4, 2), (4, 3), is_last=True))

    assert len(window) == 3
    assert not window.is_complete
    assert _drain(window) == [4, 1, 2]
    assert window.next_page() == Place(5, 2)


def test_page_of_the_priority_asked_for_is_taken_whole() -> None:
    window = Window(2, _MUCH)
    for message_id, priority in ((1, 4), (2, 4), (3, 9), (4, 9)):
        window.append(_entry(message_id, priority))
    window.next_page()

    window.admit(Place(0, 0), _page((9, 3), (9, 4)))

    assert _drain(window)[:2] == [3, 4]


def test_highest_frontier_is_the_highest_id_taken_from_the_store() -> None:
    window = Window(10, _MUCH)
    assert window.highest_frontier() == 0
    for message_id, priority in ((1, 4), (7, 9), (3, 4)):
        window.append(_entry(message_id, priority))
    window.append(_entry(9, is_stored=False))

    assert window.highest_frontier() == 7
