"""What every baseline owes to the contract of a model."""

from typing import Any

import numpy as np
import pytest

from baseline_logs import MARK, RESET, after, event, laid, random_sessions
from segue.errors import ArtifactError, TrainingError
from segue.models.base import Event, SessionRule, at_request, fold, pick
from segue.models.markov import Markov
from segue.models.neighbours import Neighbours
from segue.models.popularity import Popularity
from segue.models.recent_popularity import RecentPopularity

KINDS = (Popularity, RecentPopularity, Markov, Neighbours)
every_kind = pytest.mark.parametrize("kind", KINDS)


def trained(kind: Any, rule: SessionRule = RESET, **settings: Any) -> Any:
    return kind(10, rule=rule, **settings).fit(laid(random_sessions()))


def random_events(T: int = 13, B: int = 4) -> tuple[Event, Any]:
    rng = np.random.default_rng(5)
    starts = rng.random((T, B)) < 0.25
    return Event(
        rng.integers(-1, 10, (T, B)).astype(np.int32), np.arange(T * B, dtype=float).reshape(T, B), starts
    ), starts


def frozen(state: dict[str, Any]) -> dict[str, Any]:
    for array in state.values():
        array.setflags(write=False)
    return state


@every_kind
def test_what_was_learned_survives_saving_and_loading(kind: Any) -> None:
    model = trained(kind)
    copy = kind(10, rule=model.rule, **model.settings())
    copy.load_arrays({name: array.copy() for name, array in model.arrays().items()})
    for clicks in ("", "a", "hg", "abc?"):
        assert after(copy, clicks) == after(model, clicks)


@every_kind
def test_arrays_that_are_missing_or_do_not_fit_are_refused(kind: Any) -> None:
    good = trained(kind).arrays()
    for name, array in good.items():
        for bad in (None, array[:-1], array[None], array.astype(str)):
            arrays = {other: kept for other, kept in good.items() if other != name}
            with pytest.raises(ArtifactError):
                kind(10, rule=RESET).load_arrays(arrays if bad is None else arrays | {name: bad})
    with pytest.raises(ArtifactError, match=r"expected .*\(11,\)|expected .*\(12,\)"):
        kind(11, rule=RESET).load_arrays(good)


@pytest.mark.parametrize(("kind", "name"), [(Markov, "next_items"), (Neighbours, "items"), (Neighbours, "sessions")])
def test_an_index_outside_its_range_is_refused(kind: Any, name: str) -> None:
    good = trained(kind).arrays()
    for value in (-1, 10**6):
        damaged = good[name].copy()
        damaged[0] = value
        with pytest.raises(ArtifactError, match="outside"):
            kind(10, rule=RESET).load_arrays(good | {name: damaged})


@every_kind
def test_candidates_have_the_columns_of_the_full_score(kind: Any) -> None:
    model = trained(kind)
    candidates = np.array([7, 0, 9, 3], np.int32)
    for clicks in ("", "a", "hg"):
        full = after(model, clicks)
        assert after(model, clicks, candidates) == [full[i] for i in candidates]


@every_kind
@pytest.mark.parametrize("rule", [RESET, MARK])
def test_scores_are_finite_float32_and_no_list_is_all_ties(kind: Any, rule: SessionRule) -> None:
    model = trained(kind, rule)
    for items in ((-1,), (9,), (2,)):
        scores = model.score(model.query(model.step(event(*items), model.initial_state(1))))
        assert scores.shape == (1, 10)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        assert len(np.unique(scores)) > 3


@every_kind
def test_scan_equals_one_step_after_another(kind: Any) -> None:
    model = trained(kind)
    events, starts = random_events()
    queries, state = model.scan(events, starts, model.initial_state(4))
    plain, last = fold(model, events, starts, model.initial_state(4))
    assert {name: array.tolist() for name, array in state.items()} == {n: a.tolist() for n, a in last.items()}
    for t in range(len(starts)):
        assert model.score(pick(queries, t)).tolist() == model.score(pick(plain, t)).tolist()


@every_kind
def test_nothing_given_is_changed_in_place(kind: Any) -> None:
    model = trained(kind)
    events, starts = random_events()
    for array in (*events, starts, *model.arrays().values()):
        if array is not None:  # no features
            array.setflags(write=False)
    state = frozen(model.initial_state(4))
    for t in range(len(starts)):
        state = frozen(model.step(Event(events.item[t], events.time[t], events.opens[t]), state))
        model.query(state, np.full(4, 1e6))
        query = model.query(state)
        query.setflags(write=False)
        model.score(query)[:] = 0.0
    assert state["time"].tolist() == events.time[-1].tolist()


@every_kind
def test_rows_know_nothing_of_each_other(kind: Any) -> None:
    model = trained(kind)
    events, starts = random_events()
    together = model.score(model.query(model.scan(events, starts, model.initial_state(4))[1]))
    for b in range(4):
        one = slice(b, b + 1)
        row = Event(events.item[:, one], events.time[:, one], events.opens[:, one])
        state = model.scan(row, starts[:, b : b + 1], model.initial_state(1))[1]
        assert model.score(model.query(state))[0].tolist() == together[b].tolist()


@every_kind
def test_a_request_after_the_gap_sees_an_empty_session(kind: Any) -> None:
    model = trained(kind)
    state = model.step(event(2, 3, time=0.0, opens=True), model.initial_state(2))
    now = np.array([50.0, 500.0])
    scores = model.score(model.query(state, now))
    assert scores[0].tolist() == model.score(model.query(state))[0].tolist()
    assert scores[1].tolist() == model.score(model.query(model.initial_state(1)))[0].tolist()
    assert scores.tolist() == model.score(model.query(at_request(model, state, now))).tolist()


@every_kind
def test_a_log_without_a_known_item_is_refused(kind: Any) -> None:
    with pytest.raises(TrainingError, match="none of the 2 training events"):
        kind(10, rule=RESET).fit(laid(["ab"], item=np.array([-1, -1], np.int32)))
    with pytest.raises(TrainingError, match="catalog of 2"):
        kind(2, rule=RESET).fit(laid(["abc"]))


@every_kind
def test_every_setting_in_the_grid_is_accepted(kind: Any) -> None:
    for name, values in kind.GRID.items():
        for value in values:
            assert kind(10, rule=RESET, **{name: value}).settings()[name] == value
