"""Why an item stands in a list: which past events moved its score, what others did, where it stood before rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segue.errors import RequestError, did_you_mean
from segue.models.base import Query, at_request, pick
from segue.serving.bundle import Bundle
from segue.serving.lists.similar import LONG, MANY
from segue.serving.lists.without import without_each
from segue.serving.store.base import StoredEvent
from segue.shapes import Array, Doubles, Ints

LAST = 50
"""So many of the last events are left out, one at a time."""

RECENT = 5
"""From so many of a user's last distinct items on is said what others did next."""


class Moved(NamedTuple):
    """A past event that moved a score.

    Attributes:
        item_id: of the event.
        seq: its number among the user's events.
        time: of the event, Unix seconds.
        difference: the score with all events less the score without this one; below 0 where the event lowered it.
    """

    item_id: str
    seq: int
    time: float
    difference: float


class Followed(NamedTuple):
    """What others did: in the training log the listed item came `times` times right after one that this user had.

    Attributes:
        item_id: the item that the user had.
        times: how often the listed item came right after it, within a session.
        of: how often anything did.
    """

    item_id: str
    times: int
    of: int


class Reason(NamedTuple):
    """Why an item stands in a list.

    Attributes:
        item_id: of the list.
        events: those that moved its score most, the strongest first; without those that made no difference.
        followed: what people did after the items that the user had last, the most frequent first.
        rank_without_rules: its place before rules, from 1 on; None where it was not among what rules were given.
    """

    item_id: str
    events: list[Moved]
    followed: list[Followed]
    rank_without_rules: int | None


def explain(
    bundle: Bundle,
    events: Sequence[StoredEvent],
    ranked_items: Sequence[str],
    now: float | None = None,
    *,
    most: int = 3,
    last: int = LAST,
    before_rules: Sequence[str] = (),
) -> list[Reason]:
    """Why each item of a list stands there, in the order of the list.

    Exact: a history is folded anew without the event, so that sessions and pauses are those of the shorter history.

    Args:
        events: of the user, in the order in which they count, as many as are to be folded. Without any there are no
            events to name.
        ranked_items: ids.
        now: the moment of the request in Unix seconds; None: right after the last event.
        most: so many events, and so many pairs of items, are named at most.
        last: so many of the last events may be named.
        before_rules: the ids that rules were given, best first.

    Raises:
        RequestError: an item is not in the catalog, or `most` or `last` cannot be meant.
    """
    for name, value in {"most": most, "last": last}.items():
        if value < 1:
            raise RequestError(f"`{name}` is {value}; expected at least 1")
    items = places_in_catalog(bundle, ranked_items)
    ranks = {item_id: rank for rank, item_id in reversed(list(enumerate(before_rules, 1)))}
    moved = moves(bundle, events, items, now, most, last)
    followed = follows(bundle, events, items, most)
    return [
        Reason(item_id, moved[place], followed[place], ranks.get(item_id)) for place, item_id in enumerate(ranked_items)
    ]


def moves(
    bundle: Bundle, events: Sequence[StoredEvent], items: Ints, now: float | None, most: int, last: int
) -> list[list[Moved]]:
    """For each item the events that moved its score most."""
    left, difference = differences(bundle, events, items, now, last)
    found = []
    for row in np.where(np.isfinite(difference), difference, 0.0).T:  # of one item; what is infinite is no number
        # of equals the latest comes first
        order = np.lexsort((-left, -np.abs(row)))[:most]
        named = [
            (events[left[place]], float(row[place]))
            for place in order.tolist()
            if np.isfinite(row[place]) and row[place]
        ]
        found.append([Moved(event.item_id, event.seq, event.time, value) for event, value in named])
    return found


def differences(
    bundle: Bundle, events: Sequence[StoredEvent], items: Ints, now: float | None, last: int
) -> tuple[Array, Doubles]:
    """What each event is worth to each item.

    Returns:
        left: (R,) places of events; those that are missing are worth nothing to any item.
        difference: (R, C) the score with all events less the score without this one.
    """
    left, state = without_each(bundle, events, last)
    # As for a list: a request whose time is not known comes right after the last event.
    moment = state["time"] if now is None else np.full(len(left), now)
    query = bundle.model.query(at_request(bundle.model, state, moment), moment)
    rows = np.flatnonzero(differs_from_first(query))
    if not len(rows) or not len(items):
        return left[:0], np.zeros((0, len(items)))
    scores = np.asarray(bundle.model.score(pick(query, np.append(0, rows)), items), np.float64)
    # an item that is last with and without the event, at minus infinity, was not moved
    with np.errstate(invalid="ignore"):
        return left[rows], np.nan_to_num(scores[0] - scores[1:], posinf=np.inf, neginf=-np.inf)


def differs_from_first(query: Query) -> Array:
    """(R,) whether a row asks something else than the first; what asks the same is not scored again."""
    parts = query.values() if isinstance(query, dict) else [query]
    differ = [np.any((part != part[:1]).reshape(len(part), -1), axis=1) for part in map(np.asarray, parts)]
    found: Array = np.any(differ, axis=0)
    return found


def follows(bundle: Bundle, events: Sequence[StoredEvent], items: Ints, most: int) -> list[list[Followed]]:
    """For each item how often it came right after those that the user had last."""
    counts = bundle.counts
    if counts is None:
        return [[] for _ in items]
    # the last ones first, each once
    recent = list(dict.fromkeys(event.item_id for event in reversed(events[-LAST:])))[:RECENT]
    had = {item_id: place for item_id in recent if (place := bundle.item_ids.place_of(item_id)) >= 0}
    times = counts.between(np.array(list(had.values()), np.int32), items)
    found = []
    for row in times.T:  # of one item
        pairs = [
            Followed(item_id, int(count), int(counts.left[place]))
            for (item_id, place), count in zip(had.items(), row.tolist(), strict=True)
            if count
        ]
        found.append(sorted(pairs, key=lambda pair: -pair.times)[:most])
    return found


def places_in_catalog(bundle: Bundle, item_ids: Sequence[str]) -> Ints:
    """(C,) the indices of items. Raises RequestError for one that the model does not know."""
    items = bundle.item_ids.places_of(item_ids)
    if (items < 0).any():
        unknown = item_ids[int(np.argmax(items < 0))]
        near = did_you_mean(unknown, bundle.item_ids) if len(unknown) < LONG and len(bundle.item_ids) <= MANY else ""
        raise RequestError(
            f"item `{unknown}` is not in the catalog of {len(bundle.item_ids):,} items{near}: it has no score to "
            "explain"
        )
    return items
