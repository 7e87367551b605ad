"""Lists for the users of a log are those of a server after the same events, with windows and with what fills places."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import segue
from api_log import QUICK
from segue.errors import RequestError
from segue.serving.backfill import backfill
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.store.memory import MemoryStore
from test_diverse_lists import ids, shop_log

USERS = ["u3", "u50", "u99"]
CLOSES, OPENS = 1_800_000_000.0, 4_000_000_000.0


@cache
def shop(model: str) -> segue.Recommender:
    """Of 30 items one in five closes between the log and the present, and one in seven is not open yet."""
    names = [f"item {n}" for n in range(30)]
    windows = {
        "available_until": [CLOSES if n % 5 == 1 else None for n in range(30)],
        "available_from": [OPENS if n % 7 == 2 else None for n in range(30)],
    }
    items = pl.DataFrame({"item_id": names, "categories": [f"kind {n % 4}" for n in range(30)], **windows})
    given = {**QUICK, "split.test": 0.02, "split.valid": 0.02}
    return segue.fit(shop_log(), items=items, model=model, settings=given)


class Quiet:
    """A model that says nothing but of the best few."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def score(self, query: Any, candidates: Any = None) -> Any:
        scores = np.array(self._model.score(query))
        scores[scores < np.sort(scores, axis=1)[:, [-6]]] = -np.inf
        return scores if candidates is None else scores[:, candidates]


def quiet() -> segue.Recommender:
    """It leaves most places of a list to what others did."""
    recommender = segue.Recommender(shop("markov").artifact)
    recommender.bundle = replace(recommender.bundle, model=Quiet(recommender.bundle.model))
    return recommender


def served(bundle: Bundle, at: float) -> Engine:
    engine = Engine(bundle, MemoryStore(), clock=lambda: at)
    backfill(engine, segue.read_log(shop_log()))
    return engine


def rows_of(frame: Any, who: str) -> list[str]:
    return list(frame.filter(pl.col("user_id") == who)["item_id"])


@pytest.mark.parametrize("model", ["markov", "quiet"])
@pytest.mark.parametrize("wish", [{}, {"diversity": 0.6, "strategy": "mmr"}], ids=["plain", "diverse"])
@pytest.mark.parametrize("exclude", ["none", "seen"])
def test_whole_lists_are_those_of_a_server(model: str, wish: dict[str, Any], exclude: Any) -> None:
    recommender = quiet() if model == "quiet" else shop(model)
    last = dict(shop_log().group_by("user_id").agg(pl.col("timestamp").max()).iter_rows())
    engine, filled = served(recommender.bundle, 2e9), 0
    given: dict[str, Any] = {"k": 40, "exclude": exclude, **wish}
    for who in USERS:
        expected = engine.recommend(user_id=who, timestamp=float(last[who]), **given)
        frame = recommender.recommend_users(shop_log(), users=[who], available_at=float(last[who]), **given)
        assert frame["item_id"].to_list() == ids(expected)
        assert frame["score"].to_list() == pytest.approx([score for _, score in expected.items], rel=1e-5)
        filled += len(expected.filled)
    assert (filled > 30) == (model == "quiet")


def test_what_is_not_available_is_left_out_now_unless_another_time_is_said() -> None:
    recommender, log = shop("markov"), shop_log()
    closed, coming = ({f"item {n}" for n in range(30) if n % d == r} for d, r in ((5, 1), (7, 2)))
    early = recommender.recommend_users(log, users=USERS, k=30, exclude="none", available_at=CLOSES - 1)
    late = recommender.recommend_users(log, users=USERS, k=30, exclude="none", available_at=CLOSES)
    at_last = recommender.recommend_users(log, users=USERS, k=30, exclude="none", available_at=OPENS)
    every = {f"item {n}" for n in range(30)}
    for who in USERS:
        assert set(rows_of(early, who)) == every - coming
        assert set(rows_of(late, who)) == every - coming - closed
        assert set(rows_of(at_last, who)) == every - closed
    with pytest.raises(RequestError, match=r"`available_at` is .*milliseconds"):
        recommender.recommend_users(log, available_at=1.6e12)


def test_without_a_time_windows_are_those_of_the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    recommender, log = shop("markov"), shop_log()
    found = []
    for now in (CLOSES - 1, CLOSES):
        monkeypatch.setattr("segue.user_lists.time.time", lambda now=now: now)
        found.append(recommender.recommend_users(log, users=USERS, k=30, exclude="none"))
        at_that_time = recommender.recommend_users(log, users=USERS, k=30, exclude="none", available_at=now)
        assert found[-1].equals(at_that_time)
    assert found[0].height > found[1].height
