"""What a shard has done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from segue.serving.task import Done, Task


@dataclass
class Tally:
    """What a shard has done since it began.

    Attributes:
        events, duplicates, conflicts, late: of events, what became of them; `late` were refused for their time.
        answers: lists given.
        refolds: states folded anew; `cut`: those of them whose history was longer than `refold_events`.
        damaged: states that could not be read.
        turns: how often waiting tasks were taken together, and `tasks`: how many these were.
    """

    events: int = 0
    duplicates: int = 0
    conflicts: int = 0
    late: int = 0
    answers: int = 0
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
            self.answers += one.ranked is not None
            for observed in one.observed:
                self.events += observed.refused is None and not observed.duplicate
                self.duplicates += observed.duplicate
                self.conflicts += observed.refused == "conflict"
                self.late += observed.refused in ("late", "future")
