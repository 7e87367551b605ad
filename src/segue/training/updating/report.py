"""What an update says of itself: what was new, what was learned, and what that changed."""

from __future__ import annotations

from msgspec import Struct

from segue.errors import WorseUpdateError
from segue.training.updating.forgetting import Change


class UpdateReport(Struct, frozen=True, kw_only=True):
    """An update, told.

    Attributes:
        update_of: the version that went on; "" for one that was never saved.
        metric: what is compared.
        verdict: whether it is better on new events, in a sentence.
        worse: whether it is worse on them beyond the interval.
        changes: before and after, by parts of what was asked for; of the network that has not learned the last days.
        events, context, replayed: new events, old ones before them, and old ones of the sample that were learned again.
        items, withdrawn: how many are new, and may not be answered any more.
        passes: over the new days; 0: no weight but those of new items has changed.
        losses: the mean training loss of each pass.
        validation: the metric on the days that choose: before any pass, then after each.
        states_stay: whether states of the version before are states of this one.
        seconds: that all of it took.
        notes: what a reader must know.
    """

    update_of: str
    metric: str
    verdict: str
    worse: bool = False
    changes: list[Change] = []
    events: int = 0
    context: int = 0
    replayed: int = 0
    items: int = 0
    withdrawn: int = 0
    passes: float = 0.0
    losses: list[float] = []
    validation: list[float] = []
    states_stay: bool = False
    seconds: float = 0.0
    notes: list[str] = []


def worse(report: UpdateReport) -> WorseUpdateError:
    """The error of an update that is worse than what was there."""
    return WorseUpdateError(
        f"{report.verdict}. Nothing is written, and the model stays as it is. Try a lower update.learning_rate, more "
        "update.replay, or update.freeze; train anew; or take it as it is with --force (force=True)",
        report,
    )
