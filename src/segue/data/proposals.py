"""Settings that follow from a log, each with its reason. What the user sets goes before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from segue.data.events import EventLog
from segue.data.statistics import HALF_HOUR, Statistics

FULL_LOSS_ITEMS = 20_000
"""Up to this many items the whole catalog is compared at every step; above, a sample."""

SHORT_SESSION, RARELY, FEW_ITEMS = 5, 20, 4096
"""Sessions of so many events are short, items of fewer events rare; fewer items need no sample of 2,048."""

FOR_SPARSE_SESSIONS = {
    "train.sampling": "popularity",
    "train.popularity_power": 0.4,
    "train.learning_rate": 0.01,
    "model.embedding_dropout": 0.5,
    "model.dropout": 0.0,
}
"""What goes with BPR-max: it did best on the validation part of a shop's clicks (serenade-shop)."""

WITH_IT = "goes with bpr-max on short sessions over rare items"


class Proposal(NamedTuple):
    """A setting by its dotted key, and why."""

    key: str
    value: Any
    reason: str


def propose(log: EventLog, statistics: Statistics) -> list[Proposal]:
    """Split, exclusion, sessions, loss and the shape of a batch, from the measures of a log."""
    gap = propose_gap(log, statistics)
    start = propose_start(log, statistics, gap)
    return [
        propose_split(log),
        propose_exclude(statistics),
        gap,
        start,
        *propose_loss(statistics),
        *propose_batch(statistics, by_user=(gap.value == "never" and log.session is None) or start.value == "mark"),
    ]


def without_company(proposals: list[Proposal], tree: Mapping[str, Any]) -> list[Proposal]:
    """The proposals less those that go with a proposed loss, where the user chose another."""
    chosen = tree.get("train", {}).get("loss")
    proposed = next(proposal.value for proposal in proposals if proposal.key == "train.loss")
    if chosen in (None, proposed):
        return proposals
    return [proposal for proposal in proposals if proposal.reason != WITH_IT]


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


def propose_loss(s: Statistics) -> list[Proposal]:
    """The whole catalog up to a size, a sample above; a ranking loss for short sessions over rarely seen items."""
    seen = s.events / s.items
    if not rated(s) and s.session_length[1] <= SHORT_SESSION and seen < RARELY and s.items >= FEW_ITEMS:
        reason = (
            f"half of the sessions have at most {s.session_length[1]} events, an item has {seen:.1f}: "
            "a ranking loss with half of the input dropped does better there"
        )
        companions = [Proposal(key, value, WITH_IT) for key, value in FOR_SPARSE_SESSIONS.items()]
        return [Proposal("train.loss", "bpr-max", reason), *companions]
    if s.items > FULL_LOSS_ITEMS:
        reason = f"{s.items:,} items: above {FULL_LOSS_ITEMS:,} a sample is compared"
        return [Proposal("train.loss", "sampled", reason)]
    return [Proposal("train.loss", "full", f"{s.items:,} items: the whole catalog can be compared at every step")]


def propose_batch(s: Statistics, *, by_user: bool) -> list[Proposal]:
    """T by the length of sequences, B by how many steps an epoch should have."""
    long = s.length[2] if by_user else s.session_length[2]
    window = int(np.clip(2 ** np.ceil(np.log2(max(long, 1))), 16, 64))
    rows = int(np.clip(2 ** np.floor(np.log2(max(s.events / (200 * window), 1))), 8, 64))
    steps = max(1, s.events // (rows * window))
    return [
        Proposal("train.window", window, f"nine in ten sequences have at most {long} events; the state reaches on"),
        Proposal("train.rows", rows, f"{steps:,} steps an epoch"),
    ]
