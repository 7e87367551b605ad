"""The logs whose accuracy is published, each as its published rows take it: events, split, what may be answered."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import DATA

from segue.data.log import read_log
from segue.evaluation.replay import Predictions
from segue.shapes import Bools
from segue.training.plan import Plan, plan_of


class Protocol(NamedTuple):
    """How a log is read and asked.

    Attributes:
        folder: under the folder of data.
        settings: split and exclusion.
        main: the metric that chooses and that the paired test is about.
        shown: the metrics of the published rows.
        must, goal: of these, in their order.
    """

    folder: str
    settings: Mapping[str, Any]
    main: str
    shown: tuple[str, str]
    must: tuple[float, float]
    goal: tuple[float, float]


PLAIN = {"model.block": "plain", "model.layers": 1, "model.convolution": 0, "model.cosine": 0.0, "train.loss": "full"}
"""What a configuration has unless it says otherwise, so that what is proposed for a log does not slip into it."""

LEAVE_ONE_OUT = {"split": {"kind": "leave-one-out"}, "evaluate": {"exclude": "seen"}}
PROTOCOLS = {
    "ml-1m": Protocol("ml-1m", LEAVE_ONE_OUT, "ndcg@10", ("ndcg@10", "hr@10"), (0.195, 0.330), (0.215, 0.360)),
    "serenade-shop": Protocol(
        "serenade-shop",
        {"split": {"kind": "column"}, "evaluate": {"exclude": "current"}},
        "mrr@20",
        ("recall@20", "mrr@20"),
        (0.680, 0.340),
        (0.710, 0.360),
    ),
    "diginetica": Protocol(
        "diginetica",
        {"split": {"kind": "column"}, "evaluate": {"exclude": "none"}},
        "mrr@20",
        ("recall@20", "mrr@20"),
        (0.507, 0.176),
        (0.542, 0.190),
    ),
    "amazon-beauty": Protocol(
        "amazon-beauty", LEAVE_ONE_OUT, "ndcg@10", ("hr@10", "ndcg@10"), (0.093, 0.053), (0.101, 0.062)
    ),
}


def frame_of(name: str) -> pl.DataFrame:
    """The events, with the columns that are read."""
    frame = pl.read_parquet(DATA / PROTOCOLS[name].folder / "interactions.parquet")
    if name == "ml-1m":  # the 3,416 films with five ratings or more, in the standard order
        return frame.filter(pl.col("position_lrurec") >= 0).select("user_id", "item_id", "position")
    if name == "amazon-beauty":  # the published order: times are whole days
        return frame.select("user_id", "item_id", "position")
    return frame


def planned(name: str, settings: Mapping[str, Any], seed: int) -> Plan:
    """The log with everything decided."""
    protocol, frame = PROTOCOLS[name], frame_of(name)
    tree = {key: dict(values) for key, values in protocol.settings.items()}
    for key, value in {"train.metric": protocol.main, **PLAIN, **settings}.items():
        section, _, field = key.partition(".")
        tree.setdefault(section, {})[field] = value
    order = {"order_col": "position"} if protocol.settings is LEAVE_ONE_OUT else {}
    return plan_of(read_log(frame, **order), {**tree, "seed": seed})


def parts_of(name: str, plan: Plan, asked: Predictions) -> dict[str, Bools]:
    """Predictions to be told apart: users of Amazon Beauty whose last two events share a day, and the others."""
    if name != "amazon-beauty":
        return {}
    frame = pl.read_parquet(DATA / name / "interactions.parquet").sort("user_id", "position")
    last = frame.group_by("user_id", maintain_order=True).agg(pl.col("timestamp").tail(2))
    tied = {user for user, times in last.iter_rows() if len(set(times)) == 1}
    which = np.array([plan.log.users[user] in tied for user in asked.user])
    return {"last two events on one day": which, "on different days": ~which}
