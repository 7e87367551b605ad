"""Settings that follow from a log, each with its reason. What the user sets goes before them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from segue.data.events import EventLog
from segue.data.statistics import HALF_HOUR, Statistics

FULL_LOSS_ITEMS = 20_000
"""Up to this many items the whole catalog is compared at every step; above, a sample."""


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
        propose_loss(statistics),
        *propose_batch(statistics, by_user=(gap.value == "never" and log.session is None) or start.value == "mark"),
    ]


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


def propose_loss(s: Statistics) -> Proposal:
    """The whole catalog up to a size, a sample above."""
    if s.items > FULL_LOSS_ITEMS:
        return Proposal("train.loss", "sampled", f"{s.items:,} items: above {FULL_LOSS_ITEMS:,} a sample is compared")
    return Proposal("train.loss", "full", f"{s.items:,} items: the whole catalog can be compared at every step")


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
