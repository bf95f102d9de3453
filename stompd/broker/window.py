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

    def has_room(self, message: Message) -> bool:
        """Whether the message may stay in memory, which one that is not persistent prefers."""
        lane = self._lanes.get(HIGHEST_PRIORITY - message.priority)
        is_complete = lane.is_complete if lane else not self._is_recovered
        return is_complete and self._fits(message)

    def append(self, entry: Entry) -> bool:
        """Take in an entry that has just arrived, or leave it in the store where it is; return whether it was taken."""
        lane = self._lanes.get(entry.place.urgency) or self._lane(entry.place.urgency)
        if entry.is_stored:
            message_id = entry.place.message_id
            if message_id < lane.frontier:
                # It was on its way while a newer one arrived. No page will bring it, so memory must hold it.
                self.put_back(entry)
                return True
            if not (lane.is_complete and self._fits(entry.message)):
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
        entries = self._lanes[entry.place.urgency].entries
        if not entries or entry.place > entries[-1].place:
            entries.append(entry)
        elif entry.place < entries[0].place:
            entries.appendleft(entry)
        else:  # when several subscriptions return theirs
            entries.insert(bisect_left(entries, entry.place, key=_place), entry)
        self._count += 1
        self._bytes += len(entry.message.body)

    def head(self) -> Entry | None:
        """Return the entry to deliver next; None when there is none, or when the store must be asked first."""
        if self._is_recovered:
            return None
        for lane in self._order:
            if lane.entries:
                return lane.entries[0]
            if not lane.is_complete:
                return None
        return None

    def pop(self, head: Entry) -> None:
        """Remove the entry that `head` has just returned."""
        self._lanes[head.place.urgency].entries.popleft()
        self._count -= 1
        self._bytes -= len(head.message.body)

    def remove(self, entry: Entry) -> None:
        """Remove an entry from anywhere."""
        entries = self._lanes[entry.place.urgency].entries
        if entries[0] is entry:
            entries.popleft()
        else:
            del entries[bisect_left(entries, entry.place, key=_place)]
        self._count -= 1
        self._bytes -= len(entry.message.body)

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
                if len(lane.entries) > self.page_count // 2:
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

    def _fits(self, message: Message) -> bool:
        return not self._count or (
            self._count < self._count_limit and self._bytes + len(message.body) <= self._byte_limit
        )

    def _lane(self, urgency: int) -> _Lane:
        lane = self._lanes[urgency] = _Lane(is_complete=not self._is_recovered)
        self._order = [self._lanes[key] for key in sorted(self._lanes)]
        return lane
