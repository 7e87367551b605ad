"""Logs whose events have features and types, and what makes numbers of these."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from segue.data.encoding.events import EventEncoder
from segue.data.events import EventLog, log_of
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.training.axes import axes_of

N, F = 9, 5
RESET = SessionRule()


def network(rule: SessionRule = RESET, **settings) -> Network:
    """An untrained one, of which no weight is zero: that would hide its part."""
    torch.manual_seed(3)
    model = Network(N, rule=rule, width=8, **{"features": F, **settings})
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model.eval()


def featured_log(rng: np.random.Generator, events: int = 120) -> EventLog:
    users = [f"u{number}" for number in rng.integers(8, size=events)]
    items = [f"i{number}" for number in [*range(N), *rng.integers(0, N, events - N)]]
    log = log_of(users, items, list(range(events)))
    names = ("", "a", "b", "a|b", "c")
    price = rng.normal(size=events).astype(np.float32)
    price[::7] = np.nan
    return replace(
        log,
        features={"label": rng.integers(len(names), size=events).astype(np.int32), "price": price},
        feature_names={"label": names},
        event_type=rng.integers(2, size=events).astype(np.int32),
        type_names=("view", "buy"),
    )


def encoder_of(log: EventLog, *asked: str) -> EventEncoder:
    return EventEncoder.fitted(log, asked or ("label", "price", "type"), axes=axes_of)
