"""A log as if it had fewer training users: nested draws, one catalog, one test set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data.events import EventLog
from segue.data.sessions import Sequences
from segue.data.splits import TEST, VALID, Split
from segue.evaluation.phase import Phase, laid_out, of_part, phase_of
from segue.rng import stream
from segue.shapes import Array, Bools, Longs
from segue.training.plan import Plan


class Part(NamedTuple):
    """What there is to learn from with some of the training users.

    Attributes:
        choose, judge: the phases; what is asked in the end is the same in all parts.
        users, events: learned from in the end.
    """

    choose: Phase
    judge: Phase
    users: int
    events: int


class Drawing(NamedTuple):
    """One draw of training users, to be taken from the front: a smaller share is a part of a larger one.

    Attributes:
        choosing: users with events that choose, in drawn order.
        others: the others that may be learned from.
    """

    choosing: Longs
    others: Longs

    def users(self, share: float) -> Longs:
        """Of both kinds so many per cent, and at least one of each."""
        return np.concatenate([of[: int(np.ceil(len(of) * share / 100))] for of in self])


def drawing_of(plan: Plan, draw: int) -> Drawing:
    """A draw by the seed: who chooses and who does not are drawn apart, so that there is something to choose by."""
    asked = plan.choose.replayed
    chooses = np.zeros(len(plan.log.users), bool)
    chooses[asked.of[asked.count_of(plan.choose.asked) > 0]] = True
    learns = np.zeros(len(plan.log.users), bool)
    learns[plan.log.user[plan.split.below(last_of(plan))]] = True
    rng = stream(plan.settings.seed, f"finetune: draw {draw}")
    return Drawing(rng.permutation(np.flatnonzero(chooses)), rng.permutation(np.flatnonzero(learns & ~chooses)))


def last_of(plan: Plan) -> int:
    """The first part that is not learned from in the end."""
    return TEST if plan.settings.train.refit else VALID


def part_of(plan: Plan, users: Longs) -> Part:
    """What there is to learn from with some users, for the catalog and the test set of all."""
    drawn = np.zeros(len(plan.log.users), bool)
    drawn[users] = True
    keep: Bools = drawn[plan.log.user]
    log, worth = plan.log.where(keep), None if plan.worth is None else plan.worth[keep]
    split = plan.split._replace(role=plan.split.role[keep])
    choose = phase_of(
        log,
        split,
        plan.rule,
        ask=VALID,
        catalog=plan.judge.catalog,
        at_most=plan.settings.train.validation_predictions,
        seed=plan.settings.seed,
        worth=worth,
    )
    choose = choose._replace(cutoff=plan.choose.cutoff, content=plan.judge.content)
    learned = learned_of(log, split, plan, worth)
    return Part(choose, plan.judge._replace(learned=learned), len(learned.of), len(learned))


def learned_of(log: EventLog, split: Split, plan: Plan, worth: Array | None) -> Sequences:
    """The events that are learned from in the end."""
    below = last_of(plan)
    return laid_out(log.where(split.below(below)), plan.rule, plan.judge.catalog, of_part(worth, None, split, below)[0])
