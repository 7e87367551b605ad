"""Models by name, imported when asked for: a baseline never loads PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from segue.errors import ConfigError, did_you_mean
from segue.models.base import Model, SessionRule
from segue.shapes import Array

KINDS = {
    "network": "segue.models.network:Network",
    "popularity": "segue.models.popularity:Popularity",
    "recent_popularity": "segue.models.recent_popularity:RecentPopularity",
    "markov": "segue.models.markov:Markov",
    "sknn": "segue.models.neighbours:Neighbours",
    "mix": "segue.models.mix:Mix",
}
"""Every kind of model and where it lives."""

BASELINES = ("popularity", "recent_popularity", "markov", "sknn")

MIX = "mix"
"""A network and session neighbours in one: not a baseline, and no recurrent layer."""


def kind_of(name: str) -> type[Any]:
    """The class of a kind of model. Raises ConfigError, with the nearest name, if there is none."""
    if name not in KINDS:
        raise ConfigError(f"`{name}` is not a model{did_you_mean(name, model_names())}")
    module, _, attribute = KINDS[name].partition(":")
    found: type[Any] = getattr(import_module(module), attribute)
    return found


def model_names() -> list[str]:
    """What may be asked for by name: every baseline, a mix, and a network of every cell."""
    return [*BASELINES, MIX, *cell_names()]


def cell_names() -> list[str]:
    """Every recurrent layer by name; loads PyTorch, which is why it is not imported above."""
    return list(import_module("segue.cells").CELLS)


def restore(
    kind: str,
    n_items: int,
    rule: SessionRule,
    settings: Mapping[str, Any],
    arrays: Mapping[str, Array],
    step: bytes | None = None,
) -> Model:
    """A model as it was saved. Raises ArtifactError where arrays do not fit it.

    Args:
        step: of a network, or of the network in a mix: the graph to run in place of PyTorch.
    """
    model: Model = (
        kind_of(kind)(n_items, rule=rule, **settings)
        if step is None or kind in BASELINES
        else without_torch(kind, n_items, rule, settings, step)
    )
    model.load_arrays(dict(arrays))
    return model


def without_torch(kind: str, n_items: int, rule: SessionRule, settings: Mapping[str, Any], step: bytes) -> Model:
    """A network that runs this graph, or a mix with one."""
    exported = import_module("segue.models.exported").Exported
    if kind != MIX:
        network: Model = exported(n_items, rule=rule, graph=step, **settings)
        return network
    of_network = exported(n_items, rule=rule, graph=step, **settings["network"])
    mix: Model = kind_of(MIX)(n_items, rule=rule, **{**settings, "network": of_network})
    return mix
