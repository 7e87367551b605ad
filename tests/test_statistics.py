"""Measures of a log by hand, its traps, and the settings that follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segue.data.events import EventLog, log_of
from segue.data.proposals import propose
from segue.data.statistics import measure, warnings_of
from segue.errors import LogError
from segue.training.plan import plan_of


def proposed(log: EventLog) -> dict[str, object]:
    return {one.key: one.value for one in propose(log, measure(log))}


def test_measures_by_hand() -> None:
    #        a: 1 2 2 1 (a pause of 4000 s before the last)   b: 3 1
    log = log_of(list("aaaabb"), list("122131"), [0, 10, 20, 4020, 5, 15])
    found = measure(log)
    assert (found.events, found.users, found.items, found.sessions) == (6, 2, 3, 3)
    assert found.density == 1.0
    assert found.length[3] == 4
    assert found.session_length[3] == 3
    assert found.repeated == pytest.approx(2 / 6)  # a returns to 2 and to 1
    assert found.repeated_at_once == pytest.approx(1 / 4)  # of 4 neighbouring pairs, 2 2
    assert found.median_pause == 10.0
    assert (found.tied, found.ascending) == (0.0, 0.0)
    assert (found.first_time, found.last_time) == (0.0, 4020.0)


def test_ties_and_their_order_by_id_are_counted() -> None:
    # five pairs of neighbours: 2-10 ascends as numbers (not as text), 10-3 descends, both tied; then untied
    found = measure(log_of(["u"] * 4, ["2", "10", "3", "4"], [0, 0, 0, 9]))
    assert found.tied == pytest.approx(2 / 3)
    assert found.ascending == 0.5


def test_ties_in_order_of_the_ids_are_warned_of_and_shuffled_ones_are_not() -> None:
    users = [f"u{i // 10}" for i in range(200)]
    times = [float(i // 10) for i in range(200)]
    ascending = [str(100 + i % 10) for i in range(200)]
    assert any("artefact" in warning for warning in warnings_of(measure(log_of(users, ascending, times))))
    mixed = [str(100 + i) for _ in range(20) for i in np.random.default_rng(1).permutation(10)]
    assert not warnings_of(measure(log_of(users, mixed, times)))


def test_many_new_items_are_warned_of() -> None:
    log = log_of(["u"] * 30, [str(i) for i in range(30)], list(range(30)))
    assert any("did not occur before" in warning for warning in warnings_of(measure(log)))


@pytest.mark.parametrize(("users", "items"), [(["u"], ["a"]), (["u", "v"], ["a", "a"])])
def test_one_event_or_one_item_is_nothing_to_learn_from(users: list[str], items: list[str]) -> None:
    with pytest.raises(LogError, match="at least two events and two items"):
        measure(log_of(users, items, list(range(len(users)))))


def ratings() -> EventLog:
    return log_of(
        [f"u{i % 7}" for i in range(210)], [f"i{i // 7}" for i in range(210)], [1000.0 * i for i in range(210)]
    )


def clicks() -> EventLog:
    """Each user clicks a b a c within a minute, a day apart twice."""
    events = [
        (f"u{u}", item, 86400.0 * day + 10 * at + u)
        for u in range(9)
        for day in (0, 1)
        for at, item in enumerate("abac")
    ]
    return log_of(*map(list, zip(*events, strict=True)))  # type: ignore[arg-type]


def test_ratings_are_a_single_sequence_from_which_seen_items_are_left_out() -> None:
    found = proposed(ratings())
    assert found["evaluate.exclude"] == "seen"
    assert found["sessions.gap"] == "never"
    assert found["split.kind"] == "time"


def test_clicks_have_sessions_and_may_return_to_an_item() -> None:
    found = proposed(clicks())
    assert found["evaluate.exclude"] == "current"
    assert found["sessions.gap"] == 1800.0
    assert found["sessions.at_session_start"] == "mark"


def test_a_log_that_repeats_at_once_leaves_nothing_out() -> None:
    log = clicks()
    assert proposed(replace(log, item=log.item // 2))["evaluate.exclude"] == "none"


def test_the_logs_own_parts_and_a_missing_clock_decide_the_split() -> None:
    log = ratings()
    assert proposed(replace(log, split=np.zeros(len(log), np.int8)))["split.kind"] == "column"
    assert proposed(replace(log, timed=False))["split.kind"] == "leave-one-out"


def test_sessions_without_users_are_reset() -> None:
    log = clicks()
    assert proposed(replace(log, session=log.user, anonymous=True))["sessions.at_session_start"] == "reset"


def test_every_proposal_has_a_reason() -> None:
    log = ratings()
    assert all(len(one.reason) > 10 for one in propose(log, measure(log)))


def shop(items: int) -> EventLog:
    """Two clicks a session on items that hardly anyone else clicks, and every tenth session returns to its first."""
    events = [
        (f"s{s}", f"i{(2 * s + (0 if at == 2 else at)) % items}", 1000.0 * s + at)
        for s in range(6000)
        for at in range(3 if s % 10 == 0 else 2)
    ]
    return log_of(*map(list, zip(*events, strict=True)))  # type: ignore[arg-type]


def histories(users: int, length: int) -> EventLog:
    """Users who take so many of 2,000 items, each once."""
    events = [(f"u{u}", f"i{(37 * u + at) % 2000}", 1000.0 * at + u) for u in range(users) for at in range(length)]
    return log_of(*map(list, zip(*events, strict=True)))  # type: ignore[arg-type]


def test_short_sequences_are_compared_by_direction_in_one_layer() -> None:
    found = proposed(shop(5000))
    assert (found["model.cosine"], found["train.loss"], found["model.dropout"]) == (16.0, "full", 0.4)
    assert not {"model.cell", "model.block", "model.layers"} & found.keys()
    assert proposed(shop(5000))["train.window"] == 16


def test_many_long_histories_get_residual_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "model.block" not in proposed(histories(100, 60))
    monkeypatch.setattr("segue.data.proposals.MANY_EVENTS", 6_000)
    few, many = proposed(histories(200, 39)), proposed(histories(100, 60))
    assert "model.block" not in few
    assert (many["model.block"], many["model.cell"], many["model.layers"]) == ("residual", "mingru", 3)
    assert (many["train.window"], many["train.rows"]) == (200, 64)
    assert "model.cosine" not in many
    keys = [one.key for one in propose(histories(100, 60), measure(histories(100, 60)))]
    assert len(keys) == len(set(keys)), "nothing is proposed twice"
    log = histories(100, 60)
    plain = {one.key: one.value for one in propose(log, measure(log), {"model.block": "plain"})}
    assert not plain.keys() & {"model.cell", "model.layers", "model.convolution"}
    assert plain["model.cosine"] == 16.0, "without blocks, what one layer gets"
    assert plain["train.window"] == 64


def test_what_goes_with_a_softmax_is_not_proposed_where_a_ranking_loss_was_chosen() -> None:
    log = shop(5000)
    usual = {one.key for one in propose(log, measure(log))}
    for loss, gone in (("bpr-max", {"model.cosine"}), ("gbce", {"model.cosine", "train.learning_rate"})):
        keys = {one.key for one in propose(log, measure(log), {"train.loss": loss})}
        assert usual - keys == gone
        plan = plan_of(log, {"train": {"loss": loss}})
        assert plan.settings.model.cosine == 0.0
        assert {one.key for one in plan.proposals} == keys - {"train.loss"}
    found = {one.key: one.value for one in propose(log, measure(log), {"train.loss": "top1-max"})}
    assert (found["train.learning_rate"], found["train.sampling"], found["model.embedding_dropout"]) == (
        0.01,
        "popularity",
        0.5,
    )


def test_the_learning_rate_goes_with_the_loss_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    log = shop(5000)

    def rate(**chosen: object) -> float:
        found = {one.key: one.value for one in propose(log, measure(log), {f"train.{k}": v for k, v in chosen.items()})}
        return float(found["train.learning_rate"])

    assert rate() == rate(loss="full") < rate(loss="sampled")
    monkeypatch.setattr("segue.data.proposals.FULL_LOSS_ITEMS", 3)
    assert rate() == rate(loss="sampled") > rate(loss="full")
    assert plan_of(log, {"train": {"loss": "full"}}).settings.train.learning_rate == rate(loss="full")
    inner = {one.key for one in propose(log, measure(log), {"model.cosine": 0.0})}
    assert "train.learning_rate" not in inner, "it is of scores by direction"


@pytest.mark.parametrize(("column", "value"), [("item", -1), ("item", 9999), ("user", 9999)])
def test_a_code_that_is_none_of_the_logs_is_named(column: str, value: int) -> None:
    log = ratings()
    codes = getattr(log, column).copy()
    codes[7] = value
    with pytest.raises(LogError, match=rf"column `{column}` is damaged: found {value}, expected 0 to .*pack it again"):
        measure(replace(log, **{column: codes}))
