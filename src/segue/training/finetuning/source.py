"""What a trained network gives to another catalog: its core, and what it reads of items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from segue.artifact import Artifact, content_of, load_artifact
from segue.choices import look_up, shown
from segue.data.encoding import TableEncoder
from segue.data.ids import Ids
from segue.errors import ConfigError, TrainingError
from segue.models.mix import Mix
from segue.models.network import Network

KEPT = ("cell", "block", "width", "layers", "front", "convolution", "feed_forward", "time_gap", "cosine")
"""The settings of a network that go with its core."""


class Source(NamedTuple):
    """A network that has learned, with the ids of its items.

    Attributes:
        network: on PyTorch, not to be changed.
        encoder: from columns of an items table to the numbers of its content; None: it reads none.
        version: of its model.
    """

    network: Network
    items: Ids
    encoder: TableEncoder | None
    version: str

    def rows(self) -> Tensor:
        """(N, D) whole item vectors, of any length: own rows and content."""
        content = self.network.content
        if content is None:
            return self.network.table.detach()
        return content.own_parts()[0] + content.alone_rows(content.numbers)[0]

    def own_rows(self) -> Tensor:
        """(N, D) the part of them that is the items' own."""
        return self.network.table.detach() if self.network.content is None else self.network.content.own_parts()[0]

    def projection(self, encoder: TableEncoder) -> Tensor | None:
        """(C, D + 1) from numbers of some columns to vectors and biases; None where others than ours encode them."""
        content = self.network.content
        if content is None or self.encoder is None or not encoder.columns:
            return None
        if any(self.encoder.columns.get(name) is not one for name, one in encoder.columns.items()):
            return None
        parts = self.encoder.parts
        return torch.cat([content.projection.detach()[parts[name]] for name in encoder.columns])


def source_of(artifact: Artifact) -> Source:
    """What a model gives, the network of a mix among them.

    Raises:
        TrainingError: it is a baseline, which has no core.
    """
    facts = artifact.facts
    if facts.kind not in ("network", "mix"):
        raise TrainingError(
            f"`{facts.name}` is a count of its own log and has no core that another catalog could begin with: finetune "
            "a network, or train the baseline on the new log, which takes seconds"
        )
    if not isinstance(artifact.model, Network | Mix) and artifact.folder is not None:
        artifact = load_artifact(artifact.folder)
    model = artifact.model.network if isinstance(artifact.model, Mix) else artifact.model
    if not isinstance(model, Network):
        raise TrainingError("the model was loaded for answers alone: load it with PyTorch (light=False) to finetune it")
    content = content_of(artifact)
    return Source(model, artifact.catalog.ids, None if content is None else content.encoder, artifact.version)


def with_core(tree: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """What the user set, and of the network what the core decides.

    Raises:
        ConfigError: it was asked for otherwise, or what was asked for cannot be had.
    """
    if look_up(tree, "train.latency"):
        raise ConfigError(
            "train.latency chooses the shape of a network, and a core that is taken over keeps its own: leave it out, "
            "or train anew with `segue train`"
        )
    model = dict(tree.get("model", {}))
    for name in KEPT:
        own = getattr(source.network, name)
        if name in model and model[name] != own:
            raise ConfigError(
                f"model.{name} is {shown(model[name])}, and the core that is taken over has {shown(own)}, which goes "
                "with its weights: leave it out, or train anew with `segue train`"
            )
        model[name] = own
    return {**tree, "model": model}
