"""What a model costs beside what it is worth: weights, a step, a state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from msgspec import Struct

from segue.models.base import Event, Model

WARMUP, MOST, SECONDS = 20, 1000, 0.5
"""A step is measured so often, or for so long."""


class Cost(Struct, frozen=True, kw_only=True):
    """What a model costs.

    Attributes:
        parameters: how many numbers were learned, those of the item table among them.
        step_us: microseconds in which one event of one user is absorbed, the median on this machine.
        step_p90_us: microseconds that nine of ten such steps do not exceed.
        state_bytes: what is kept for a user.
        events_per_s: events learned from a second, in training, validation left out; null for a baseline.
        peak_memory_mb: of the process while it learned, log and validation included; null for a baseline, and where the
            system does not tell. Both are of the network, where it is mixed with neighbours.
    """

    parameters: int
    step_us: float
    step_p90_us: float
    state_bytes: int
    events_per_s: float | None = None
    peak_memory_mb: float | None = None


def cost_of(model: Model, *, events_per_s: float | None = None, peak_memory_mb: float | None = None) -> Cost:
    """Measure a model, one user, as a server holds it. Takes half a second.

    Args:
        model: asked for one session of events that are drawn evenly from its catalog.
        events_per_s, peak_memory_mb: of its training, if known.
    """
    state, taken = model.initial_state(1), []
    rng, begun = np.random.default_rng(1), time.perf_counter()
    for number in range(MOST):
        item = rng.integers(model.n_items, size=1).astype(np.int32)
        event = Event(item, np.array([1.6e9 + number]), np.array([number == 0]))
        began = time.perf_counter()
        state = model.step(event, state)
        taken.append(time.perf_counter() - began)
        if number >= WARMUP and time.perf_counter() - begun > SECONDS:
            break
    median, p90 = 1e6 * np.quantile(taken[min(WARMUP, len(taken) - 1) :], (0.5, 0.9))
    return Cost(
        parameters=sum(int(array.size) for array in model.arrays().values()),
        step_us=round(float(median), 2),
        step_p90_us=round(float(p90), 2),
        state_bytes=sum(int(array.nbytes) for array in state.values()),
        events_per_s=None if events_per_s is None else round(events_per_s),
        peak_memory_mb=None if peak_memory_mb is None else round(peak_memory_mb, 1),
    )


class Peak:
    """The most memory this process had while it was watched, in megabytes; None where the system does not tell."""

    def __init__(self) -> None:
        self.megabytes: float | None = None


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Watch the memory of this process. Only Linux lets a process set its peak back.

    There is one peak a process: whoever else watches it (`ru_maxrss`) sees it begin anew.
    """
    peak, watched = Peak(), False
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        watched = True
    try:
        yield peak
    finally:
        with suppress(OSError):
            lines = Path("/proc/self/status").read_text().splitlines() if watched else []
            found = [float(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")]
            peak.megabytes = found[0] if found else None
