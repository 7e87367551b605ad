"""The models that stand side by side, and what they learn before a week."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import msgspec
import numpy as np

from segue.artifact import Artifact
from segue.config import Settings
from segue.data import spill
from segue.data.catalog import Catalog, ItemTable
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.objective import worth_of
from segue.durations import seconds_since
from segue.evaluation.phase import Phase, laid_out
from segue.evaluation.report import Report
from segue.models.base import Model
from segue.models.build import kind_of
from segue.training.candidates import Say, again
from segue.training.rolling.report import Standing
from segue.training.rolling.retraining import trained_anew
from segue.training.updating.update import update_artifact


class Learned(NamedTuple):
    """A model as it stands before a week, see `Standing`; one of every week would not be small."""

    model: Model
    catalog: Catalog
    events: int = 0
    passes: float | None = None
    seconds: float | None = None
    learning: float | None = None
    worse: bool = False

    def told(self, unknown: int) -> Standing:
        """What a report says of it, but for metrics."""
        facts = {name: value for name, value in self._asdict().items() if name not in ("model", "catalog")}
        return Standing(items=len(self.catalog), unknown=unknown, **facts)


class Lineup(NamedTuple):
    """What the models learn, and how.

    Attributes:
        artifact: the network that was there first.
        log: all events.
        items: what is known of items; None: what the network's catalog says.
        settings: of updates.
        retrain: whether a network is trained anew as well.
        baseline: the name of the one beside them; "" for none.
        say, show: told of what happens.
    """

    artifact: Artifact
    log: EventLog
    items: ItemTable | None
    settings: Settings
    retrain: bool
    baseline: str
    say: Say
    show: Callable[..., None]

    def kept(self) -> Learned:
        """The network as it is."""
        return Learned(self.artifact.model, self.artifact.catalog)

    def updated(self, of: Artifact, before: int, since: int) -> tuple[Artifact, Learned]:
        """An update by the events before a place in the log.

        Args:
            of: what goes on; it has learned the events before `since`.
            before, since: places in the log.
        """
        part = until(self.log, before)
        table = None if self.items is None else only_known(self.items, part, of.catalog)
        started = time.monotonic()
        made, report = update_artifact(
            of, part, table, settings=self.settings, force=True, say=self.say, show=self.show
        )
        seconds = seconds_since(started)
        learned = Learned(made.model, made.catalog, before - since, report.passes, seconds, worse=report.worse)
        return made, learned

    def retrained(self, before: int) -> Learned:
        """A network trained anew from the events before a place in the log."""
        part, catalog = until(self.log, before), self.artifact.catalog
        table = ItemTable(catalog.ids, catalog.columns) if self.items is None else self.items
        started = time.monotonic()
        found = trained_anew(self.artifact, part, table, say=self.say, show=self.show)
        seconds = seconds_since(started)
        return Learned(found.network, found.catalog, before, found.passes, seconds, found.learning)

    def fitted(self, before: int, begins: float) -> Learned:
        """The baseline, fitted to the events before a place in the log, with the settings it had in training."""
        part, facts = until(self.log, before), self.artifact.facts
        started = time.monotonic()
        catalog = Catalog.of(part)
        laid = laid_out(part, facts.rule, catalog, worth_of(part, self.artifact.settings.objective, strict=False))
        nothing = np.zeros(len(laid), bool)
        phase = Phase(catalog, laid, laid, nothing, nothing, begins)
        model = again(kind_of(self.baseline), facts.baselines[self.baseline], phase, facts.rule)
        return Learned(model, catalog, before, seconds=seconds_since(started))


def best_baseline(artifact: Artifact) -> str:
    """The baseline that did best when the network was trained: it is not chosen on what is asked now.

    "" where none is known.
    """
    settings = artifact.facts.baselines
    if "report" in artifact.metrics:
        report = msgspec.convert(msgspec.to_builtins(artifact.metrics["report"]), Report)
        for row in report.rows:  # best first
            if row.baseline and row.model in settings:
                return row.model
    return next(iter(settings), "")


def until(log: EventLog, place: int) -> EventLog:
    """The events before a place, with the items that had come by then and no others."""
    part = replace(log.where(np.arange(len(log)) < place), notes=(), rejected=())  # they are told once
    came = spill.counted(part.item, len(log.items)) > 0
    if came.all():
        return part
    number = np.cumsum(came, dtype=np.int32) - 1
    return replace(part, items=Ids.of(log.items.take(np.flatnonzero(came))), item=number[part.item].astype(np.int32))


def only_known(items: ItemTable, log: EventLog, catalog: Catalog) -> ItemTable:
    """The rows of items that had come by then: that others will come is of a later week."""
    came = (log.items.places_of(items.ids) >= 0) | (catalog.ids.places_of(items.ids) >= 0)
    rows = np.flatnonzero(came).tolist()
    columns = {name: [values[row] for row in rows] for name, values in items.columns.items()}
    return ItemTable(Ids.of(items.ids.take(np.array(rows, np.int64))), columns)
