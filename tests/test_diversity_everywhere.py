"""The same diverse list wherever it is asked for: offline, in Python, in a shell, by a server; and what is usual."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from litestar.testing import TestClient

import segue
from segue.errors import RequestError
from segue.evaluation.pools import Asked
from segue.evaluation.walk import walk
from segue.ranking.diversity import STRATEGIES
from segue.ranking.pool import POOL
from segue.serving.backfill import backfill
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.lists.diverse import Wish
from segue.serving.store.memory import MemoryStore
from segue.training.evaluate import asked_of, split_for
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct
from serving_models import engine_of
from small_shop import Ran, shop_of
from test_diverse_lists import ids, shop_engine, shop_log, trained


@cache
def log() -> Any:
    return segue.read_log(shop_log())


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop_of(tmp_path_factory)


def server_of(recommender: segue.Recommender) -> Engine:
    return Engine(Bundle.of(recommender.artifact), MemoryStore(), clock=lambda: 2e9)


def test_what_a_frontier_measures_is_what_a_server_gives_after_the_same_events() -> None:
    artifact, knob, k = trained("markov").artifact, 0.6, 5
    phase = asked_of(artifact, log(), split_for(artifact, log()))
    asked = Asked.of(phase.replayed, phase.asked)
    known = trained("markov").bundle.known_items.known()
    points = [(strategy, knob) for strategy in STRATEGIES.values()]
    given: dict[str, Any] = {"exclude": artifact.facts.exclude, "k": k, "size": POOL, "memory_mb": 64}
    walked = walk(artifact.model, asked, known, points, users=log().users, say=lambda _: None, **given)
    compared = 0
    for number, place in enumerate(asked.place[:12].tolist()):
        rows = asked.sequences
        user = rows.user[place]
        past = slice(int(rows.bounds[np.flatnonzero(rows.of == user)[0]]), place)
        engine, who = server_of(trained("markov")), log().users[int(user)]
        times = rows.time[past].tolist()
        had = log().items.take(log().item[rows.order[past]])
        engine.observe([LiveEvent(who, item, at) for item, at in zip(had, times, strict=True)])
        for point, name in enumerate(STRATEGIES):
            served = engine.recommend(user_id=who, k=k, timestamp=times[-1], diversity=knob, strategy=name)
            expected = walked.lists[point, number]
            assert ids(served) == [artifact.catalog.ids[int(item)] for item in expected if item >= 0], name
            compared += 1
    assert compared == 12 * len(STRATEGIES)


@pytest.mark.parametrize("seed", [None, 3])
def test_lists_for_the_users_of_a_log_are_those_of_a_server_that_had_it(seed: int | None) -> None:
    recommender, engine = trained("markov"), server_of(trained("markov"))
    backfill(engine, log())
    some = log().users.take(np.array([3, 50, 99]))
    for name in STRATEGIES:
        wish: dict[str, Any] = {"diversity": 0.6, "strategy": name, "seed": seed}
        frame = recommender.recommend_users(shop_log(), users=some, k=4, **wish)
        assert frame.height == 4 * len(some)
        for who in some:
            last = shop_log().filter(pl.col("user_id") == who)["timestamp"].max()
            served = engine.recommend(user_id=who, k=4, timestamp=float(last), **wish)  # type: ignore[arg-type]
            rows = frame.filter(pl.col("user_id") == who)
            assert rows["item_id"].to_list() == ids(served), name
            np.testing.assert_allclose(rows["score"].to_numpy(), [score for _, score in served.items], rtol=1e-6)


@pytest.mark.parametrize("name", ["rotation", "long_tail", "exploration"])
def test_two_users_have_different_draws_under_one_seed_and_each_keeps_its_own(name: str) -> None:
    engine, least = server_of(trained()), 2 if name == "exploration" else 6  # three items are new
    engine.observe([LiveEvent(f"u{n}", "item 10", 1e9) for n in range(8)])
    for seed in (None, 7):
        wish: dict[str, Any] = {"k": 8, "exclude": "none", "timestamp": 1e9, "diversity": 0.7}
        wish |= {"strategy": name, "seed": seed}
        lists = [tuple(ids(engine.recommend(user_id=f"u{n}", **wish))) for n in range(8)]
        assert len(set(lists)) >= least, "all had the same, so that only the draws differ"
        assert lists == [tuple(ids(engine.recommend(user_id=f"u{n}", **wish))) for n in range(8)]
        # of the same state, for the model does not know the first of these items
        sessions = [[f"unknown {n}", "item 10"] for n in range(8)]
        lists = [tuple(ids(engine.recommend(items=items, **wish))) for items in sessions]
        assert len(set(lists)) >= least
        assert lists == [tuple(ids(engine.recommend(items=items, **wish))) for items in sessions]


def test_what_is_usual_holds_where_a_request_does_not_say_each_field_for_itself() -> None:
    engine, wish = shop_engine(), {"items": ["i1", "i3", "i5"], "k": 3, "exclude": "none", "seed": 3}
    plain = engine.recommend(**wish, diversity=0.0)
    rotation, calibrated = (
        engine.recommend(**wish, diversity=0.9, strategy=name) for name in ("rotation", "calibrated")
    )
    assert len({tuple(ids(one)) for one in (plain, rotation, calibrated)}) == 3
    engine.usual = Wish(0.9, "rotation")
    assert engine.recommend(**wish) == rotation
    assert engine.recommend(**wish, diversity=0.0) == plain
    assert engine.recommend(**wish, strategy="calibrated") == calibrated
    by = engine.recommend(**wish, diversity=0.2).chosen_by
    assert by is not None
    assert (by.strategy, by.diversity) == ("rotation", 0.2)
    with pytest.raises(RequestError, match="`strategy`: `quota` is not a strategy"):
        engine.recommend(**wish, strategy="quota")


@pytest.mark.parametrize("given", [{"strategy": "mmr"}, {"similarity": "attributes"}, {"seed": 3}])
def test_what_would_change_nothing_without_a_knob_is_refused_everywhere_unless_one_is_usual(
    given: dict[str, Any],
) -> None:
    (name,), wish = given, {"items": ["i1", "i3"], "k": 3}
    told = f"`{name}` is given, and `diversity` is not: it would change nothing. Give `diversity`, a number above 0, up"
    recommender, engine = trained(), shop_engine()
    with pytest.raises(RequestError, match=re.escape(told)):
        recommender.recommend(items=["item 1"], **given)
    with pytest.raises(RequestError, match=re.escape(told)):
        recommender.recommend_users(shop_log(), users=["u3"], **given)
    assert recommender.recommend(items=["item 1"], diversity=0.0, **given) == recommender.recommend(items=["item 1"])
    for app in (create_app(engine), Direct(create_app(engine), engine, 10.0)):
        with TestClient(app) as client:  # type: ignore[arg-type]
            engine.usual = Wish()
            answer = client.post(ROUTE, json={**wish, **given})
            assert (answer.status_code, told in answer.json()["error"]["message"]) == (400, True)
            engine.usual = Wish(0.0)
            assert client.post(ROUTE, json={**wish, **given}).status_code == 400
            assert client.post(ROUTE, json={**wish, **given, "diversity": 0}).status_code == 200
            engine.usual = Wish(0.5)
            assert "chosen_by" in client.post(ROUTE, json={**wish, **given}).json()


def test_both_ways_over_http_say_what_chose_a_list() -> None:
    def seen(app: Any, body: dict[str, Any]) -> tuple[int, Any]:
        with TestClient(app) as client:
            answer = client.post(ROUTE, json=body)
        content = answer.json()
        content.pop("request_id", None)
        return answer.status_code, content

    def both(body: dict[str, Any]) -> tuple[int, Any]:
        found = []
        for way in (lambda engine: create_app(engine), lambda engine: Direct(create_app(engine), engine, 10.0)):
            engine = server_of(trained())
            engine.usual = Wish(0.5, "mmr", "vectors")
            found.append(seen(way(engine), body))
        assert found[0] == found[1]
        return found[0]

    wish = {"items": ["item 1", "item 5"], "k": 5}
    status, usual = both(wish)
    assert (status, usual["chosen_by"]) == (
        200,
        {"strategy": "mmr", "diversity": 0.5, "seed": 2, "similarity": "the model's item vectors"},
    )
    status, other = both({**wish, "similarity": "attributes", "seed": 9})
    assert (status, other["chosen_by"]["similarity"], other["chosen_by"]["seed"]) == (200, "the items' categories", 9)
    assert [one["item_id"] for one in other["items"]] != [one["item_id"] for one in usual["items"]]
    status, plain = both({**wish, "diversity": 0})
    assert (status, "chosen_by" in plain) == (200, False)
    assert [one["item_id"] for one in plain["items"]] == [
        one.item_id
        for one in trained().recommend(items=wish["items"], k=5)  # type: ignore[arg-type]
    ]
    status, refused = both({**wish, "similarity": "vector"})
    assert status == 400
    assert "`similarity`" in refused["error"]["message"]
    assert "expected one of attributes, vectors, auto" in refused["error"]["message"]


def test_a_model_that_cannot_be_told_by_what_is_asked_says_so() -> None:
    with pytest.raises(RequestError, match="`similarity`: similarity `vectors`: a model of the kind `fading` has no"):
        shop_engine().recommend(items=["i1"], diversity=0.5, similarity="vectors")
    with pytest.raises(RequestError, match="neither categories nor titles"):
        engine_of(columns={}).recommend(items=["i1"], diversity=0.5, similarity="attributes")
    with pytest.raises(RequestError, match=r"`similarity` is 'vector'; expected one of these \(did you mean `vectors`"):
        trained().recommend(items=["item 1"], diversity=0.5, similarity="vector")  # type: ignore[arg-type]


def test_a_new_model_that_cannot_have_what_is_usual_answers_as_ranked(caplog: pytest.LogCaptureFixture) -> None:
    engine, wish = shop_engine(), {"items": ["i1"], "k": 4, "exclude": "none"}
    engine.usual = Wish(0.9, "quotas")
    assert engine.recommend(**wish).chosen_by is not None
    with caplog.at_level(logging.WARNING, "segue.serving"):
        engine.swap(replace(engine.bundle, columns={}, version="v2"))
    assert (
        "version v2 are as ranked where a request does not say: `strategy`: the strategy `quotas` needs" in caplog.text
    )
    assert engine.recommend(**wish).items == engine.recommend(**wish, diversity=0.0).items
    with pytest.raises(RequestError, match="`quotas` needs the items' categories"):
        engine.recommend(**wish, diversity=0.5, strategy="quotas")


@pytest.mark.parametrize("name", ["mmr", "quotas", "rotation"])
def test_a_list_of_a_shell_is_that_of_python_and_of_a_server(
    name: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--diversity", "0.6", "--strategy", name, "--seed", 5, "-k", 6)
    told = Ran(capsys, "recommend", shop / "gru", "--items", "sku03,sku04", *words, "--json").json
    recommender = segue.load(shop / "gru", light=True)
    found = recommender.recommend(items=["sku03", "sku04"], k=6, diversity=0.6, strategy=name, seed=5)
    with TestClient(create_app(server_of(recommender))) as client:
        body = {"items": ["sku03", "sku04"], "k": 6, "diversity": 0.6, "strategy": name, "seed": 5}
        served = client.post(ROUTE, json=body).json()
    listed = [one["item_id"] for one in told["items"]]
    assert listed == [one.item_id for one in found] == [one["item_id"] for one in served["items"]]
    assert listed != [one.item_id for one in recommender.recommend(items=["sku03", "sku04"], k=6)]
    assert told["chosen_by"] == served["chosen_by"]
    assert told["chosen_by"]["strategy"] == name
    table = Ran(capsys, "recommend", shop / "gru", "--items", "sku03,sku04", *words).out
    assert f"chosen by {name} at 0.6" in table
    assert "seed 5" in table


def test_lists_of_a_log_in_a_shell_are_those_of_python(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--diversity", "0.6", "--strategy", "rotation", "--seed", 5, "-k", 4, "--users", "u3,u7")
    ran = Ran(capsys, "recommend", shop / "gru", "--log", shop / "clicks.csv", *words)
    assert "note: chosen by rotation at 0.6" in ran.err
    frame = segue.load(shop / "gru").recommend_users(
        shop / "clicks.csv", users=["u3", "u7"], k=4, diversity=0.6, strategy="rotation", seed=5
    )
    assert [line.split(",")[:2] for line in ran.out.splitlines()[1:]] == [
        list(row) for row in frame.select("user_id", "item_id").iter_rows()
    ]
    why = Ran(
        *(capsys, "recommend", shop / "gru", "--log", shop / "clicks.csv", "--users", "u3", "-k", 4, "--explain"),
        *("--diversity", "0.6", "--strategy", "rotation", "--seed", 5, "--json"),
    ).json
    assert [one["item_id"] for one in why["items"]] == frame.filter(pl.col("user_id") == "u3")["item_id"].to_list()
    ranks = [one["reasons"]["rank_without_rules"] for one in why["items"]]
    assert ranks != [1, 2, 3, 4]
    assert all(ranks)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--strategy", "mrm", "--diversity", "0.3"), "`strategy`: `mrm` is not a strategy (did you mean `mmr`?)"),
        (("--diversity", "nan"), "`diversity` is nan; expected a number from 0 (as ranked) to 1"),
        (("--diversity", "1.5"), "`diversity` is 1.5; expected a number from 0"),
        (("--strategy", "mmr"), "--strategy is given, and --diversity is not: it would change nothing"),
        (("--diversity", "0.3", "--similarity", "vector"), "vector"),
        (("--diversity", "0.3", "--strategy", "exploration"), "the strategy `exploration` needs which items are new"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_served_or_listed(
    words: tuple[str, ...], told: str, shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.web.serve.serve", lambda *_, **__: pytest.fail("it serves"))
    Ran(capsys, "recommend", shop / "gru", "--items", "sku03", *words).failed(2, told)
    Ran(capsys, "recommend", shop / "gru", "--log", shop / "clicks.csv", *words).failed(2, told)
    Ran(capsys, "serve", shop / "gru", *words).failed(2, told)


def test_a_server_is_started_with_what_is_usual(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segue.cli import run

    usual: list[Any] = []

    def serve(engine: Engine, **_: Any) -> None:
        usual.append((engine.usual, engine.recommend(items=["sku03"], k=5)))
        engine.close()

    monkeypatch.setattr("segue.web.serve.serve", serve)
    words = ["--diversity", "0.4", "--strategy", "mmr", "--similarity", "vectors"]
    assert run(["serve", str(shop / "gru"), "--port", "0", *words]) == 0
    ((wish, listed),) = usual
    assert wish == Wish(0.4, "mmr", "vectors")
    found = segue.load(shop / "gru", light=True).recommend(
        items=["sku03"], k=5, diversity=0.4, strategy="mmr", similarity="vectors"
    )
    assert ids(listed) == [one.item_id for one in found]
