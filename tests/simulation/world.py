"""The simulated world: clients, a broker, a slow journal that refuses and crashes, and a clock that jumps."""

from __future__ import annotations

from collections import deque
from random import Random

from stompd.broker.broker import Broker
from stompd.broker.delivery import Delivery
from stompd.broker.effects import Load, LoadDue, LoadEntries, LoadExpired, LoadShown, SessionId
from stompd.broker.limits import Limits
from stompd.broker.policy import Overflow, Rule
from stompd.broker.requests import AckMode, Request, Subscribe
from stompd.broker.units import RETAINED_NAME, DuePage, ExpiredPage, Page, UnitOfWork
from stompd.store.memory import MemoryStore
from tests.simulation.clients import Clients
from tests.simulation.journal import Applied, Loaded, Outcome, Refused, SlowJournal
from tests.simulation.model import Model
from tests.simulation.promises import depth_of
from tests.simulation.records import ClientSession, State, Violation

_NOW = 1_700_000_000.0
_STEPS = 500
_MAX_SESSIONS = 4
_TRACED_STEPS = 60


class World:
    """One run; everything that happens follows from the seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random = Random(seed)
        self.limits = Limits(
            queue_prefetch=random.choice((1, 2, 5)),
            topic_prefetch=random.choice((1, 3)),
            highest_prefetch=8,
            outstanding_bytes=random.choice((60, 1_000_000)),
            window_count=random.choice((1, 2, 4, 8)),
            window_bytes=random.choice((50, 200, 1_000_000)),
            max_deliveries=1_000_000,
            redelivery_delay_ms=random.choice((1, 200)),
            redelivery_delay_limit_ms=1_000,
        )
        self.now = _NOW
        self.trace: deque[str] = deque(maxlen=_TRACED_STEPS)
        self.store = MemoryStore()
        #: Beyond so many messages, a queue drops the oldest.
        self.queue_limits = random.choice(({}, {}, {}, {"/queue/b": random.choice((1, 3))}))
        self.model = Model(self.limits, self.queue_limits)
        self.clients = Clients(random, self.model, self._submit)
        self._last_session = 0
        self._refusals = random.choice((0.0, 0.0, 0.04))
        self._crashes = random.choice((0.0, 0.01))
        self._haste = random.choice((0.3, 0.6, 0.9))  # how soon a turn ends, and how fast the journal is
        self._start()

    def run(self) -> None:
        """Let everything happen, then drain the queues and compare.

        Raises:
            Violation: A promise was broken; its text ends with the seed and the last steps.
        """
        try:
            for _ in range(_STEPS):
                self._step()
            self._drain()
        except Exception as error:
            steps = "\n".join(self.trace)
            raise Violation(f"seed {self.seed}: {type(error).__name__}: {error}\n{self.limits}\n{steps}") from error

    def _start(self) -> None:
        recovered = self.store.open()
        rules = [
            Rule(path, max_messages=limit, overflow=Overflow.DROP_OLD) for path, limit in self.queue_limits.items()
        ]
        self.broker = Broker(self.limits, recovered, rules)
        self.journal = SlowJournal(self.store)
        rows = {
            (queue_id, message_id): (row.delivery_count, row.due_ms)
            for queue_id, queue in self.store._queues.items()
            if queue.name != RETAINED_NAME
            for message_id, row in queue.rows.items()
        }
        self.model.crashed(rows, recovered)

    def _step(self) -> None:
        random = self.random
        self.now += random.choice((0.0, 0.001, 0.02, 0.3))
        if random.random() < 0.01:
            self.now -= 2.0
        if random.random() < self._crashes:
            self._crash()
            return
        self._act()
        if random.random() < self._haste:
            self._end_turn()
        for _ in range(random.randrange(4)):
            if random.random() < self._haste:
                self._write()
        if random.random() < self._haste:
            self._tell(random.randrange(4))
            self._end_turn()
        if self.journal.is_quiet:
            self._end_turn()

    def _act(self) -> None:
        random = self.random
        sessions = list(self.model.sessions.values())
        present = [session for session in sessions if not session.is_over]
        for session in sessions:
            if (session.is_refused or session.is_closed) and not session.is_lost:
                self._lose(session)
        if len(present) < _MAX_SESSIONS and random.random() < 0.3:
            present.append(self._connect())
        if not present:
            return
        session = random.choice(present)
        choice = random.random()
        if choice < 0.015:
            self._lose(session)
        elif choice < 0.06:
            self._set_writable(session, random.random() < 0.6)
        elif choice < 0.2 and session.is_writable:
            self.model.settle_written(session)
            self.broker.settle_written(SessionId(session.session_id))
            self.trace.append(f"session {session.session_id} has written")
        else:
            self.clients.act(session, self.now)

    def _connect(self) -> ClientSession:
        self._last_session += 1
        session = ClientSession(
            self._last_session,
            names_by_token=self.random.random() < 0.5,
            has_soft_errors=self._last_session % 3 == 0,
        )
        self.model.open_session(session)
        self.broker.open_session(SessionId(session.session_id), has_soft_errors=session.has_soft_errors)
        self.trace.append(f"session {session.session_id} opens")
        return session

    def _lose(self, session: ClientSession) -> None:
        self.trace.append(f"session {session.session_id} is lost")
        self.model.end(session)
        session.is_lost = True
        self.broker.close_session(SessionId(session.session_id))

    def _set_writable(self, session: ClientSession, is_writable: bool) -> None:
        self.trace.append(f"session {session.session_id} writable {is_writable}")
        session.is_writable = is_writable
        if is_writable:
            self.model.settle_written(session)
        self.broker.set_writable(SessionId(session.session_id), is_writable=is_writable)

    def _submit(self, session: ClientSession, request: Request) -> None:
        parts = (f"{name}={getattr(request, name)}" for name in request.__slots__ if name != "message")
        body = request.message.body.decode() if hasattr(request, "message") else ""
        self.trace.append(f"session {session.session_id} {type(request).__name__} {' '.join(parts)} {body}")
        self.broker.submit(SessionId(session.session_id), request, self.now)
        if isinstance(request, Subscribe):
            subscription = self.broker._sessions[SessionId(session.session_id)].subscriptions[request.subscription_id]
            if subscription.spread is None:
                queue = subscription.queue.browser.source if subscription.queue.browser else subscription.queue
                self.model.know_queue(queue.queue_id, session.subscriptions[request.subscription_id].home)
            else:
                queues = [queue for queue in subscription.spread.queues if queue is not subscription.queue]
                for queue in queues:
                    self.model.know_queue(queue.queue_id, self.model.home(queue.name))

    def _end_turn(self) -> None:
        """Carry out the effects, as the driver does."""
        deadline = self.broker.next_deadline()
        if deadline is not None and deadline <= self.now:
            self.trace.append("tick")
            self.broker.tick(self.now)
        effects = self.broker.take_effects(self.now)
        for effect in effects:
            if isinstance(effect, UnitOfWork | LoadEntries | LoadDue | LoadExpired | LoadShown):
                self.journal.waiting.append(effect)
            else:
                self.trace.append(_describe(effect))
        self.model.take(effects, self.now)
        self.model.check(self.broker, self.now, is_quiet=self.journal.is_quiet)

    def _write(self) -> None:
        """The store does the next thing; nobody knows yet."""
        if self.journal.waiting:
            outcome = self.journal.write(self._must_refuse)
            if isinstance(outcome, Applied):
                self.model.written(outcome.unit)
            self.trace.append(f"  journal: {_name(outcome)}")

    def _must_refuse(self, unit: UnitOfWork) -> bool:
        if self._refusals > 0 and self.model.may_refuse(unit) and self.random.random() < self._refusals:
            self.model.refusing(unit)
            return True
        return False

    def _tell(self, count: int) -> None:
        """The broker learns what the store did."""
        while count and self.journal.outcomes:
            count -= 1
            outcome = self.journal.outcomes.popleft()
            self.trace.append(f"  broker learns: {_name(outcome)}")
            match outcome:
                case Applied(unit):
                    self.model.applied(unit)
                    self.broker.unit_applied(unit.serial)
                case Refused(unit):
                    self.model.refused(unit)
                    self.broker.unit_refused(unit.serial, "no")
                case Loaded(load, page):
                    self._pass_on(load, page)

    def _pass_on(self, load: Load, page: Page | DuePage | ExpiredPage) -> None:
        if isinstance(load, LoadEntries):
            assert isinstance(page, Page)
            self.broker.entries_loaded(load.queue_id, load.after, page)
        elif isinstance(load, LoadShown):
            assert isinstance(page, Page)
            self.broker.shown_loaded(load, page)
        elif isinstance(load, LoadDue):
            assert isinstance(page, DuePage)
            self.broker.due_loaded(load.queue_id, page)
        else:
            assert isinstance(page, ExpiredPage)
            self.broker.expired_loaded(page)

    def _crash(self) -> None:
        self.trace.append("crash")
        self.store.crash()
        self._start()

    def _settle_down(self) -> None:
        """Let the journal do and tell everything, and all that follows from it."""
        self._end_turn()
        while not self.journal.is_quiet:
            self._write()
            self._tell(1)
            self._end_turn()

    def _drain(self) -> None:
        """All sessions end; one consumer takes what is left, which is all there should be."""
        self._refusals = 0
        self._settle_down()
        if self.random.random() < 0.3:
            self._crash()
        for session in list(self.model.sessions.values()):
            if not session.is_over and self.random.random() < 0.5:
                self.clients.disconnect(session)
                self._settle_down()
            if not session.is_lost:
                self._lose(session)
        self._settle_down()
        self.now += 1_000_000
        session = self._connect()
        for number, path in enumerate(self.model.homes):
            self.clients.subscribe(session, path, f"drain{number}", AckMode.INDIVIDUAL, 0)
        for name, home in self.model.durable.items():
            self.clients.subscribe(
                session,
                home.topic or "",
                f"drain {name}",
                AckMode.INDIVIDUAL,
                0,
                durable=name,
                selector=home.selector,
            )
        self._consume(session)
        self._settle_down()
        for home in (*self.model.homes.values(), *self.model.durable.values()):
            left = [copy.name for copy in home.live if not copy.may_expire]
            if left or depth_of(self.broker, home):
                raise Violation(f"{home.name} still has {left}, depth {depth_of(self.broker, home)}")
        queues = [queue for queue in self.store._queues.values() if queue.name != RETAINED_NAME]
        rows = [row.message.body for queue in queues for row in queue.rows.values()]
        if rows:
            raise Violation(f"the store still has {rows}")

    def _consume(self, session: ClientSession) -> None:
        done = 0
        self._end_turn()
        while done < len(session.history) or not self.journal.is_quiet:
            if done < len(session.history):
                subscription, number, copy = session.history[done]
                done += 1
                if copy.state is State.OUTSTANDING:
                    self.clients.settle(session, subscription, number, copy, None, None)
            else:
                self._write()
                self._tell(1)
            self._end_turn()


def _describe(effect: object) -> str:
    parts = [type(effect).__name__]
    if isinstance(effect, Delivery):
        entry, subscription = effect.entry, effect.subscription
        parts += [str(effect.session_id), subscription.subscription_id, entry.message.body.decode()]
        parts.append(f"count {entry.delivery_count}")
    else:
        parts += [str(getattr(effect, name, "")) for name in ("session_id", "receipt", "error")]
    return "    -> " + " ".join(parts)


def _name(outcome: Outcome) -> str:
    match outcome:
        case Loaded(load, page):
            count = len(page.rows if isinstance(page, ExpiredPage) else page.messages)
            return f"{type(load).__name__}: {count} after {load.after}"
        case _:
            operations = ", ".join(type(operation).__name__ for operation in outcome.unit.operations)
            return f"{type(outcome).__name__} {outcome.unit.serial}: {operations}"
