"""One user, event by event: what the server does, without the server."""

from __future__ import annotations

from typing import NamedTuple

from segue.errors import RequestError
from segue.serving.bundle import Bundle
from segue.serving.features import check_read
from segue.serving.fold import absorb, blank
from segue.serving.given import Given, stored
from segue.serving.lists.answer import answer, left_out
from segue.serving.lists.asks import Question
from segue.serving.lists.recommendation import Recommendations, recommendations
from segue.serving.store.base import Memory


class UserState(NamedTuple):
    """What is remembered of one user of the state API: pass it on, do not look inside.

    Attributes:
        memory: as the server keeps it.
        items: the distinct items so far, for `exclude = seen`.
    """

    memory: Memory
    items: tuple[str, ...]


def initial(bundle: Bundle) -> UserState:
    """Nothing known of the user."""
    return UserState(blank(bundle), ())


def after(bundle: Bundle, event: Given, state: UserState) -> UserState:
    """The state after one more event; see `Recommender.step`."""
    found = stored(event, state.memory.seq + 1, state.memory.moment)
    check_read(bundle, found.features, "event")
    items = tuple(dict.fromkeys((*state.items, found.item_id)))
    return UserState(absorb(bundle, state.memory, found), items)


def best_after(bundle: Bundle, state: UserState, k: int, timestamp: float | None) -> Recommendations:
    """The best k items after a state; see `Recommender.top_k`."""
    if k < 1:
        raise RequestError(f"`k` is {k}; expected at least 1")
    memory = state.memory
    if not any(bundle.item_ids.place_of(item) >= 0 for item in state.items):
        memory = blank(bundle)._replace(seq=memory.seq)  # as in a list after items: nothing is known of such a user
    kept_out = left_out(bundle, memory, state.items, timestamp, bundle.exclude)
    return recommendations(bundle, answer(bundle, Question(memory, timestamp, k, kept_out)))
