"""From what is remembered to a ranked list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Thread
from typing import NamedTuple

import numpy as np

from segue.data.sessions import Moment, opens_session
from segue.models.base import Query, at_request, pick
from segue.ranking.pool import POOL, Pool, ordered
from segue.ranking.rules import Short
from segue.serving.bundle import Bundle, Exclude
from segue.serving.fold import absorb, blank, joined
from segue.serving.lists.asks import Ask, Question, Ranked
from segue.serving.lists.best import best_of
from segue.serving.lists.diverse import Chooser
from segue.serving.lists.fallback import Filling, Source
from segue.serving.lists.filling import filling
from segue.serving.lists.ruled import is_ruled, limits_of, ruled
from segue.serving.store.base import Memory, StoredEvent
from segue.shapes import Array, Bools, Ints

NONE: Ints = np.zeros(0, np.int32)


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
    query, fresh = bundle.model.query(state, moment), np.isnan(state["time"])
    lists: dict[int, Ranked] = {}
    strange = fresh & bundle.greets
    plain = [row for row, question in enumerate(questions) if not strange[row] and not is_ruled(question)]
    if plain:
        whole = len(plain) == len(questions)
        best, values = best_of(bundle, query if whole else pick(query, plain), [questions[row] for row in plain])
        for place, row in enumerate(plain):
            k = questions[row].k
            lists[row] = plain_list(bundle, questions[row], best[place, :k], values[place, :k], bool(fresh[row]))
    lists |= diverse_lists(bundle, questions, query, fresh, strange)
    for row, question in enumerate(questions):
        if row in lists:
            continue
        if strange[row] and not is_ruled(question):
            lists[row] = plain_list(bundle, question, NONE, NONE, True)
        else:
            own = None if strange[row] else pick(query, [row])
            lists[row] = ruled_list(bundle, question, own, bool(fresh[row]))
    return [lists[row] for row in range(len(questions))]


def diverse_lists(
    bundle: Bundle, questions: Sequence[Question], query: Query, fresh: Bools, strange: Bools
) -> dict[int, Ranked]:
    """By row the lists with diversity and no rules, whose pools are found together; not those that a pool is short of.

    The same as `ruled` makes of each, which the others are left to.
    """
    alike = [
        row
        for row, one in enumerate(questions)
        if one.diverse is not None and one.rules is None and not one.explain and not strange[row]
    ]
    if not alike:
        return {}
    wide = [questions[row]._replace(k=max(POOL, questions[row].k)) for row in alike]
    best, values = best_of(bundle, query if len(alike) == len(questions) else pick(query, alike), wide)
    lists, ids = {}, bundle.item_ids.strings
    for place, row in enumerate(alike):
        question, there = questions[row], np.flatnonzero(best[place, : wide[place].k] >= 0)
        if len(there) < question.k:
            continue
        pool = Pool(best[place, there], values[place, there].astype(np.float64))
        choose = Chooser(bundle, question.diverse)
        places = ordered(pool, question.k, choose)[: question.k]
        chosen, scores = pool.items[places].tolist(), pool.scores[places].tolist()
        listed = [(ids[item], score) for item, score in zip(chosen, scores, strict=True)]
        lists[row] = ranked(bundle, question, listed, bool(fresh[row]), None, {})._replace(chosen_by=choose.by)
    return lists


def plain_list(bundle: Bundle, question: Question, items: Array, scores: Array, fresh: bool) -> Ranked:
    """The best of a row, by the users' ids, and what fills the places that the model left."""
    listed, ids = named(bundle, items, scores), bundle.item_ids.strings
    short, more = None, list[Filling]()
    if len(listed) < question.k:
        more = filling(bundle, question, [item_id for item_id, _ in listed], fresh)
        listed += [(ids[one.item], one.score) for one in more]
    if len(listed) < question.k:
        short = limits_of(bundle, question).short(question.k, len(listed))
    return ranked(bundle, question, listed, fresh, short, {ids[one.item]: one.source for one in more})


def ruled_list(bundle: Bundle, question: Question, query: Query | None, fresh: bool) -> Ranked:
    """A list with rules, by the users' ids; without a query the chain says what is best."""
    placed, ids = ruled(bundle, query, question, fresh), bundle.item_ids.strings
    listed = [(ids[item], score) for item, score in zip(placed.items, placed.scores, strict=True)]
    before: Sequence[str] = ()
    if question.explain:
        wide = question._replace(k=min(max(POOL, question.k), bundle.model.n_items))
        if query is None:
            before = [
                item_id
                for item_id, _ in plain_list(bundle, wide._replace(rules=None, diverse=None), NONE, NONE, fresh).items
            ]
        else:
            best, values = best_of(bundle, query, [wide])
            before = [item_id for item_id, _ in named(bundle, best[0], values[0])]
    filled = {ids[item]: source for item, source in placed.filled.items()}
    pinned = frozenset(ids[item] for item in placed.pinned)
    found = ranked(bundle, question, listed, fresh, placed.short, filled)
    return found._replace(pinned=pinned, unmet_pins=placed.unmet_pins, before_rules=before, chosen_by=placed.chosen_by)


def ranked(
    bundle: Bundle,
    question: Question,
    listed: list[tuple[str, float]],
    fresh: bool,
    short: Short | None,
    filled: Mapping[str, Source],
) -> Ranked:
    """An answer with these items."""
    return Ranked(
        items=listed,
        source="initial_state" if fresh else "state",
        model_version=bundle.version,
        state_version=question.memory.seq,
        unknown_items=list(question.unknown_items),
        unknown_categories=list(question.unknown_categories),
        short=short,
        filled=filled,
    )


def warm(bundle: Bundle) -> None:
    """Answer somebody of whom nothing is kept: what is made when it is first needed is made before anyone waits for it.

    With 1,000,000 items the places of their ids alone take more than a second.
    """
    _ = bundle.by_category, bundle.facts.availability
    # beside the start: the first who wants a diverse list waits for what is left of it
    Thread(target=lambda: bundle.known_items.known(), name="known", daemon=True).start()
    if bundle.chain is not None:
        _ = bundle.chain.by_item
    known = bundle.item_ids.strings[0]
    memory = absorb(bundle, blank(bundle), StoredEvent(1, known, 0.0))
    answer_all(bundle, [Question(memory, None, 1, [known]), Question(blank(bundle), None, 1, [known])])


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
        allowed = among if allowed is None else np.intersect1d(allowed, among, assume_unique=True)
        strange = [name for name in ask.categories if name not in bundle.by_category]
    return Allowed(allowed, unknown, strange)


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
