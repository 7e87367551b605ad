"""What the threads of an engine have done, brought to the event loop: many results with one wake-up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from copy import copy
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

from segue.errors import OverloadedError
from segue.serving.engine import AGAIN

Result = TypeVar("Result")


class Arrivals:
    """Results on their way to those who wait for them in one event loop.

    `asyncio.wrap_future` wakes the loop for each result, a write to a pipe at each; a turn settles up to 64 at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = ref(loop)  # by which it is found: each would keep the other
        self._here: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._woken = False

    def of(self, result: Future[Result]) -> asyncio.Future[Result]:
        """What becomes of a result, for one who waits in the loop."""
        waiting: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        result.add_done_callback(lambda settled: self._put(waiting, settled))
        return waiting

    def _put(self, waiting: asyncio.Future[Any], settled: Future[Any]) -> None:
        """By the thread that settled it. First put, then looked whether somebody comes: see `_hand_over`."""
        self._here.append((waiting, settled))
        if not self._woken:
            self._woken = True
            loop = self._loop()
            with suppress(RuntimeError):  # it is closed: nobody waits
                if loop is not None:
                    loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        """By the loop. What is put from here on wakes it again, or is found below."""
        self._woken = False
        while self._here:
            waiting, settled = self._here.popleft()
            if waiting.done():
                continue
            if settled.cancelled():
                waiting.cancel()
            elif (error := settled.exception()) is not None:
                waiting.set_exception(afresh(error))
            else:
                waiting.set_result(settled.result())


def afresh(error: BaseException) -> BaseException:
    """The same error for one of those who wait. Raised by all of them, it would hold on to what each had at hand."""
    try:
        one = copy(error)
    except Exception:  # one that cannot be made from its arguments
        return error
    one.__cause__ = error.__cause__
    return one


_arrivals: WeakKeyDictionary[asyncio.AbstractEventLoop, Arrivals] = WeakKeyDictionary()


async def in_time(results: Sequence[Future[Result]], deadline: float) -> list[Result]:
    """What comes of several, in their order. Where one fails, those that were not begun are called off.

    Args:
        deadline: seconds.

    Raises:
        OverloadedError: it took longer than it may.
    """
    loop = asyncio.get_running_loop()
    arrivals = _arrivals.get(loop) or _arrivals.setdefault(loop, Arrivals(loop))
    waiting = [arrivals.of(result) for result in results]
    late = loop.call_later(deadline, give_up, waiting, deadline)
    try:
        return [await waiting[0]] if len(waiting) == 1 else list(await asyncio.gather(*waiting))
    finally:
        late.cancel()
        waiting.clear()  # an error's traceback holds this frame: it must not lead back to the error
        for result in results:
            result.cancel()


def give_up(waiting: Sequence[asyncio.Future[Any]], deadline: float) -> None:
    """Tell those who still wait that it takes too long."""
    for one in waiting:
        if not one.done():
            one.set_exception(OverloadedError(f"there was no answer in {deadline:g} s: come back later. {AGAIN}"))
