"""Lists to look at, right and wrong ones, drawn by the seed and not by taste."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.evaluation.judged import Judged
from segue.ranking.top_k import NEVER
from segue.rng import stream
from segue.shapes import Array

DRAWN, FEWEST, K, LAST = 8, 2, 10, 6
"""So many lists, of them at least so many of each kind; so long; and so many events before them are shown."""


class Listed(NamedTuple):
    """An item of a list: its title or id, and whether it is what came next."""

    title: str
    target: bool


class Example(NamedTuple):
    """One list, and what came next.

    Attributes:
        past: titles of the last events before it, oldest first.
        had: how many events of the user there were before it.
        target: what came next.
        rank: its place among all items; None where it could not be answered.
        unknown: the target is no item that was learned from.
        baseline_rank: its place by the best baseline.
        items: the list.
    """

    past: list[str]
    had: int
    target: str
    rank: int | None
    unknown: bool
    baseline_rank: int | None
    items: list[Listed]

    @property
    def right(self) -> bool:
        """Whether what came next is in the list."""
        return any(one.target for one in self.items)


class Examples(NamedTuple):
    """Some lists of a model, and how they were drawn.

    Attributes:
        model, baseline: whose lists, and whose ranks stand beside.
        k: length of the lists.
        right, asked: how many of all lists hold what came next, of how many.
        seed: of the draw.
        drawn: the lists, right ones first.
    """

    model: str
    baseline: str | None
    k: int
    right: int
    asked: int
    seed: int
    drawn: list[Example]


def examples_of(
    judged: Judged, log: EventLog, model: str, baseline: str | None, table: ItemTable | None = None
) -> Examples:
    """Draw lists of different users, right and wrong ones apart, as nearly in proportion as few lists can be.

    `table` names items that were not learned from; those that were are named by the catalog.
    """
    found = judged.predictions[model]
    k = min(K, found.lists.shape[1])
    right = ((found.lists[:, :k] == found.target[:, None]) & (found.target[:, None] >= 0)).any(axis=1)
    hits = int(np.count_nonzero(right))
    wanted = min(max(round(DRAWN * hits / len(right)), FEWEST), DRAWN - FEWEST)
    order = stream(judged.seed, "examples of the report").permutation(len(right))
    numbers = {True: wanted, False: DRAWN - wanted}
    # the kind of fewer users first, and the fewest of both before any more: else the other one takes their users
    kinds = sorted(numbers, key=lambda kind: len(np.unique(found.user[right == kind])))
    drawn_of: dict[bool, list[int]] = {True: [], False: []}
    taken: set[int] = set()
    for fewest in (True, False):
        for kind in kinds:
            number = FEWEST if fewest else numbers[kind] - len(drawn_of[kind])
            drawn_of[kind] += distinct(order[right[order] == kind], found.user, number, taken)
    chosen = [*drawn_of[True], *drawn_of[False]]
    place = np.flatnonzero(judged.phase.asked)
    titles = [] if table is None else table.columns.get("title", [])

    def named(event: int) -> str:
        item_id = log.items[int(log.item[event])]
        at = -1 if table is None or not titles else table.ids.place_of(item_id)
        return str((titles[at] if at >= 0 else None) or item_id)

    drawn = [example_at(judged, named, model, baseline, at, int(place[at]), k) for at in chosen]
    return Examples(model, baseline, k, hits, len(right), judged.seed, drawn)


def distinct(places: Array, user: Array, number: int, taken: set[int]) -> list[int]:
    """The first places of so many users that are not taken; they are taken then."""
    chosen: list[int] = []
    for place in map(int, places):
        if len(chosen) == number:
            break
        if int(user[place]) not in taken:
            taken.add(int(user[place]))
            chosen.append(place)
    return chosen


def example_at(
    judged: Judged, named: Callable[[int], str], model: str, baseline: str | None, at: int, place: int, k: int
) -> Example:
    """One prediction by the titles of its items; `named` tells that of an event of the log that the catalog lacks."""
    sequences, catalog = judged.phase.replayed, judged.phase.catalog
    found = judged.predictions[model]
    begin = int(sequences.bounds[np.searchsorted(sequences.bounds, place, side="right") - 1])

    def title(event: int) -> str:
        item = int(sequences.item[event])
        return catalog.titles(np.array([item]))[0] if item >= 0 else named(int(sequences.order[event]))

    target = int(found.target[at])
    listed = found.lists[at, :k]
    listed = listed[listed >= 0]
    return Example(
        past=[title(event) for event in range(max(begin, place - LAST), place)],
        had=place - begin,
        target=title(place),
        rank=rank_at(found.rank, at),
        unknown=target < 0,
        baseline_rank=None if baseline is None else rank_at(judged.predictions[baseline].rank, at),
        items=[Listed(name, int(item) == target) for name, item in zip(catalog.titles(listed), listed, strict=True)],
    )


def rank_at(ranks: Array, at: int) -> int | None:
    """A rank, or None where the target could not be answered."""
    return None if ranks[at] == NEVER else int(ranks[at])
