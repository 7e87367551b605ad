"""Never an empty page: what fills the places for which the model has nothing to say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.serving.asks import Question
from segue.serving.bundle import Bundle
from segue.serving.fallback import Filling
from segue.serving.ruled import limits_of


def filling(bundle: Bundle, question: Question, listed: Sequence[str]) -> list[Filling]:
    """What follows a list that the model left short, though more may be answered; best first.

    The last item of the user decides first, unless a session has begun since. Rules that keep items apart are not
    looked after here: such a list stays as it is.
    """
    missing = min(question.k, bundle.model.n_items) - len(listed)
    if missing <= 0 or bundle.chain is None or (question.rules is not None and question.rules.apart):
        return []
    had = bundle.item_ids.places_of([] if question.memory.item_id is None else [question.memory.item_id])
    there = bundle.item_ids.places_of(listed)
    allowed = np.setdiff1d(limits_of(bundle, question).answerable, there)
    return bundle.chain.fill(had, missing, left_out=there, allowed=allowed)
