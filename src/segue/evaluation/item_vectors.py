"""The space that the diversity of a list is measured in."""

from __future__ import annotations

import numpy as np

from segue.evaluation.phase import Phase
from segue.metrics import attribute_vectors, cooccurrence_vectors
from segue.rng import stream
from segue.shapes import Floats

SPACE_EVENTS = 5_000_000
"""How many events the space of diversity is made from at most."""


def item_vectors(phase: Phase, seed: int) -> tuple[Floats, str]:
    """The space diversity is measured in, never the model's own, and its name."""
    rng = stream(seed, "item vectors")
    categories = phase.catalog.columns.get("categories")
    if categories is not None and any(categories):
        return attribute_vectors(categories, rng=rng), "the items' categories"
    learned, space = phase.learned, "sessions in common in training"
    # The newest users suffice to tell which items go together; all events would cost 40 bytes each.
    first = int(np.searchsorted(learned.bounds, len(learned) - SPACE_EVENTS)) if len(learned) > SPACE_EVENTS else 0
    first = min(first, len(learned.of) - 1)
    left = int(learned.bounds[first])
    if left:
        space += f", of the {len(learned.of) - first:,} newest users"
    sequence = np.cumsum(learned.opens[left:])
    return cooccurrence_vectors(learned.item[left:], sequence, len(phase.catalog), rng=rng), space
