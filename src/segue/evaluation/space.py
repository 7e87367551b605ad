"""The space that diversity is measured in, and what is new in the events learned from."""

from __future__ import annotations

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.evaluation.item_vectors import item_vectors
from segue.evaluation.phase import Phase
from segue.models.known_items import attributes_of, new_since
from segue.shapes import Bools, Floats


def measured_by(phase: Phase, seed: int) -> tuple[Floats, str]:
    """The space that diversity is measured in, never the model's own: attributes, else sessions in common."""
    return attributes_of(phase.catalog.columns, seed) or item_vectors(phase, seed)


def new_items(learned: Sequences, n_items: int) -> Bools | None:
    """(N,) which items have their first event in the last tenth of the time learned from; None without times."""
    if not learned.timed or not len(learned):
        return None
    first = np.full(n_items, np.inf)
    low, high = np.inf, -np.inf
    for block in spill.blocks(len(learned)):
        item, time = learned.item[block], learned.time[block]
        low, high = min(low, float(time.min())), max(high, float(time.max()))
        np.minimum.at(first, item[item >= 0], time[item >= 0])
    return new_since(first, high, low)
