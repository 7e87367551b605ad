"""Two shops whose visitors go from kind to kind alike, under other ids: a model of the large one, and the small one."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from segue.artifact import Artifact
from segue.choices import settings_of
from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.synthetic import laid_in_time
from segue.rng import stream
from segue.training.networks import Workshop
from segue.training.plan import plan_of
from segue.training.run import train_artifact

KINDS, OF_KIND, FOLLOW = 8, 3, 0.9
SHAPE: dict[str, Any] = {"width": 12, "cosine": 0.0}
SETTINGS: dict[str, Any] = {
    "train": {"epochs": 4, "threads": 1, "rows": 8, "window": 10, "learning_rate": 0.02, "grid_predictions": 50},
    "evaluate": {"replicates": 100},
}
"""Of a finetuning; the source has a shape besides."""


def log_of_shop(name: str, users: int, length: int = 16, *, seed: int) -> EventLog:
    """From a kind its successor comes with probability `FOLLOW`, else any kind; which item of the kind is drawn."""
    successor = stream(1, "kinds").permutation(KINDS)
    rng = stream(seed, name)
    kind = np.empty((users, length), np.int64)
    kind[:, 0] = rng.integers(KINDS, size=users)
    for t in range(1, length):
        follows = rng.random(users) < FOLLOW
        kind[:, t] = np.where(follows, successor[kind[:, t - 1]], rng.integers(KINDS, size=users))
    item = kind * OF_KIND + rng.integers(OF_KIND, size=kind.shape)
    return laid_in_time(item, Ids.of(ids_of(name)), rng)


def ids_of(name: str) -> list[str]:
    """The items of a shop, kind after kind."""
    return [f"{name} {number}" for number in range(KINDS * OF_KIND)]


def items_of(name: str) -> ItemTable:
    """Of every item its kind, and a price that means nothing."""
    numbers = range(KINDS * OF_KIND)
    kinds = [f"kind {number // OF_KIND}" for number in numbers]
    return ItemTable(Ids.of(ids_of(name)), {"kind": kinds, "price": [float(number % 5) for number in numbers]})


@cache
def large_shop(items: bool = True, **shape: Any) -> Artifact:
    """A model of many visitors. Not to be changed."""
    train = {**SETTINGS["train"], "epochs": 8}
    tree = {**SETTINGS, "model": {**SHAPE, **shape}, "train": train}
    plan = plan_of(log_of_shop("large", 100, seed=2), tree, items_of("large") if items else None)
    return train_artifact(plan, "gru", Workshop(settings_of(tree), lambda _: None, lambda *_: None))[0]


@cache
def small_shop(users: int = 24) -> EventLog:
    """The log of few visitors."""
    return log_of_shop("small", users, seed=3)
