"""The model that comes of an update, with all that belongs to it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from segue.artifact import Artifact, Facts
from segue.data.catalog import Catalog
from segue.data.replay_sample import ReplaySample
from segue.evaluation.report import Report
from segue.models.log_counts import HALF_LIFE, LogCounts
from segue.models.network import Network
from segue.training.card import card_of
from segue.training.curves import curves
from segue.training.fingerprint import fingerprint
from segue.training.shape import LatencyChoice
from segue.training.updating.days import Days
from segue.training.updating.judging import Judged
from segue.training.updating.report import UpdateReport
from segue.training.updating.rounds import Round
from segue.training.updating.telling import told_on_card


def made_of(
    this: Round,
    network: Network,
    catalog: Catalog,
    report: UpdateReport,
    *,
    days: Days | None = None,
    found: Judged | None = None,
    counts: LogCounts | None = None,
    replay: ReplaySample | None = None,
) -> Artifact:
    """Put an updated model together.

    Args:
        network, catalog: the larger ones.
        report: what was found.
        days, found: the log and what was learned of it; None: nothing was.
        counts: of both logs.
        replay: for the next update.
    """
    artifact = this.artifact
    facts = facts_of(this, network, report, days)
    kept = dict(artifact.metrics)
    first = msgspec.convert(msgspec.to_builtins(kept["report"]), Report) if "report" in kept else None
    latency = (
        None if kept.get("latency") is None else msgspec.convert(msgspec.to_builtins(kept["latency"]), LatencyChoice)
    )
    diagnosis = dict(artifact.diagnosis)
    if found is not None and found.losses:
        curve = list(zip(found.losses, found.validation[1:], strict=False))
        diagnosis = {"curves.svg": curves(curve, best=round(found.passes), metric=report.metric)}
    told = told_on_card(report, artifact.facts)
    card = (
        "\n".join(told)
        if first is None
        else card_of(facts, first, this.settings, latency, diagnosis, kept.get("own"), update=told)
    )
    return Artifact(
        model=network,
        catalog=catalog,
        settings=this.settings,
        facts=facts,
        metrics={**kept, "update": report},
        card=card,
        diagnosis=diagnosis,
        counts=counts,
        replay=replay,
        events=artifact.events,
    )


def facts_of(this: Round, network: Network, report: UpdateReport, days: Days | None) -> Facts:
    """What the updated model says of itself."""
    before = this.artifact.facts
    changed: dict[str, Any] = {
        "n_items": network.n_items,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "update_of": this.artifact.version,
        "core_version": (before.core_version or this.artifact.version) if report.states_stay else "",
    }
    if days is not None:
        new = days.log.where(np.arange(len(days.log)) >= days.first)
        both = f"{before.trained_on} {fingerprint(new)}".encode()
        changed |= {
            "cutoff": float(np.nextafter(days.log.time[-1], np.inf)),
            "trained_on": hashlib.sha256(both).hexdigest()[:16],
            "events": before.events + days.new,
        }
    return msgspec.structs.replace(before, **changed)


def half_life_of(facts: Facts) -> float:
    """Of recent popularity, as it was tuned in training."""
    return float(facts.baselines.get("recent_popularity", {}).get("half_life", HALF_LIFE))
