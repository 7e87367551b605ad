"""What a model says of itself to people: kept beside it while it serves, in bounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from segue.artifact.content import Artifact, Facts
from segue.artifact.curves import Curve, curves_of
from segue.artifact.frontier import Measured, frontier_of
from segue.config import Settings

LONGEST_CARD = 2**17
"""Characters of the card; what is longer ends there."""

MOST_BYTES = 2**20
"""Of the metrics as JSON; larger ones, as of a report with metrics of one's own, are left out."""

CUT = "\n\n*(cut here: the whole card is in the folder of the model)*\n"


class About(Struct, frozen=True, kw_only=True):
    """What a model says of itself.

    Attributes:
        version: of the model.
        facts: what the artifact says.
        settings: those it was trained with.
        card: the README, at most `LONGEST_CARD` characters.
        metrics: the content of `metrics.json`; empty where that is larger than `MOST_BYTES`.
        parameters: weights of the network; None: it is none.
        left_out: what is not whole, a sentence each.
        folder: where the model is; None: it is not on the disk.
    """

    version: str
    facts: Facts
    settings: Settings
    card: str
    metrics: dict[str, Any]
    parameters: int | None
    left_out: list[str]
    folder: Path | None

    @classmethod
    def of(cls, artifact: Artifact) -> About:
        """What an artifact says, with as much of it as the bounds let in."""
        left_out, card = [], artifact.card
        if len(card) > LONGEST_CARD:
            left_out.append(f"the card has {len(card):,} characters and is cut at {LONGEST_CARD:,}")
            card = card[:LONGEST_CARD] + CUT
        data = msgspec.json.encode(artifact.metrics)
        if len(data) > MOST_BYTES:
            left_out.append(f"metrics.json has {len(data):,} bytes, more than {MOST_BYTES:,}, and is left out")
            data = b"{}"
        return cls(
            version=artifact.version,
            facts=artifact.facts,
            settings=artifact.settings,
            card=card,
            metrics=msgspec.json.decode(data),
            parameters=artifact.parameters,
            left_out=left_out,
            folder=artifact.folder,
        )

    @property
    def curves(self) -> list[Curve]:
        """How it was learned, and how it last went on; none of a baseline."""
        return curves_of(self.metrics, self.settings.train.metric)

    def frontier(self) -> Measured | None:
        """What diversity costs it, as last measured: read now, so that it is there as soon as it was measured."""
        return frontier_of(self.folder, self.version)

    def set_apart(self) -> dict[str, Any]:
        """The settings that are not segue's own defaults, by their dotted names."""
        return dict(differences(msgspec.to_builtins(self.settings), msgspec.to_builtins(Settings())))


def differences(values: dict[str, Any], usual: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """The values that are others than usual, by dotted names."""
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(usual.get(name), dict):
            yield from differences(value, usual[name], f"{within}{name}.")
        elif name not in usual or value != usual[name]:
            yield f"{within}{name}", value
