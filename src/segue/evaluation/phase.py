"""What a model may learn from, and what it is asked: the same for every model in a table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.catalog import Catalog, ItemTable
from segue.data.encoding import Content
from segue.data.encoding.bound import EventFeatures
from segue.data.events import EventLog
from segue.data.sessions import Sequences, lay_out
from segue.data.splits import Split
from segue.evaluation.replay import askable
from segue.models.base import SessionRule
from segue.rng import stream
from segue.shapes import Array, Bools, Floats


class Phase(NamedTuple):
    """One round of learning and asking.

    Attributes:
        catalog: the items that occur in the events learned from, and no others.
        learned: the events learned from; items are indices of the catalog.
        replayed: these and the asked ones, up to the asked part; items outside the catalog are -1.
        asked: (E,) which of the replayed events are asked for.
        earlier: (E,) which of the replayed events were learned from.
        cutoff: Unix seconds from which on nothing was learned, or None.
        left_out: asked events that a cap on their number left out.
        first: events of the asked part that open a session, and so are no targets.
        unwanted: further ones that are not to be predicted.
        weight: (E,) what each replayed event is worth, in the order of the log (see `Sequences.order`), or None.
        content: what the items are, for a model that reads it; None: nothing is known.
    """

    catalog: Catalog
    learned: Sequences
    replayed: Sequences
    asked: Bools
    earlier: Bools
    cutoff: float | None
    left_out: int = 0
    first: int = 0
    unwanted: int = 0
    weight: Floats | None = None
    content: Content | None = None

    @property
    def counts(self) -> Array:
        """(N,) how often each item was learned from."""
        return spill.counted(self.learned.item, len(self.catalog))

    @property
    def unknown_targets(self) -> int:
        """Asked events whose item is outside the catalog: misses for every model."""
        item = self.replayed.item
        return sum(int(np.count_nonzero(self.asked[b] & (item[b] < 0))) for b in spill.blocks(len(item)))


def phase_of(
    log: EventLog,
    split: Split,
    rule: SessionRule,
    *,
    ask: int,
    learn_below: int | None = None,
    items: ItemTable | None = None,
    catalog: Catalog | None = None,
    at_most: int | None = None,
    seed: int = 1,
    worth: Floats | None = None,
    features: EventFeatures | None = None,
) -> Phase:
    """Learn from the parts before `ask`, ask for the part `ask`.

    Args:
        ask: `VALID` or `TEST`.
        learn_below: learn from the parts before this one instead.
        items: what is known of the items.
        catalog: of a model that is there already; by default the items learned from.
        at_most: ask for about so many events at most: whole users are drawn by the seed.
        worth: (E,) of each event of the log, see `worth_of`.
        features: of the events of the log, for a model that reads them.
    """
    below = ask if learn_below is None else learn_below
    learned, replayed = log.where(split.below(below)), log.where(split.below(ask + 1))
    catalog = Catalog.of(learned, items) if catalog is None else catalog
    laid = laid_out(replayed, rule, catalog, *of_part(worth, features, split, ask + 1))
    role = spill.kept(split.role, split.below(ask + 1))

    def wanted(block: slice) -> Bools:
        return np.asarray(role[laid.order[block]] == ask)

    asked = spill.filled(len(laid), bool, lambda b: wanted(b) & askable(laid, b), laid.order, laid.opens, laid.starts)
    earlier = spill.filled(len(laid), bool, lambda block: role[laid.order[block]] < ask, laid.order)
    before = count(asked)
    others = int(spill.counted(role, ask + 1)[ask]) - before
    first = sum(int((wanted(b) & (laid.opens[b] | laid.starts[b])).sum()) for b in spill.blocks(len(laid)))
    if at_most is not None and before > at_most:
        asked = asked_of_drawn(laid, asked, at_most, seed)
    ask_from = split.first(ask)
    return Phase(
        catalog=catalog,
        learned=laid if below == ask + 1 else laid_out(learned, rule, catalog, *of_part(worth, features, split, below)),
        replayed=laid,
        asked=asked,
        earlier=earlier,
        cutoff=None if split.cutoff is None or ask_from is None else float(log.time[ask_from]),
        left_out=before - count(asked),
        first=first,
        unwanted=others - first,
        weight=replayed.weight,
    )


def laid_out(
    log: EventLog,
    rule: SessionRule,
    catalog: Catalog,
    worth: Floats | None = None,
    features: EventFeatures | None = None,
) -> Sequences:
    """A log by user, with the items of a catalog."""
    item = catalog.items_of(log)
    gap, start = rule.gap, rule.at_session_start
    return lay_out(log, gap=gap, at_session_start=start, item=item, worth=worth, features=features)


def of_part(
    worth: Floats | None, features: EventFeatures | None, split: Split, below: int
) -> tuple[Floats | None, EventFeatures | None]:
    """The worth and the features of the events of the parts before one."""
    marks = split.below(below)
    kept = None if features is None else features.each(lambda column: spill.kept(column, marks))
    return None if worth is None else spill.kept(worth, marks), kept


def drawn_users(sequences: Sequences, asked: Bools, at_most: int, seed: int) -> Bools:
    """(E,) True for the events of users drawn until they have `at_most` asked events; the last may bring more."""
    wanted = sequences.count_of(asked)
    order = stream(seed, "drawn users").permutation(len(wanted))
    taken = np.cumsum(wanted[order]) - wanted[order] < at_most
    chosen = np.zeros(len(wanted), bool)
    chosen[order[taken]] = True
    return sequences.events_of(chosen)


def asked_of_drawn(sequences: Sequences, asked: Bools, at_most: int, seed: int) -> Bools:
    """(E,) the asked events of users drawn until they have `at_most` of them, see `drawn_users`."""
    drawn = drawn_users(sequences, asked, at_most, seed)
    return spill.filled(len(asked), bool, lambda block: asked[block] & drawn[block], asked, drawn)


def count(marks: Bools) -> int:
    """How many are marked."""
    return sum(int(np.count_nonzero(marks[block])) for block in spill.blocks(len(marks)))
