"""Which shape of a network is the most accurate: all of them for a few epochs, ever fewer of them for more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import ceil, log2

from msgspec.structs import replace

from segue.errors import TrainingError
from segue.training.candidates import validation_metric
from segue.training.loop import train_network
from segue.training.networks import Workshop, new_network
from segue.training.plan import Plan
from segue.training.shape import Shape, with_shape

FIRST_EPOCHS = 2
"""Epochs of the first round; each later round has half the shapes and twice the epochs."""

SHARE = 1 / 3
"""The part of a budget that choosing a shape may take."""


class _TooShortError(Exception):
    """There is no time to compare shapes."""


def most_accurate(plan: Plan, shapes: Sequence[Shape], shop: Workshop) -> dict[str, Shape]:
    """The shapes by name, judged on validation in rounds, the best marked as chosen.

    Successive halving (Jamieson and Talwalkar 2016): all shapes learn for a few epochs, the better half for twice as
    many, and so on; each round along a whole schedule of its own, so that what is compared has settled. With a budget
    every round has the same time, and in a round every shape. Where that is too short for a pass over the log, nothing
    is compared: the shape that is set is taken if it fits, else the widest that does.
    """
    judged = {shape.name: shape for shape in shapes}
    if len(shapes) == 1:
        return {shapes[0].name: replace(shapes[0], chosen=True, note="the only one that fits")}
    now = time.monotonic()
    ends = None if shop.deadline is None else now + SHARE * (shop.deadline - now)
    left, epochs, most = [shape.name for shape in shapes], FIRST_EPOCHS, plan.settings.train.epochs
    try:
        while len(left) > 1:
            seconds = None if ends is None else (ends - time.monotonic()) / ceil(log2(len(left))) / len(left)
            for name in left:
                judged[name] = judged_for(plan, judged[name], min(epochs, most), seconds, shop)
            left = sorted(left, key=lambda name: -standing(judged[name]))
            left = left[: (len(left) + 1) // 2] if epochs < most else left[:1]
            epochs *= 2
    except _TooShortError:
        if any(shape.value is None and not shape.note for shape in judged.values()):
            taken = max(shapes, key=lambda shape: preference(shape, plan))
            shop.say("the budget is too short to compare shapes: the one that is set is taken, or the widest that fits")
            for name, shape in judged.items():
                if shape.value is None and not shape.note:
                    judged[name] = replace(shape, note="not trained: out of time")
            left = [taken.name]
            as_set = preference(taken, plan)[0]
            reason = f"{'as it was set' if as_set else 'the widest that fits'}: there was no time to compare"
            judged[taken.name] = replace(judged[taken.name], note=reason)
        else:
            left = sorted(left, key=lambda name: -standing(judged[name]))
    judged[left[0]] = replace(judged[left[0]], chosen=True)
    return judged


def standing(shape: Shape) -> float:
    """What shapes are compared by: one without a value is behind all others."""
    return float("-inf") if shape.value is None else shape.value


def preference(shape: Shape, plan: Plan) -> tuple[bool, int, int]:
    """Which shape to take unseen: the one that is set, else the widest, else the one of fewer layers."""
    model = plan.settings.model
    return (shape.width, shape.layers) == (model.width, model.layers), shape.width, -shape.layers


def judged_for(plan: Plan, shape: Shape, epochs: int, seconds: float | None, shop: Workshop) -> Shape:
    """The shape with its validation metric after some epochs, or with the reason why it has none."""
    try:
        value, passes = value_of(plan, shape, epochs, seconds, shop)
    except TrainingError as error:
        shop.say(f"{shape.name}: {error}")
        return replace(shape, value=None, note=str(error))
    shop.say(f"{shape.name}: {plan.settings.train.metric} {value:.4f} on validation within {passes:.1f} epochs")
    return replace(shape, value=value, epochs=round(passes, 1))


def value_of(plan: Plan, shape: Shape, epochs: int, seconds: float | None, shop: Workshop) -> tuple[float, float]:
    """The best validation metric of a shape within some epochs, or what time there is for; and how many that were.

    Raises:
        _TooShortError: there is no time for one.
    """
    if seconds is not None and seconds <= 0:
        raise _TooShortError
    settings = with_shape(plan.settings, shape)
    choose = plan.choose
    network = new_network(shape.cell, len(choose.catalog), plan.rule, settings, choose.content, choose.learned.features)
    trained = train_network(
        network,
        plan.choose.learned,
        replace(settings.train, epochs=epochs),
        seed=settings.seed,
        validate=lambda: validation_metric(network, plan.choose, settings),
        seconds=seconds,
        show=lambda progress: shop.show(f"{shape.name}: {epochs} epochs", progress),
    )
    if trained.interrupted:
        raise KeyboardInterrupt
    if seconds is not None and trained.planned < 1:
        raise _TooShortError
    return max((value for _, value in trained.curve if value is not None), default=float("nan")), trained.planned
