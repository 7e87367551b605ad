"""From what is remembered to a ranked list, and what a request must say to get one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segue.data.sessions import Moment, opens_session
from segue.errors import RequestError, did_you_mean
from segue.models.base import at_request
from segue.ranking.top_k import Exclusions, top_k
from segue.serving.bundle import EXCLUDES, Bundle
from segue.serving.events import check_id, check_time
from segue.serving.store.base import Memory


class Ranked(NamedTuple):
    """An answer.

    Attributes:
        items: up to k (item id, score), best first; fewer where no more may be answered.
        source: `state`, or `initial_state` where nothing is known or a request would open a session.
        model_version: of the model that answered.
        unknown_items: the given items that are outside the catalog; they tell the model little.
    """

    items: list[tuple[str, float]]
    source: str
    model_version: str
    unknown_items: list[str]


def answer(
    bundle: Bundle,
    memory: Memory,
    now: float | None,
    *,
    k: int,
    left_out: Sequence[str],
    unknown_items: Sequence[str] = (),
) -> Ranked:
    """The best k items after `memory`, for a request at `now`, without those in `left_out`."""
    moment = None if now is None else np.array([now], np.float64)
    state = at_request(bundle.model, memory.state, moment)
    scores = bundle.model.score(bundle.model.query(state, moment))
    excluded = bundle.item_ids.places_of(left_out)
    best, values = top_k(scores, min(k, bundle.model.n_items), Exclusions(np.zeros_like(excluded), excluded))
    return Ranked(
        items=[
            (bundle.item_ids[item], value)
            for item, value in zip(best[0].tolist(), values[0].tolist(), strict=True)
            if item >= 0
        ],
        source="initial_state" if np.isnan(state["time"][0]) else "state",
        model_version=bundle.version,
        unknown_items=list(unknown_items),
    )


def current_items(bundle: Bundle, memory: Memory, now: float | None) -> list[str]:
    """The last item, unless there is none or a request at `now` would open a session."""
    if memory.moment is None or memory.item_id is None:
        return []
    over = now is not None and opens_session(memory.moment, Moment(now), bundle.rule.gap)
    return [] if over else [memory.item_id]


def check_request(
    user_id: str | None, items: Sequence[str] | None, k: int, timestamp: float | None, exclude: str
) -> None:
    """Raise RequestError for a request that contradicts itself or cannot be meant."""
    if (user_id is None) == (items is None):
        found = "neither" if user_id is None else "both"
        raise RequestError(f"`user_id` and `items`: {found} given; expected exactly one of them")
    if user_id is not None:
        check_id(user_id, "user_id")
    for place, item_id in enumerate(items or ()):
        check_id(item_id, f"items[{place}]")
    if k < 1:
        raise RequestError(f"`k` is {k}; expected at least 1")
    check_time(timestamp, "timestamp")
    if exclude not in EXCLUDES:
        raise RequestError(f"`exclude` is {exclude!r}; expected one of these{did_you_mean(exclude, EXCLUDES)}")
