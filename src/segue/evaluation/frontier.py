"""What diversity costs: every strategy at every place of its knob, on the same predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import structs

from segue.data.ids import Ids
from segue.evaluation.context import Context
from segue.evaluation.knee import best_within, knee
from segue.evaluation.measures import measure, number
from segue.evaluation.phase import Phase
from segue.evaluation.points import BESIDE, GAINS, WORTH, Frontier, Point
from segue.evaluation.pools import Asked
from segue.evaluation.report import Value
from segue.evaluation.space import measured_by
from segue.evaluation.walk import walk
from segue.metrics import Bootstrap
from segue.models.base import Model
from segue.ranking.diversity import Known, Strategy
from segue.rng import stream
from segue.shapes import Array

POOL = 200
KNOBS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def frontier(
    model: Model,
    phase: Phase,
    known: Known,
    strategies: Sequence[Strategy],
    *,
    users: Ids,
    exclude: str,
    split: Mapping[str, Any],
    knobs: Sequence[float] = KNOBS,
    k: int = 10,
    pool: int = POOL,
    allowed_loss: float = 0.02,
    notes: Sequence[str] = (),
    replicates: int = 1000,
    memory_mb: int = 256,
    seed: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Frontier:
    """Choose the lists of each strategy at each place of the knob, and measure what is lost and bought.

    Args:
        model: its catalog is that of the phase.
        phase: what is asked.
        known: what the strategies know of the items; it has what they need.
        strategies: which.
        users: the ids of those in the phase.
        exclude: see `replay`.
        split, notes: carried into the result.
        knobs: places of the knob; 0 is always among them.
        k, pool: lists of k are chosen from the best `pool`.
        allowed_loss: share of ndcg that the best points may lose.
        replicates: of the bootstrap.
        memory_mb: bound of the scores held at one time.
        seed: of resamples and vectors.
        say: told how far it is.
    """
    knobs = sorted({0.0, *map(float, knobs)})
    asked = Asked.of(phase.replayed, phase.asked)
    at = [(strategy, knob) for strategy in strategies for knob in knobs]
    walked = walk(
        model, asked, known, at, users=users, exclude=exclude, k=k, size=max(pool, k), memory_mb=memory_mb, say=say
    )
    resamples = Bootstrap(walked.user, rng=stream(seed, "bootstrap"), replicates=replicates)
    vectors, space = measured_by(phase, seed)
    context = Context(phase, vectors)
    names = [f"{name}@{k}" for name in (WORTH, *GAINS, *BESIDE)]
    points: list[Point] = []
    for place, (strategy, knob) in enumerate(at):
        predictions = walked.predictions(place)
        lists = context.lists(predictions)
        metrics = {name: measure(name, predictions, lists, context, resamples) for name in names}
        worth = context.scored(names[0], predictions).values
        if knob == 0:
            first, before = metrics, worth
        points.append(
            Point(
                strategy=strategy.name,
                diversity=knob,
                metrics=metrics,
                change={name: change(first[name], metrics[name]) for name in names},
                loss=loss_of(resamples, before, worth),
            )
        )
    points = [one for s in strategies for one in marked([p for p in points if p.strategy == s.name], k, allowed_loss)]
    return Frontier(
        split={
            **split,
            "predictions": len(asked.place),
            "users": len(asked.sequences.of),
            "unknown_targets": phase.unknown_targets,
        },
        exclude=exclude,
        k=k,
        pool=pool,
        similarity=known.space,
        measured_by=space,
        allowed_loss=allowed_loss,
        points=points,
        verdicts=[verdict_of(points, f"{gain}@{k}", f"{WORTH}@{k}", allowed_loss) for gain in GAINS],
        notes=list(notes),
    )


def change(before: Value, after: Value) -> float | None:
    """By which share a value has changed; None where that is no number."""
    if before.value is None or after.value is None or before.value == 0:
        return None
    return (after.value - before.value) / before.value


def loss_of(resamples: Bootstrap, before: Array, after: Array) -> Value:
    """The share of ndcg that is lost, and its interval, of the paired difference."""
    base = float(before.mean())
    if base == 0:
        return Value(None)
    found = resamples.compare(before, after)
    return Value(*(number(value / base) for value in (found.difference, found.low, found.high)))


def marked(points: Sequence[Point], k: int, allowed_loss: float) -> list[Point]:
    """The points of one strategy, with its knees and its best ones named."""
    worths = values_of(points, f"{WORTH}@{k}")
    knees: list[set[str]] = [set() for _ in points]
    bests: list[set[str]] = [set() for _ in points]
    for gain in (f"{name}@{k}" for name in GAINS):
        gains = values_of(points, gain)
        for found, into in ((knee(gains, worths), knees), (best_within(gains, worths, loss=allowed_loss), bests)):
            if found is not None:
                into[found].add(gain)
    return [
        structs.replace(point, knee_of=tuple(sorted(bends)), best_of=tuple(sorted(best)))
        for point, bends, best in zip(points, knees, bests, strict=True)
    ]


def values_of(points: Sequence[Point], name: str) -> list[float]:
    """A metric along the points, nan where it has no value."""
    return [float("nan") if value is None else value for value in (point.metrics[name].value for point in points)]


def verdict_of(points: Sequence[Point], gain: str, worth: str, allowed_loss: float) -> str:
    """What the best strategy buys at the loss allowed, in words."""
    best = max(
        (point for point in points if gain in point.best_of),
        key=lambda point: point.metrics[gain].value or 0.0,
        default=None,
    )
    bound = f"at a loss of at most {100 * allowed_loss:.3g} % {worth}"
    if best is None:
        return f"{bound}: {gain} gains nothing by any strategy"
    others = ", ".join(
        f"{name} {percent(value)}"
        for name, value in best.change.items()
        if name.partition("@")[0] in (WORTH, *GAINS) and name != gain
    )
    return f"{bound}: {gain} {percent(best.change[gain])} by {best.strategy} at {best.diversity:g} ({others})"


def percent(share: float | None) -> str:
    """A change for people.

    >>> percent(0.254), percent(None)
    ('+25.4 %', 'unknown')
    """
    return "unknown" if share is None else f"{100 * share:+.1f} %"
