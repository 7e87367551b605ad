"""What is to be predicted: from settings to worth, targets, what is asked, and what is learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.choices import settings_of, settings_tree
from segue.config import ObjectiveSettings
from segue.data import spill
from segue.data.catalog import Catalog
from segue.data.events import EventLog, log_of
from segue.data.objective import described, worth_of
from segue.data.sessions import Sequences, lay_out
from segue.data.splits import TEST, VALID, split_log
from segue.data.synthetic import funnel
from segue.data.targets import targets_of, weighted_targets
from segue.errors import ConfigError, TrainingError
from segue.evaluation.phase import laid_out, phase_of
from segue.evaluation.replay import askable
from segue.models.base import Event, SessionRule, advance
from segue.models.markov import Markov
from segue.models.popularity import Popularity
from segue.models.recent_popularity import RecentPopularity
from segue.training.fingerprint import run_fingerprint
from segue.training.networks import Workshop, choose_network
from segue.training.plan import plan_of

RULE = SessionRule(None, "reset")


def shop(**columns: Any) -> EventLog:
    """Five events of two users: views, a cart and two purchases."""
    kinds = np.array([0, 0, 1, 2, 2], np.int8)
    given = {"event_type": kinds, "weight": np.array([1, 0, 2, 8, 3.5], np.float32), **columns}
    given = {name: column for name, column in given.items() if column is not None}
    log = log_of(["u", "v", "u", "u", "v"], list("abcab"), [0.0, 100.0, 200.0, 300.0, 400.0], **given)
    return replace(log, type_names=("view", "cart", "purchase"))


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ({"targets": ("purchase",)}, [0, 0, 0, 1, 1]),
        ({"targets": ("purchase", "cart"), "type_weights": {"cart": 0.25}}, [0, 0, 0.25, 1, 1]),
        ({"type_weights": {"view": 0.0, "purchase": 5.0}}, [0, 0, 1, 5, 5]),
        ({"at_least": 2.0}, [0, 0, 1, 1, 1]),
        ({"by_weight": True}, [1, 0, 2, 8, 3.5]),
        ({"by_weight": True, "at_least": 3.0, "targets": ("purchase",)}, [0, 0, 0, 8, 3.5]),
        ({"half_life": "100s"}, [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]),
        ({"half_life": "1s"}, [1e-6, 1e-6, 1e-6, 1e-6, 1]),
        ({"type_weights": {"view": 1e-300, "cart": 1e-300, "purchase": 1e-300}}, [np.finfo(np.float32).tiny] * 5),
    ],
)
def test_an_event_counts_by_its_type_its_weight_and_its_age(objective: dict[str, Any], expected: list[float]) -> None:
    found = worth_of(shop(), ObjectiveSettings(**objective))
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_few_days_may_lack_a_type_that_training_had() -> None:
    asked = ObjectiveSettings(targets=("purchase", "gift"), type_weights={"refund": 2.0})
    found = worth_of(shop(), asked, strict=False)
    assert found is not None
    assert found.tolist() == worth_of(shop(), ObjectiveSettings(targets=("purchase",))).tolist()  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="`gift` is no event type"):
        worth_of(shop(), asked)


def test_where_all_count_alike_there_is_nothing_to_keep() -> None:
    assert worth_of(shop(), ObjectiveSettings()) is None


@pytest.mark.parametrize(
    ("log", "objective", "message"),
    [
        (shop(), {"targets": ("purchas",)}, "`purchas` is no event type of this log.*purchase"),
        (
            shop(event_type=None),
            {"targets": ("buy",)},
            "objective.targets names `buy`.*no column of event types.*type_col",
        ),
        (shop(event_type=None), {"type_weights": {"buy": 2.0}}, "objective.type_weights names `buy`"),
        (shop(), {"type_weights": {"view": float("nan")}}, "`view` has nan; expected a number from 0 to 1e.09"),
        (shop(), {"type_weights": {"view": -1.0}}, "`view` has -1;"),
        (shop(weight=None), {"at_least": 4.0}, "objective.at_least needs a number for each event.*weight_col"),
        (shop(weight=None), {"by_weight": True}, "objective.by_weight needs a number for each event"),
        (shop(), {"half_life": "soon"}, "objective.half_life is `soon`"),
        (replace(shop(), timed=False), {"half_life": "1d"}, "half_life needs times"),
        (shop(), {"at_least": 99.0}, "leaves nothing to be predicted.*objective.at_least"),
        (shop(), {"targets": ("view",), "type_weights": {"view": 0.0}}, "targets or objective.type_weights"),
    ],
)
def test_what_a_log_does_not_have_is_said(log: EventLog, objective: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        worth_of(log, ObjectiveSettings(**objective))


def test_it_is_set_like_all_settings() -> None:
    pairs = [
        'objective.targets=["purchase"]',
        "objective.type_weights={purchase = 5, view = 0.5}",
        "objective.at_least=4",
    ]
    objective = settings_of(settings_tree(None, pairs, {})).objective
    assert (objective.targets, objective.at_least) == (("purchase",), 4.0)
    assert objective.type_weights == {"purchase": 5.0, "view": 0.5}
    for pair, message in (
        ("objective.type_weights={view = 'much'}", "a table of numbers, such as"),
        ("train.reach=far", "one of next, ahead"),
        ("objective.target=x", "objective.targets"),
    ):
        with pytest.raises(ConfigError, match=message):
            settings_of(settings_tree(None, [pair], {}))


def with_worth(sequences: Sequences, worth: np.ndarray) -> Sequences:
    fields = {name: getattr(sequences, name) for name in sequences._fields}
    return Sequences(**{**fields, "worth": worth})


@st.composite
def laid(draw: st.DrawFn) -> Sequences:
    """Sequences of several users with sessions, and a worth for each event."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    events = draw(st.integers(1, 40))
    log = log_of(
        [f"u{n}" for n in rng.integers(4, size=events)],
        [f"i{n}" for n in rng.integers(9, size=events)],
        np.cumsum(rng.choice([1.0, 9.0], size=events)).tolist(),
    )
    worth = (rng.integers(3, size=events) * draw(st.sampled_from([1.0, 0.5]))).astype(np.float32)
    return lay_out(log, gap=5.0, at_session_start=draw(st.sampled_from(["reset", "mark"])), worth=worth)


@settings(max_examples=200, deadline=None)
@given(laid(), st.sampled_from(["next", "ahead"]), st.sampled_from([1, 3, 1000]))
def test_an_event_learns_the_next_to_be_predicted_in_its_session(sequences: Sequences, reach: str, block: int) -> None:
    assert sequences.worth is not None
    wanted = []
    for place in range(len(sequences)):
        found = -1
        for after in range(place + 1, len(sequences)):
            if sequences.opens[after] or sequences.starts[after]:
                break
            if sequences.worth[after] > 0:
                found = after
            if found >= 0 or reach == "next":
                break
        wanted.append(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "BLOCK", block)
        item, worth = weighted_targets(sequences, reach)
    assert item.tolist() == [sequences.item[place] if place >= 0 else -1 for place in wanted]
    assert worth is not None
    raw = np.array([sequences.worth[place] if place >= 0 else 0.0 for place in wanted])
    assert ((worth > 0) == (raw > 0)).all()
    if raw.any():
        assert worth[worth > 0].mean() == pytest.approx(1.0, rel=1e-5)
        np.testing.assert_allclose(worth / worth.max(), raw / raw.max(), rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(laid())
def test_where_all_are_to_be_predicted_both_reaches_are_the_plain_targets(sequences: Sequences) -> None:
    sequences = with_worth(sequences, np.ones(len(sequences), np.float32))
    for reach in ("next", "ahead"):
        item, worth = weighted_targets(sequences, reach)
        np.testing.assert_array_equal(item, targets_of(sequences))
        np.testing.assert_array_equal(worth, (item >= 0).astype(np.float32))


def test_only_what_is_to_be_predicted_is_asked_for_and_the_rest_is_counted() -> None:
    log, _ = funnel(users=60, sessions=3)
    split = split_log(log, settings_of({}).split)
    worth = worth_of(log, ObjectiveSettings(targets=("purchase",)))
    phase = phase_of(log, split, RULE, ask=TEST, worth=worth)
    plain = phase_of(log, split, RULE, ask=TEST)
    place = phase.replayed.order[phase.asked]
    assert (log.event_type[place] == 2).all()  # type: ignore[index]
    role = split.role
    bought = (log.event_type == 2) & (role == TEST)
    assert phase.asked.sum() == bought.sum()
    assert phase.first == plain.first > 0
    assert phase.unwanted == plain.asked.sum() - phase.asked.sum()
    assert plain.unwanted == 0
    assert (askable(phase.replayed) <= askable(plain.replayed)).all()


def test_baselines_count_what_is_to_be_predicted() -> None:
    log = log_of(list("uuuuvv"), list("abcaab"), [0, 1, 2, 3, 4, 5])
    worth = np.array([0, 1, 0, 0, 0, 1], np.float32)
    sequences = laid_out(log, RULE, Catalog.of(log, None), worth)
    assert Popularity(3, rule=RULE).fit(sequences).counts.tolist() == [0, 2, 0]
    markov = Markov(3, rule=RULE).fit(sequences)
    assert markov.score(np.array([0, 1, 2]))[:, :].astype(int).tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 0]]
    recent = RecentPopularity(3, rule=RULE).fit(sequences)
    assert int(recent.score(np.zeros((1, 0)))[0].argmax()) == 1
    with pytest.raises(TrainingError, match="none of the 6 training events is to be predicted"):
        Popularity(3, rule=RULE).fit(with_worth(sequences, np.zeros(6, np.float32)))


def settled(log: EventLog, **objective: Any) -> Any:
    network = {"cell": "gru", "block": "plain", "layers": 1, "width": 32, "cosine": 0.0, "dropout": 0.0}
    network |= {"embedding_dropout": 0.0}
    train = {
        "epochs": 8,
        "learning_rate": 0.02,
        "loss": "full",
        "metric": "recall@1",
        "rows": 32,
        "window": 16,
        "threads": 1,
        "reach": "ahead",
    }
    tree = {"objective": objective, "model": network, "train": train, "evaluate": {"exclude": "none"}}
    return plan_of(log, tree)


def test_who_learns_purchases_predicts_them_from_all_that_came_before() -> None:
    log, belongs = funnel(users=300)
    plan = settled(log, targets=("purchase",))
    assert plan.notes[-1].startswith("only purchase is predicted")
    assert "events of the test part are not asked for" in plan.notes[-1]
    fitted = choose_network("gru", plan.choose, plan.judge, plan.rule, Workshop(plan.settings, print, lambda *_: None))
    assert max(value for _, value in fitted.curve if value is not None) > 0.95
    # before any purchase, right after the first view
    catalog = plan.choose.catalog.ids
    state = fitted.model.initial_state(len(catalog))
    events = np.arange(len(catalog), dtype=np.int32)
    first = np.ones(len(catalog), bool)
    state = advance(fitted.model, Event(events, np.zeros(len(catalog)), first), first, state)
    best = fitted.model.score(fitted.model.query(state)).argmax(axis=1)
    assert np.mean([catalog[int(b)] == belongs[catalog[n]] for n, b in enumerate(best)]) > 0.95


def test_a_training_under_another_objective_is_another_training() -> None:
    log, _ = funnel(users=40)
    swapped = replace(log, event_type=np.array([0, 2, 1], np.int8)[log.event_type])
    found = {
        run_fingerprint(settled(one, **objective), "gru")
        for one in (log, swapped)
        for objective in ({}, {"targets": ("purchase",)})
    }
    assert len(found) == 3, "without an objective types make no difference"


def test_described() -> None:
    objective = ObjectiveSettings(targets=("a", "b"), at_least=2, type_weights={"a": 3}, by_weight=True, half_life="9d")
    assert described(objective).count(";") == 4
    assert described(ObjectiveSettings()) == ""
    assert VALID < TEST
