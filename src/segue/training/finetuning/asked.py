"""The one test set that every model is asked, and how sure figures on it are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from segue.evaluation.context import Context, Scored, chosen_length
from segue.evaluation.measures import compared, interval, number
from segue.evaluation.phase import Phase
from segue.evaluation.replay import replay
from segue.metrics import Bootstrap
from segue.models.base import Model
from segue.rng import stream
from segue.shapes import Array
from segue.training.finetuning.report import FINETUNED, Against, ShareRow
from segue.training.finetuning.shares import Part
from segue.training.plan import Plan


class Asked:
    """The one test set, and how sure figures on it are."""

    def __init__(self, plan: Plan) -> None:
        self.settings = plan.settings
        self.user = np.zeros(0, np.int64)
        self._resamples: Bootstrap | None = None

    def scored(self, models: Mapping[str, Model], phase: Phase) -> dict[str, Scored]:
        """The values of the main metric, prediction by prediction."""
        settings, found = self.settings, {}
        for name, model in models.items():
            predictions = replay(
                model,
                phase.replayed,
                phase.asked,
                exclude=settings.evaluate.exclude,
                k=chosen_length(settings.train.metric),
                memory_mb=settings.evaluate.memory_mb,
            )
            found[name] = Context(phase).scored(settings.train.metric, predictions)
            self.user = predictions.user
        return found

    def row(self, share: float, found: Sequence[tuple[Part, dict[str, Scored]]]) -> ShareRow:
        """One share: means over the draws, and how they differ."""
        if self._resamples is None:
            rng = stream(self.settings.seed, "finetune: bootstrap")
            self._resamples = Bootstrap(self.user, rng=rng, replicates=self.settings.evaluate.replicates)
        names = list(found[0][1])
        pooled = {name: mean_of([scored[name] for _, scored in found]) for name in names}
        by_draw = {name: [scored[name].mean() for _, scored in found] for name in names}
        own = pooled[FINETUNED]
        against = {}
        for name in names:
            if name != FINETUNED:
                other = pooled[name].mean()
                difference = compared(self._resamples, own, pooled[name])
                value = difference["difference"]
                against[name] = Against(
                    **difference,
                    relative=None if value is None or not other > 0 else value / other,
                    by_draw=[a - b for a, b in zip(by_draw[FINETUNED], by_draw[name], strict=True)],
                )
        return ShareRow(
            share=share,
            draws=len(found),
            users=float(np.mean([part.users for part, _ in found])),
            events=float(np.mean([part.events for part, _ in found])),
            values={name: interval(self._resamples, one) for name, one in pooled.items()},
            by_draw={name: [number(value) or 0.0 for value in values] for name, values in by_draw.items()},
            against=against,
        )


def mean_of(draws: Sequence[Scored]) -> Scored:
    """Of each prediction the mean over the draws."""
    values: Array = np.mean([one.values for one in draws], axis=0)
    return Scored(values, draws[0].weights)
