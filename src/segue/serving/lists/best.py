"""The best items of many rows at once: what plain lists are made of."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from segue.models.base import Query, pick
from segue.ranking.codes import is_much
from segue.ranking.rules.availability import Closed
from segue.ranking.top_k import Exclusions, rows_within, top_k
from segue.serving.bundle import Bundle
from segue.serving.lists.asks import Question
from segue.shapes import Bools, Floats, Ints

SCORES_BYTES = 64 * 2**20
"""So much memory the scores of the whole catalog may take at once."""


def best_of(bundle: Bundle, query: Query, questions: Sequence[Question]) -> tuple[Ints, Floats]:
    """The best items a row and their scores, as many as the longest list needs; -1 and -inf where there are no more.

    What the catalog says of when items may be answered holds; the rules of the questions do not.
    """
    most = min(max(question.k for question in questions), bundle.model.n_items)
    best = np.full((len(questions), most), -1, np.int32)
    values = np.full((len(questions), most), -np.inf, np.float32)
    together: dict[int, tuple[Bools | None, list[int]]] = {}
    for row, question in enumerate(questions):
        closed = closed_to(bundle, question)
        shut = None if closed is None else closed.mask
        if question.allowed is None:
            together.setdefault(id(shut), (shut, []))[1].append(row)
        elif len(question.allowed):
            found, scores = best_allowed(bundle, pick(query, [row]), question, most, shut)
            best[row, : len(found)], values[row, : len(found)] = found, scores
    for shut, rows in together.values():
        asked = query if len(rows) == len(questions) else pick(query, rows)
        found, scores = best_free(bundle, asked, [questions[row] for row in rows], most, shut)
        wide = found.shape[1]
        best[rows, :wide], values[rows, :wide] = found, scores
    return best, values


def best_free(
    bundle: Bundle, query: Query, questions: Sequence[Question], most: int, shut: Bools | None
) -> tuple[Ints, Floats]:
    """The same for questions that leave the whole catalog open, but for what is shut to all of them."""
    left = exclusions(bundle, questions)
    if bundle.index is not None:
        return bundle.index.search(query, [min(question.k, most) for question in questions], left, shut)
    best = np.full((len(questions), most), -1, np.int32)
    values = np.full((len(questions), most), -np.inf, np.float32)
    for begin in range(0, len(questions), step := rows_within(bundle.model.n_items, SCORES_BYTES)):
        part = slice(begin, begin + step)
        inside = (left.rows >= begin) & (left.rows < begin + step)
        gone = Exclusions(left.rows[inside] - begin, left.items[inside])
        scores = bundle.model.score(pick(query, part))
        if shut is not None:
            scores = np.where(shut, np.float32(-np.inf), scores)
        best[part], values[part] = top_k(scores, most, gone)
    return best, values


def best_allowed(
    bundle: Bundle, query: Query, question: Question, most: int, shut: Bools | None
) -> tuple[Ints, Floats]:
    """The best of what alone may be answered to one question.

    Of few the product with them is exact; where they are much of a large catalog, an index finds them.
    """
    assert question.allowed is not None
    allowed, left_out = question.allowed, bundle.item_ids.places_of(question.left_out)
    if bundle.index is not None and is_much(len(allowed), bundle.model.n_items):
        others = np.ones(bundle.model.n_items, bool)
        others[allowed] = False if shut is None else shut[allowed]
        gone = Exclusions(np.zeros(len(left_out), np.int64), left_out)
        found, scores = bundle.index.search(query, [min(question.k, most)], gone, others)
        return found[0], scores[0]
    allowed = allowed[~np.isin(allowed, left_out)]
    if shut is not None:
        allowed = allowed[~shut[allowed]]
    if not len(allowed):
        return allowed, np.zeros(0, np.float32)
    places, scores = top_k(bundle.model.score(query, allowed), most)
    some = places[0] >= 0
    return allowed[places[0][some]], scores[0][some]


def closed_to(bundle: Bundle, question: Question) -> Closed | None:
    """What the catalog says may not be answered when a question is asked; None: nothing."""
    available = bundle.facts.availability
    if available is None:
        return None
    closed = available.closed(moment_of(question))
    return closed if len(closed.items) else None


def moment_of(question: Question) -> float:
    """The moment for which windows are open or not."""
    at = question.now if question.at is None else question.at
    return time.time() if at is None else at


def exclusions(bundle: Bundle, questions: Sequence[Question]) -> Exclusions:
    """What may not be answered, in which row."""
    items = [bundle.item_ids.places_of(question.left_out) for question in questions]
    rows = [np.full(len(places), row) for row, places in enumerate(items)]
    return Exclusions(np.concatenate(rows), np.concatenate(items))
