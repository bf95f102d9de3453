"""What senders call their messages, so that duplicates are found."""

from __future__ import annotations

import pytest

from stompd.broker.units import ForgetSend, RememberSend
from stompd.errors import StoreRefused
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import apply, insert, unit


def sends(site: Site, store: IMessageStore, *, crash: bool = True) -> list[tuple[str, str, int]]:
    """Return what a store knows after it was opened again."""
    if crash:
        site.crash(store)
    else:
        store.close()
    return [(sent.path, sent.dedup_id, sent.message_id) for sent in site.store().open().sends]


@pytest.mark.parametrize("crash", [True, False])
def test_sends_are_kept_oldest_first(site: Site, store: IMessageStore, crash: bool) -> None:
    apply(store, RememberSend("/queue/b", "x", 9), RememberSend("/queue/a", "x", 7), RememberSend("/queue/a", "y", 8))

    assert sends(site, store, crash=crash) == [("/queue/a", "x", 7), ("/queue/a", "y", 8), ("/queue/b", "x", 9)]


def test_forgotten_send_is_gone(site: Site, store: IMessageStore) -> None:
    apply(store, RememberSend("/queue/a", "x", 7), RememberSend("/queue/a", "y", 8))

    apply(store, ForgetSend("/queue/a", "x"), ForgetSend("/queue/a", "z"))

    assert sends(site, store) == [("/queue/a", "y", 8)]


def test_of_one_batch_the_last_word_counts(site: Site, store: IMessageStore) -> None:
    store.apply(
        [
            unit(RememberSend("/queue/a", "x", 7), RememberSend("/queue/a", "y", 8)),
            unit(ForgetSend("/queue/a", "x"), ForgetSend("/queue/a", "y")),
            unit(RememberSend("/queue/a", "x", 9)),
        ]
    )

    assert sends(site, store) == [("/queue/a", "x", 9)]


def test_newer_send_takes_the_place_of_an_older_one(site: Site, store: IMessageStore) -> None:
    apply(store, RememberSend("/queue/a", "x", 7))

    apply(store, RememberSend("/queue/a", "x", 9))

    assert sends(site, store) == [("/queue/a", "x", 9)]


def test_applying_twice_changes_nothing(site: Site, orders: IMessageStore) -> None:
    same = unit(RememberSend("/queue/a", "x", 7), insert(7))

    orders.apply([same])
    orders.apply([same])

    assert sends(site, orders) == [("/queue/a", "x", 7)]


def test_ids_rise_above_those_of_sends(site: Site, store: IMessageStore) -> None:
    apply(store, RememberSend("/queue/a", "x", 1 << 50))
    store.close()

    assert site.store().open().highest_id == 1 << 50


def test_nul_is_refused(store: IMessageStore) -> None:
    with pytest.raises(StoreRefused, match="NUL"):
        apply(store, RememberSend("/queue/a", "x\0", 7))
