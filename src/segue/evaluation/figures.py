"""Figures as tables have them, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line shows its help without what a report needs
    from segue.evaluation.report import Value


def figure(value: Value) -> str:
    """A figure and half its interval."""
    if value.value is None:
        return "-"
    if value.low is None or value.high is None:
        return f"{value.value:.4f}"
    return f"{value.value:.4f} ±{(value.high - value.low) / 2:.4f}"


def differs(found: Mapping[str, float | None]) -> str:
    """A paired difference with its interval."""
    value, low, high = (found[name] for name in ("difference", "low", "high"))
    if value is None:
        return "-"
    return f"{value:+.4f}" if low is None or high is None else f"{value:+.4f} ({low:+.4f} to {high:+.4f})"
