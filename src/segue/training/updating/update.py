"""A model goes on: new items, new days, what that changed, and the model that comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
import numpy as np

from segue.artifact import Artifact, replay_of
from segue.config import Settings
from segue.data.catalog import Catalog, ItemTable
from segue.data.events import EventLog
from segue.data.splits import TEST
from segue.durations import seconds_of
from segue.evaluation.phase import laid_out
from segue.models.log_counts import LogCounts
from segue.models.merged_counts import enlarged as enlarged_counts
from segue.models.merged_counts import merged
from segue.shapes import Array
from segue.training.candidates import Say
from segue.training.fingerprint import short_hashes
from segue.training.plan import check_windows
from segue.training.updating.days import Days, days_of, learned_of
from segue.training.updating.forgetting import verdict_of
from segue.training.updating.items import enlarged, withdrawn
from segue.training.updating.judging import Judged, items_in, judged
from segue.training.updating.keeping import faded, renewed
from segue.training.updating.learning import go_on, lesson_of
from segue.training.updating.made import half_life_of, made_of
from segue.training.updating.report import UpdateReport, worse
from segue.training.updating.rounds import Round, check_asked, network_of

NO_REPLAY = (
    "the model keeps no sample of old sequences (it was saved before that was kept, or update.kept_events was 0): it "
    "learns the new days alone, and what it forgets is not seen"
)


MOSTLY = 0.5
"""A log with a larger part of its new events on items that are new is looked at twice."""


class Updated(NamedTuple):
    """A model that went on, and what that changed."""

    artifact: Artifact
    report: UpdateReport


def update_artifact(
    artifact: Artifact,
    log: EventLog | None = None,
    items: ItemTable | None = None,
    *,
    withdraw: Iterable[str] = (),
    settings: Settings | None = None,
    force: bool = False,
    say: Say = lambda _: None,
    show: Callable[..., None] = lambda *_: None,
) -> Updated:
    """Let a network take in new items and go on learning, from new days alone.

    The new days are parted as `split.valid` and `split.test` say: what is learned first, what chooses the number of
    passes, and what judges them, before and after. Then the network goes on anew from where it was, for as many passes
    over all new days. So the figures are of a network that has not learned the last of these days; the one that comes
    of it has.

    Args:
        artifact: a network with a cutoff.
        log: new events, and as many old ones of their users as there are; None: nothing is learned.
        items: what is known of items, new ones among them.
        withdraw: ids of items that may not be answered any more.
        settings: those of the model, but for what is to be otherwise now; None: the model's own.
        force: make the model even if it is worse on new events, or cannot be judged.
        say, show: told of what happens.

    Raises:
        WorseUpdateError: it is worse on new events beyond the interval; its `report` says by how much.
        TrainingError, LogError, ConfigError: the model, the log or the items cannot be used so.
    """
    began, gone = time.monotonic(), list(dict.fromkeys(withdraw))
    settings = artifact.settings if settings is None else settings
    check_asked(log, items, gone)
    source = network_of(artifact)
    replay = replay_of(artifact)
    this = Round(artifact, source, settings, items, replay, force, say, show)
    days = None if log is None else days_of(log, artifact.facts, settings)
    # what does not fit in tables of items is said before anything is learned
    whole, notes = enlarged(artifact.catalog, () if days is None else items_in(days, TEST + 1), items)
    check_windows(withdrawn(whole, gone, time.time()))
    absent = [one for one in gone if whole.ids.place_of(one) < 0]
    if absent:
        notes.append(
            f"{len(absent):,} of {len(gone):,} items to be withdrawn are no items of the model (`{absent[0]}`)"
        )
    if log is None or days is None:
        return only_items(this, whole, notes, gone, began)
    days = days._replace(features=artifact.features_of(log))
    notes = [
        *days.notes,
        *notes,
        *strange(days, len(artifact.catalog), whole),
        *([NO_REPLAY] if replay is None else []),
    ]
    for note in notes:
        say(f"note: {note}")
    user = short_hashes(log.users)
    if replay is not None and (half_life := settings.objective.half_life):  # worth is told as of the last event
        late = float(log.time[-1]) - (artifact.facts.cutoff or 0.0)
        this = this._replace(replay=faded(replay, 2.0 ** -(late / seconds_of(half_life, of="objective.half_life"))))
    found = judged(this, days, user)
    report = UpdateReport(
        update_of=artifact.version,
        metric=settings.train.metric,
        verdict=verdict_of(found.changes, settings.train.metric),
        worse=any(one.worse for one in found.changes[:1]),
        changes=found.changes,
        events=days.new,
        context=days.first,
        passes=found.passes,
        losses=found.losses,
        validation=found.validation,
        notes=notes,
    )
    if report.worse and not force:
        raise worse(msgspec.structs.replace(report, seconds=since(began)))
    return learned(this, days, found, report, user, gone, began)


def strange(days: Days, known: int, whole: Catalog) -> list[str]:
    """A note where most of the new events are of items that the model did not know, as in a log of another shop."""
    counts = np.bincount(days.log.item[days.first :], minlength=len(days.log.items))
    share = float(counts[whole.ids.places_of(days.log.items) >= known].sum() / days.new)
    if share <= MOSTLY:
        return []
    return [
        f"{share:.0%} of the new events are of items that the model did not know: is this a log of the same shop, with "
        "the same item ids? For another catalog there is `segue finetune`"
    ]


def only_items(this: Round, catalog: Catalog, notes: list[str], gone: list[str], began: float) -> Updated:
    """New items and withdrawn ones; the network learns nothing."""
    for note in notes:
        this.say(f"note: {note}")
    artifact, counts = this.artifact, this.artifact.counts
    network = this.larger(catalog, None)
    report = UpdateReport(
        update_of=artifact.version,
        metric=this.settings.train.metric,
        verdict="no new events: nothing was learned, and nothing is judged",
        items=len(catalog) - this.source.n_items,
        withdrawn=len(gone),
        states_stay=True,
        seconds=since(began),
        notes=notes,
    )
    counts = None if counts is None else enlarged_counts(counts, len(catalog))
    catalog = withdrawn(catalog, gone, time.time())
    return Updated(made_of(this, network, catalog, report, counts=counts, replay=this.replay), report)


def learned(
    this: Round, days: Days, found: Judged, report: UpdateReport, user: Array, gone: list[str], began: float
) -> Updated:
    """The network after all new days, and what belongs to it."""
    artifact, settings, rule = this.artifact, this.settings, this.artifact.facts.rule
    catalog, _ = enlarged(artifact.catalog, items_in(days, TEST + 1), this.items)
    laid = laid_out(days.log, rule, catalog, days.worth, days.features)
    new = laid.order >= days.first
    sequences, learn = learned_of(laid, days.first, rule, settings.train.window)
    network = this.larger(catalog, sequences)
    lesson = lesson_of(sequences, learn, this.replay, settings)
    if found.passes:
        go_on(network, this.source.n_items, lesson, settings, passes=found.passes, show=this.show)
    report = msgspec.structs.replace(
        report,
        items=len(catalog) - this.source.n_items,
        withdrawn=len(gone),
        replayed=lesson.replayed if found.passes else 0,
        states_stay=not found.passes or settings.update.freeze == "both",
        seconds=since(began),
    )
    counts: LogCounts | None = artifact.counts
    if counts is not None and counts.timed:
        cutoff = float(days.log.time[-1])
        counts = merged(
            counts,
            sequences,
            learn,
            len(catalog),
            before=artifact.facts.cutoff or 0.0,
            cutoff=cutoff,
            half_life=half_life_of(artifact.facts),
        )
    kept = renewed(
        this.replay,
        laid,
        new,
        user[laid.of],
        rule=rule,
        limit=settings.update.kept_events,
        seed=settings.seed,
        by_id=days.log.session is not None and not days.log.anonymous,
    )
    catalog = withdrawn(catalog, gone, time.time())
    made = made_of(this, network, catalog, report, days=days, found=found, counts=counts, replay=kept)
    return Updated(made, report)


def since(began: float) -> float:
    """Seconds, for a report."""
    return round(time.monotonic() - began, 2)
