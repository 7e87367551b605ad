"""What a shard has done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from segue.serving.lists import fallback
from segue.serving.lists.asks import Ranked
from segue.serving.task import Done, Task

SOURCES = ("state", "initial_state", "pin", *fallback.SOURCES)
"""Where an item of a list comes from."""


@dataclass
class Tally:
    """What a shard has done since it began.

    Attributes:
        events, duplicates, conflicts, late: of events, what became of them; `late` were refused for their time.
        answers: lists given; `short`: those of them with fewer items than were asked for.
        items: of the lists, by where they come from.
        refolds: states folded anew; `cut`: those of them whose history was longer than `refold_events`.
        damaged: states that could not be read.
        turns: how often waiting tasks were taken together, and `tasks`: how many these were.
    """

    events: int = 0
    duplicates: int = 0
    conflicts: int = 0
    late: int = 0
    answers: int = 0
    short: int = 0
    items: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SOURCES, 0))
    refolds: int = 0
    cut: int = 0
    damaged: int = 0
    turns: int = 0
    tasks: int = 0

    def add(self, done: Sequence[Done], tasks: Sequence[Task]) -> None:
        """One more turn."""
        self.turns += 1
        self.tasks += len(tasks)
        for one in done:
            if one.ranked is not None:
                self.answered(one.ranked)
            for observed in one.observed:
                self.events += observed.refused is None and not observed.duplicate
                self.duplicates += observed.duplicate
                self.conflicts += observed.refused == "conflict"
                self.late += observed.refused in ("late", "future")

    def answered(self, ranked: Ranked) -> None:
        """One more list."""
        self.answers += 1
        self.short += ranked.short is not None
        self.items[ranked.source] += len(ranked.items) - len(ranked.filled) - len(ranked.pinned)
        if ranked.pinned:
            self.items["pin"] += len(ranked.pinned)
        for source in ranked.filled.values():
            self.items[source] += 1
