"""Large work on several threads of our own, each of which runs its part alone.

PyTorch's own threads meet after every operation: beside a busy core each meeting waits for the system to bring the
late one back. Here a part is a long row of operations on one thread, and the parts meet once at the end, so that a
busy neighbour costs its share and no more. Which thread does which part is fixed: sums have the same bits each time.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from segue.errors import TrainingError

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""

_pools: list[ThreadPoolExecutor] = []
_here = threading.local()


def workers() -> int:
    """How many threads share the work: 1 outside of `using`, and inside of a part, which has a thread of its own."""
    return 1 if getattr(_here, "in_a_part", False) else len(_pools) + 1


@cache
def keep_memory() -> None:
    """Let the C library keep what is freed, up to 256 MB: else it hands it back and gets it anew at every window.

    The pages of 40 MB of a window cost a tenth of its time. Only glibc knows this; elsewhere nothing happens.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MMAP_THRESHOLD, 32 * 2**20)
        mallopt(TRIM_THRESHOLD, 256 * 2**20)


@contextmanager
def using(count: int) -> Iterator[None]:
    """Share the work of `run` among `count` threads, the caller's among them; PyTorch's own are off meanwhile."""
    global _pools
    if _pools:
        raise TrainingError("another training is under way in this process: one at a time")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_memory()
    # One pool a thread, so that a part always lands on the same one.
    _pools = [ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) for _ in range(count - 1)]
    try:
        yield
    finally:
        for pool in _pools:
            pool.shutdown(wait=True)
        _pools = []
        torch.set_num_threads(threads)


def run(tasks: Sequence[Callable[[], None]]) -> None:
    """Do all tasks, without gradients, task i on thread i modulo `workers()`."""
    count = workers()

    def part(number: int) -> None:
        before, _here.in_a_part = getattr(_here, "in_a_part", False), True
        try:
            with torch.no_grad():
                for task in tasks[number::count]:
                    task()
        finally:
            _here.in_a_part = before

    futures = [pool.submit(part, number) for number, pool in enumerate(_pools[: min(count, len(tasks)) - 1], start=1)]
    try:
        part(0)
    finally:
        for future in futures:
            future.result()


def parts(length: int) -> list[slice]:
    """`length` rows in one piece for each thread."""
    ends = [length * number // workers() for number in range(workers() + 1)]
    return [slice(left, right) for left, right in pairwise(ends) if right > left]


def products(*wanted: tuple[Tensor, Tensor, Tensor]) -> None:
    """For each (out, a, b): out = a @ b, the rows of `out` shared among the threads."""
    run([lambda o=out[p], x=a[p], y=b: torch.mm(x, y, out=o) for out, a, b in wanted for p in parts(len(out))])  # type: ignore[misc]
