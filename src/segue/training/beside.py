"""Where a training keeps what is not yet a model."""

from __future__ import annotations

from pathlib import Path


def checkpoint_folder(out: Path) -> Path:
    """Where the checkpoints of a training to `out` are kept: beside it."""
    return out.with_name(f".{out.name}.checkpoints")
