"""What was measured on a model earlier, and kept with it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from segue.artifact import Artifact, frontier_of
from segue.evaluation.points import Frontier
from segue.reporting.sections.frontier import frontier_part


class Kept(NamedTuple):
    """A frontier, and when it was measured: UTC, ISO 8601."""

    frontier: Frontier
    measured_at: str


def kept_frontier(artifact: Artifact) -> Kept | None:
    """What diversity costs a model, as last measured on this very version; None where nothing was, or it is damaged."""
    found = frontier_of(artifact.folder, artifact.version)
    if found is None:
        return None
    try:
        frontier = msgspec.convert(found.frontier, Frontier)
        frontier_part(frontier, found.measured_at)
    except (msgspec.ValidationError, KeyError, TypeError, ValueError, StopIteration):
        return None  # a picture for people: damage costs no evaluation
    return Kept(frontier, found.measured_at)
