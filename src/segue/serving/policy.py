"""How events count."""

from __future__ import annotations

from dataclasses import dataclass

from segue.serving.events import LateEvents
from segue.serving.store.base import Order


@dataclass(frozen=True)
class Policy:
    """How events count.

    Attributes:
        late: what happens to an event that is older than the user's last one.
        refold_events: a state is folded anew from at most so many of the last events; None: as many as the model that
            serves saw at once in training.
        ahead: seconds; an event that claims to come after them is refused: no later one would open a session.
    """

    late: LateEvents = "append"
    refold_events: int | None = None
    ahead: float = 86_400.0

    @property
    def order(self) -> Order:
        """In which order a history is folded."""
        return "time" if self.late == "refold" else "arrival"
