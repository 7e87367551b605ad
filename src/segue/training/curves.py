"""How a network learned, as files of its artifact."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.charts import lines, stacked
from segue.config import Settings
from segue.training.candidates import Fitted


def diagnosis_of(fitted: Fitted, settings: Settings) -> dict[str, str]:
    """Texts by the names of files; none of a baseline."""
    if not fitted.curve:
        return {}
    found = {"curves.svg": curves(fitted.curve, best=fitted.epochs, metric=settings.train.metric)}
    if fitted.gradients is not None:
        told = {"clip": settings.train.clip, "norms": fitted.gradients}
        found["gradients.json"] = msgspec.json.format(msgspec.json.encode(told)).decode()
    return found


def curves(curve: Sequence[tuple[float, float | None]], *, best: int, metric: str) -> str:
    """Training loss and validation metric by epoch, one below the other, as the text of an SVG file.

    Args:
        curve: for each epoch its mean loss, and its validation metric or None.
        best: the epoch that was taken, from 1.
        metric: the name of the validation metric.
    """
    losses = [(float(epoch), loss) for epoch, (loss, _) in enumerate(curve, 1)]
    values = [(float(epoch), value) for epoch, (_, value) in enumerate(curve, 1) if value is not None]
    taken = [(epoch, value) for epoch, value in values if epoch == best]
    return stacked(
        [
            lines({"training": losses}, title="loss on the training part", x="epoch", y="mean loss"),
            lines(
                {"validation": values, "taken": taken}, title=f"{metric} on the validation part", x="epoch", y=metric
            ),
        ]
    )
