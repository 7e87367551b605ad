"""From what is remembered to a ranked list, and what a request must say to get one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segue.data.sessions import Moment, opens_session
from segue.errors import RequestError, did_you_mean
from segue.models.base import Query, at_request, pick
from segue.ranking.top_k import Exclusions, rows_within, top_k
from segue.serving.bundle import EXCLUDES, Bundle, Exclude
from segue.serving.events import check_id, check_time
from segue.serving.fold import absorb, blank, joined
from segue.serving.store.base import Memory, StoredEvent
from segue.shapes import Array, Floats, Ints

SCORES_BYTES = 64 * 2**20
"""So much memory the scores of the whole catalog may take at once."""


class Ask(NamedTuple):
    """A wish for a list.

    Attributes:
        k: its length.
        timestamp: of the request in Unix seconds; None: for a user the present, for items not known.
        exclude: in place of the bundle's.
        candidates: item ids, of which alone may be answered; None: any.
        categories: items of none of these may not be answered; None: any may.
    """

    k: int = 10
    timestamp: float | None = None
    exclude: Exclude | None = None
    candidates: Sequence[str] | None = None
    categories: Sequence[str] | None = None


class Question(NamedTuple):
    """What a list is made from.

    Attributes:
        memory: the state to answer from.
        now: the moment of the request, if known.
        k: length of the list.
        left_out: item ids that may not be answered.
        unknown_items: given items outside the catalog, for the answer to name.
        allowed: (C,) items of which alone may be answered, ascending; None: any.
        unknown_categories: given categories that no item has, for the answer to name.
    """

    memory: Memory
    now: float | None
    k: int
    left_out: Sequence[str]
    unknown_items: Sequence[str] = ()
    allowed: Ints | None = None
    unknown_categories: Sequence[str] = ()


class Ranked(NamedTuple):
    """An answer.

    Attributes:
        items: up to k (item id, score), best first; fewer where no more may be answered.
        source: `state`, or `initial_state` where nothing is known or a request would open a session.
        model_version: of the model that answered.
        state_version: how many events the state has absorbed.
        unknown_items: the given items that are outside the catalog; they tell the model little.
        unknown_categories: the given categories that no item has.
    """

    items: list[tuple[str, float]]
    source: str
    model_version: str
    state_version: int
    unknown_items: list[str]
    unknown_categories: list[str]


def answer(bundle: Bundle, question: Question) -> Ranked:
    """The list for one question."""
    return answer_all(bundle, [question])[0]


def answer_all(bundle: Bundle, questions: Sequence[Question]) -> list[Ranked]:
    """The lists for several: one product with the catalog, one search."""
    state = joined([question.memory.state for question in questions])
    # A request whose time is not known comes right after the last event.
    asked = [np.nan if question.now is None else question.now for question in questions]
    moment = np.where(np.isnan(asked), state["time"], asked)
    state = at_request(bundle.model, state, moment)
    best, values = best_of(bundle, bundle.model.query(state, moment), questions)
    fresh = np.isnan(state["time"])
    return [
        Ranked(
            items=named(bundle, best[row, : question.k], values[row, : question.k]),
            source="initial_state" if fresh[row] else "state",
            model_version=bundle.version,
            state_version=question.memory.seq,
            unknown_items=list(question.unknown_items),
            unknown_categories=list(question.unknown_categories),
        )
        for row, question in enumerate(questions)
    ]


def warm(bundle: Bundle) -> None:
    """Answer somebody of whom nothing is kept: what is made when it is first needed is made before anyone waits for it.

    With 1,000,000 items the places of their ids alone take more than a second.
    """
    _ = bundle.by_category
    known = bundle.item_ids.strings[0]
    memory = absorb(bundle, blank(bundle), StoredEvent(1, known, 0.0))
    answer_all(bundle, [Question(memory, None, 1, [known]), Question(blank(bundle), None, 1, [known])])


def best_of(bundle: Bundle, query: Query, questions: Sequence[Question]) -> tuple[Ints, Floats]:
    """The best items a row and their scores, as many as the longest list needs; -1 and -inf where there are no more."""
    most = min(max(question.k for question in questions), bundle.model.n_items)
    best = np.full((len(questions), most), -1, np.int32)
    values = np.full((len(questions), most), -np.inf, np.float32)
    free = [row for row, question in enumerate(questions) if question.allowed is None]
    if free:
        left = exclusions(bundle, [questions[row] for row in free])
        rows = query if len(free) == len(questions) else pick(query, free)
        if bundle.index is not None:
            found, scores = bundle.index.search(rows, [min(questions[row].k, most) for row in free], left)
            wide = found.shape[1]
            best[free, :wide], values[free, :wide] = found, scores
        else:
            for begin in range(0, len(free), step := rows_within(bundle.model.n_items, SCORES_BYTES)):
                part = slice(begin, begin + step)
                inside = (left.rows >= begin) & (left.rows < begin + step)
                gone = Exclusions(left.rows[inside] - begin, left.items[inside])
                best[free[part]], values[free[part]] = top_k(bundle.model.score(pick(rows, part)), most, gone)
    for row, question in enumerate(questions):
        # Few may be answered: the product with them alone is exact, and never short.
        if question.allowed is not None and len(question.allowed):
            allowed = np.setdiff1d(question.allowed, bundle.item_ids.places_of(question.left_out))
            places, scores = top_k(bundle.model.score(pick(query, [row]), allowed), most)
            some = places[0] >= 0
            best[row, some], values[row, some] = allowed[places[0][some]], scores[0][some]
    return best, values


class Allowed(NamedTuple):
    """What a wish leaves to be answered.

    Attributes:
        items: (C,) of which alone may be answered, ascending; None: any.
        unknown_items: candidates outside the catalog.
        unknown_categories: categories that no item has.
    """

    items: Ints | None
    unknown_items: Sequence[str] = ()
    unknown_categories: Sequence[str] = ()


def allowed_of(bundle: Bundle, ask: Ask) -> Allowed:
    """What alone may be answered."""
    if ask.candidates is None and ask.categories is None:
        return Allowed(None)
    allowed, unknown, strange = None, [], []
    if ask.candidates is not None:
        places = bundle.item_ids.places_of(ask.candidates)
        unknown = [item_id for item_id, place in zip(ask.candidates, places.tolist(), strict=True) if place < 0]
        allowed = np.unique(places[places >= 0])
    if ask.categories is not None:
        among = bundle.items_in(ask.categories)
        allowed = among if allowed is None else np.intersect1d(allowed, among)
        strange = [name for name in ask.categories if name not in bundle.by_category]
    return Allowed(allowed, unknown, strange)


def exclusions(bundle: Bundle, questions: Sequence[Question]) -> Exclusions:
    """What may not be answered, in which row."""
    items = [bundle.item_ids.places_of(question.left_out) for question in questions]
    rows = [np.full(len(places), row) for row, places in enumerate(items)]
    return Exclusions(np.concatenate(rows), np.concatenate(items))


def named(bundle: Bundle, items: Array, scores: Array) -> list[tuple[str, float]]:
    """A row of a search by the users' ids, without the places that stayed empty."""
    ids = bundle.item_ids.strings
    return [(ids[item], score) for item, score in zip(items.tolist(), scores.tolist(), strict=True) if item >= 0]


def left_out(bundle: Bundle, memory: Memory, seen: Sequence[str], now: float | None, exclude: Exclude) -> Sequence[str]:
    """What may not be answered after `memory`, where the user had the items `seen`."""
    if exclude == "current":
        return current_items(bundle, memory, now)
    return seen if exclude == "seen" else []


def current_items(bundle: Bundle, memory: Memory, now: float | None) -> list[str]:
    """The last item, unless there is none or a request at `now` would open a session."""
    if memory.moment is None or memory.item_id is None:
        return []
    over = now is not None and opens_session(memory.moment, Moment(now), bundle.rule.gap)
    return [] if over else [memory.item_id]


def check_ask(ask: Ask) -> None:
    """Raise RequestError for a wish that cannot be meant."""
    if ask.k < 1:
        raise RequestError(f"`k` is {ask.k}; expected at least 1")
    check_time(ask.timestamp, "timestamp")
    for place, item_id in enumerate(ask.candidates or ()):
        check_id(item_id, f"candidates[{place}]")
    if ask.exclude is not None and ask.exclude not in EXCLUDES:
        raise RequestError(f"`exclude` is {ask.exclude!r}; expected one of these{did_you_mean(ask.exclude, EXCLUDES)}")


def check_one_of(user_id: str | None, items: Sequence[str] | None) -> None:
    """Raise RequestError unless exactly one of the two is given, with ids that can be meant."""
    if (user_id is None) == (items is None):
        found = "neither" if user_id is None else "both"
        raise RequestError(f"`user_id` and `items`: {found} given; expected exactly one of them")
    if user_id is not None:
        check_id(user_id, "user_id")
    for place, item_id in enumerate(items or ()):
        check_id(item_id, f"items[{place}]")
