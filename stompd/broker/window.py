"""The part of a queue that is in memory, so that a queue may be longer than memory.

A queue is ten lanes, one for each priority; in a lane, ids rise from the head. Of each lane, memory holds a stretch
from the head, and the store may hold more behind it. The frontier of a lane is the highest id of a stored entry that
was ever taken into memory: everything the store holds beyond it has never been delivered, everything up to it is in
memory or with a subscription. So a page from the store never brings an entry a second time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter
from typing import final

from stompd.broker.delivery import Entry
from stompd.broker.message import HIGHEST_PRIORITY, LOWEST_PRIORITY, Message, MessageId, Place
from stompd.broker.units import Page

#: Entries asked for at a time; enough that a page costs little per message, few enough that it is read in milliseconds.
PAGE_COUNT = 1_000

#: What a queue without selectors knows beyond its window.
NOTHING_KNOWN: Mapping[Place, Entry] = {}

_place = attrgetter("place")
_message_id = attrgetter("place.message_id")

#: One for each priority.
LANE_COUNT = HIGHEST_PRIORITY - LOWEST_PRIORITY + 1


@final
class _Lane:
    """The entries of one priority."""

    __slots__ = ("entries", "frontier", "is_complete")

    def __init__(self, *, is_complete: bool) -> None:
        self.entries: deque[Entry] = deque()
        self.frontier = 0
        #: Whether the store holds nothing beyond the frontier.
        self.is_complete = is_complete

    @property
    def is_ahead(self) -> bool:
        """Whether the first entry has become due while the store holds some that go before it."""
        first = self.entries[0] if self.entries else None
        return bool(first and first.due_ms and not self.is_complete and first.place.message_id > self.frontier)


@final
class Window:
    """Ready entries of one queue in the order of delivery, bounded by count and by bytes of bodies."""

    __slots__ = (
        "_byte_limit",
        "_bytes",
        "_count",
        "_count_limit",
        "_is_recovered",
        "_lanes",
        "_order",
        "is_loading",
        "page_count",
    )

    def __init__(self, count_limit: int, byte_limit: int, *, is_recovered: bool = False) -> None:
        """Make an empty window.

        Args:
            count_limit: Entries kept in memory.
            byte_limit: Bytes of bodies kept in memory; one entry is always allowed.
            is_recovered: Whether the store may hold entries from before, in any lane.
        """
        self._count_limit = count_limit
        self._byte_limit = byte_limit
        #: Entries to ask the store for at a time.
        self.page_count = min(PAGE_COUNT, count_limit)
        self._count = 0
        self._bytes = 0
        #: Whether a page was asked for that has not come.
        self.is_loading = False
        self._is_recovered = is_recovered  # until the first page is asked for
        self._lanes: dict[int, _Lane] = {}
        self._order: list[_Lane] = []  # the lanes there are, urgent first: most queues have one

    def __len__(self) -> int:
        return self._count

    @property
    def is_half_full(self) -> bool:
        """Whether it holds half of what it may."""
        return 2 * self._count > self._count_limit or 2 * self._bytes > self._byte_limit

    def has_room(self, message: Message) -> bool:
        """Whether the message may stay in memory, which one that is not persistent prefers."""
        lane = self._lanes.get(message.place.urgency)
        is_complete = lane.is_complete if lane else not self._is_recovered
        return is_complete and self._fits(message)

    def fits(self, message: Message, count: int, size_bytes: int) -> bool:
        """Whether memory may hold the message beside so many others, of so many bytes."""
        return not count or (count < self._count_limit and size_bytes + len(message.body) <= self._byte_limit)

    def append(self, entry: Entry, *, is_read: bool = True) -> bool:
        """Take in an entry that has just arrived, or leave it in the store where it is; return whether it was taken.

        Args:
            entry: Not delivered yet.
            is_read: Whether anybody will take it soon; if not, a page is enough to begin with.
        """
        lane = self._lanes.get(entry.place.urgency) or self._lane(entry.place.urgency)
        if entry.is_stored:
            message_id = entry.place.message_id
            if message_id < lane.frontier:
                # It was on its way while a newer one arrived. No page will bring it, so memory must hold it.
                self.put_back(entry)
                return True
            if not (lane.is_complete and self._fits(entry.message)) or (not is_read and self._has_a_page):
                lane.is_complete = False
                return False
            lane.frontier = message_id
        entries = lane.entries
        if entries and entry.place < entries[-1].place:
            self.put_back(entry)
            return True
        entries.append(entry)
        self._count += 1
        self._bytes += len(entry.message.body)
        return True

    def put_back(self, entry: Entry) -> None:
        """Put an entry in its place by id, whatever the bounds: how many can come so is bounded elsewhere."""
        entries = (self._lanes.get(entry.place.urgency) or self._lane(entry.place.urgency)).entries
        if not entries or entry.place > entries[-1].place:
            entries.append(entry)
        elif entry.place < entries[0].place:
            entries.appendleft(entry)
        else:  # when several subscriptions return theirs
            entries.insert(bisect_left(entries, entry.place, key=_place), entry)
        self._count += 1
        self._bytes += len(entry.message.body)

    def enter(self, entry: Entry) -> None:
        """Put an entry that has become due in its place by id."""
        lane = self._lanes.get(entry.place.urgency) or self._lane(entry.place.urgency)
        if lane.is_complete:
            lane.frontier = max(lane.frontier, entry.place.message_id)
        self.put_back(entry)

    @property
    def has_room_for_due(self) -> bool:
        """Whether a page of entries that have become due may come on top of what memory holds otherwise."""
        return self._count <= self._count_limit + 2 * self.page_count and self._bytes <= 2 * self._byte_limit

    def head(self) -> Entry | None:
        """Return the entry to deliver next; None when there is none, or when the store must be asked first."""
        if self._is_recovered:
            return None
        for lane in self._order:
            if lane.entries:
                first = lane.entries[0]
                return None if first.due_ms and lane.is_ahead else first
            if not lane.is_complete:
                return None
        return None

    def oldest(self) -> Entry | None:
        """Return the entry that was sent first; None when there is none, or when the store must be asked first."""
        if self._is_recovered or self._hidden() is not None:
            return None
        return min((lane.entries[0] for lane in self._order if lane.entries), key=_message_id, default=None)

    def hidden_page(self) -> Place | None:
        """Return the place after which one entry is to be loaded so that `oldest` can tell, and expect `admit`."""
        after = None if self.is_loading or self._is_recovered else self._hidden()
        self.is_loading = self.is_loading or after is not None
        return after

    def pop(self, head: Entry) -> None:
        """Remove the entry that `head` has just returned."""
        self._lanes[head.place.urgency].entries.popleft()
        self._count -= 1
        self._bytes -= len(head.message.body)

    def remove(self, place: Place) -> Entry | None:
        """Remove the entry at a place, wherever it stands; None when it is not in memory."""
        lane = self._lanes.get(place.urgency)
        if lane is None or not lane.entries:
            return None
        entries = lane.entries
        index = 0 if entries[0].place == place else bisect_left(entries, place, key=_place)
        if index == len(entries) or entries[index].place != place:
            return None
        entry = entries[index]
        entry.is_waiting = False
        del entries[index]
        self._count -= 1
        self._bytes -= len(entry.message.body)
        return entry

    def clear(self) -> None:
        """Forget everything that is in memory."""
        self._lanes.clear()
        self._order.clear()
        self._count = self._bytes = 0

    def entries(self) -> Iterator[Entry]:
        """Return everything in memory, in the order of delivery."""
        return chain.from_iterable(lane.entries for lane in self._order)

    def unread(self) -> list[int]:
        """Return the urgencies of the lanes of which the store may hold more than memory."""
        if self._is_recovered:
            return list(range(LANE_COUNT))
        return [urgency for urgency, lane in self._lanes.items() if not lane.is_complete]

    def frontier(self, urgency: int) -> int:
        """Return the highest id of a stored entry ever taken into a lane; 0 when there was none."""
        lane = self._lanes.get(urgency)
        return lane.frontier if lane else 0

    def has_passed(self, place: Place) -> bool:
        """Whether the frontier has reached a place: no page for the window will bring it."""
        return place.message_id <= self.frontier(place.urgency)

    def is_behind(self, place: Place) -> bool:
        """Whether a stored entry that is due stands where memory does not reach, nor does a page on its way."""
        lane = self._lanes.get(place.urgency)
        if self.is_loading:
            return False
        return self._is_recovered if lane is None else not lane.is_complete and place.message_id > lane.frontier

    def volatile(self) -> list[Entry]:
        """Return the entries that only memory has."""
        return [entry for entry in self.entries() if not entry.is_stored]

    def highest_frontier(self) -> MessageId:
        """Return the highest id of a stored entry ever taken in; 0 when there was none."""
        return MessageId(max((lane.frontier for lane in self._order), default=0))

    @property
    def is_complete(self) -> bool:
        """Whether the store holds nothing that is not in memory or with a subscription."""
        return not self._is_recovered and all(lane.is_complete for lane in self._order)

    def next_page(self) -> Place | None:
        """Return the place after which to load, and expect `admit`; None when there is no need.

        The next page is asked for when the lane at the head is down to half a page, so that it comes in time.
        """
        if self.is_loading:
            return None
        if self._is_recovered:
            for urgency in range(LANE_COUNT):
                if urgency not in self._lanes:
                    self._lane(urgency)
            self._is_recovered = False
        for urgency, lane in sorted(self._lanes.items()):
            if not lane.is_complete:
                if len(lane.entries) > self.page_count // 2 and not lane.is_ahead:
                    return None
                self.is_loading = True
                return Place(urgency, lane.frontier)
            if lane.entries:
                return None
        return None

    def admit(self, after: Place, page: Page, known: Mapping[Place, Entry] = NOTHING_KNOWN) -> list[Entry]:
        """Take in a page that was loaded behind `after`, and return what it has brought.

        Args:
            after: The answer of `next_page`.
            page: What the store has there.
            known: Entries that were taken out of the store before the window came up to them; those that wait are
                taken in.
        """
        self.is_loading = False
        admitted: list[Entry] = []
        end, is_last = after.urgency, page.is_last
        for stored in page.messages:
            entry = known.get(stored.message.place) or Entry(
                stored.message, is_stored=True, delivery_count=stored.delivery_count
            )
            end = entry.place.urgency
            lane = self._lanes.get(end) or self._lane(end)
            if lane.is_complete or entry.place.message_id <= lane.frontier:
                continue  # the page has crossed into a lane that is in memory already
            if end > after.urgency and not self._fits(stored.message):
                is_last = False  # the less urgent lanes were not asked for
                break
            lane.frontier = entry.place.message_id
            if entry.is_waiting:
                self.put_back(entry)
                admitted.append(entry)
        # The page shows the end of every lane it went past.
        for urgency, lane in self._lanes.items():
            if after.urgency <= urgency and (is_last or urgency < end):
                lane.is_complete = True
        return admitted

    @property
    def _has_a_page(self) -> bool:
        return self._count >= self.page_count or 4 * self._bytes >= self._byte_limit

    def _hidden(self) -> Place | None:
        """Return behind which place the store may hold an entry that is older than all in memory."""
        oldest = min((lane.entries[0].place.message_id for lane in self._order if lane.entries), default=None)
        for urgency, lane in self._lanes.items():
            is_unknown = not lane.is_complete and (not lane.entries or lane.is_ahead)
            if is_unknown and (oldest is None or lane.frontier < oldest):
                return Place(urgency, lane.frontier)
        return None

    def _fits(self, message: Message) -> bool:
        return self.fits(message, self._count, self._bytes)

    def _lane(self, urgency: int) -> _Lane:
        lane = self._lanes[urgency] = _Lane(is_complete=not self._is_recovered)
        self._order = [self._lanes[key] for key in sorted(self._lanes)]
        return lane
