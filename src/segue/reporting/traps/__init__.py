"""What in a log makes a figure mean less than it seems, each with what was found and why it matters or does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.reporting.data import Data
from segue.reporting.traps.asking import of_asking
from segue.reporting.traps.base import Trap
from segue.reporting.traps.content import of_items, of_people
from segue.reporting.traps.log import of_rows, of_times

__all__ = ["Trap", "traps_of"]


def traps_of(data: Data, split: Mapping[str, Any], users: int | None) -> list[Trap]:
    """Everything that was looked at, what matters first.

    Args:
        data: the log.
        split: of a table or a frontier, with its predictions.
        users: who were asked for, if that is known.
    """
    found = [*of_rows(data), *of_times(data), *of_people(data), *of_items(data), *of_asking(data, split, users)]
    order = {"matters": 0, "note": 1, "fine": 2}
    return sorted(found, key=lambda trap: order[trap.level])
