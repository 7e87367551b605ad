"""What a finetuning tells: how much the core is worth to a catalog with few users, and with more."""

from __future__ import annotations

from msgspec import Struct

from segue.evaluation.figures import figure
from segue.evaluation.report import Value

FINETUNED, SCRATCH = "finetuned", "from scratch"

HEADINGS = ("training users", "model", "value", "finetuned is better by", "in %")


class Against(Struct, frozen=True, kw_only=True):
    """The finetuned network beside another model, on the same predictions.

    Attributes:
        difference, low, high, p: paired; see `Comparison`.
        relative: the difference as a part of the other's value; null where that is 0.
        by_draw: the difference in each draw.
    """

    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    relative: float | None
    by_draw: list[float]


class ShareRow(Struct, frozen=True, kw_only=True):
    """What is reached with a part of the training users.

    Attributes:
        share: in percent.
        draws: so many times other users were drawn; the values of a prediction are its mean over them.
        users, events: learned from, on average over the draws.
        values: by model, with the interval of a bootstrap over test sequences.
        by_draw: by model, the value in each draw.
        against: by the other models.
        note: why there are no values, where there are none.
    """

    share: float
    draws: int
    users: float
    events: float
    values: dict[str, Value] = {}
    by_draw: dict[str, list[float]] = {}
    against: dict[str, Against] = {}
    note: str = ""


class TransferReport(Struct, frozen=True, kw_only=True):
    """A table over shares of the training users, all asked for the same predictions.

    Attributes:
        finetuned_of: the version of the source.
        metric: that the values are of.
        predictions, users, items: the fixed test set, and the catalog, that of all training users.
        table: what items began with.
        shares: ascending.
        seconds: that all of it took.
    """

    finetuned_of: str
    metric: str
    predictions: int
    users: int
    items: int
    table: str
    shares: list[ShareRow]
    seconds: float

    @property
    def verdict(self) -> str:
        """What each share says of finetuning and training from scratch, in a sentence."""
        told = [verdict_of(row, self.metric) for row in self.shares if row.against]
        return "; ".join(told) if told else "there were too few users to compare anything"

    def rows(self) -> list[list[str]]:
        """The table, cell by cell."""
        rows = []
        for row in self.shares:
            users = f"{row.share:g} % ({row.users:,.0f}" + (f", {row.draws} draws)" if row.draws > 1 else ")")
            if not row.values:
                rows.append([users, row.note, "-", "-", "-"])
            for name, value in row.values.items():
                rows.append([users, name, figure(value), *difference(row.against.get(name))])
                users = ""
        return rows


def verdict_of(row: ShareRow, metric: str) -> str:
    """One share in words."""
    found = row.against[SCRATCH]
    if found.difference is None or found.low is None or found.high is None:
        return f"at {row.share:g} % too few test users to tell"
    how = "better than" if found.low > 0 else "WORSE THAN" if found.high < 0 else "not to be told from"
    part = "" if found.relative is None else f" ({found.relative:+.0%})"
    return f"at {row.share:g} % finetuned is {how} from scratch: {found.difference:+.4f}{part} in {metric}"


def difference(found: Against | None) -> list[str]:
    """A difference with its interval, and as a part of the other's value."""
    if found is None or found.difference is None:
        return ["", ""]
    told = f"{found.difference:+.4f}"
    if found.low is not None and found.high is not None:
        told += f" ({found.low:+.4f} to {found.high:+.4f})"
    return [told, "-" if found.relative is None else f"{100 * found.relative:+.0f}"]
