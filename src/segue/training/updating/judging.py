"""How many passes over new days do best, and what they change: on days that were not learned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data.catalog import Catalog
from segue.data.splits import TEST, VALID
from segue.errors import TrainingError
from segue.evaluation.phase import Phase, laid_out, of_part, phase_of
from segue.shapes import Array, Bools
from segue.training.updating.days import Days, learned_of
from segue.training.updating.forgetting import Change, Side, change_on_old, changes_on
from segue.training.updating.items import enlarged
from segue.training.updating.learning import choose, lesson_of
from segue.training.updating.rounds import Round


class Judged(NamedTuple):
    """What was found on the last of the new days.

    Attributes:
        passes: that are best; 0: none.
        validation: the metric by passes, that before any pass first.
        losses: the mean loss of each pass.
        changes: before and after; empty where nothing could be judged.
    """

    passes: float
    validation: list[float]
    losses: list[float]
    changes: list[Change]


def judged(this: Round, days: Days, user: Array) -> Judged:
    """Learn the first of the new days, choose on those after them, and judge on the last.

    Args:
        user: (U,) hashes of the log's users.

    Raises:
        TrainingError: there is too little to choose or judge by, unless the update is forced.
    """
    artifact, settings, known = this.artifact, this.settings, this.source.n_items
    part = days.log.where(days.split.below(VALID))
    catalog, _ = enlarged(artifact.catalog, items_in(days, VALID), this.items)
    choosing, judging = (phase_for(this, days, catalog, ask) for ask in (VALID, TEST))
    if days.first == len(part) or not (choosing.asked.any() and judging.asked.any()):
        why = (
            f"{days.new:,} new events are too few to choose the number of passes by and to judge them: "
            f"{int(choosing.asked.sum()):,} and {int(judging.asked.sum()):,} could be asked for"
        )
        if not this.force:
            raise TrainingError(
                f"{why}. Wait for more days, take larger shares (--set split.valid=0.2 --set split.test=0.2), or take "
                f"the update unjudged, after {settings.update.epochs} passes, with --force (force=True)"
            )
        this.say(f"note: {why}; it is made unjudged, after {settings.update.epochs} passes")
        return Judged(float(settings.update.epochs), [], [], [])
    laid = laid_out(part, artifact.facts.rule, catalog, *of_part(days.worth, days.features, days.split, VALID))
    sequences, new = learned_of(laid, days.first, artifact.facts.rule, settings.train.window)
    begun = this.larger(catalog, sequences)
    found = choose(
        begun, known, lesson_of(sequences, new, this.replay, settings), choosing, settings, this.say, this.show
    )
    before, after = Side(this.source, known), Side(found.network, len(catalog))
    exclude = artifact.facts.exclude
    changes = changes_on(judging, before, after, settings, exclude=exclude, old_users=old_users(this, days, user))
    if this.replay is not None:
        old = change_on_old(this.replay, catalog, before, after, settings, exclude=exclude)
        changes += [] if old is None else [old]
    return Judged(found.passes, found.values, found.losses, changes)


def phase_for(this: Round, days: Days, catalog: Catalog, ask: int) -> Phase:
    """What a part of the new days asks."""
    settings = this.settings
    return phase_of(
        days.log,
        days.split,
        this.artifact.facts.rule,
        ask=ask,
        catalog=catalog,
        at_most=settings.train.validation_predictions,
        seed=settings.seed,
        worth=days.worth,
        features=days.features,
    )


def items_in(days: Days, below: int) -> list[str]:
    """The items of the new events of the parts before one, in the order in which they came."""
    item = days.log.item[: int(np.count_nonzero(days.split.role < below))][days.first :]
    places, first = np.unique(item, return_index=True)
    return days.log.items.take(places[np.argsort(first)])


def old_users(this: Round, days: Days, user: Array) -> Bools:
    """(U,) who was there before the new days, as far as log and sample tell."""
    found = np.zeros(len(user), bool)
    found[days.log.user[: days.first]] = True
    return found if this.replay is None else found | np.isin(user, this.replay.user)
