"""What of a model is one's own: noted when it is trained, so that whoever uses it is told what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from segue.artifact import Artifact, Facts
from segue.cells import CELLS
from segue.config import Settings
from segue.errors import ConfigError
from segue.metrics import METRICS, parse
from segue.own import own_file
from segue.training.losses import LOSSES


def own_parts(settings: Settings, facts: Facts) -> dict[str, str]:
    """Metrics, loss and cell that are one's own, such as "metric profit", and the name of the file each is in."""
    words = {name.partition("@")[0] for name in (settings.train.metric, *settings.evaluate.metrics)}
    cell = facts.settings.get("network", facts.settings).get("cell")
    parts: dict[str, Callable[..., Any]] = {f"metric {word}": METRICS[word].function for word in sorted(words)}
    if cell is not None:
        parts |= {f"loss {settings.train.loss}": LOSSES[settings.train.loss].value, f"cell {cell}": CELLS[cell]}
    return {name: file for name, part in parts.items() if (file := own_file(part))}


def check_known(artifact: Artifact, names: Iterable[str]) -> None:
    """Raise ConfigError for a metric that is not known; one that was so in training is told with its file."""
    files = artifact.metrics.get("own", {})
    for name in names:
        try:
            parse(name)
        except ConfigError as error:
            file = files.get(f"metric {name.partition('@')[0]}")
            if file is None:
                raise
            raise ConfigError(
                f"`{name}` is a metric of the file {file} that this model was trained with, and is not known here: "
                f"give --import {file} (in Python, import the file before)"
            ) from error
