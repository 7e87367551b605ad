"""Features of events: learned from, the same numbers everywhere, and never those of the event that is to come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import segue
from featured_logs import F, N, encoder_of, featured_log, network
from segue.artifact import load_artifact
from segue.config import TrainSettings
from segue.data.encoding.events import EventEncoder
from segue.data.encoding.values import text_of
from segue.data.events import EventLog, log_of
from segue.data.sessions import lay_out
from segue.errors import ConfigError, LogError, TrainingError
from segue.evaluation.replay import queries
from segue.models.base import Event, SessionRule, fold
from segue.models.exported import Exported
from segue.training.loop import train_network

PLACES = [f"c{place}" for place in range(N)]


def telling_log(users: int = 60, events: int = 20) -> dict[str, list]:
    """The feature of each event, and nothing else, says which item comes next."""
    rng = np.random.default_rng(3)
    rows: dict[str, list] = {"user_id": [], "item_id": [], "timestamp": [], "place": []}
    for user in range(users):
        at, item = 1e9 + 1000 * user, int(rng.integers(N))
        for number in range(events):
            following = int(rng.integers(N))
            row = (f"u{user}", f"i{item}", at + number, PLACES[following])
            for column, value in zip(rows.values(), row, strict=True):
                column.append(value)
            item = following
    return rows


QUICK = {
    "train.loss": "full",
    "model.cell": "gru",
    "model.block": "plain",
    "model.cosine": 0.0,
    "model.width": 16,
    "train.epochs": 25,
    "train.learning_rate": 1e-2,
    "train.refit": False,
    "train.metric": "hr@1",
}


def fitted(log, **settings) -> segue.Recommender:
    return segue.fit(log, settings={**QUICK, **settings})


def network_row(made: segue.Recommender, metric: str = "hr@1") -> float:
    (row,) = [row for row in made.trained_report.rows if row.model == "gru"]
    return row.metrics[metric].value


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[segue.Recommender, Path]:
    pl = pytest.importorskip("polars")
    made = fitted(pl.DataFrame(telling_log()), **{"content.events": ["place"]})
    folder = tmp_path_factory.mktemp("events") / "model"
    made.save(folder)
    return made, folder


def test_what_a_feature_tells_is_learned(trained) -> None:
    pl = pytest.importorskip("polars")
    assert network_row(trained[0]) > 0.95
    assert network_row(fitted(pl.DataFrame(telling_log()), **{"train.epochs": 3})) < 0.3
    assert trained[0].bundle.model.features == N
    assert any(f"features of events: `place` as labels, {N}" in note for note in trained[0].trained_report.notes)


def test_a_saved_model_reads_them_with_and_without_torch(trained) -> None:
    pl = pytest.importorskip("polars")
    _, folder = trained
    log = pl.DataFrame(telling_log(users=4))
    last = dict(zip(log["user_id"], log["place"], strict=True))
    for light in (False, True):
        read = segue.load(folder, light=light)
        frame = read.recommend_users(log, k=1)
        found = dict(zip(frame["user_id"], frame["item_id"], strict=True))
        assert found == {user: f"i{PLACES.index(place)}" for user, place in last.items()}
    report = segue.load(folder).evaluate(pl.DataFrame(telling_log()))
    (row,) = [row for row in report.rows if row.model == "gru"]
    assert row.metrics["recall@10"].value == 1
    assert row.metrics["mrr@10"].value > 0.95


def test_a_log_without_what_was_learned_of_is_told(trained) -> None:
    pl = pytest.importorskip("polars")
    log = pl.DataFrame(telling_log(users=4))
    with pytest.raises(ConfigError, match="`place`"):
        trained[0].recommend_users(log.drop("place"))
    other = log_of(["u", "u"], ["i1", "i2"], [1.0, 2.0])
    with pytest.raises(LogError, match=r"no column that was kept .*the model learned of it"):
        list(trained[0].lists(other))


def test_the_same_seed_gives_the_same_weights() -> None:
    pl = pytest.importorskip("polars")
    log, given = pl.DataFrame(telling_log(users=12)), {"content.events": ["place"], "train.epochs": 2}
    one, other = (fitted(log, **given).bundle.model.arrays() for _ in range(2))
    assert np.abs(one["event_part"]).max() > 0
    assert all(np.array_equal(one[name], other[name]) for name in one)


# The network itself.


def some_events(features: bool = True) -> tuple[Event, np.ndarray]:
    rng = np.random.default_rng(4)
    shape = (7, 3)
    time = np.cumsum(rng.exponential(100.0, shape), axis=0)
    events = Event(rng.integers(-1, N, shape).astype(np.int32), time, np.arange(7)[:, None] % 4 == np.zeros(3))
    return events._replace(features=rng.normal(size=(*shape, F)).astype(np.float32) if features else None), events.opens


MARK, ALL = SessionRule(100.0, "mark"), {"block": "residual", "time_gap": True, "cosine": 16.0}


def test_scan_step_and_graph_give_the_same_states() -> None:
    made, (events, starts) = network(MARK, **ALL), some_events()
    twin = Exported(N, rule=MARK, graph=made.exported(), **made.settings())
    twin.load_arrays(made.arrays())
    scanned, after = made.scan(events, starts, made.initial_state(3))
    for model in (made, twin):
        stepped, last = fold(model, events, starts, model.initial_state(3))
        np.testing.assert_allclose(stepped, scanned, atol=1e-5)
        assert all(np.allclose(last[name], after[name], atol=1e-5) for name in after)


def test_no_features_are_zeros() -> None:
    made, (events, starts) = network(MARK, **ALL), some_events(features=False)
    zeros = events._replace(features=np.zeros((7, 3, F), np.float32))
    without, _ = made.scan(events, starts, made.initial_state(3))
    np.testing.assert_array_equal(without, made.scan(zeros, starts, made.initial_state(3))[0])
    twin = Exported(N, rule=made.rule, graph=made.exported(), **made.settings())
    twin.load_arrays(made.arrays())
    np.testing.assert_allclose(fold(twin, events, starts, twin.initial_state(3))[0], without, atol=1e-5)


def test_the_features_of_an_event_change_no_answer_before_it() -> None:
    log = featured_log(np.random.default_rng(6))
    encoder = encoder_of(log)
    model = network(features=encoder.width)

    def asked(changed: EventLog) -> np.ndarray:
        """(E,) the query after each event, in the order of the sequences."""
        laid = lay_out(changed, gap=None, at_session_start="reset", item=log.item, features=encoder.bound(changed))
        found = np.zeros((len(log), model.width))
        for query, after in queries(model, laid, np.ones(len(log), bool), rows=3, window=5):
            found[after] = query
        return found

    before = asked(log)
    laid = lay_out(log, gap=None, at_session_start="reset")
    at = int(laid.bounds[3]) - 4  # in the middle of a user's events
    place = int(laid.order[at])
    price, label, kind = log.features["price"].copy(), log.features["label"].copy(), log.event_type.copy()
    price[place], label[place], kind[place] = 9.0, (label[place] + 1) % 5, 1 - kind[place]
    after = asked(replace(log, features={"label": label, "price": price}, event_type=kind))
    differ = np.flatnonzero((before != after).any(axis=1))
    # the target of the query after event `at - 1` is event `at`: it is asked for without its features
    assert differ.tolist() == list(range(at, int(laid.bounds[3])))


def test_live_events_have_the_numbers_of_the_log() -> None:
    log = featured_log(np.random.default_rng(7))
    encoder = encoder_of(log)
    expected = encoder.bound(log).at(np.arange(len(log)))
    names = log.feature_names["label"]
    given = [
        (
            {"label": names[label], **({} if np.isnan(price) else {"price": float(text_of(float(price)))})},
            log.type_names[kind],
        )
        for label, price, kind in zip(log.features["label"], log.features["price"], log.event_type, strict=True)
    ]
    np.testing.assert_array_equal(encoder.encode(given), expected)
    assert (expected != 0).any(axis=0).all()
    lists = [({**features, "label": features["label"].split("|")}, kind) for features, kind in given]
    np.testing.assert_array_equal(encoder.encode(lists), expected)
    assert not encoder.encode([(None, None), ({"label": "new", "price": None, "other": 1}, "unheard of")]).any()


def test_numbers_are_labels_where_that_is_asked_for_or_they_are_few() -> None:
    rng = np.random.default_rng(8)
    log = featured_log(rng)
    row = rng.integers(4, size=len(log)).astype(np.float32)
    row[0] = np.nan
    log = replace(log, features={"row": row, "price": log.features["price"]}, feature_names={})
    encoder = encoder_of(log, "row", "price:labels")
    assert [one.encoder.kind for one in encoder.table.columns.values()] == ["labels", "labels"]
    found = encoder_of(log, "row")
    np.testing.assert_array_equal(
        found.encode([({"row": 3}, None), ({"row": 3.0}, None), ({"row": "3"}, None)]),
        np.repeat(found.bound(log).at(np.flatnonzero(row == 3)[:1]), 3, axis=0),
    )
    assert not found.bound(log).at(np.array([0, -1])).any()


def test_numbers_that_a_log_has_as_texts_are_read_alike() -> None:
    log = featured_log(np.random.default_rng(9))
    texts = ("", "1.5", "2", "30")
    code = (np.arange(len(log)) % 4).astype(np.int32)
    coded = replace(log, features={"price": code}, feature_names={"price": texts})
    plain = replace(log, features={"price": np.array([np.nan, 1.5, 2, 30], np.float32)[code]}, feature_names={})
    one, other = (encoder_of(kind, "price:number") for kind in (coded, plain))
    places = np.arange(len(log))
    np.testing.assert_allclose(one.bound(coded).at(places), other.bound(plain).at(places), atol=1e-6)
    np.testing.assert_array_equal(one.bound(plain).at(places), one.bound(coded).at(places))
    bad = replace(coded, feature_names={"price": ("", "1.5", "2", "thirty")})
    with pytest.raises(LogError, match="column `price` of the log is 'thirty'; expected a number"):
        encoder_of(bad, "price:number")
    with pytest.raises(LogError, match="'thirty'; expected a number, as learned"):
        one.bound(bad)


def test_the_commonest_labels_have_a_column_each_and_texts_share_words() -> None:
    log = featured_log(np.random.default_rng(9), 600)
    rare = tuple(f"label{number}" for number in range(100))
    code = np.minimum(np.arange(600) % 150, 99).astype(np.int32)
    log = replace(log, features={"many": code}, feature_names={"many": rare})
    encoder = encoder_of(log, "many")
    assert encoder.width == 64
    assert encoder.encode([({"many": "label99"}, None)]).any(), "the commonest"
    assert any("of the events have none of its 64 labels" in note for note in encoder.table.notes)
    asked = tuple(
        f"{colour} {thing} number {n}" for n, (colour, thing) in enumerate([("red", "mug"), ("blue", "lamp")] * 50)
    )
    log = replace(log, feature_names={"many": asked})
    encoder = encoder_of(log, "many")
    assert encoder.table.columns["many"].encoder.kind == "text"
    red, mug, lamp = encoder.encode([({"many": "red mugs"}, None), ({"many": "mug"}, None), ({"many": "lamp"}, None)])
    assert red @ mug > 2 * abs(red @ lamp)


def test_what_was_learned_comes_back_from_the_disk(trained) -> None:
    _, folder = trained
    artifact = load_artifact(folder, light=True)
    log = featured_log(np.random.default_rng(7))
    encoder = encoder_of(log)
    again = EventEncoder.restored(encoder.plain(), encoder.arrays())
    np.testing.assert_array_equal(again.bound(log).at(np.arange(9)), encoder.bound(log).at(np.arange(9)))
    assert artifact.events is not None
    assert artifact.events.names == ["place"]
    (folder / "events.safetensors").rename(folder / "moved")
    with pytest.raises(segue.SegueError, match=r"events.safetensors: cannot be read"):
        load_artifact(folder)
    (folder / "moved").rename(folder / "events.safetensors")


def test_columns_that_are_not_there_are_told_before_training() -> None:
    pl = pytest.importorskip("polars")
    log = pl.DataFrame(telling_log(users=6))
    with pytest.raises(ConfigError, match=r"`plcae`.*did you mean `place`"):
        fitted(log, **{"content.events": ["plcae"]})
    with pytest.raises(ConfigError, match="no column of event types"):
        fitted(log, **{"content.events": ["type"]})
    with pytest.raises(LogError, match=r"'c[0-9]'; expected a number"):
        fitted(log, **{"content.events": ["place:number"]})


def test_lists_of_a_parquet_column_are_labels(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    rows = telling_log(users=3)
    rows["tags"] = [["x", None, "y"] if number % 2 else [] for number in range(len(rows["place"]))]
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    log = segue.read_log(tmp_path / "log.parquet", feature_cols=("tags",))
    assert set(log.feature_names["tags"]) == {"", "x|y"}
    assert encoder_of(log, "tags").width == 2


def test_a_network_does_not_learn_from_events_without_what_it_reads() -> None:
    log = featured_log(np.random.default_rng(6))
    laid = lay_out(log, gap=None, at_session_start="reset")
    with pytest.raises(TrainingError, match=f"reads {F} numbers of each event .* these events have 0"):
        train_network(network(), laid, TrainSettings(epochs=1), seed=1)
