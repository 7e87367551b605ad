"""Settings that follow from a log, each with its reason. What the user sets goes before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from segue.data.events import EventLog
from segue.data.statistics import HALF_HOUR, Statistics

FULL_LOSS_ITEMS = 20_000
"""Up to this many items the whole catalog is compared at every step; above, a sample."""

LONG, MANY_EVENTS = 40, 500_000
"""Half of the sequences of so many events, and so many events in all, bear a deep network."""

DEEP = {
    "model.cell": "mingru",
    "model.block": "residual",
    "model.layers": 3,
    "model.convolution": 4,
    "model.dropout": 0.3,
    "model.embedding_dropout": 0.2,
    "train.window": 200,
    "train.rows": 64,
}
"""On long histories depth decides: measured on MovieLens-1M (docs/decisions/0009)."""

COSINE = 16.0
"""On short or few ones, that an item counts by its direction alone: measured on three logs (docs/decisions/0009)."""

RATES = {"full": 3e-3, "sampled": 1e-2}
"""With cosines, by loss: a sample moves a row at few of the steps, and must move it further (same place)."""

FEW_EVENTS = 300_000
DROPS = {True: 0.4, False: 0.2}
"""What is dropped of inputs and outputs where there are few events, and where there are more."""

RANKING = ("bpr-max", "top1-max", "gbce")
"""Losses that only rank: with them scores by direction were far behind (docs/decisions/0009)."""

WITH_MAX = {
    "train.learning_rate": 1e-2,
    "train.sampling": "popularity",
    "train.popularity_power": 0.4,
    "model.dropout": 0.0,
    "model.embedding_dropout": 0.5,
}
"""What goes with BPR-max and TOP1-max, as measured on a shop's clicks (docs/training.md)."""


class Proposal(NamedTuple):
    """A setting by its dotted key, and why."""

    key: str
    value: Any
    reason: str


def propose(log: EventLog, statistics: Statistics, chosen: Mapping[str, Any] | None = None) -> list[Proposal]:
    """Split, exclusion, sessions, network, loss and the shape of a batch, from the measures of a log.

    Args:
        chosen: what the user set, by dotted key: of the network, only what goes with that is proposed.
    """
    gap = propose_gap(log, statistics)
    start = propose_start(log, statistics, gap)
    lengths = statistics.session_length
    if (gap.value == "never" and log.session is None) or start.value == "mark":
        lengths = statistics.length
    loss_proposed = propose_loss(statistics)
    network = propose_network(statistics, {loss_proposed.key: loss_proposed.value, **(chosen or {})}, lengths[1])
    decided = {one.key for one in network}
    batch = [one for one in propose_batch(statistics, long=lengths[2]) if one.key not in decided]
    first = [propose_split(log), propose_exclude(statistics), gap, start]
    return [*first, *network, loss_proposed, *batch]


def propose_split(log: EventLog) -> Proposal:
    """The log's own parts, else time, else leave-one-out."""
    if log.split is not None:
        return Proposal("split.kind", "column", "the log brings its own parts")
    if log.timed:
        return Proposal("split.kind", "time", "times are known: one cutoff for everyone cannot leak the future")
    return Proposal("split.kind", "leave-one-out", "the log has an order, but no times to compare across users")


def rated(statistics: Statistics) -> bool:
    """Whether a user takes each item once, as one rates films."""
    return statistics.repeated < 0.005


def propose_exclude(s: Statistics) -> Proposal:
    """What may not be answered, by how users come back to items."""
    if rated(s):
        return Proposal("evaluate.exclude", "seen", f"{s.repeated:.1%} of events repeat an item: each is taken once")
    if s.repeated_at_once < 0.05:
        reason = f"{s.repeated:.0%} of events return to an item, but only {s.repeated_at_once:.1%} at once"
        return Proposal("evaluate.exclude", "current", reason)
    return Proposal("evaluate.exclude", "none", f"{s.repeated_at_once:.0%} of events repeat the one before")


def propose_gap(log: EventLog, s: Statistics) -> Proposal:
    """Session ids where there are some; else half an hour where pauses that long leave real sessions."""
    if log.session is not None:
        return Proposal("sessions.gap", "never", "the log names its sessions")
    if not log.timed:
        return Proposal("sessions.gap", "never", "the log has no times")
    if rated(s):
        return Proposal("sessions.gap", "never", "a history of things taken once is one sequence")
    mean = s.events / s.sessions
    value = HALF_HOUR if mean >= 2 else "never"
    return Proposal("sessions.gap", value, f"pauses over half an hour leave sessions of {mean:.1f} events on average")


def propose_start(log: EventLog, s: Statistics, gap: Proposal) -> Proposal:
    """Whether what a user did in earlier sessions is kept."""
    has_sessions = log.session is not None or gap.value != "never"
    if log.anonymous or not has_sessions or s.sessions < 1.5 * s.users:
        return Proposal("sessions.at_session_start", "reset", "users have hardly more than one session each")
    reason = f"users come back ({s.sessions / s.users:.1f} sessions each): the past is kept, the boundary is fed"
    return Proposal("sessions.at_session_start", "mark", reason)


def propose_network(s: Statistics, chosen: Mapping[str, Any], typical: int) -> list[Proposal]:
    """A deep network of residual blocks where there are many long sequences; else one layer, compared by direction.

    Args:
        chosen: the loss at least, and what the user set.
        typical: half of the sequences have at most so many events.
    """
    if typical >= LONG and s.events >= MANY_EVENTS and chosen.get("model.block") != "plain":
        reason = f"{s.events:,} events, half of the sequences have {typical} or more: they bear depth"
        return [Proposal(key, value, reason) for key, value in DEEP.items()]
    loss = chosen["train.loss"]
    if loss in ("bpr-max", "top1-max"):
        reason = f"goes with {loss}: half of the input dropped, steps long, items drawn by how often they occur"
        return [Proposal(key, value, reason) for key, value in WITH_MAX.items()]
    few = s.events < FEW_EVENTS
    of_drops = f"{s.events:,} events are {'few' if few else 'not few'}"
    drops = [
        Proposal("model.dropout", DROPS[few], of_drops),
        Proposal("model.embedding_dropout", max(DROPS[few], 0.3), of_drops),
    ]
    if loss in RANKING:
        return drops
    which = f"half of the sequences have at most {typical} events" if typical < LONG else f"{s.events:,} events"
    cosine = Proposal("model.cosine", COSINE, f"{which}: few of each item's, so that its direction alone is compared")
    if not chosen.get("model.cosine", COSINE):  # of plain inner products nothing was measured
        return [cosine, *drops]
    of_rate = "as it was best with directions"
    if loss == "sampled":
        of_rate = "a sample moves each item at few of the steps, which must be long"
    return [cosine, *drops, Proposal("train.learning_rate", RATES.get(loss, RATES["full"]), of_rate)]


def propose_loss(s: Statistics) -> Proposal:
    """The whole catalog up to a size, a sample above."""
    if s.items > FULL_LOSS_ITEMS:
        return Proposal("train.loss", "sampled", f"{s.items:,} items: above {FULL_LOSS_ITEMS:,} a sample is compared")
    return Proposal("train.loss", "full", f"{s.items:,} items: the whole catalog can be compared at every step")


def propose_batch(s: Statistics, *, long: int) -> list[Proposal]:
    """T by the length of sequences, B by how many steps an epoch should have."""
    window = int(np.clip(2 ** np.ceil(np.log2(max(long, 1))), 16, 64))
    rows = int(np.clip(2 ** np.floor(np.log2(max(s.events / (200 * window), 1))), 8, 64))
    steps = max(1, s.events // (rows * window))
    return [
        Proposal("train.window", window, f"nine in ten sequences have at most {long} events; the state reaches on"),
        Proposal("train.rows", rows, f"{steps:,} steps an epoch"),
    ]
