"""From a log to a table, or to an artifact: what `compare` and `train` do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from segue.artifact import Artifact, Facts
from segue.data.splits import TEST, VALID
from segue.errors import ConfigError, InterruptedTrainingError, did_you_mean
from segue.evaluation.judge import Entry, judge
from segue.evaluation.judged import Watch
from segue.evaluation.phase import phase_of
from segue.evaluation.report import Report
from segue.models.build import BASELINES, MIX, kind_of, model_names
from segue.models.log_counts import HALF_LIFE, LogCounts
from segue.models.mix import Mix
from segue.training.candidates import Fitted, again, fit_baseline
from segue.training.card import card_of
from segue.training.curves import diagnosis_of
from segue.training.fingerprint import fingerprint
from segue.training.item_content import content_of
from segue.training.latency import shaped
from segue.training.mixing import fit_network_and_mix, mixed_anew
from segue.training.networks import Workshop, fit_network, refit
from segue.training.own_parts import own_parts
from segue.training.plan import Plan
from segue.training.shape import LatencyChoice
from segue.training.updating.keeping import sample_of


def check_models(models: Sequence[str]) -> None:
    """Raise ConfigError for a name that is no model."""
    if not models:
        raise ConfigError(f"no model was named (known: {', '.join(model_names())})")
    for name in models:
        if name not in model_names():
            raise ConfigError(f"`{name}` is not a model{did_you_mean(name, model_names())}")


def fit_models(plan: Plan, models: Sequence[str], shop: Workshop) -> dict[str, Fitted]:
    """Tune and fit every model, each from the same events; the baselines are always among them.

    `mix` is of the first network that is named, which is learned once for both, or of `model.cell`.
    """
    check_models(models)
    # Without times that compare across users there is no "recent".
    always = [name for name in BASELINES if name != "recent_popularity" or plan.log.timed]
    networks = [name for name in models if name not in (*BASELINES, MIX)]
    if MIX in models:
        networks = networks or [plan.settings.model.cell]
    fitted: dict[str, Fitted] = {}
    for name in dict.fromkeys([*always, *(name for name in models if name in BASELINES), *networks]):
        if name in BASELINES:
            fitted[name] = fit_baseline(name, plan.choose, plan.judge, plan.rule, plan.settings, shop.say)
        elif MIX in models and name == networks[0]:
            fitted[name], fitted[MIX] = fit_network_and_mix(name, fitted["sknn"], plan, shop)
        else:
            fitted[name] = fit_network(name, plan.choose, plan.judge, plan.rule, shop)
    return {name: one for name, one in fitted.items() if name in (*always, *models)}


def judge_models(
    plan: Plan, fitted: Mapping[str, Fitted], *, costs: bool = False, watch: Watch | None = None
) -> Report:
    """Ask every model that learned all it may for the same predictions.

    Args:
        plan, fitted: what is asked, and of which models.
        costs: also measure what each takes.
        watch: told of all that the table was made from.
    """
    evaluate = plan.settings.evaluate
    entries = {
        name: Entry(
            model=one.model,
            baseline=name in BASELINES,
            seconds=one.seconds,
            settings=one.settings,
            events_per_s=one.events_per_s,
            peak_memory_mb=one.peak_memory_mb,
        )
        for name, one in fitted.items()
        if not one.interrupted
    }
    return judge(
        entries,
        plan.judge,
        exclude=evaluate.exclude,
        main=plan.settings.train.metric,
        split=plan.facts,
        notes=plan.notes,
        metrics=evaluate.metrics,
        replicates=evaluate.replicates,
        memory_mb=evaluate.memory_mb,
        seed=plan.settings.seed,
        costs=costs,
        watch=watch,
    )


def train_artifact(plan: Plan, model: str | None, shop: Workshop) -> tuple[Artifact, Report]:
    """Train one model, by default `model.cell`, judge it beside the baselines, and put all together as an artifact."""
    plan, model, shop, latency = shaped(plan, model, shop)
    return artifact_of(plan, model, fit_models(plan, [model], shop), shop, latency)


def artifact_of(
    plan: Plan,
    model: str,
    fitted: Mapping[str, Fitted],
    shop: Workshop,
    latency: LatencyChoice | None = None,
    *,
    finetuned_of: str = "",
) -> tuple[Artifact, Report]:
    """Judge what was fitted, and put one of the models together with all that belongs to it.

    Args:
        finetuned_of: the version that it began from.
    """
    one, below, cutoff = fitted[model], TEST if plan.settings.train.refit else VALID, plan.split.cutoff
    if one.interrupted and not one.epochs:
        kept = "; its steps are kept: go on with --resume" if shop.folder else ""
        raise InterruptedTrainingError(f"interrupted before the first epoch was judged: there is no model yet{kept}")
    report = judge_models(plan, fitted)
    if one.interrupted:
        shop.say(f"{model}: interrupted; its best epoch so far knows the training part alone")
        below, cutoff = VALID, plan.valid_from
    elif plan.settings.train.final:
        everything = fit_on_everything(plan, model, one, shop)
        if everything is None:
            shop.say(f"{model}: interrupted; the model of before --final is what there is")
        else:
            one, below = everything, TEST + 1
            cutoff = float(np.nextafter(plan.log.time[-1], np.inf)) if plan.log.timed else None
    seen = plan.log.where(plan.split.below(below))
    facts = Facts(
        name=model,
        kind=one.model.kind,
        n_items=len(one.phase.catalog),
        settings=one.model.settings(),
        gap=plan.rule.gap,
        at_session_start=plan.rule.at_session_start,
        exclude=plan.settings.evaluate.exclude,
        timed=plan.log.timed,
        split="everything" if len(seen) == len(plan.log) else plan.split.kind,
        cutoff=cutoff,
        trained_on=fingerprint(seen),
        events=len(seen),
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        interrupted=one.interrupted,
        baselines={name: other.settings for name, other in fitted.items() if name in BASELINES},
        finetuned_of=finetuned_of,
    )
    replay = sample_of(one.phase.learned, plan.log, plan.settings) if facts.kind == "network" and cutoff else None
    diagnosis, own = diagnosis_of(one, plan.settings), own_parts(plan.settings, facts)
    artifact = Artifact(
        model=one.model,
        catalog=one.phase.catalog,
        settings=plan.settings,
        facts=facts,
        metrics={"report": report, "curve": one.curve, "latency": latency, **({"own": own} if own else {})},
        card=card_of(facts, report, plan.settings, latency, diagnosis, own),
        diagnosis=diagnosis,
        events=plan.events,
        counts=LogCounts.of(
            one.phase.learned,
            facts.n_items,
            cutoff=one.phase.cutoff,
            half_life=facts.baselines.get("recent_popularity", {}).get("half_life", HALF_LIFE),
        ),
        replay=replay,
    )
    return artifact, report


def fit_on_everything(plan: Plan, model: str, chosen: Fitted, shop: Workshop) -> Fitted | None:
    """The model as it was chosen, learned anew from all events, the test part among them; None if interrupted."""
    given: dict[str, Any] = {"items": plan.items, "worth": plan.worth, "features": plan.features}
    phase = phase_of(plan.log, plan.split, plan.rule, ask=TEST, learn_below=TEST + 1, **given)
    phase = phase._replace(cutoff=None, content=content_of(phase.catalog, plan.encoder))
    if model in BASELINES:
        return chosen._replace(model=again(kind_of(model), chosen.settings, phase, plan.rule), phase=phase)
    if isinstance(chosen.model, Mix):
        mix = mixed_anew(chosen.model, chosen, phase, plan.rule, shop)
        return None if mix is None else chosen._replace(model=mix, phase=phase)
    network, trained = refit(model, phase, plan.rule, shop, passes=chosen.passes, planned=chosen.planned, stage="final")
    return None if trained.interrupted else chosen._replace(model=network, phase=phase)


def check_checkpoints(shop: Workshop) -> None:
    """Raise TrainingError, before anything is fitted, for checkpoints that are damaged or of another training."""
    for stage in sorted(shop.folder.iterdir()) if shop.folder and shop.folder.exists() else ():
        checkpoints = shop.checkpoints(stage.name)
        if checkpoints is not None:
            checkpoints.read()
