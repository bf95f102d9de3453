"""The three stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stompd.broker.units import PutQueue
from stompd.interfaces import IMessageStore
from tests.contract.site import MemorySite, Site, SqlSite
from tests.contract.vocabulary import ORDERS, apply


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Each place where messages can be kept."""
    if request.param == "memory":
        yield MemorySite()
        return
    site = SqlSite(request.getfixturevalue(f"{request.param}_url"))
    yield site
    site.close()


@pytest.fixture
def store(site: Site) -> IMessageStore:
    """An open store with nothing in it."""
    store = site.store()
    store.open()
    return store


@pytest.fixture
def orders(store: IMessageStore) -> IMessageStore:
    """An open store with one empty queue, ORDERS."""
    apply(store, PutQueue(ORDERS, "/queue/orders"))
    return store
