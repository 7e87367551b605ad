"""A limit of time for an event and its list: shapes are measured, and the most accurate that fits is chosen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import NamedTuple

import msgspec
import numpy as np
import torch
from msgspec.structs import replace

from segue.cells import CELLS
from segue.config import Settings
from segue.durations import seconds_of
from segue.errors import ConfigError
from segue.models.base import Event, Model, advance
from segue.models.build import BASELINES, MIX
from segue.ranking import Exclusions, top_k
from segue.rng import stream
from segue.training.halving import most_accurate
from segue.training.networks import Workshop, new_network
from segue.training.plan import Plan
from segue.training.shape import LatencyChoice, Shape, with_shape

WIDTHS, LAYERS = (32, 64, 128, 256), (1, 2)
K = 20
EXCLUDED = {"none": 0, "current": 1, "seen": 50}
"""How many items a measured list leaves out, by `evaluate.exclude`."""

WARMUP, FEWEST, MOST = 20, 100, 1000
MEASURE_SECONDS = 0.5
"""A shape is measured so often that it takes this long, within `FEWEST` and `MOST` times."""


own_time = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter
"""The time a thread has worked: it does not run while another process has the core."""

BUSY = 1.5
"""Where the clock says so many times as much as the thread's own time, the machine is busy, and it is said."""


class Latencies(NamedTuple):
    """Milliseconds of an event absorbed and its list, the 90th percentile: own time of the thread, and by the clock."""

    own: float
    clock: float


class Shaped(NamedTuple):
    """What is to be trained, once its shape is decided; `latency` says how it was, None without a limit."""

    plan: Plan
    model: str
    shop: Workshop
    latency: LatencyChoice | None


def named(model: str) -> list[str]:
    """The models of a text that may name several, with commas between."""
    return [name.strip() for name in model.split(",") if name.strip()]


def shaped(plan: Plan, model: str | None, shop: Workshop) -> Shaped:
    """Decide the shape by `train.latency`, if that is set. Raises ConfigError for several models without it."""
    names = named(model) if model is not None else [plan.settings.model.cell]
    if plan.settings.train.latency:
        choice = fit_latency(plan, names, shop)
        settings = with_shape(plan.settings, choice.chosen)
        return Shaped(plan._replace(settings=settings), choice.chosen.cell, shop._replace(settings=settings), choice)
    if len(names) != 1:
        raise ConfigError(
            f"one model is trained at a time, and `{model}` names {len(names)}: compare them with `segue compare`, or "
            "give --latency to choose among them"
        )
    settings = with_cell(plan.settings, names[0])
    return Shaped(plan._replace(settings=settings), names[0], shop._replace(settings=settings), None)


def with_cell(settings: Settings, model: str) -> Settings:
    """Settings that name the cell which is trained; as they are, where the model is none."""
    if model not in CELLS:
        return settings
    return replace(settings, model=replace(settings.model, cell=model))


def fit_latency(plan: Plan, cells: Sequence[str], shop: Workshop) -> LatencyChoice:
    """Choose, among measured shapes, the most accurate one on validation that keeps to `train.latency`.

    A choice is kept with the checkpoints, so that a training that goes on does not choose anew.

    Args:
        cells: recurrent layers to choose from.

    Raises:
        ConfigError: no shape fits, or a name that is no recurrent layer.
    """
    for name in cells:
        if name in BASELINES:
            raise ConfigError(f"--latency chooses the shape of a network, and `{name}` is a baseline: leave one out")
        if name == MIX:
            raise ConfigError("--latency chooses the shape of a network, and `mix` is more than one: name its layer")
    checkpoints = shop.checkpoints("latency")
    kept = checkpoints.read() if checkpoints else None
    if kept is not None:
        return msgspec.convert(kept[1]["choice"], LatencyChoice)
    limit_ms = seconds_of(plan.settings.train.latency, of="train.latency") * 1e3
    shapes = measured(plan, cells, limit_ms, shop)
    fitting = [shape for shape in shapes if shape.fits]
    if not fitting:
        fastest = min(shapes, key=lambda shape: shape.p90_ms)
        raise ConfigError(
            f"--latency of {limit_ms:g} ms: no shape fits; the fastest is {fastest.name}, which takes "
            f"{fastest.p90_ms:.2f} ms for an event and its list among {len(plan.judge.catalog):,} items here (90th "
            "percentile). Allow more, name a faster layer with --model, or use a faster machine"
        )
    judged = most_accurate(plan, fitting, shop)
    choice = LatencyChoice(
        limit_ms=limit_ms,
        items=len(plan.judge.catalog),
        k=K,
        metric=plan.settings.train.metric,
        shapes=[shape if not shape.fits else judged[shape.name] for shape in shapes],
    )
    if checkpoints is not None:
        checkpoints.write({}, {"choice": msgspec.to_builtins(choice)})
    shop.say(f"--latency {limit_ms:g} ms: {choice.chosen.name} is chosen, {choice.chosen.p90_ms:.2f} ms")
    return choice


def measured(plan: Plan, cells: Sequence[str], limit_ms: float, shop: Workshop) -> list[Shape]:
    """Every shape, untrained: what it takes does not depend on the weights."""
    model = plan.settings.model
    widths, layers = sorted({*WIDTHS, model.width}), sorted({*LAYERS, model.layers})
    shapes = []
    for cell, depth, width in product(cells, layers, widths):
        shape = Shape(cell=cell, width=width, layers=depth, p90_ms=0, clock_ms=0, fits=False)
        features, settings = plan.judge.learned.features, with_shape(plan.settings, shape)
        network = new_network(cell, len(plan.judge.catalog), plan.rule, settings, features=features).eval()
        found = latencies(network, excluded=EXCLUDED[plan.settings.evaluate.exclude])
        fits = found.own <= limit_ms
        note = "" if fits else "not trained: too slow"
        shape = replace(shape, p90_ms=round(found.own, 4), clock_ms=round(found.clock, 4), fits=fits, note=note)
        shapes.append(shape)
        shop.say(f"{shape.name}: {found.own:.2f} ms for an event and its list, {'fits' if fits else 'too slow'}")
    busy = max(shape.clock_ms / shape.p90_ms for shape in shapes)
    if busy > BUSY:
        shop.say(
            f"the machine is busy: by the clock it took up to {busy:.1f} times as long; what other processes took is "
            "left out, and a server beside them will wait for them too"
        )
    return shapes


def latencies(model: Model, *, excluded: int) -> Latencies:
    """What an event absorbed and its list take on this machine, as a server does them: one user, one thread.

    What fits is decided by the thread's own time: with two other processes on two cores the 90th percentile by the
    clock was 4.6 ms for every shape, since a thread that has lost its core gets it back after some milliseconds; of
    its own time it was 0.5 to 0.7 ms.
    """
    rng = stream(1, "latencies")
    left_out = np.unique(rng.integers(model.n_items, size=excluded)).astype(np.int32)
    exclude = Exclusions(np.zeros_like(left_out), left_out)
    state, begun = model.initial_state(1), time.perf_counter()
    own, clock = [], []
    with one_thread():
        for number in range(WARMUP + MOST):
            item = rng.integers(model.n_items, size=1).astype(np.int32)
            event = Event(item, np.array([1.6e9 + number]), np.array([False]))
            worked, began = own_time(), time.perf_counter()
            state = advance(model, event, np.array([number == 0]), state)
            top_k(model.score(model.query(state)), min(K, model.n_items), exclude)
            own.append(own_time() - worked)
            clock.append(time.perf_counter() - began)
            if number >= WARMUP + FEWEST and time.perf_counter() - begun > MEASURE_SECONDS:
                break
    first, second = (1e3 * float(np.percentile(taken[WARMUP:], 90)) for taken in (own, clock))
    return Latencies(first, second)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for PyTorch, and as many as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
