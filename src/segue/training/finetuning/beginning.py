"""What a network begins with: the core of a source, and an item table from content, by shared ids, or by chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from segue.config import FinetuneSettings
from segue.evaluation.phase import Phase
from segue.models.network import Network
from segue.shapes import Longs
from segue.training.course import CORE, OF_CONTENT, Course, Moves
from segue.training.finetuning.source import Source

SMALL = 0.1
"""The own row of an item whose content speaks for it, as a part of what own rows are like in the source."""


class Beginning(NamedTuple):
    """An origin of networks (see `Origin`).

    Attributes:
        source: whose core it is.
        settings: see `FinetuneSettings`.
        same_items: an item with the id of one of the source is that one.
    """

    source: Source
    settings: FinetuneSettings
    same_items: bool = False

    @property
    def waits(self) -> int:
        """Epochs until all of it moves."""
        return self.settings.unfreeze * len(self.source.network.stack.layers)

    @property
    def course(self) -> Course:
        """The item table first, then one layer after another, from the top down; and what draws them back."""
        return Course(
            moves=unfreezing(len(self.source.network.stack.layers), self.settings.unfreeze),
            pull=self.settings.pull,
            free=("boundary", "pause", "event_part", *OF_CONTENT),
            core_rate=self.settings.core_rate,
        )

    @torch.no_grad()
    def begin(self, network: Network, phase: Phase) -> None:
        """Put the core of the source into a new network, and what is known of the items into its table."""
        origin = self.source.network
        network.stack.load_state_dict(origin.stack.state_dict())
        for name in ("boundary", "pause"):
            here, there = getattr(network, name), getattr(origin, name)
            if here is not None and there is not None:
                here.copy_(there)
        rows = self.source.rows()
        chance = network.table / network.table.std()
        if not network.cosine:  # the core has learned from rows of such a size; with cosines size means nothing
            network.table.copy_(chance * rows.std())
        if network.content is not None and phase.content is not None:
            projection = self.source.projection(phase.content.encoder)
            if projection is not None:
                network.content.projection.copy_(projection)
                assert origin.content is not None
                network.content.bias.copy_(origin.content.bias)
                told = network.content.numbers.any(dim=1)
                network.table[told] = chance[told] * SMALL * self.source.own_rows().std()
        here, there = self.shared(phase)
        if len(here):
            at, their = torch.from_numpy(here), torch.from_numpy(there)
            vectors, biases = rows[their], origin.bias[their]
            if network.content is not None:
                part, bias = network.content.alone_rows(network.content.numbers[at])
                vectors, biases = vectors - part, biases - (bias - network.content.bias)
            network.table[at] = vectors
            network.bias.copy_(origin.bias.median())
            network.bias[at] = biases

    def shared(self, phase: Phase) -> tuple[Longs, Longs]:
        """The items that the source has too: their indices here and there; none unless ids mean the same."""
        if not self.same_items:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        there = self.source.items.places_of(phase.catalog.ids).astype(np.int64)
        return np.flatnonzero(there >= 0), there[there >= 0]

    def told(self, phase: Phase) -> str:
        """What the items of a catalog begin with, in a sentence."""
        N = len(phase.catalog)
        known = np.zeros(N, bool)
        known[self.shared(phase)[0]] = True
        parts = [f"{int(known.sum()):,} with the source's vectors, by their ids"] if self.same_items else []
        by_content = np.zeros(N, bool)
        if phase.content is not None and self.source.projection(phase.content.encoder) is not None:
            by_content = phase.content.numbers.any(axis=1) & ~known
            parts.append(f"{int(by_content.sum()):,} from content, as the source reads it")
        parts.append(f"{int((~known & ~by_content).sum()):,} anew, by chance")
        return f"of {N:,} items begin {', '.join(parts)}"


def unfreezing(layers: int, epochs: int) -> Moves:
    """What moves when: a stage takes so many epochs; each has the next layer from the top besides those before it.

    Source: Howard and Ruder, Universal Language Model Fine-tuning (2018), sec. 3.3, with the item table, which is input
    and output at once, in place of the last layer.

    >>> moves = unfreezing(2, 3)
    >>> names = "table", "stack.layers.1.w", "stack.layers.0.w"
    >>> [[name for name in names if moves(name, epoch)][-1] for epoch in (2, 3, 5, 6)]
    ['table', 'stack.layers.1.w', 'stack.layers.1.w', 'stack.layers.0.w']
    """

    def moves(name: str, epoch: int) -> bool:
        return stage_of(name, layers) * epochs <= epoch

    return moves


def stage_of(name: str, layers: int) -> int:
    """The stage from which on a parameter learns: 0 what has to do with items, 1 the top layer and the norm above."""
    if not name.startswith(CORE):
        return 0
    part, _, rest = name.removeprefix(CORE).partition(".")
    return layers - int(rest.partition(".")[0]) if part == "layers" else 1
