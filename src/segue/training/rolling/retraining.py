"""A network trained anew from all events before a week, as it was trained once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np

from segue.artifact import Artifact
from segue.data.catalog import Catalog, ItemTable
from segue.data.events import EventLog
from segue.data.objective import worth_of
from segue.data.splits import TEST, TRAIN, VALID, Split
from segue.errors import InterruptedTrainingError
from segue.evaluation.phase import phase_of
from segue.models.network import Network
from segue.training.candidates import Say
from segue.training.item_content import content_of, encoder_of
from segue.training.networks import Workshop, choose_network, deadline_of, refit


class Anew(NamedTuple):
    """A network that learned anew.

    Attributes:
        passes: over all events, chosen on the last of them.
        learning: seconds of the second of the two trainings, which begins when `passes` is known.
    """

    network: Network
    catalog: Catalog
    passes: float
    learning: float


def trained_anew(
    artifact: Artifact, log: EventLog, items: ItemTable | None, *, say: Say, show: Callable[..., None]
) -> Anew:
    """Choose the number of passes on the last `split.valid` of a log, then learn all of it for as many.

    That is what `segue train --final` does without the part that judges, with the model's own settings.

    Raises:
        InterruptedTrainingError: Ctrl-C.
    """
    own, rule, cell = artifact.settings, artifact.facts.rule, artifact.facts.name
    settings = msgspec.structs.replace(own, train=msgspec.structs.replace(own.train, refit=True, final=False))
    split = last_chooses(log, settings.split.valid)
    given: dict[str, Any] = {
        "ask": VALID,
        "items": items,
        "at_most": settings.train.validation_predictions,
        "seed": settings.seed,
        "worth": worth_of(log, settings.objective),
        "features": artifact.features_of(log),
    }
    choose = phase_of(log, split, rule, **given)
    whole = phase_of(log, split, rule, learn_below=TEST, **given)
    encoder = encoder_of(choose.catalog, settings)
    choose, whole = (phase._replace(content=content_of(phase.catalog, encoder)) for phase in (choose, whole))
    shop = Workshop(settings, say, show, deadline=deadline_of(settings))
    chosen = choose_network(cell, choose, whole, rule, shop)
    if chosen.interrupted:
        raise InterruptedTrainingError("training anew was interrupted")
    given = {"passes": chosen.passes, "planned": chosen.planned}
    network, trained = refit(cell, whole, rule, shop, **given, stage="learning anew")
    if trained.interrupted:
        raise InterruptedTrainingError("training anew was interrupted")
    return Anew(network, whole.catalog, chosen.passes, round(trained.seconds, 2))


def last_chooses(log: EventLog, valid: float) -> Split:
    """The last part of the events, by time, chooses; nothing judges."""
    place = min(len(log) - 1, int(np.ceil(len(log) * (1 - valid) - 1e-9)))
    role = np.full(len(log), VALID, np.int8)
    role[: int(np.searchsorted(log.time, log.time[place]))] = TRAIN
    return Split("time", role, None, ())
