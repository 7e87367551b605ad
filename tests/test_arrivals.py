"""Results of other threads, brought to the event loop."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest

from segue.errors import OverloadedError, StoreError
from segue.web.arrivals import in_time


def test_every_result_of_every_thread_arrives() -> None:
    given = [Future[int]() for _ in range(2000)]

    def settle(begin: int) -> None:
        for n in range(begin, len(given), 4):
            given[n].set_result(n)
            if random.random() < 0.05:
                time.sleep(0.001)  # the loop falls asleep meanwhile

    async def run() -> list[int]:
        with ThreadPoolExecutor(4) as pool:
            waiting = [asyncio.ensure_future(in_time([one], 10.0)) for one in given]
            await asyncio.sleep(0)
            for begin in range(4):
                pool.submit(settle, begin)
            return [n for part in await asyncio.gather(*waiting) for n in part]

    assert asyncio.run(run()) == list(range(2000))


def test_what_is_settled_together_wakes_the_loop_once() -> None:
    given = [Future[int]() for _ in range(64)]

    async def run() -> int:
        loop, woken = asyncio.get_running_loop(), []
        wake = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *what: (woken.append(1), wake(*what))  # type: ignore[assignment,func-returns-value]
        waiting = [asyncio.ensure_future(in_time([one], 10.0)) for one in given]
        await asyncio.sleep(0)

        def settle() -> None:
            for n, one in enumerate(given):
                one.set_result(n)

        thread = threading.Thread(target=settle)
        thread.start()
        thread.join()  # nothing is handed over as long as the loop stands still here
        assert await asyncio.gather(*waiting) == [[n] for n in range(64)]
        return len(woken)

    assert asyncio.run(run()) == 1


def test_one_that_fails_calls_off_those_not_begun_and_the_begun_run_on() -> None:
    async def run() -> list[Future[int]]:
        failing, begun, waiting = Future[int](), Future[int](), Future[int]()
        begun.set_running_or_notify_cancel()
        asked = asyncio.ensure_future(in_time([begun, waiting, failing], 10.0))
        await asyncio.sleep(0)
        failing.set_exception(StoreError("full"))
        with pytest.raises(StoreError, match="full"):
            await asked
        begun.set_result(1)
        await asyncio.sleep(0.01)
        return [begun, waiting]

    begun, waiting = asyncio.run(run())
    assert begun.result() == 1
    assert waiting.cancelled()


@pytest.mark.parametrize("several", [1, 3])
def test_what_takes_too_long_is_called_off(several: int) -> None:
    given = [Future[int]() for _ in range(several)]
    with pytest.raises(OverloadedError, match=r"no answer in 0.02 s"):
        asyncio.run(in_time(given, 0.02))
    assert all(one.cancelled() for one in given)


def test_a_loop_that_ended_does_not_trouble_the_one_who_settles() -> None:
    begun = Future[int]()
    begun.set_running_or_notify_cancel()
    with pytest.raises(OverloadedError):
        asyncio.run(in_time([begun], 0.01))
    begun.set_result(1)  # the loop is closed
    assert begun.exception() is None


@pytest.mark.parametrize("several", [1, 2])
def test_one_that_fails_leaves_nothing_to_the_garbage_collector(several: int) -> None:
    class Body:
        """What a request brought."""

    kept: list[weakref.ref[Body]] = []

    async def call() -> None:
        body = Body()
        kept.append(weakref.ref(body))
        given = [Future[int]() for _ in range(several)]
        given[0].set_exception(StoreError("full"))
        await in_time(given, 10.0)

    async def run() -> None:
        for _ in range(20):
            with suppress(StoreError):
                await call()
        await asyncio.sleep(0)

    gc.collect()
    gc.disable()
    try:
        asyncio.run(run())
        assert [one for one in kept if one() is not None] == []
    finally:
        gc.enable()


def test_those_cancelled_by_another_are_told() -> None:
    async def run() -> None:
        given = Future[int]()
        asked = asyncio.ensure_future(in_time([given], 10.0))
        await asyncio.sleep(0)
        given.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(run())
