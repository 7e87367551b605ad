"""Which shape of a network is the most accurate: all of them for a few epochs, ever fewer of them for more."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec.structs import replace

from segue.errors import TrainingError
from segue.training.candidates import validation_metric
from segue.training.loop import Progress, train_network
from segue.training.networks import Workshop, new_network
from segue.training.plan import Plan
from segue.training.shape import Shape, with_shape

FIRST_EPOCHS = 2
"""Epochs of the first round; each later round has half the shapes and twice the epochs."""

SHARE = 1 / 3
"""The part of a budget that choosing a shape may take."""


class _TimeIsUpError(Exception):
    """Choosing has had its part of the budget."""


def most_accurate(plan: Plan, shapes: Sequence[Shape], shop: Workshop) -> dict[str, Shape]:
    """The shapes by name, judged on validation in rounds, the best marked as chosen.

    Successive halving (Jamieson and Talwalkar 2016): all shapes learn for a few epochs, the better half for twice as
    many, and so on; each round along a whole schedule of its own, so that what is compared has settled. Where the time
    is up within a round, those it has judged are compared with the others as they stood before.
    """
    if len(shapes) == 1:
        return {shapes[0].name: replace(shapes[0], chosen=True, note="not trained here: the only one that fits")}
    judged = {shape.name: shape for shape in shapes}
    now = time.monotonic()
    ends = None if shop.deadline is None else now + SHARE * (shop.deadline - now)
    left, epochs, most = [shape.name for shape in shapes], FIRST_EPOCHS, plan.settings.train.epochs
    try:
        while len(left) > 1:
            for name in left:
                judged[name] = judged_for(plan, judged[name], min(epochs, most), ends, shop)
            left = sorted(left, key=lambda name: -standing(judged[name]))
            left = left[: (len(left) + 1) // 2] if epochs < most else left[:1]
            epochs *= 2
    except _TimeIsUpError:
        shop.say(f"choosing a shape has had its part of the budget ({SHARE:.0%}): the best so far is taken")
        left = sorted(left, key=lambda name: -standing(judged[name]))
    for name, shape in judged.items():
        if not shape.epochs:
            judged[name] = replace(shape, note="not trained: out of time")
    judged[left[0]] = replace(judged[left[0]], chosen=True)
    return judged


def standing(shape: Shape) -> float:
    """What shapes are compared by: one without a value is behind all others."""
    return float("-inf") if shape.value is None else shape.value


def judged_for(plan: Plan, shape: Shape, epochs: int, ends: float | None, shop: Workshop) -> Shape:
    """The shape with its validation metric after some epochs, or with the reason why it has none."""
    try:
        value = value_of(plan, shape, epochs, ends, shop)
    except TrainingError as error:
        shop.say(f"{shape.name}: {error}")
        return replace(shape, value=None, epochs=epochs, note=str(error))
    shop.say(f"{shape.name}: {plan.settings.train.metric} {value:.4f} on validation within {epochs} epochs")
    return replace(shape, value=value, epochs=epochs)


def value_of(plan: Plan, shape: Shape, epochs: int, ends: float | None, shop: Workshop) -> float:
    """The best validation metric of a shape within some epochs. Raises _TimeIsUpError."""
    settings = with_shape(plan.settings, shape)
    network = new_network(shape.cell, len(plan.choose.catalog), plan.rule, settings)

    def show(progress: Progress) -> None:
        if ends is not None and time.monotonic() > ends:
            raise _TimeIsUpError
        shop.show(f"{shape.name}: {epochs} epochs", progress)

    trained = train_network(
        network,
        plan.choose.learned,
        replace(settings.train, epochs=epochs),
        seed=settings.seed,
        validate=lambda: validation_metric(network, plan.choose, settings),
        show=show,
    )
    if trained.interrupted:
        raise KeyboardInterrupt
    return max((value for _, value in trained.curve if value is not None), default=float("nan"))
