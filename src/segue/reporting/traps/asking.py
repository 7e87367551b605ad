"""Whether what was asked for can be answered, and whether it is enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from segue.reporting.data import Data
from segue.reporting.traps.base import Trap, level
from segue.reporting.words import counted, share


def of_asking(data: Data, split: Mapping[str, Any], users: int | None) -> Iterator[Trap]:
    """Whether what was asked for can be answered, and whether it is enough."""
    asked, unknown = split["predictions"], split.get("unknown_targets", 0)
    part = unknown / max(asked, 1)
    yield Trap(
        "Unknown targets",
        level(part, 0.02, 0.2),
        f"{unknown:,} of {counted(asked, 'prediction')} ({share(part)})",
        f"Items that no model had learned from: a miss for all, so no model can come above {share(1 - part)} here."
        if unknown
        else "Every target was learned from.",
    )
    if users is not None:
        yield Trap(
            "Users asked for",
            "matters" if users < 100 else "note" if users < 500 else "fine",
            counted(users, "user"),
            "Few: intervals are wide, and the next hundred users may differ."
            if users < 500
            else "Enough for narrow intervals.",
        )
    if data.timed:
        cold = data.statistics.cold_users
        yield Trap(
            "New users",
            level(cold, 0.5, 0.95),
            f"{share(cold)} of the last tenth's events are of users who were not there before",
            "Figures tell of strangers, for whom a model has little to go by."
            if cold > 0.5
            else "Most users who are asked for were there before.",
        )
    if split["kind"] == "leave-one-out":
        yield Trap(
            "Split",
            "matters",
            "leave one out",
            "Mixes times: a model has learned from what happened after "
            "what it is asked for, so figures are higher than what a live system sees.",
        )
    elif split["kind"] == "time":
        yield Trap("Split", "fine", "by time", "One moment for everybody: nothing was learned from what came after.")
