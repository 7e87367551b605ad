"""A log with everything decided: how it is parted, cut and judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from segue.choices import look_up, settings_of
from segue.config import INSIDE_BLOCKS, ObjectiveSettings, Settings
from segue.data.catalog import Catalog, ItemTable
from segue.data.encoding import TableEncoder
from segue.data.encoding.bound import EventFeatures
from segue.data.encoding.events import EventEncoder
from segue.data.events import EventLog
from segue.data.items import check_items
from segue.data.objective import described, spoken_of, worth_of
from segue.data.proposals import Proposal, propose
from segue.data.splits import TEST, VALID, Split, split_log
from segue.data.statistics import measure, warnings_of
from segue.errors import ArtifactError, ConfigError, SplitError
from segue.evaluation.context import Context
from segue.evaluation.phase import Phase, phase_of
from segue.evaluation.report import utc
from segue.models.base import SessionRule
from segue.ranking.rules.facts import Facts
from segue.shapes import Floats
from segue.training.event_features import event_encoder_of
from segue.training.item_content import content_of, encoder_of


class Plan(NamedTuple):
    """A log with everything decided: how it is parted, cut and judged.

    Attributes:
        proposals: what the log suggested for settings that the user left open.
        choose, judge: what is learned from and asked, for choosing and for the report.
        worth: (E,) how much each event counts where it is to be predicted, see `worth_of`.
        encoder: from the items table to content; None: there is none.
        events: from what events bring with them to numbers; None: nothing is read.
        features: of the events of the log.
    """

    log: EventLog
    items: ItemTable | None
    settings: Settings
    proposals: list[Proposal]
    split: Split
    rule: SessionRule
    choose: Phase
    judge: Phase
    notes: list[str]
    worth: Floats | None = None
    encoder: TableEncoder | None = None
    events: EventEncoder | None = None
    features: EventFeatures | None = None

    @property
    def valid_from(self) -> float | None:
        """Unix seconds from which on events choose, for the time split."""
        first = self.split.first(VALID)
        return None if self.split.cutoff is None or first is None else float(self.log.time[first])

    @property
    def facts(self) -> dict[str, Any]:
        """The split as a report tells it."""
        cutoff = self.split.cutoff
        return {
            "kind": self.split.kind,
            **self.split.counts(),
            "cutoff": cutoff,
            "cutoff_utc": None if cutoff is None else utc(cutoff),
        }


def plan_of(log: EventLog, tree: Mapping[str, Any], items: ItemTable | None = None) -> Plan:
    """Decide how a log is parted, cut and judged.

    Args:
        log: E events.
        tree: what the user set, see `settings_tree`.
        items: what is known of the items.
    """
    statistics = measure(log)
    keys = ("train.loss", "model.block", "model.cosine")
    chosen = {key: value for key in keys if (value := look_up(tree, key)) is not None}
    proposals = [one for one in propose(log, statistics, chosen) if look_up(tree, one.key) is None]
    settings = settings_of(tree, {one.key: one.value for one in proposals})
    if settings.model.time_gap and not log.timed:
        raise ConfigError("model.time_gap needs times, and this log has only an order: leave it false")
    if settings.sessions.gap_seconds is not None and not log.timed:
        raise ConfigError("sessions.gap needs times, and this log has only an order: leave it `never`")
    if settings.model.block == "plain":
        for name, idle in INSIDE_BLOCKS.items():
            if (value := getattr(settings.model, name)) not in idle:
                raise ConfigError(
                    f"model.{name} is {value:g}, and stands inside of residual blocks: set model.block = residual"
                    + (", or put a convolution in front of the layers with model.front" * (name == "convolution"))
                )
    rule = SessionRule(settings.sessions.gap_seconds, settings.sessions.at_session_start)
    worth = worth_of(log, settings.objective)
    split = split_log(log, settings.split, worth)
    limits = settings.train.validation_predictions, settings.evaluate.max_predictions
    events = event_encoder_of(log.where(split.below(VALID)), settings)  # of the training part alone
    features = None if events is None else events.bound(log)
    given: dict[str, Any] = {"items": items, "seed": settings.seed, "worth": worth, "features": features}
    choose = phase_of(log, split, rule, ask=VALID, at_most=limits[0], **given)
    last = TEST if settings.train.refit else VALID
    judged = phase_of(log, split, rule, ask=TEST, learn_below=last, at_most=limits[1], **given)
    check_windows(judged.catalog)
    encoder = encoder_of(choose.catalog, settings)  # of the training part alone, like all that is learned
    choose, judged = (phase._replace(content=content_of(phase.catalog, encoder)) for phase in (choose, judged))
    for phase, name in ((choose, "valid"), (judged, "test")):
        if not phase.asked.any():
            raise nothing_asked(phase, name, split, settings.objective)
    Context(choose).check([settings.train.metric], expected=False)
    Context(judged).check([settings.train.metric, *settings.evaluate.metrics], expected=True)
    notes = [*log.remarks, *split.notes, *warnings_of(statistics)]
    if items is not None:
        notes += [*items.notes, *check_items(items, log.items)]
    notes += [*(() if encoder is None else encoder.notes), *(() if events is None else events.table.notes)]
    if worth is not None:
        part = judged.unwanted + int(judged.asked.sum()) + judged.left_out
        others = f"{judged.unwanted:,} of {part:,} events of the test part are not asked for"
        notes.append(f"{described(settings.objective)}: {others}")
    return Plan(log, items, settings, proposals, split, rule, choose, judged, notes, worth, encoder, events, features)


def check_windows(catalog: Catalog) -> None:
    """Raise ConfigError where the items table says of an item when it is available, and that is no moment."""
    try:
        _ = Facts(catalog.ids, catalog.columns).availability
    except ArtifactError as error:
        raise ConfigError(f"items: {error}; correct it, or leave the column out") from None


def nothing_asked(phase: Phase, part: str, split: Split, objective: ObjectiveSettings) -> SplitError:
    """The error of a part without anything to ask for: it says whether the split or the objective is the cause."""
    share = f"a larger share (--set split.{part}=0.2)"
    if not phase.unwanted:
        return SplitError(
            f"the {split.kind} split leaves no {part} event that has an earlier one in its session: "
            f"use a longer log, {share}, or another split"
        )
    return SplitError(
        f"the objective ({described(objective)}) leaves no event of the {part} part to ask for: {phase.unwanted:,} are "
        f"not to be predicted, {phase.first:,} open a session, and first events are no targets; set another "
        f"objective.{' or objective.'.join(spoken_of(objective))}, use a longer log or {share}"
    )
