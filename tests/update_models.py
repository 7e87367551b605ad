"""A small shop that goes on: a model of its first days, the days after them, and items that nobody had before."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from segue.artifact import Artifact
from segue.choices import settings_of
from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.synthetic import noisy_chain
from segue.training.networks import Workshop
from segue.training.plan import plan_of
from segue.training.run import train_artifact

USERS, LENGTH, ITEMS, NEW_ITEMS = 60, 30, 12, 2
SETTINGS: dict[str, Any] = {
    "model": {"width": 8, "cosine": 0.0},
    "sessions": {"gap": 900.0},
    "train": {"epochs": 3, "threads": 1, "rows": 8, "window": 10, "learning_rate": 0.02, "grid_predictions": 20},
    "evaluate": {"replicates": 100},
    "update": {"epochs": 2},
}
PART = 0.75
"""The first part of the events was there when the model was trained."""


@cache
def whole_log() -> EventLog:
    """All events; in the later ones, two items that were not there before come in place of others."""
    log = noisy_chain(USERS, LENGTH, ITEMS + NEW_ITEMS, follow=0.9)
    early = np.arange(len(log)) < int(PART * len(log))
    item = np.where(early & (log.item >= ITEMS), log.item - ITEMS, log.item).astype(np.int32)
    return replace(log, item=item)


def log_until(share: float) -> EventLog:
    """The first part of the events."""
    log = whole_log()
    return log.where(np.arange(len(log)) < int(share * len(log)))


def log_since(time: float) -> EventLog:
    """The events from a time on."""
    log = whole_log()
    return log.where(log.time >= time)


def items_table() -> ItemTable:
    """What is known of all items, and of one that never came."""
    ids = [*whole_log().items, "item of tomorrow"]
    return ItemTable(Ids.of(ids), {"title": [f"Title of {one}" for one in ids], "price": list(range(len(ids)))})


@cache
def model(name: str = "gru", final: bool = True, content: tuple[str, ...] = (), **train: Any) -> Artifact:
    """A model of the first days; all of them where it is final. Not to be changed.

    Args:
        content: the columns of the items table that it reads.
    """
    tree = {
        **SETTINGS,
        "train": {**SETTINGS["train"], "final": final, **train},
        "content": {"columns": list(content), "alone": 0.2},
    }
    first = ItemTable(
        Ids.of(list(whole_log().items)[:ITEMS]),
        {name: values[:ITEMS] for name, values in items_table().columns.items()},
    )
    plan = plan_of(log_until(PART), tree, first)
    shop = Workshop(settings_of(tree), say=lambda _: None, show=lambda *_: None)
    return train_artifact(plan, name, shop)[0]
