"""Random clients, a journal that delays, refuses and crashes: every promise holds, for every seed."""

from __future__ import annotations

import pytest

from tests.simulation.world import World

_SEEDS = 1_200
_BLOCK = 50


@pytest.mark.parametrize("first", range(0, _SEEDS, _BLOCK))
def test_every_promise_holds(first: int) -> None:
    for seed in range(first, first + _BLOCK):
        World(seed).run()


def test_the_same_seed_does_the_same() -> None:
    worlds = [World(7), World(7)]

    for world in worlds:
        world.run()

    assert worlds[0].trace == worlds[1].trace
