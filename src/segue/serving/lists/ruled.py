"""A list with rules: what may be answered, then scores, then what is chosen, then its places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from segue.models.base import Query
from segue.ranking.pool import POOL, Pool, ordered
from segue.ranking.rules import Bound, Limits, Short, UnmetPin, arrange
from segue.serving.bundle import Bundle
from segue.serving.lists.asks import Question
from segue.serving.lists.best import closed_to, moment_of
from segue.serving.lists.candidates import Candidates
from segue.serving.lists.diverse import Chooser, ChosenBy
from segue.serving.lists.fallback import Source
from segue.shapes import Ints

NO_RULES = Bound()


class Placed(NamedTuple):
    """A list.

    Attributes:
        items: best first, but for what is pinned.
        scores: with what boosts and buries made of them.
        pinned: the items that stand where they are pinned.
        filled: where the others come from to which the model gives no score.
        unmet_pins: pins that could not be had.
        short: why there are fewer than were asked for; None: there are as many.
        chosen_by: what made it less of the same; None: nothing did.
    """

    items: Sequence[int]
    scores: Sequence[float]
    pinned: Sequence[int]
    filled: Mapping[int, Source]
    unmet_pins: Sequence[UnmetPin]
    short: Short | None
    chosen_by: ChosenBy | None


def is_ruled(question: Question) -> bool:
    """Whether a list needs more than the best scores: rules, or diversity."""
    return question.rules is not None or question.diverse is not None


def ruled(bundle: Bundle, query: Query | None, question: Question, fresh: bool) -> Placed:
    """The list for one question; `query` is of one row, or None, see `Candidates`.

    A strategy of diversity takes the list out of the pool; what it did not take follows where rules leave places free,
    and after all to which the model gives a score comes what fills a list that is short: pins and distances hold there
    too.
    """
    choose = Chooser(bundle, question.diverse)
    bound = question.rules or NO_RULES
    limits = limits_of(bundle, question)
    k = question.k
    candidates = Candidates(bundle, query, limits, bound, last_had(bundle, question, fresh))
    # pinned ones are taken out of it; more than a list is needed where not just the best are taken
    chosen_from = POOL if question.diverse is not None or bound.apart else 0
    pool = candidates.pool(max(chosen_from, k + len(bound.pins)))
    pins, unmet = {}, []
    for place, item in sorted(bound.pins.items()):
        if place > k:
            continue
        because = limits.forbids(item) or (None if candidates.score_of(item) > -np.inf else "model")
        if because is None:
            pins[place] = item
        else:
            unmet.append(UnmetPin(bundle.item_ids[item], place, because))
    # what is pinned has its place, and takes none of those that are chosen
    free = ~np.isin(pool.items, list(pins.values()))
    pool_left = Pool(pool.items[free], pool.scores[free])
    order = pool_left.items[ordered(pool_left, k - len(pins), choose)].tolist()
    if len(order) + len(pins) < k:
        order += candidates.spare_after(pool, k)
    listed = arrange(order, k, pins, bound.apart, candidates.beyond)
    for place, item in pins.items():
        if listed[place - 1 : place] != [item]:
            unmet.append(UnmetPin(bundle.item_ids[item], place, "apart" if bound.apart else "short"))
    pinned = [item for place, item in pins.items() if listed[place - 1 : place] == [item]]
    sources = {item: candidates.source_of(item) for item in listed if item not in pinned}
    return Placed(
        listed,
        [candidates.score_of(item) for item in listed],
        pinned,
        {item: source for item, source in sources.items() if source is not None},
        sorted(unmet, key=lambda pin: pin.place),
        None if len(listed) == k else limits.short(k, len(listed), candidates.answerable()),
        choose.by,
    )


def last_had(bundle: Bundle, question: Question, fresh: bool) -> Ints:
    """The last item of the user, unless nothing is known or a session has just begun."""
    last = None if fresh else question.memory.item_id
    return bundle.item_ids.places_of([] if last is None else [last])


def limits_of(bundle: Bundle, question: Question) -> Limits:
    """What may be answered to a question."""
    bound, available = question.rules or NO_RULES, closed_to(bundle, question)
    left_out = bundle.item_ids.places_of(question.left_out)
    excluded = np.unique(left_out[left_out >= 0])
    closed = bound.closed(moment_of(question))
    shut = None
    if available is not None:
        shut = available.mask
        if len(closed):
            shut = shut.copy()
            shut[closed] = True
            closed = np.flatnonzero(shut).astype(np.int32)
        else:
            closed = available.items
    return Limits(bundle.model.n_items, question.allowed, excluded, bound.allowed, bound.denied, closed, shut)
