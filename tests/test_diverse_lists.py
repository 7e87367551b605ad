"""Lists that are less of the same, as served: the same as offline, with rules, the same again for the same question."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from litestar.testing import TestClient

import segue
from api_log import QUICK
from large_shop import engines_of
from segue.errors import RequestError
from segue.models.base import Event, advance
from segue.models.known_items import SIMILARITIES, KnownItems
from segue.ranking.diversity import STRATEGIES
from segue.ranking.pool import POOL
from segue.ranking.rules import Bound
from segue.ranking.top_k import top_k
from segue.rng import stream
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.fold import absorb, blank
from segue.serving.lists.answer import answer, answer_all
from segue.serving.lists.asks import Question
from segue.serving.lists.diverse import Diverse
from segue.serving.store.base import StoredEvent
from segue.serving.store.memory import MemoryStore
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct
from serving_models import NOW, engine_of

COLUMNS = {"categories": [["odd"] if n % 2 else ["even", "small"] if n < 4 else ["even"] for n in range(8)]}
HISTORY = ["item 1", "item 5", "item 9"]


def shop_log() -> pl.DataFrame:
    """Events of 120 users and 30 items, of which the last three come late."""
    rng = np.random.default_rng(3)
    rows: dict[str, list[Any]] = {"user_id": [], "item_id": [], "timestamp": []}
    for user in range(120):
        begin, item = int(rng.integers(86_400 * 30)), int(rng.integers(27))
        for step in range(8):
            at = begin + 600 * step
            if at > 86_400 * 27.5 and rng.random() < 0.5:
                item = int(rng.integers(27, 30))
            rows["user_id"].append(f"u{user}")
            rows["item_id"].append(f"item {item}")
            rows["timestamp"].append(1_600_000_000 + at)
            item = (item + int(rng.choice([1, 2, 5]))) % 27
    return pl.DataFrame(rows)


@cache
def trained(model: str = "gru") -> segue.Recommender:
    """A model of that shop, whose items are in four categories."""
    names = [f"item {n}" for n in range(30)]
    kinds = [[f"kind {n % 4}"] + ["rare"] * (n % 9 == 0) for n in range(30)]
    items = pl.DataFrame({"item_id": names, "title": names, "categories": ["|".join(one) for one in kinds]})
    return segue.fit(shop_log(), items=items, model=model, settings={**QUICK, "split.test": 0.02, "split.valid": 0.02})


def shop_engine() -> Engine:
    return engine_of(columns=COLUMNS)


def ids(ranked: Any) -> list[str]:
    return [item_id for item_id, _ in ranked.items]


def test_the_catalog_has_what_every_strategy_needs() -> None:
    assert set().union(*(one.needs for one in STRATEGIES.values())) <= trained().bundle.known_items.fields()


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("diversity", [0.3, 0.8])
def test_a_served_list_is_the_one_that_is_measured_offline(name: str, diversity: float) -> None:
    recommender, k = trained(), 5
    model, catalog = recommender.artifact.model, recommender.artifact.catalog
    items = [item for item in recommender.item_ids if item not in HISTORY][:3]
    engine = Engine(Bundle.of(recommender.artifact), MemoryStore(), clock=lambda: NOW)
    served = engine.recommend(items=items, k=k, exclude="none", diversity=diversity, strategy=name, seed=7)
    # by hand, as `segue frontier` does it
    state = model.initial_state(1)
    for number, item in enumerate(items):
        event = Event(catalog.ids.places_of([item]), np.zeros(1), np.array([number == 0]))
        state = advance(model, event, np.array([number == 0]), state)
    best, scores = top_k(model.score(model.query(state)), min(POOL, model.n_items))
    counts = recommender.artifact.counts
    assert counts is not None
    known = KnownItems(
        catalog.columns,
        model,
        seed=recommender.artifact.settings.seed,
        counts=counts.events,
        new=recommender.bundle.known_items.known().new,
    ).known()
    taste = None if known.kinds is None else known.kinds.taste(catalog.ids.places_of(items))
    draws = stream(7, "\0".join([f"diversity {name}", *items]))
    places = STRATEGIES[name](known.pool(best[0], scores[0], taste), k, diversity, draws)
    assert ids(served) == [catalog.ids[int(best[0][place])] for place in places]


def test_what_is_new_is_what_the_training_log_says() -> None:
    found = trained().bundle.known_items.known().new
    assert found is not None
    counts = trained().artifact.counts
    assert counts is not None
    high, low = float(counts.until[0]), float(counts.first_seen.min())
    assert found.tolist() == (counts.first_seen > high - 0.1 * (high - low)).tolist()


@pytest.mark.parametrize("name", STRATEGIES)
def test_at_0_a_list_is_the_best_scores_and_above_it_is_whole(name: str) -> None:
    recommender = trained()
    plain = recommender.recommend(items=HISTORY, k=6)
    assert recommender.recommend(items=HISTORY, k=6, diversity=0.0, strategy=name) == plain
    for diversity in (0.01, 0.5, 1.0):
        once = recommender.recommend(items=HISTORY, k=6, diversity=diversity, strategy=name)
        assert once == recommender.recommend(items=HISTORY, k=6, diversity=diversity, strategy=name), "again the same"
        assert len({one.item_id for one in once}) == len(once) == 6


def test_rules_hold_in_a_diverse_list() -> None:
    engine = shop_engine()
    engine.observe([LiveEvent("u", item, 50.0) for item in ("i2", "i5", "i2")])
    rules = {"deny": {"items": ["i3"]}, "pin": [{"item": "i0", "place": 2}]}
    for name in ("quotas", "calibrated", "rotation"):
        wish = {"rules": rules, "diversity": 0.9, "strategy": name}
        ranked = engine.recommend(user_id="u", k=5, timestamp=51.0, exclude="current", **wish)
        listed = ids(ranked)
        assert listed[1] == "i0"
        assert not {"i3", "i2"} & set(listed)
        assert len(listed) == len(set(listed)) == 5


def test_pins_take_none_of_the_places_that_a_strategy_fills() -> None:
    recommender = trained()
    known = recommender.bundle.known_items.known()
    new = {recommender.item_ids[n] for n in np.flatnonzero(known.new)}  # type: ignore[arg-type]
    rules = {"pin": [{"item": "item 4", "place": 1}]}
    held = {"items": HISTORY, "k": 5, "exclude": "none", "diversity": 0.2, "strategy": "exploration"}
    for rest in (None, rules):
        shown = [
            bool(new & {one.item_id for one in recommender.recommend(**held, rules=rest, seed=seed)})
            for seed in range(20)
        ]
        assert sum(shown) >= 8, "the one slot stands last, and is not cut off by the pin"


def test_a_strategy_is_asked_for_the_places_that_pins_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Noting:
        by = None

        def __init__(self, *_: Any) -> None:
            pass

        def __call__(self, _: Any, k: int) -> Any:
            asked.append(k)
            return np.arange(k)

    monkeypatch.setattr("segue.serving.lists.ruled.Chooser", Noting)
    rules = {"pin": [{"item": "i4", "place": 1}, {"item": "i5", "place": 3}]}
    shop_engine().recommend(items=["i1"], k=5, exclude="none", rules=rules, diversity=0.5, strategy="quotas")
    assert asked == [3]


def test_what_is_told_of_the_items_is_what_will_be_known_of_them() -> None:
    wordless = engine_of(columns={"title": ["?"] * 8, "categories": [None] * 8})
    for engine in (shop_engine(), engine_of(), engine_of(columns={}), wordless):
        items = engine.bundle.known_items
        assert items.fields() == items.known().fields
    for similarity in SIMILARITIES:
        items = trained().bundle.known_items
        assert items.fields(similarity) == items.known(similarity).fields


def test_the_users_past_decides_what_is_calibrated() -> None:
    engine = shop_engine()
    engine.observe([LiveEvent("odd", item, 1.0) for item in ("i1", "i3", "i5", "i7")])
    engine.observe([LiveEvent("even", item, 1.0) for item in ("i0", "i2", "i4", "i6")])
    for user in ("odd", "even"):
        listed = ids(engine.recommend(user_id=user, k=4, exclude="none", diversity=1.0, strategy="calibrated"))
        own = sum(("odd" if int(item[1:]) % 2 else "even") == user for item in listed)
        assert own == 4, listed


def test_a_draw_stays_until_the_user_does_something_and_a_seed_keeps_it() -> None:
    engine = shop_engine()
    drawn = []
    for seq in range(12):
        first = ids(engine.recommend(user_id="u", k=4, diversity=1.0, strategy="rotation", timestamp=NOW))
        assert first == ids(engine.recommend(user_id="u", k=4, diversity=1.0, strategy="rotation", timestamp=NOW))
        fixed = ids(engine.recommend(user_id="u", k=4, diversity=1.0, strategy="rotation", seed=seq, timestamp=NOW))
        assert fixed == ids(
            engine.recommend(user_id="u", k=4, diversity=1.0, strategy="rotation", seed=seq, timestamp=NOW)
        )
        drawn.append(tuple(first))
        engine.observe([LiveEvent("u", "nothing known", NOW)])
    assert len(set(drawn)) > 1


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"diversity": 1.5}, "`diversity` is 1.5"),
        ({"diversity": float("nan")}, "`diversity` is nan"),
        ({"diversity": 0.5, "strategy": "mrm"}, "`strategy`: `mrm` is not a strategy.*mmr"),
        (
            {"diversity": 0.5, "strategy": "exploration"},
            "`strategy`: the strategy `exploration` needs which items are new",
        ),
        ({"strategy": "exploration"}, "`strategy` is given, and `diversity` is not: it would change nothing"),
        ({"diversity": 0.0, "strategy": "exploration"}, "needs which items are new"),
        ({"diversity": 0.5, "strategy": "rotation", "seed": -1}, "`seed` is -1"),
    ],
)
def test_what_cannot_be_meant_is_refused(wish: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        shop_engine().recommend(user_id="u", **wish)


def test_over_http_both_ways_give_the_list_of_the_engine() -> None:
    def seen(app: Any, body: dict[str, Any]) -> tuple[int, Any]:
        with TestClient(app) as client:
            answer = client.post(ROUTE, json=body)
        content = answer.json()
        content.pop("request_id", None)
        return answer.status_code, content

    def both(body: dict[str, Any]) -> tuple[int, Any]:
        plain = seen(create_app(shop_engine()), body)
        engine = shop_engine()
        assert seen(Direct(create_app(engine), engine, 10.0), body) == plain
        return plain

    wish = {"items": ["i1"], "k": 4, "exclude": "none"}
    status, content = both({**wish, "diversity": 0.9, "strategy": "quotas"})
    listed = [item["item_id"] for item in content["items"]]
    expected = shop_engine().recommend(items=["i1"], k=4, exclude="none", diversity=0.9, strategy="quotas")
    assert (status, listed) == (200, ids(expected))
    status, content = both({**wish, "diversity": 1.0, "strategy": "calibrated"})
    assert {item["item_id"] for item in content["items"]} == {"i1", "i3", "i5", "i7"}, (
        "all of the kind of what was seen"
    )
    for wrong, said in (
        ({"diversity": 2}, "diversity"),
        ({"diversity": "much"}, "diversity"),
        ({"diversity": 0.5, "strategy": "quota"}, "quotas"),
        ({"diversity": 0.5, "seed": -1}, "seed"),
        ({"diversity": 0.5, "strategy": "less_popular"}, "how often each item was met"),
    ):
        status, content = both({**wish, **wrong})
        assert status == 400
        assert said in str(content)


@pytest.mark.parametrize("large", [False, True])
def test_lists_whose_pools_are_found_together_are_those_that_are_made_alone(large: bool) -> None:
    bundle = engines_of()[0].bundle if large else trained().bundle
    ids_of, questions = bundle.item_ids, []
    for number, name in enumerate(["mmr", "rotation", "quotas", "calibrated", "long_tail", "mmr", "dpp"]):
        if not {*STRATEGIES[name].needs} <= {*bundle.known_items.known("auto").fields}:
            continue
        memory = blank(bundle)
        for at, place in enumerate((number, 2 * number + 1, 9)):
            memory = absorb(bundle, memory, StoredEvent(at + 1, ids_of[place], NOW + at))
        wish = Diverse(0.5, name, who=f"u{number}", seed=3, past=[ids_of[number]])
        allowed = np.arange(2, 28, dtype=np.int32) if number == 5 else None
        k = 28 if number == 1 else 5
        questions.append(Question(memory, NOW + 3.0, k, [ids_of[9]], allowed=allowed, diverse=wish))
    plain = questions[0]._replace(diverse=None)
    together = answer_all(bundle, [*questions, plain])
    alone = [answer(bundle, question._replace(rules=Bound())) for question in [*questions, plain]]
    for one, other in zip(together, alone, strict=True):
        assert ids(one) == ids(other)
        np.testing.assert_allclose([s for _, s in one.items], [s for _, s in other.items], rtol=1e-5)
        assert not one.unmet_pins
        assert one._replace(items=()) == other._replace(items=(), unmet_pins=())
    assert len(questions) >= 4
    assert ids(together[0]) != ids(together[-1]), "the wish was heard"
