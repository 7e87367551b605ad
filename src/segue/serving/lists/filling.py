"""Never an empty page: what fills the places for which the model has nothing to say, in a list without rules."""

from __future__ import annotations

from collections.abc import Sequence

from segue.serving.bundle import Bundle
from segue.serving.lists.asks import Question
from segue.serving.lists.best import closed_to
from segue.serving.lists.fallback import Filling
from segue.serving.lists.front import Front
from segue.serving.lists.ruled import NO_RULES, is_ruled, last_had, limits_of


def filling(bundle: Bundle, question: Question, listed: Sequence[str], fresh: bool) -> list[Filling]:
    """What follows a list that the model left short, though more may be answered; best first."""
    missing = min(question.k, bundle.model.n_items) - len(listed)
    if missing <= 0 or bundle.chain is None:
        return []
    if fresh and not listed and question.allowed is None and not is_ruled(question):
        closed = closed_to(bundle, question)
        shut = None if closed is None else closed.mask
        return bundle.chain.first(missing, bundle.item_ids.places_of(question.left_out), shut)
    limits = limits_of(bundle, question)
    if fresh and not listed and (front := Front.of(bundle.chain, limits, NO_RULES)) is not None:
        return [bundle.chain.by_item.filling(item) for item in front.best(missing).items.tolist()]
    there = bundle.item_ids.places_of(listed)
    return bundle.chain.fill(last_had(bundle, question, fresh), missing, left_out=there, allowed=limits.answerable)
