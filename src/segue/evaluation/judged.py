"""What a table was made from, handed on while it is there: for reports that tell more than the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from segue.evaluation.context import Scored
from segue.evaluation.phase import Phase
from segue.evaluation.replay import Predictions
from segue.evaluation.report import Report
from segue.shapes import Array, Bools


class Judged(NamedTuple):
    """A table, and what it was made from.

    Attributes:
        report: the table.
        phase: what was asked.
        predictions: of each model, by name.
        values: the main metric of each prediction, by model.
        groups: (P,) marks by the name of the group.
        counts: (N,) how often each item was learned from; of a model that came with its own counts these.
        replicates, seed: of the bootstrap.
    """

    report: Report
    phase: Phase
    predictions: Mapping[str, Predictions]
    values: Mapping[str, Scored]
    groups: Mapping[str, Bools]
    counts: Array
    replicates: int
    seed: int


Watch = Callable[[Judged], None]
"""Is told of a table once it is made; what it does not keep is gone."""
