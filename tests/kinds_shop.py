"""A shop whose people stay in one kind of thing: a column of the items table tells the kind, another one nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

KINDS, OF_A_KIND, USERS, LENGTH = 4, 40, 60, 10
ITEMS = KINDS * OF_A_KIND
QUICK = {
    "train.epochs": 8,
    "train.learning_rate": 0.02,
    "train.rows": 16,
    "train.threads": 1,
    "train.precision": "float32",
    "train.loss": "full",
    "model.width": 16,
    "model.block": "plain",
    "model.cosine": 0.0,
    "content.alone": 0.3,
    "evaluate.replicates": 100,
}


def write_items(path: Path) -> None:
    """160 items of 4 kinds."""
    rng = np.random.default_rng(2)
    rows = [[f"i{n}", f"kind {n % KINDS}", int(rng.integers(1000)) / 7] for n in range(ITEMS)]
    write(path, ["item_id", "kind", "noise"], rows)


def clicks() -> list[list[str | int]]:
    """600 events: user, item, Unix seconds; users overlap in time."""
    rng, rows = np.random.default_rng(2), []
    for user in range(USERS):
        kind, time = int(rng.integers(KINDS)), 1_000_000_000 + int(rng.integers(1000))
        items = KINDS * rng.integers(OF_A_KIND, size=LENGTH) + kind
        rows += [[f"u{user}", f"i{item}", time + 100 * number] for number, item in enumerate(items.tolist())]
    return rows


def write_log(path: Path, rows: list[list[str | int]]) -> None:
    write(path, ["user_id", "item_id", "timestamp"], rows)


def write(path: Path, names: list[str], rows: list[list[str | int]]) -> None:
    with path.open("w") as file:
        csv.writer(file).writerows([names, *rows])
