"""What comes next for the users of a log, as frames, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from segue.artifact import Artifact
from segue.data.events import EventLog
from segue.errors import RequestError, did_you_mean
from segue.evaluation.lists import Best, Choose, Fill, UserLists, lists_after_last
from segue.evaluation.phase import laid_out
from segue.ranking.diversity import parse
from segue.ranking.pool import POOL
from segue.ranking.top_k import Exclusions
from segue.serving.bundle import EXCLUDES, Bundle
from segue.serving.events import check_time
from segue.serving.lists.diverse import Diverse, Wish, diverse_of
from segue.serving.lists.fallback import Chain
from segue.shapes import Bools, Floats, Ints

LIST_SCHEMA = ["user_id", "item_id", "score", "rank"]
"""The columns of a frame of lists."""


def user_lists(
    artifact: Artifact,
    bundle: Bundle,
    log: EventLog,
    *,
    users: str | Sequence[str],
    k: int,
    exclude: str | None,
    wish: Wish,
    available_at: float | None = None,
) -> Iterator[Any]:
    """Polars frames of some thousand users each; see `Recommender.lists`.

    Args:
        bundle: of the artifact.

    Raises:
        RequestError: what cannot be meant, before the log is looked at.
    """
    if k < 1:
        raise RequestError(f"`k` is {k}; expected at least 1")
    if exclude is not None and exclude not in EXCLUDES:
        raise RequestError(f"`exclude` is {exclude!r}; expected one of these{did_you_mean(exclude, EXCLUDES)}")
    check_time(available_at, "available_at")
    diverse = diverse_of(bundle, wish)
    if not isinstance(users, str):
        places = log.users.places_of(users)
        if (places < 0).any():
            missing = next(user for user, place in zip(users, places, strict=True) if place < 0)
            raise RequestError(f"user `{missing}` is not in the log{did_you_mean(missing, log.users.places)}")
        log = log.where(np.isin(log.user, places))
    elif users != "all":
        raise RequestError(f'`users` is {users!r}; expected "all" or a list of user ids')
    n_items = bundle.model.n_items
    shut = None
    if bundle.facts.availability is not None:
        shut = bundle.facts.availability.closed(time.time() if available_at is None else available_at).mask
    features = artifact.features_of(log)
    blocks = lists_after_last(
        bundle.model,
        laid_out(log, artifact.facts.rule, artifact.catalog, features=features),
        exclude=exclude or bundle.exclude,
        k=min(k if diverse is None else max(POOL, k), n_items),
        memory_mb=artifact.settings.evaluate.memory_mb,
        shut=shut,
        choose=None if diverse is None else choosing(bundle, log, diverse, min(k, n_items)),
        fill=None if bundle.chain is None else filling(bundle.chain, n_items, shut),
    )
    return (frame_of(bundle, log, block) for block in blocks)


def choosing(bundle: Bundle, log: EventLog, wish: Diverse, k: int) -> Choose:
    """What takes a list of k out of the best for each user: that of a server which had the events of the log."""
    strategy, known = parse(wish.strategy), bundle.known_items.known(wish.similarity)

    def choose(best: Best) -> tuple[Ints, Floats]:
        items, scores = np.full((len(best.user), k), -1, np.int32), np.full((len(best.user), k), -np.inf, np.float32)
        tastes = None
        if "taste" in strategy.needs and known.kinds is not None:
            tastes = known.kinds.tastes(best.past.rows, best.past.items, len(best.user))
        for row, who in enumerate(log.users.take(best.user)):
            there = best.items[row] >= 0
            pool = known.pool(best.items[row][there], best.scores[row][there], None if tastes is None else tastes[row])
            seed = int(best.had[row]) if wish.seed is None else wish.seed
            places = strategy(pool, k, wish.diversity, strategy.draws(seed, who))
            items[row, : len(places)], scores[row, : len(places)] = pool.items[places], pool.scores[places]
        return items, scores

    return choose


def filling(chain: Chain, n_items: int, shut: Bools | None) -> Fill:
    """What fills lists where the model has no more to say, as a server does."""
    opened = np.ones(n_items, bool) if shut is None else ~shut

    def fill(items: Ints, scores: Floats, last: Ints, out: Exclusions) -> tuple[Ints, Floats]:
        for row in np.flatnonzero((items < 0).any(axis=1)):
            there = int((items[row] >= 0).sum())
            left_out = out.items[slice(*np.searchsorted(out.rows, [row, row + 1]))]
            free = opened.copy()
            free[items[row, :there]] = free[left_out[left_out >= 0]] = False
            more = chain.order(last[row : row + 1], free, items.shape[1] - there)
            end = there + len(more.items)
            items[row, there:end], scores[row, there:end] = more.items, more.scores
        return items, scores

    return fill


def frame_of(bundle: Bundle, log: EventLog, block: UserLists) -> Any:
    """The lists of some users as a frame."""
    import polars as pl

    rows, ranks = np.nonzero(block.items >= 0)
    return pl.DataFrame(
        {
            "user_id": log.users.take(block.user[rows]),
            "item_id": bundle.item_ids.take(block.items[rows, ranks]),
            "score": block.scores[rows, ranks].astype(np.float32),
            "rank": (ranks + 1).astype(np.int32),
        }
    )


def joined(frames: Sequence[Any], like: Any) -> Any:
    """One frame of several; a pandas frame where `like` is one."""
    import polars as pl

    frame = pl.concat(frames) if frames else pl.DataFrame(schema=LIST_SCHEMA)
    if not type(like).__module__.startswith("pandas"):
        return frame
    import pandas as pd

    # Not `to_pandas`, which needs pyarrow.
    return pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns})
