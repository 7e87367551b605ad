"""How far a training has come: what a checkpoint says besides tensors."""

from __future__ import annotations

import msgspec


class Standing(msgspec.Struct):
    """How far a training has come.

    Attributes:
        epoch, window: the next to train, from 0.
        events: learned from in the epoch in hand.
        share, trained: of the whole schedule that is behind, now and when the last window was.
        bent: whether the clock has ever been further than the passes.
        passes: over the log, when the last epoch ended.
        best, best_epoch, best_passes: the best validation metric so far, the epoch it came after, from 1, and the
            passes it took.
        slowest_validation, validating: seconds of the slowest, and of all.
        curve: for each finished epoch its mean loss and its validation metric.
        loss, targets: sums over the epoch in hand.
        seconds: spent before the last interruption.
        threads, precision: that share the work, and of the products: others would change the last bits of sums.
    """

    epoch: int = 0
    window: int = 0
    events: int = 0
    share: float = 0.0
    trained: float = 0.0
    bent: bool = False
    passes: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    best_passes: float = 0.0
    slowest_validation: float = 0.0
    validating: float = 0.0
    curve: list[tuple[float, float | None]] = []
    loss: float = 0.0
    targets: int = 0
    seconds: float = 0.0
    threads: int = 1
    precision: str = "float32"

    @property
    def mean_loss(self) -> float:
        """Of the epoch in hand."""
        return self.loss / max(self.targets, 1)
