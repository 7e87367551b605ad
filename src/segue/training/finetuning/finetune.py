"""From a trained network and another log to a model of that log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from segue.artifact import Artifact
from segue.choices import settings_of
from segue.data.catalog import Catalog
from segue.data.encoding import TableEncoder
from segue.data.items import read_items
from segue.data.log import read_log
from segue.errors import ConfigError, InterruptedTrainingError
from segue.training.candidates import Say
from segue.training.finetuning.beginning import Beginning
from segue.training.finetuning.encoding import encoder_for
from segue.training.finetuning.report import FINETUNED, SCRATCH
from segue.training.finetuning.source import source_of, with_core
from segue.training.finetuning.transfer import BASELINES, DRAWS, SHARES, check_shares, transfer_report
from segue.training.networks import Show, Workshop, deadline_of, fit_network
from segue.training.plan import Plan, plan_of
from segue.training.preparing import checked_tree
from segue.training.run import artifact_of, fit_models


class Wanted(NamedTuple):
    """A report over shares of the training users: shares in percent, and draws of the users."""

    shares: Sequence[float] = SHARES
    draws: int = DRAWS


class Prepared(NamedTuple):
    """A finetuning with everything decided: the plan of the new log, and what its network begins with."""

    plan: Plan
    beginning: Beginning


def prepare(
    artifact: Artifact,
    log: Any,
    *,
    items: Any = None,
    items_col: str | None = None,
    same_items: bool = False,
    settings: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
) -> Prepared:
    """Read a log and decide all, before anything is learned.

    Args:
        artifact: a network, or a mix with one.
        log: see `read_log`.
        items: see `read_items`.
        same_items: an item with the id of one of the source is that one.
        settings: as in `segue train`, but for what goes with the core.
        columns: which column of the log is what.

    Raises:
        TrainingError: the source is a baseline.
        ConfigError, LogError: settings, log or items cannot be used so.
    """
    source = source_of(artifact)
    tree = with_core(checked_tree(settings, columns), source)
    table = None if items is None else read_items(items, item_col=items_col)
    events = read_log(log, **settings_of(tree).columns())
    if source.network.time_gap and not events.timed:
        raise ConfigError(
            "the source was trained with pauses (model.time_gap), and this log has only an order: finetune a model "
            "that was trained without, or give a log with times"
        )

    def encode(catalog: Catalog, chosen: Any) -> TableEncoder | None:
        return encoder_for(source, catalog, chosen)

    plan = plan_of(events, tree, table, encode=encode)
    if dropped := [name for name in artifact.settings.content.events if name not in plan.settings.content.events]:
        names = ", ".join(f"`{name}`" for name in dropped)
        plan = plan._replace(
            notes=[
                *plan.notes,
                f"the source reads {names} of its events, which this model does not: name columns of the log with "
                "content.events, if it has them",
            ]
        )
    beginning = Beginning(source, plan.settings.finetune, same_items)
    if same_items and not len(beginning.shared(plan.judge)[0]):
        raise ConfigError(
            f"no item of the log has the id of one of the source (`{source.items[0]}`, ...): leave --same-items out"
        )
    return Prepared(plan._replace(notes=[*plan.notes, beginning.told(plan.judge)]), beginning)


def finetune(
    prepared: Prepared,
    *,
    wanted: Wanted | None = None,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
) -> Artifact:
    """Learn, choose on validation, learn anew, and judge beside the baselines, as in training.

    Args:
        wanted: also from scratch, and both with shares of the training users; the report is among the metrics.
        say, show: told of what happens.

    Raises:
        InterruptedTrainingError: Ctrl-C before there was a model.
    """
    plan, beginning = prepared
    if wanted is not None:
        check_shares(*wanted)
    shop = Workshop(plan.settings, say, show, deadline=deadline_of(plan.settings), origin=beginning)
    cell = plan.settings.model.cell
    fitted = fit_models(plan, [cell], shop)
    scratch = {}
    if wanted is not None and not fitted[cell].interrupted:
        told = shop._replace(origin=None, say=lambda line: say(f"{SCRATCH}: {line}"))
        scratch = {SCRATCH: fit_network(cell, plan.choose, plan.judge, plan.rule, told)}
        if scratch[SCRATCH].interrupted:
            raise InterruptedTrainingError("the report was interrupted: nothing is written")
    artifact, _ = artifact_of(
        plan, cell, {**fitted, **scratch}, shop, finetuned_of=beginning.source.version or "unsaved"
    )
    if wanted is None or not scratch:
        return artifact
    whole = {FINETUNED: fitted[cell], **scratch, **{name: fitted[name] for name in BASELINES}}
    report = transfer_report(plan, beginning, shop, fitted=whole, shares=wanted.shares, draws=wanted.draws)
    return msgspec.structs.replace(artifact, metrics={**artifact.metrics, "transfer": report})
