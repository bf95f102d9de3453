"""Selectors and groups on a queue: what somebody may have is found wherever it stands; the rest keeps its place.

A subscription with a selector takes the first entry that matches. Among the entries in memory each selection keeps a
list of those. Beyond the window it reads the queue once, page by page, and keeps in memory only what matches: entries
*ahead* of the window, which are remembered until their rows are deleted or the window has come up to them, so that no
page brings them a second time. The same holds for what becomes due while the window has no room for it.

Where messages have groups, every subscription has a selection of its own, which leaves out what belongs to others; so a
group that has to wait keeps nobody else from his messages. When a group becomes free, what is in memory is judged
again, and the store is read from the window on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Entry
from stompd.broker.groups import Groups, Key
from stompd.broker.matching import is_selected
from stompd.broker.message import Place
from stompd.broker.units import Page
from stompd.broker.window import LANE_COUNT, Window
from stompd.selector.evaluate import Selector

if TYPE_CHECKING:
    from stompd.broker.subscription import Subscription

_place = attrgetter("place")

#: A list of candidates is rid of those that went elsewhere when it has become so long, and twice as long as before.
_SHORTEST_REVISION = 1_000


@final
class Selection:
    """What one selector selects, for all subscriptions of the queue that have it; with groups, for one of them."""

    __slots__ = (
        "_candidates",
        "_groups",
        "_owner",
        "_revise_at",
        "_selector",
        "_window",
        "behind",
        "examined",
        "has_left",
        "subscriptions",
    )

    def __init__(self, owner: Subscription, window: Window, groups: Groups | None) -> None:
        """Select nothing yet.

        Args:
            owner: Whose selector says what to select; where there are groups, it alone has this selection.
            window: The queue's.
            groups: What may belong to others, if there are any.
        """
        self._owner = owner
        self._selector = owner.selector
        self._groups = groups
        self.subscriptions = 0
        #: The urgencies of the lanes of which the store may hold rows that were not examined.
        self.behind = set(window.unread())
        #: Whether something may match that is due and was left in the store.
        self.has_left = True
        self._window = window
        #: By urgency: up to this id, every row beyond the window was examined.
        self.examined: dict[int, int] = {}
        self._candidates: deque[Entry] = deque()
        self._revise_at = _SHORTEST_REVISION

    def first(self) -> Entry | None:
        """Return the first entry that waits and matches; None if there is none, or if the store must be read first."""
        entry = self.candidate()
        if self.behind:
            # Of a lane that is in memory as a whole, nothing has to be read.
            self.behind.intersection_update(self._window.unread())
            if self.behind and entry is not None and self.reading_place() < entry.place:
                return None
        if entry is not None and self._groups is not None and self._groups.end_before(entry.message):
            return self.first()
        return entry

    def reading_place(self) -> Place:
        """Return the place behind which the store has to be read next; there is a lane behind."""
        urgency = min(self.behind)
        return Place(urgency, max(self.examined.get(urgency, 0), self._window.frontier(urgency)))

    def needs(self, entry: Entry) -> bool:
        """Whether no entry that waits and matches is in memory and comes before this one."""
        candidate = self.candidate()
        return candidate is None or entry.place < candidate.place

    def selects(self, entry: Entry) -> bool:
        """Whether an entry matches, and belongs to nobody else."""
        if self._groups is not None and not self._groups.admits(self._owner, entry.message):
            return False
        return self._selector is None or is_selected(self._selector, entry.message, entry.delivery_count)

    def took(self, entry: Entry) -> None:
        """Note that an entry is given to the subscription whose selection this is."""
        if self._groups is not None:
            self._groups.took(self._owner, entry.message)

    def start_over(self) -> None:
        """Read the store from the window on once more, because more may match than before."""
        self.behind = set(self._window.unread())
        self.examined.clear()
        self.has_left = True

    def judge(self, entry: Entry) -> None:
        """Note an entry if it matches, else forget it."""
        candidates = self._candidates
        place = len(candidates)
        if candidates and entry.place <= candidates[-1].place:
            place = bisect_left(candidates, entry.place, key=_place)
        is_noted = place < len(candidates) and candidates[place] is entry
        if self.selects(entry) is is_noted:
            return
        if is_noted:
            del candidates[place]
            return
        candidates.insert(place, entry)
        if len(candidates) >= self._revise_at:
            self._candidates = deque(candidate for candidate in candidates if candidate.is_waiting)
            self._revise_at = max(_SHORTEST_REVISION, 2 * len(self._candidates))

    def candidate(self) -> Entry | None:
        """Return the first entry in memory that waits and matches, though one in the store may come before it."""
        candidates, groups = self._candidates, self._groups
        while candidates and not (
            candidates[0].is_waiting and (groups is None or groups.admits(self._owner, candidates[0].message))
        ):
            candidates.popleft()  # it was given to somebody else, or its group was
        return candidates[0] if candidates else None


@final
class Selections:
    """The selections of one queue, and the entries that they found ahead of its window."""

    __slots__ = (
        "_ahead_bytes",
        "_byte_limit",
        "_reading",
        "_reading_from",
        "_selections",
        "_window",
        "ahead",
        "groups",
    )

    def __init__(self, window: Window, byte_limit: int, groups: Groups | None = None) -> None:
        """Begin without any.

        Args:
            window: The queue's.
            byte_limit: Bytes of bodies kept ahead of it; the next entry for each selection is always allowed.
            groups: The queue's, if messages have groups.
        """
        #: The queue's, if messages have groups.
        self.groups = groups
        self._window = window
        self._byte_limit = byte_limit
        self._selections: dict[Selector | Subscription, Selection] = {}  # by subscription, if there are groups
        #: Entries beyond the window that are in memory or with a subscription.
        self.ahead: dict[Place, Entry] = {}
        self._ahead_bytes = 0
        #: For whom the store is read.
        self._reading: Selection | None = None
        self._reading_from: Place | None = None  # None once what was examined there counts no more

    @property
    def is_over(self) -> bool:
        """Whether nobody has a selector any more and nothing is left to be remembered."""
        return not (self._selections or self.ahead or self._reading)

    @property
    def is_reading(self) -> bool:
        """Whether a page was asked for that has not come."""
        return self._reading is not None

    def find(self, subscription: Subscription) -> Selection | None:
        """Return what a subscription selects; None if that is everything."""
        key = subscription.selector if self.groups is None else subscription
        return None if key is None else self._selections.get(key)

    def begin_groups(self, groups: Groups, subscriptions: Iterable[Subscription]) -> None:
        """Give each subscription a selection of its own, because messages have groups from now on."""
        for selection in self._selections.values():
            selection.subscriptions = 0
        self._selections.clear()
        self.groups = groups
        for subscription in subscriptions:
            self.join(subscription)

    def free_groups(self) -> bool:
        """Let everybody find the messages of groups that were closed, and return whether there are such groups."""
        if self.groups is None:
            return False
        freed = self.groups.free()
        self._judge_again(self.groups, freed)
        return bool(freed)

    def join(self, subscription: Subscription) -> None:
        """Begin the selection of one more subscription, if it does not get everything."""
        key = subscription.selector if self.groups is None else subscription
        if key is None:
            return
        selection = self._selections.get(key)
        if selection is None:
            selection = self._selections[key] = Selection(subscription, self._window, self.groups)
            for entry in [*self._window.entries(), *self.ahead.values()]:
                if entry.is_waiting:
                    selection.judge(entry)
        selection.subscriptions += 1

    def leave(self, subscription: Subscription) -> None:
        """Undo `join`, and free the groups of the subscription."""
        key = subscription.selector if self.groups is None else subscription
        selection = None if key is None else self._selections.get(key)
        if key is None or selection is None:
            return
        selection.subscriptions -= 1
        if not selection.subscriptions:
            del self._selections[key]
        if self.groups is not None:
            self._judge_again(self.groups, self.groups.leave(subscription))

    def arrived(self, entry: Entry, *, is_in_window: bool) -> None:
        """Note a new entry, which the window has taken or left in the store."""
        for selection in self._selections.values():
            if is_in_window:
                selection.judge(entry)
            else:
                self._meet(selection, entry)

    def take(self, entry: Entry) -> None:
        """Note that an entry is being delivered."""
        entry.is_waiting = False
        if entry.place not in self.ahead:
            self._window.remove(entry.place)

    def put_back(self, entry: Entry) -> None:
        """Return an entry, which waits again, to its place."""
        if entry.place in self.ahead and not entry.due_ms and self._window.has_passed(entry.place):
            self.forget(entry)
        if entry.place not in self.ahead:
            self._window.put_back(entry)
        for selection in self._selections.values():
            selection.judge(entry)

    def withdraw(self, place: Place) -> bool:
        """Let nobody have the entry ahead of the window at a place; return whether it was waiting."""
        entry = self.ahead[place]
        if self.is_reading or not entry.is_waiting:
            return False  # it is with a consumer, or a page would bring it again
        entry.is_waiting = False
        self.forget(entry)
        return True

    def forget(self, entry: Entry) -> None:
        """Forget an entry whose row no page can bring any more."""
        if self.ahead.pop(entry.place, None) is not None:
            self._ahead_bytes -= len(entry.message.body)

    def next_page(self, line: Iterable[Subscription]) -> Place | None:
        """Return the place after which to load for the first who waits in vain, and expect `admit`; None if nobody."""
        for subscription in line:
            selection = self.find(subscription)
            if selection is None or not selection.behind or not subscription.may_take:
                continue
            if selection.first() is None and selection.behind:
                self._reading = selection
                self._reading_from = selection.reading_place()
                return self._reading_from
        return None

    def admit(self, after: Place, page: Page) -> None:
        """Take in a page: examine one that `next_page` asked for, and keep what matches; others are the window's."""
        selection, self._reading = self._reading, None
        if selection is None:
            self.came_up(self._window.admit(after, page, self.ahead))
            return
        if not selection.subscriptions or after != self._reading_from:
            return  # they have ended, or have started over
        end, is_last = after.urgency, page.is_last
        for stored in page.messages:
            place = stored.message.place
            end = place.urgency
            if not self._window.has_passed(place):
                entry = self.ahead.get(place) or Entry(
                    stored.message, is_stored=True, delivery_count=stored.delivery_count
                )
                if not self._examine(selection, entry):
                    # Nothing unread before it matches, so what is in memory before it need not wait.
                    selection.examined[end] = max(place.message_id - 1, selection.examined.get(end, 0))
                    is_last = False
                    break
            selection.examined[end] = max(place.message_id, selection.examined.get(end, 0))
        # The page shows the end of every lane it went past.
        selection.behind.difference_update(range(after.urgency, LANE_COUNT if is_last else end))

    def want_due(self) -> bool:
        """Whether somebody finds nothing in memory, and there may be something due in the store; begin to `meet_due`.

        All of it will be met again, from the first that the window has not taken.
        """
        for wanting in self._selections.values():
            if wanting.has_left and wanting.candidate() is None:
                for selection in self._selections.values():
                    selection.has_left = False
                return True
        return False

    def meet_due(self, entry: Entry) -> None:
        """Examine an entry that has become due, for which the window has no room."""
        entry = self.ahead.get(entry.place, entry)
        for selection in self._selections.values():
            if not selection.selects(entry):
                continue
            if entry.place not in self.ahead and not self._has_room(selection, entry):
                selection.has_left = True
                continue
            self._keep_ahead(entry)
            if entry.is_waiting:
                selection.judge(entry)

    def enter(self, entry: Entry) -> None:
        """Put an entry that has become due into the window."""
        known = self.ahead.get(entry.place)
        if known is not None and not known.is_waiting:
            self.forget(known)
            return
        entry = known or entry
        entry.is_waiting = True
        self._window.enter(entry)
        self.came_up([entry])

    def came_up(self, entries: Iterable[Entry]) -> None:
        """Note entries that a page has brought into the window."""
        for entry in entries:
            self.forget(entry)
            for selection in self._selections.values():
                selection.judge(entry)

    def _judge_again(self, groups: Groups, freed: set[Key]) -> None:
        """Judge once more what is in memory of some groups, and let everybody read the store once more."""
        if not freed:
            return
        for selection in self._selections.values():
            selection.start_over()
        self._reading_from = None
        for entry in [*self._window.entries(), *self.ahead.values()]:
            if entry.is_waiting and groups.is_among(entry.message, freed):
                for selection in self._selections.values():
                    selection.judge(entry)

    def _meet(self, selection: Selection, entry: Entry) -> None:
        """Examine a new entry that is in the store, unless it will be met when the store is read."""
        urgency, message_id = entry.place
        examined = selection.examined.get(urgency, 0)
        # One that was on its way while a newer one arrived is met now or never, whatever the room.
        if message_id > examined:
            if urgency in selection.behind:
                return
            if selection.selects(entry) and not self._has_room(selection, entry):
                selection.behind.add(urgency)
                return
            selection.examined[urgency] = message_id
        if selection.selects(entry):
            self._keep_ahead(entry)
            selection.judge(entry)

    def _examine(self, selection: Selection, entry: Entry) -> bool:
        """Keep an entry from the store if it matches, and return whether there was room for it."""
        if not selection.selects(entry):
            return True
        if entry.place not in self.ahead:
            if not self._has_room(selection, entry):
                return False
            self._keep_ahead(entry)
        if entry.is_waiting:
            selection.judge(entry)
        return True

    def _has_room(self, selection: Selection, entry: Entry) -> bool:
        return selection.needs(entry) or self._ahead_bytes + len(entry.message.body) <= self._byte_limit

    def _keep_ahead(self, entry: Entry) -> None:
        if entry.place not in self.ahead:
            self.ahead[entry.place] = entry
            self._ahead_bytes += len(entry.message.body)
