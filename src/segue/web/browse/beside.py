"""Work that takes milliseconds, beside the event loop: requests for lists are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from segue.errors import OverloadedError

Result = TypeVar("Result")

TOGETHER = 2
"""So many pieces of work are done at a time: more would take the processor from who asks for lists."""

MOST_WAITING = 64
"""So many may wait, or be worked on."""


class Beside:
    """Threads for work of one kind.

    Args:
        deadline: seconds after which one who waits is told to come back.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline, self._waiting = deadline, 0
        self._threads = ThreadPoolExecutor(TOGETHER, "beside")

    async def __call__(self, work: Callable[[], Result]) -> Result:
        """What comes of some work. What was not begun when its time is over is not done.

        Raises:
            OverloadedError: too much waits, or it took longer than it may.
        """
        if self._waiting >= MOST_WAITING:
            raise OverloadedError(f"{self._waiting} requests of this kind wait already: come back later")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except TimeoutError:
            raise OverloadedError(f"there was no answer in {self._deadline:g} s: come back later") from None
        finally:
            self._waiting -= 1
