"""How much a core is worth: finetuned, from scratch, and counted, with few of the training users and with all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from math import ceil

import msgspec
import numpy as np

from segue.config import Settings
from segue.data.targets import weighted_targets
from segue.errors import ConfigError, InterruptedTrainingError
from segue.models.base import Model
from segue.training.candidates import Fitted, fit_baseline
from segue.training.finetuning.asked import Asked
from segue.training.finetuning.beginning import Beginning
from segue.training.finetuning.report import FINETUNED, SCRATCH, ShareRow, TransferReport
from segue.training.finetuning.shares import Part, drawing_of, part_of
from segue.training.networks import Workshop, fit_network
from segue.training.plan import Plan

BASELINES = ("sknn", "popularity")

SHARES = (1.0, 5.0, 10.0, 100.0)
DRAWS = 5

MOST = 4
"""An epoch over few users has few steps: with a share there are up to so many times as many, for every network."""


def transfer_report(
    plan: Plan,
    beginning: Beginning,
    shop: Workshop,
    *,
    fitted: Mapping[str, Fitted] | None = None,
    shares: Sequence[float] = SHARES,
    draws: int = DRAWS,
) -> TransferReport:
    """Learn with shares of the training users, and ask every model for the predictions of the one test set.

    Args:
        fitted: what was learned from all training users: `FINETUNED`, `SCRATCH` and the baselines; None: it is learned
            if it is needed.
        shares: in percent.
        draws: of the users; with all of them there is one.
    """
    started = time.monotonic()
    check_shares(shares, draws)
    asked = Asked(plan)
    rows = []
    for share in sorted(set(shares)):
        if share == 100:
            part = Part(plan.choose, plan.judge, len(plan.judge.learned.of), len(plan.judge.learned))
            models: Mapping[str, Model] = (
                learned(plan, part, share, beginning, shop)
                if fitted is None
                else {name: one.model for name, one in fitted.items()}
            )
            found = [(part, asked.scored(models, plan.judge))]
        else:
            parts = [part_of(plan, drawing_of(plan, draw).users(share)) for draw in range(draws)]
            if why := too_few(parts):
                rows.append(row_without(share, parts, why))
                shop.say(f"{share:g} % of the training users: {why}")
                continue
            found = [(part, asked.scored(learned(plan, part, share, beginning, shop), part.judge)) for part in parts]
        rows.append(asked.row(share, found))
        told = ", ".join(f"{name} {value.value or 0:.4f}" for name, value in rows[-1].values.items())
        shop.say(f"{share:g} % of the training users: {plan.settings.train.metric} {told}")
    return TransferReport(
        finetuned_of=beginning.source.version,
        metric=plan.settings.train.metric,
        predictions=len(asked.user),
        users=len(np.unique(asked.user)),
        items=len(plan.judge.catalog),
        table=beginning.told(plan.judge),
        shares=rows,
        seconds=round(time.monotonic() - started, 2),
    )


def check_shares(shares: Sequence[float], draws: int) -> None:
    """Raise ConfigError for what is no share of users."""
    if not shares or any(not 0 < share <= 100 for share in shares):
        raise ConfigError(f"shares of the training users are {list(shares)}; expected numbers above 0, up to 100")
    if draws < 1:
        raise ConfigError(f"{draws} draws of the training users; expected at least 1")


def too_few(parts: Sequence[Part]) -> str:
    """Why nothing can be learned or chosen in one of the draws; "" where all have enough."""
    for part in parts:
        if not part.choose.asked.any():
            return "too few: there is nothing to choose by"
        if not (weighted_targets(part.choose.learned).item >= 0).any():
            return "too few: there is nothing to learn from before what chooses"
    return ""


def learned(plan: Plan, part: Part, share: float, beginning: Beginning, shop: Workshop) -> dict[str, Model]:
    """Every model from the same users, chosen by the same users."""
    settings = prolonged(plan.settings, share)
    quiet = shop._replace(settings=settings, say=lambda _: None, origin=None)
    longer = beginning._replace(settings=settings.finetune)
    found: dict[str, Model] = {}
    for name, origin in ((FINETUNED, longer), (SCRATCH, None)):
        one = fit_network(plan.settings.model.cell, part.choose, part.judge, plan.rule, quiet._replace(origin=origin))
        if one.interrupted:
            raise InterruptedTrainingError("the report was interrupted: nothing is written")
        found[name] = one.model
    for name in BASELINES:
        found[name] = fit_baseline(name, part.choose, part.judge, plan.rule, plan.settings, quiet.say).model
    return found


def prolonged(settings: Settings, share: float) -> Settings:
    """With fewer users so many more epochs, stages and patience that there are about as many steps, up to `MOST`."""
    times = min(MOST, 100 / share)
    train, finetune = settings.train, settings.finetune
    return msgspec.structs.replace(
        settings,
        train=msgspec.structs.replace(
            train, epochs=ceil(train.epochs * times), patience=ceil(train.patience * times), gradient_norms=False
        ),
        finetune=msgspec.structs.replace(finetune, unfreeze=ceil(finetune.unfreeze * times)),
    )


def row_without(share: float, parts: Sequence[Part], why: str) -> ShareRow:
    """A share with too little in it."""
    users, events = (float(np.mean([getattr(part, name) for part in parts])) for name in ("users", "events"))
    return ShareRow(share=share, draws=len(parts), users=users, events=events, note=why)
