"""Subscriptions of topics that have a name: durable ones, which wait for their consumers, and shared ones."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, final

from stompd.broker.catalogue import Catalogue
from stompd.broker.destination import Destination, parse_source
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.message import QueueId
from stompd.broker.queue import Queue
from stompd.broker.requests import Naming, Scope, Subscribe
from stompd.broker.session import Session
from stompd.broker.topic import Binding
from stompd.broker.units import DeleteQueue, PutQueue, PutSubscription, Recovered
from stompd.errors import InvalidHeader, LimitExceeded, MissingHeader, SubscriptionConflict, UnknownSubscription
from stompd.selector.evaluate import Selector, compile_selector

#: Users whose durable subscriptions anybody may use: nobody has logged in for them.
_NOBODY = frozenset({"", "anonymous"})


class Identity(NamedTuple):
    """What tells named subscriptions apart."""

    #: Empty if the name belongs to no client.
    client_id: str
    name: str


@final
class NamedSubscription:
    """A queue bound to a topic under a name, for one consumer after the other or for several at once."""

    __slots__ = ("destination", "identity", "is_shared", "no_local", "owner", "predecessor", "queue", "selector")

    def __init__(
        self,
        identity: Identity,
        destination: Destination,
        queue: Queue,
        *,
        selector: Selector | None,
        no_local: bool,
        is_shared: bool,
        owner: str,
    ) -> None:
        self.identity = identity
        #: The user who made it.
        self.owner = owner
        self.destination = destination
        self.queue = queue
        self.selector = selector
        self.no_local = no_local
        self.is_shared = is_shared
        #: What deletes the subscription whose place it takes, until that is durable.
        self.predecessor: DeleteQueue | None = None

    @property
    def deletions(self) -> list[DeleteQueue]:
        """What deletes it, and its predecessor too if that may still be there."""
        own = DeleteQueue(self.queue.queue_id)
        return [own] if self.predecessor is None else [own, self.predecessor]

    def forget_predecessor(self) -> None:
        """Note that the predecessor has been deleted."""
        self.predecessor = None

    @property
    def is_active(self) -> bool:
        """Whether a consumer is connected."""
        return self.queue.subscriptions > 0

    @property
    def binding(self) -> Binding | None:
        """Which of the topic's messages it gets; None for all."""
        if self.selector is None and not self.no_local:
            return None
        return Binding(self.selector, client_id=self.identity.client_id if self.no_local else "")

    def is_asked_for(self, request: Subscribe) -> bool:
        """Whether a SUBSCRIBE wants the same messages."""
        return (
            self.destination.path == request.destination.path
            and self.selector == request.selector
            and self.no_local == request.no_local
        )


@final
class NamedSubscriptions:
    """Finds, makes, replaces and deletes the named subscriptions of one virtual host."""

    __slots__ = ("_by_client", "_catalogue", "_durable", "_ids", "_ledger", "_limits", "_shared")

    def __init__(self, ledger: Ledger, catalogue: Catalogue, ids: IdSource) -> None:
        self._limits = catalogue.limits
        self._ledger = ledger
        self._catalogue = catalogue
        self._ids = ids
        # JMS 3.1, 8.3: durable names and those of shared subscriptions that are not durable do not meet.
        self._durable: dict[Identity, NamedSubscription] = {}
        self._shared: dict[Identity, NamedSubscription] = {}
        #: Durable ones by client id and name.
        self._by_client: dict[str, dict[str, NamedSubscription]] = {}

    def recover(self, recovered: Recovered) -> None:
        """Take over the durable subscriptions that the store holds."""
        queues = {found.queue_id: found for found in recovered.queues}
        for found in recovered.subscriptions:
            if found.host != self._catalogue.host:
                continue
            identity = Identity(found.client_id, found.name)
            stored = queues[found.queue_id]
            queue = self._catalogue.durable_queue(
                found.queue_id, _queue_name(identity), recovered_count=stored.message_count
            )
            if stored.next_due_ms:
                queue.later.expect(stored.next_due_ms)
            named = NamedSubscription(
                identity,
                parse_source(found.topic),
                queue,
                selector=compile_selector(found.selector) if found.selector else None,
                no_local=found.no_local,
                is_shared=found.is_shared,
                owner=found.owner,
            )
            self._begin(named)

    def owner(self, client_id: str) -> str:
        """Return the user to whom the durable subscriptions of a client id belong; empty if to nobody."""
        owners = (named.owner for named in self._by_client.get(client_id, {}).values())
        return next((owner for owner in owners if owner not in _NOBODY), "")

    def find(
        self, session: Session, request: Subscribe, naming: Naming, now: float, work: Work
    ) -> tuple[NamedSubscription, dict[str, str]]:
        """Return the subscription that a SUBSCRIBE names, made or replaced if need be, and what its RECEIPT says of it.

        What has to be stored is added to the work.

        Raises:
            SubscriptionConflict: It is in use, or of the other sort.
            LimitExceeded: There are as many durable ones as allowed.
            MissingHeader: The name counts within a client id, and there is none.
            InvalidHeader: It is shared, and shall not get what its own client sends.
        """
        identity, is_shared = _identify(session, naming, request.destination)
        if request.no_local and is_shared:
            raise InvalidHeader(
                "no-local:true cannot be used with a shared subscription, which has more than one client."
                " Leave it out, or subscribe with a client-id on CONNECT and without shared:true."
            )
        named = (self._durable if naming.is_durable else self._shared).get(identity)
        replaced: NamedSubscription | None = None
        headers = {"durable-subscription-name": identity.name} if naming.is_durable else {}
        if named is not None:
            _check(named, request, is_shared=is_shared)
            if not named.is_asked_for(request):
                # JMS 3.1, 8.3.3 and 8.3.4: another topic, selector or noLocal deletes it and creates it again.
                headers["dropped"] = str(named.queue.depth)
                replaced, named = named, None
                self._end(replaced)
        elif naming.is_durable:
            self._check_count()
        if named is None:
            named = self._make(session, identity, request, now, naming._replace(is_shared=is_shared), work)
        if replaced is not None:
            self._replace(replaced, named, work)
        if naming.is_durable:
            headers["pending"] = str(named.queue.depth)
        return named, headers

    def find_durable(self, session: Session, naming: Naming, destination: Destination | None) -> NamedSubscription:
        """Return the durable subscription that an UNSUBSCRIBE names.

        Raises:
            UnknownSubscription: There is none.
            MissingHeader: The name says too little.
        """
        identity, _ = _identify(session, naming._replace(is_shared=True), destination)
        named = self._durable.get(identity)
        if named is None:
            # JMS 3.1, 4.2: the name must be one of a durable subscription.
            owner = f"client-id {identity.client_id} has" if identity.client_id else "no client-id there is"
            raise UnknownSubscription(
                f"There is no durable subscription {identity.name}: for {owner} none of this name."
                " UNSUBSCRIBE takes the name and the client-id with which it was created."
            )
        return named

    def release(self, named: NamedSubscription) -> None:
        """Note that a consumer has left; the last one ends what is not durable."""
        named.queue.subscriptions -= 1
        # JMS 3.1, 8.3.2: a shared subscription that is not durable ends with its last consumer.
        if not named.is_active and not named.queue.is_durable:
            self._end(named)

    def delete(self, named: NamedSubscription, work: Work) -> None:
        """Delete a durable subscription with all its messages."""
        self._end(named)
        work.operations += named.deletions

    def _replace(self, old: NamedSubscription, new: NamedSubscription, work: Work) -> None:
        """Delete a subscription in the unit that creates its successor, so that a crash leaves one of them."""
        if old.predecessor is not None:
            # Its own unit is not answered yet. A chain of such units would have to repeat all that they delete.
            for deletion in old.deletions:
                self._ledger.ride(deletion)
            return
        new.predecessor = DeleteQueue(old.queue.queue_id)
        work.operations.insert(0, new.predecessor)
        work.steps.append(new.forget_predecessor)
        # If the store refuses the new one, the old one goes nevertheless, and the name is free for the next.
        work.undo.append(partial(self._ledger.ride, new.predecessor))

    def _make(
        self, session: Session, identity: Identity, request: Subscribe, now: float, naming: Naming, work: Work
    ) -> NamedSubscription:
        owner = session.user_name
        if naming.is_durable:
            queue = self._make_queue(identity, request, now, is_shared=naming.is_shared, owner=owner, work=work)
        else:
            queue = self._catalogue.source(request.destination, now)
        named = NamedSubscription(
            identity,
            request.destination,
            queue,
            selector=request.selector,
            no_local=request.no_local,
            is_shared=naming.is_shared,
            owner=owner,
        )
        self._begin(named)
        if naming.is_durable:
            work.undo.append(partial(self._give_up, named))
        return named

    def _check_count(self) -> None:
        if len(self._durable) >= self._limits.durable_subscriptions:
            raise LimitExceeded(
                f"This broker keeps {len(self._durable)} durable subscriptions, which is the limit (setting"
                " limits.durable_subscriptions). Delete one that is not needed with an UNSUBSCRIBE that has its name."
            )

    def _make_queue(
        self, identity: Identity, request: Subscribe, now: float, *, is_shared: bool, owner: str, work: Work
    ) -> Queue:
        queue = self._catalogue.durable_queue(QueueId(self._ids.next(now)), _queue_name(identity))
        work.operations.append(PutQueue(queue.queue_id, queue.name, host=queue.host))
        work.operations.append(
            PutSubscription(
                queue.queue_id,
                identity.client_id,
                identity.name,
                request.destination.path,
                selector=request.selector.text if request.selector else "",
                no_local=request.no_local,
                is_shared=is_shared,
                host=queue.host,
                owner=owner,
            )
        )
        return queue

    def _begin(self, named: NamedSubscription) -> None:
        (self._durable if named.queue.is_durable else self._shared)[named.identity] = named
        client_id, name = named.identity
        if named.queue.is_durable and client_id:
            self._by_client.setdefault(client_id, {})[name] = named
        self._catalogue.route(named.destination, named.queue, named.binding)

    def _end(self, named: NamedSubscription) -> None:
        del (self._durable if named.queue.is_durable else self._shared)[named.identity]
        client_id, name = named.identity
        if named.queue.is_durable and client_id:
            of_client = self._by_client[client_id]
            del of_client[name]
            if not of_client:
                del self._by_client[client_id]
        self._catalogue.unroute(named.destination, named.queue)

    def _give_up(self, named: NamedSubscription) -> None:
        """Undo the creation of a subscription that the store refused."""
        if not named.queue.has_ended:
            self._end(named)
        # Others may have subscribed meanwhile.
        self._catalogue.overflowing.append(named.queue)
        self._ledger.ride(DeleteQueue(named.queue.queue_id))


def _identify(session: Session, naming: Naming, destination: Destination | None) -> tuple[Identity, bool]:
    """Return what a name stands for, and whether it is shared."""
    if naming.scope is Scope.CLIENT or (naming.scope is Scope.LOGIN and session.client_id):
        if not (session.client_id or naming.is_shared):
            # JMS 3.1, 8.3.3: a durable subscription of one consumer needs a client identifier.
            raise MissingHeader(
                f"The durable subscription {naming.name} needs the header client-id on CONNECT, for example"
                " client-id:billing-1, or the header shared:true."
            )
        # JMS 3.1, 8.3.2 and 8.3.4: the same name with and without a client identifier are two subscriptions.
        return Identity(session.client_id, naming.name), naming.is_shared
    if destination is None:
        raise MissingHeader(
            f"UNSUBSCRIBE of {naming.name} needs the header destination, for example destination:/topic/prices, or the"
            " id of the subscription on the same connection."
        )
    # RabbitMQ and Apollo have no client ids: there, who uses the same id shares the subscription.
    owner = "Consumer" if naming.scope is Scope.GROUP else session.user_name
    return Identity("", f"{owner}.{naming.name}.{destination.name}"), True


def _check(named: NamedSubscription, request: Subscribe, *, is_shared: bool) -> None:
    name = named.identity.name
    if named.is_shared is not is_shared:
        # JMS 3.1, 8.3: shared and unshared durable subscriptions have their names in common.
        raise SubscriptionConflict(
            f"The durable subscription {name} is {'' if named.is_shared else 'not '}shared. Use another name, or"
            f" subscribe {'with' if named.is_shared else 'without'} shared:true."
        )
    if not named.is_active:
        return
    if not is_shared:
        # JMS 3.1, 8.3.3: one consumer at a time.
        raise SubscriptionConflict(
            f"The durable subscription {name} has a consumer already. UNSUBSCRIBE or close that one first, or make it a"
            " shared one with shared:true."
        )
    if not named.is_asked_for(request):
        # JMS 3.1, 8.3.2 and 8.3.4: while it has a consumer, topic and selector stay the same.
        raise SubscriptionConflict(
            f"The shared subscription {name} is in use with destination:{named.destination.path} and"
            f" {f'selector:{named.selector.text}' if named.selector else 'no selector'}. Subscribe with the same ones,"
            " or use another name."
        )


def _queue_name(identity: Identity) -> str:
    """Return what people and the store call the queue: `/dsub/CLIENT.NAME`, different for different identities."""
    client_id = identity.client_id.replace("%", "%25").replace(".", "%2E")
    return f"/dsub/{client_id}.{identity.name}"
