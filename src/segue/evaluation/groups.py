"""Parts of the predictions that deserve a figure of their own: by user, by target, and by how little is known of both.

Loads without what evaluation needs, since tables are shown by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from segue.shapes import Array, Bools

if TYPE_CHECKING:
    from segue.evaluation.phase import Phase
    from segue.evaluation.replay import Predictions

USERS = {
    "after 1 event": (1, 1),
    "after 2 events": (2, 2),
    "after 3 events": (3, 3),
    "after 4-5": (4, 5),
    "after 6 or more": (6, None),
}
"""By the events that the model had read of a user when it was asked: the fewest and the most."""

ITEMS = {
    "target learned 0 times": (0, 0),
    "target learned 1-5 times": (1, 5),
    "6-9 times": (6, 9),
    "10 or more": (10, None),
}
"""By the training events of the target, where it is in the catalog."""


def groups_of(phase: Phase, predictions: Predictions, counts: Array | None = None) -> dict[str, Bools]:
    """(P,) marks by the name of the group; where all predictions are in one group of a kind, that one is left out.

    Args:
        counts: (N,) training events of each item; by default those of the phase.
    """
    known_users = phase.replayed.of[phase.replayed.count_of(phase.earlier) > 0]
    warm = np.isin(predictions.user, known_users)
    read = events_read(phase)
    counts, target = phase.counts if counts is None else counts, predictions.target
    learned = np.where(target >= 0, counts[target], -1)
    kinds = (
        {"warm users": warm, "cold users": ~warm},
        {"repeated targets": predictions.repeated, "new targets": ~predictions.repeated},
        {name: within(read, *bounds) for name, bounds in USERS.items()},
        {name: within(learned, *bounds) for name, bounds in ITEMS.items()},
    )
    return {
        name: which
        for kind in kinds
        for name, which in kind.items()
        if which.any() and sum(map(np.any, kind.values())) > 1
    }


def events_read(phase: Phase) -> Array:
    """(P,) the events between the initial state and each prediction: of the user's session, or with `mark` of all."""
    place, starts = np.flatnonzero(phase.asked), np.flatnonzero(phase.replayed.starts)
    return np.asarray(place - starts[np.searchsorted(starts, place, side="right") - 1])


def within(values: Array, least: int, most: int | None) -> Bools:
    """Which values lie between two bounds, both among them; None: there is no upper one."""
    return np.asarray((values >= least) & (values <= (np.inf if most is None else most)))


def tables_of(groups: Iterable[str]) -> list[list[str]]:
    """The groups of a report as they go side by side: those by kind, then by the user's events, and by the target's."""
    names = list(groups)
    cold = [[name for name in names if name in kind] for kind in (USERS, ITEMS)]
    others = [name for name in names if name not in USERS and name not in ITEMS]
    return [table for table in (others, *cold) if table]
