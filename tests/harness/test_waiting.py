"""Waiting for a condition ends with its value or says what never became true."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness.waiting import wait_for, wait_for_async


def test_first_true_value_is_returned() -> None:
    values = iter([0, None, "", "there"])

    assert wait_for(lambda: next(values), "something is there") == "there"


def test_vain_wait_says_what_for() -> None:
    with pytest.raises(AssertionError, match=r"0\.05 s in vain until pigs fly; last seen: 0"):
        wait_for(lambda: 0, "pigs fly", timeout=0.05)


def test_vain_asynchronous_wait_says_what_for() -> None:
    with pytest.raises(AssertionError, match=r"0\.05 s in vain until pigs fly"):
        asyncio.run(wait_for_async(lambda: False, "pigs fly", timeout=0.05))


def test_other_tasks_run_during_an_asynchronous_wait() -> None:
    async def scenario() -> list[int]:
        done: list[int] = []
        asyncio.get_running_loop().call_soon(done.append, 1)
        await wait_for_async(lambda: done, "the other task has run")
        return done

    assert asyncio.run(scenario()) == [1]
