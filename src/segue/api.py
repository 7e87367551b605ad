"""The library as a user meets it: ids and frames outside, everything resolved on first use."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from segue.artifact import MANIFEST, check_free, read_manifest, save_artifact
from segue.data.events import EventLog
from segue.data.items import read_items
from segue.data.log import read_log
from segue.data.packed import pack_log
from segue.data.proposals import Proposal, propose
from segue.data.statistics import Statistics, measure, warnings_of
from segue.durations import spoken
from segue.errors import TrainingError
from segue.evaluation.report import Report
from segue.recommender import Recommendation, Recommendations, Recommender, UserState, load
from segue.reporting.file import Mail, mail_judged
from segue.training.beside import checkpoint_folder
from segue.training.candidates import Say
from segue.training.checkpoint import Checkpoints, remove_checkpoints
from segue.training.finetuning import finetune as finetuning
from segue.training.finetuning.finetune import Wanted
from segue.training.fingerprint import run_fingerprint
from segue.training.latency import named
from segue.training.networks import Show, Workshop, deadline_of
from segue.training.plan import Plan
from segue.training.preparing import prepare
from segue.training.run import (
    check_checkpoints,
    check_models,
    fit_models,
    judge_models,
    train_artifact,
)
from segue.training.tuning.disk import alone
from segue.training.updating.asking import update_model

__all__ = [
    "Inspection",
    "Recommendation",
    "Recommendations",
    "Recommender",
    "UserState",
    "Wanted",
    "compare",
    "finetune",
    "fit",
    "inspect",
    "load",
    "pack",
    "prepare",
    "read_items",
    "read_log",
    "train",
    "update",
]


class Inspection(NamedTuple):
    """What `inspect` found: the log's measures, its traps, and the settings it proposes."""

    log: EventLog
    statistics: Statistics
    warnings: list[str]
    proposals: list[Proposal]


def fit(
    log: Any,
    *,
    items: Any = None,
    items_col: str | None = None,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
    **columns: Any,
) -> Recommender:
    """Train a model on a log; `recommender.trained_report` says how good it is beside the baselines.

    Args:
        log: a path, a glob, a folder, a polars or pandas frame, or a list of these; see `read_log`.
        items: an items table (item_id, title, categories, ...), if there is one.
        items_col: its column of item ids, where that has no known name.
        model: a recurrent layer (`gru`), `mix`, or a baseline; with `train.latency` several layers, by commas. By
            default the layer that the settings or the log propose (`model.cell`).
        settings: by dotted key, such as {"train.epochs": 3}; what is left open is chosen from the log.
        say, show: told of what happens.
        columns: which column is what; see `read_log`.
    """
    if model is not None:
        check_models(named(model))
    plan = prepare(log, items=items, items_col=items_col, settings=settings, columns=columns)
    artifact, _ = train_artifact(plan, model, Workshop(plan.settings, say, show, deadline=deadline_of(plan.settings)))
    return Recommender(artifact)


def train(
    plan: Plan,
    model: str | None,
    out: Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
) -> Recommender:
    """Train a model into a folder, with checkpoints beside it until it is saved.

    `model` None is the cell of the settings.

    A training that Ctrl-C stopped is saved where nothing would be lost by it, and its checkpoints stay for `resume`.

    Raises:
        ArtifactError: the folder is in the way.
        TrainingError: there is an unfinished training, and neither `resume` nor `overwrite` was asked for, or it is of
            another log or other settings; or another process is training there.
    """
    out = out.resolve()
    folder = checkpoint_folder(out)
    with alone(folder, "training"):
        try:
            return train_alone(plan, model, out, folder, overwrite=overwrite, resume=resume, say=say, show=show)
        finally:
            with suppress(OSError):  # checkpoints stay; an empty folder would be in the way
                folder.rmdir()


def train_alone(
    plan: Plan, model: str | None, out: Path, folder: Path, *, overwrite: bool, resume: bool, say: Say, show: Show
) -> Recommender:
    """`train`, while no other process trains into the same folder."""
    overwrite_unfinished = overwrite or (resume and is_interrupted(out))
    check_free(out, overwrite=overwrite_unfinished)
    if any(folder.iterdir()) and not resume:
        if not overwrite:
            raise TrainingError(
                f"{folder} holds an unfinished training: go on with --resume, or start anew with --overwrite"
            )
        remove_checkpoints(folder)
    shop = Workshop(plan.settings, say, show, folder, run_fingerprint(plan, model), deadline_of(plan.settings))
    Checkpoints(folder / "probe", "").check()
    check_checkpoints(shop)
    artifact, _ = train_artifact(plan, model, shop)
    if artifact.facts.interrupted:
        if out.exists() and any(out.iterdir()) and not is_interrupted(out):
            say(f"{out} keeps the model that was there: an interrupted one does not replace it. Go on with --resume")
            return Recommender(artifact)
        save_artifact(artifact, out, overwrite=overwrite_unfinished, say=say)
        say(f"{out} has what was best so far. Go on with --resume")
        return load(out)
    save_artifact(artifact, out, overwrite=overwrite_unfinished, say=say)
    remove_checkpoints(folder)
    if shop.deadline is not None and (late := time.monotonic() - shop.deadline) > 1:
        say(
            f"the budget of {plan.settings.train.budget} was exceeded by {spoken(late)}: the baselines and the report "
            "take what they take. A larger budget, or lower train.grid_predictions and evaluate.max_predictions, helps"
        )
    return load(out)


def is_interrupted(folder: Path) -> bool:
    """Whether a folder holds a model whose training was interrupted."""
    return (folder / MANIFEST).exists() and read_manifest(folder).facts.interrupted


def update(
    model: str | Path | Recommender,
    log: Any = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    items: Any = None,
    items_col: str | None = None,
    withdraw: Any = (),
    settings: Mapping[str, Any] | None = None,
    force: bool = False,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
    **columns: Any,
) -> Recommender:
    """Let a model take in new items and go on learning from new days alone, into a folder of its own.

    Args:
        model: a folder, of one model or of versions, or a model that is loaded.
        log, items, withdraw, settings, force, say, show, columns: see `Recommender.update`.
        out: where to write it; None: nowhere.
        overwrite: replace the model that is there.
        items_col: the column of item ids in the items table, where that has no known name.

    Raises:
        WorseUpdateError: it is worse on new events beyond the interval: nothing is written.
        ArtifactError: the folder is in the way.
    """
    place = None if out is None else Path(out).resolve()
    if place is not None:
        check_free(place, overwrite=overwrite)
    before = model if isinstance(model, Recommender) else load(model)
    given: dict[str, Any] = {"withdraw": withdraw, "settings": settings, "items_col": items_col, "columns": columns}
    made = update_model(before.artifact, log, items, force=force, say=say, show=show, **given).artifact
    if place is None:
        return Recommender(made)
    save_artifact(made, place, overwrite=overwrite, say=say)
    return load(place)


def finetune(
    model: str | Path | Recommender,
    log: Any,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    items: Any = None,
    items_col: str | None = None,
    same_items: bool = False,
    report: bool | Wanted = False,
    settings: Mapping[str, Any] | None = None,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
    **columns: Any,
) -> Recommender:
    """Start another catalog with the core of a trained network: for a log that has little to learn from.

    Args:
        model: a network, or a mix with one: a folder, of one model or of versions, or a model that is loaded.
        log: of the other catalog; see `read_log`.
        out: where to write it; None: nowhere.
        overwrite: replace the model that is there.
        items: an items table of the other catalog.
        items_col: its column of item ids, where that has no known name.
        same_items: ids mean the same in both catalogs: items that the model has too keep their vectors.
        report: also learn from scratch, and both with shares of the training users: `transfer_report` of what comes.
        settings: by dotted key; what goes with the core is the model's, what is left open is chosen from the log.
        say, show: told of what happens.
        columns: which column of the log is what; see `read_log`.

    Raises:
        TrainingError: the model is a baseline, which has no core.
        ConfigError: another shape was asked for than the core has, or content that is not there.
        ArtifactError: the folder is in the way.
    """
    place = None if out is None else Path(out).resolve()
    if place is not None:
        check_free(place, overwrite=overwrite)
    source = model if isinstance(model, Recommender) else load(model)
    given: dict[str, Any] = {"items": items, "items_col": items_col, "settings": settings, "columns": columns}
    prepared = finetuning.prepare(source.artifact, log, same_items=same_items, **given)
    for note in prepared.plan.notes:
        say(f"note: {note}")
    for proposal in prepared.plan.proposals:
        say(f"{proposal.key} = {proposal.value} proposed: {proposal.reason}")
    wanted = report if isinstance(report, Wanted) else Wanted() if report else None
    made = finetuning.finetune(prepared, wanted=wanted, say=say, show=show)
    if place is None:
        return Recommender(made)
    save_artifact(made, place, overwrite=overwrite, say=say)
    return load(place)


def compare(
    log: Any,
    *,
    models: Sequence[str] = (),
    items: Any = None,
    items_col: str | None = None,
    settings: Mapping[str, Any] | None = None,
    report: str | Path | Mail | None = None,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
    **columns: Any,
) -> Report:
    """Tune and train several models and all baselines, each on the same events, and ask all for the same targets.

    Args:
        log, items, items_col, settings, say, show, columns: as in `fit`.
        models: their names; without any it is one network, of `model.cell`, beside the baselines.
        report: an .html file to write it to, in words and pictures, with all that it takes to trust it.

    Raises:
        ConfigError: a model that is none, or the report could not be written there; nothing was done.
    """
    mail = Mail.to(report)
    if models:
        check_models(models)
    plan = prepare(log, items=items, items_col=items_col, settings=settings, columns=columns)
    if plan.settings.train.latency:
        say("note: train.latency is not used: models are compared in the shape they are set to")
    return judge_models(
        plan,
        fit_models(
            plan,
            models or [plan.settings.model.cell],
            Workshop(plan.settings, say, show, deadline=deadline_of(plan.settings), costs=True),
        ),
        costs=True,
        watch=None
        if mail is None
        else lambda judged: mail_judged(mail, judged, plan.log, plan.split, plan.settings, log, items=plan.items),
    )


def inspect(log: Any, **columns: Any) -> Inspection:
    """Measure a log, name its traps, and propose settings."""
    events = read_log(log, **columns)
    statistics = measure(events)
    return Inspection(events, statistics, warnings_of(statistics), propose(events, statistics))


def pack(log: Any, out: Path | str, *, overwrite: bool = False, **columns: Any) -> EventLog:
    """Read a log once and write it into a folder that opens at once and needs no memory, however large it is.

    Args:
        log: a path, a glob, a folder, a polars or pandas frame, or a list of these; see `read_log`.
        out: the folder; everything that takes a log takes it from then on.
        overwrite: replace the packed log that is there.
        columns: which column is what; see `read_log`.
    """
    return pack_log(log, out, overwrite=overwrite, **columns)
