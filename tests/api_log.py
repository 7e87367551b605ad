"""A small log of clicks, and settings that train in a moment; the tests of the API share them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

USERS, ITEMS, LENGTH = 40, 25, 15
QUICK: dict[str, Any] = {"model.width": 8, "train.epochs": 1, "train.threads": 1, "evaluate.replicates": 100}
FLAGS = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]


def clicks(seed: int = 1) -> pl.DataFrame:
    """600 events whose users overlap in time: pauses on both sides of half an hour, one in seven clicks at random."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(USERS):
        at, item = 1_700_000_000 + int(rng.integers(86_400)), int(rng.integers(ITEMS))
        for _ in range(LENGTH):
            rows.append((f"u{user}", f"i{item}", at))
            at += int(rng.choice([20, 60, 7200], p=[0.5, 0.4, 0.1]))
            item = (item + 1) % ITEMS if rng.random() < 6 / 7 else int(rng.integers(ITEMS))
    return pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row").sort("timestamp")


def titles() -> pl.DataFrame:
    """An items table."""
    ids = [f"i{item}" for item in range(ITEMS)]
    return pl.DataFrame({"item_id": ids, "title": [f"Title of {item}" for item in ids]})


def write_shop(folder: Path) -> Path:
    """A folder with clicks.csv and items.csv."""
    clicks().write_csv(folder / "clicks.csv")
    titles().write_csv(folder / "items.csv")
    return folder
