"""Items that nobody met: ranked among all, by content alone, beside chance and content neighbours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

import segue
from kinds_shop import QUICK, clicks, write_items, write_log
from segue.artifact import save_artifact
from segue.cli import run
from segue.data.catalog import ItemTable
from segue.data.events import log_of
from segue.data.sessions import lay_out
from segue.errors import ConfigError, EvaluationError, TrainingError
from segue.evaluation.replay import askable, replay
from segue.models.base import Event, SessionRule, fold
from segue.models.content_neighbours import ContentNeighbours
from segue.training import cold_items as cold
from segue.training.cold_items import cold_items
from segue.training.cold_report import ColdItems
from segue.training.evaluate import split_for
from segue.training.updating.update import update_artifact
from update_models import ITEMS, NEW_ITEMS, items_table, log_until, model, whole_log


def reading(**train: object):
    return model(content=("title", "price"), **train)


@pytest.fixture(scope="module")
def found():
    return cold_items(reading(), whole_log(), items_table())


def test_new_items_are_ranked_among_all_and_known_ones_before_and_after(found) -> None:
    artifact, log = reading(), whole_log()
    asked = log.time >= artifact.facts.cutoff
    laid = lay_out(log, gap=900.0, at_session_start="reset")
    may = askable(laid) & asked[laid.order]
    assert (found.n_items, found.new_items, found.undescribed) == (ITEMS, NEW_ITEMS, 0)
    assert found.predictions == int((may & (laid.item >= ITEMS)).sum())
    assert found.known_predictions == int((may & (laid.item < ITEMS)).sum())
    assert found.cold["recall@20"].network.value == 1.0, "all 14 items fit into 20"
    assert found.cold["recall@20"].chance == pytest.approx(20 / (ITEMS + NEW_ITEMS))
    expected = sum(1 / np.log2(1 + rank) for rank in range(1, 11)) / (ITEMS + NEW_ITEMS)
    assert found.cold["ndcg@10"].chance == pytest.approx(expected)
    assert 0 < found.cold["ndcg@10"].network.value < 1
    assert found.last in cold.LASTS
    assert found.known["ndcg@10"].difference["difference"] == pytest.approx(
        found.known["ndcg@10"].after.value - found.known["ndcg@10"].before.value
    )
    assert found.verdict.startswith("new items: recall@20 1.0000 is 0.7 times chance")


def test_the_network_that_is_asked_is_the_one_an_update_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = []
    plain = cold.answers
    monkeypatch.setattr(cold, "answers", lambda one, *rest: (networks.append(one), plain(one, *rest))[1])
    cold_items(reading(), whole_log(), items_table())
    larger = next(one for one in networks if one.n_items == ITEMS + NEW_ITEMS and one.kind == "network")
    new = rows(items_table(), list(whole_log().items)[ITEMS:])
    updated = update_artifact(reading(), items=new).artifact.model
    assert torch.equal(larger.table, updated.table)
    assert torch.equal(larger.bias, updated.bias)


def rows(table: ItemTable, ids: list[str]) -> ItemTable:
    return cold.rows_of(table, ids)


def test_a_lift_shows_new_items_more_and_costs_the_others(found) -> None:
    high = cold_items(reading(), whole_log(), items_table(), lift=50.0)
    assert high.lift == 50.0
    assert high.cold["ndcg@10"].network.value > 0.6, "the two new items stand first, in some order"
    assert high.cold["ndcg@10"].network.value > found.cold["ndcg@10"].network.value
    assert high.known["ndcg@10"].difference["high"] < 0
    assert high.known["ndcg@10"].before == found.known["ndcg@10"].before
    assert high.cold["ndcg@10"].neighbours == found.cold["ndcg@10"].neighbours


def test_an_update_lifts_new_items_too() -> None:
    settings = reading().settings
    lifted = msgspec.structs.replace(settings, content=msgspec.structs.replace(settings.content, lift=0.5))
    plain, high = (
        update_artifact(reading(), items=items_table(), settings=one).artifact.model.bias.detach()
        for one in (settings, lifted)
    )
    torch.testing.assert_close(high[ITEMS:], plain[ITEMS:] + 0.5)
    assert torch.equal(high[:ITEMS], plain[:ITEMS])


def test_only_items_of_which_something_is_known_are_appended() -> None:
    told = items_table()
    first, second = list(whole_log().items)[ITEMS:]
    ids = [one for one in told.ids if one != second]
    found = cold_items(reading(), whole_log(), rows(told, ids))
    assert (found.new_items, found.undescribed) == (1, 1)
    assert first in ids


def test_content_neighbours_choose_by_earlier_events_and_by_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact, log = reading(), whole_log()
    later = log.time >= artifact.facts.cutoff
    shuffled = replace(log, item=np.where(later, log.item[::-1], log.item).astype(np.int32))
    seen = []
    plain = cold.answers
    monkeypatch.setattr(cold, "answers", lambda one, *rest: (seen.append(plain(one, *rest).rank), plain(one, *rest))[1])
    for one in (log, shuffled):
        cold.chosen_last(artifact, one, split_for(artifact, one), artifact.model)
    half = len(seen) // 2
    assert half == len(cold.LASTS)
    for ranks, others in zip(seen[:half], seen[half:], strict=True):
        assert np.array_equal(ranks, others)


def test_content_neighbours_score_by_the_cosine_to_what_the_user_had() -> None:
    numbers = np.array([[1, 0], [3, 4], [0, 2], [0, 0]], np.float32)
    one = ContentNeighbours(numbers, rule=SessionRule(), last=2)
    state = one.initial_state(1)
    for item in (2, 0, -1, 1):
        state = one.step(Event(np.array([item], np.int32), np.zeros(1), np.zeros(1, bool)), state)
    # of [1, 0] and [0.6, 0.8] the mean is [0.8, 0.4]; unknown ones are skipped
    np.testing.assert_allclose(one.score(one.query(state))[0], [0.8, 0.8, 0.4, 0.0], atol=1e-6)
    np.testing.assert_allclose(one.score(one.query(state), np.array([2, 3]))[0], [0.4, 0.0], atol=1e-6)
    assert not one.score(one.query(one.initial_state(2))).any()
    events = Event(np.array([[2], [0], [1]]), np.arange(3.0)[:, None], np.zeros((3, 1), bool))
    starts = np.array([[True], [False], [True]])
    queries, last = one.scan(events, starts, one.initial_state(1))
    expected, after = fold(one, events, starts, one.initial_state(1))
    assert np.array_equal(queries, expected)
    assert np.array_equal(last["items"], after["items"])
    assert last["items"].tolist() == [[-1, 1]], "a session begins anew"


def test_content_neighbours_go_through_the_same_replay() -> None:
    laid = lay_out(log_of(["u"] * 3, ["a", "b", "c"], [0.0, 1, 2]), gap=None, at_session_start="reset")
    numbers = np.array([[1, 0], [0, 1], [0, 3]], np.float32)
    one = ContentNeighbours(numbers, rule=SessionRule(), last=1)
    asked = replay(one, laid, np.array([False, True, True]), exclude="current", k=2)
    assert asked.rank.tolist() == [2, 1], "after a, b and c tie, which counts against us"


def test_what_cannot_be_asked_says_what_to_do() -> None:
    log, table = whole_log(), items_table()
    with pytest.raises(TrainingError, match=r"ids alone.*--items"):
        cold_items(model(), log, table)
    with pytest.raises(TrainingError, match="`popularity` knows items by their ids alone"):
        cold_items(model("popularity"), log, table)
    with pytest.raises(EvaluationError, match="says nothing that was learned of the 2 items"):
        cold_items(reading(), log, rows(table, list(log.items)[:ITEMS]))
    with pytest.raises(EvaluationError, match=r"before .* the model's cutoff"):
        cold_items(reading(), log_until(0.5), table)
    known = replace(log, item=(log.item % ITEMS).astype(np.int32))
    with pytest.raises(EvaluationError, match="knows every item of the events"):
        cold_items(reading(), known, table)
    with pytest.raises(ConfigError, match="lift is nan"):
        cold_items(reading(), log, table, lift=float("nan"))


def test_where_no_earlier_event_is_there_it_is_said_that_nothing_chose() -> None:
    artifact = reading()
    log = whole_log()
    found = cold_items(artifact, log.where(log.time >= artifact.facts.cutoff), items_table())
    assert found.last == cold.UNCHOSEN
    assert any("too few events before the asked part" in note for note in found.notes)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    """A model in a folder, a log and an items table."""
    save_artifact(reading(), tmp_path / "model")
    log, table = whole_log(), items_table()
    lines = [f"{log.users[u]},{log.items[i]},{t}" for u, i, t in zip(log.user, log.item, log.time, strict=True)]
    (tmp_path / "log.csv").write_text("\n".join(["user_id,item_id,timestamp", *lines]))
    titled = zip(table.ids, table.columns["title"], table.columns["price"], strict=True)
    rows = [f"{one},{title},{price}" for one, title, price in titled]
    (tmp_path / "items.csv").write_text("\n".join(["item_id,title,price", *rows]))
    return str(tmp_path / "model"), str(tmp_path / "log.csv"), str(tmp_path / "items.csv")


def test_items_that_nobody_met_are_found_by_their_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of ten items is hidden from training; who knows its kind, and that it is new, has it among four."""
    rows = clicks()
    late = sorted(int(row[2]) for row in rows)[400]
    hidden = {f"i{n}" for n in range(16)}
    kept = [row for row in rows if row[1] not in hidden or int(row[2]) >= late]
    share = sum(int(row[2]) >= late for row in kept) / len(kept)
    write_items(tmp_path / "items.csv")
    write_log(tmp_path / "log.csv", kept)
    settings = {**QUICK, "split.test": share, "content.lift": 1.0}
    model = segue.fit(tmp_path / "log.csv", items=tmp_path / "items.csv", settings=settings)
    assert not hidden & set(model.item_ids)
    monkeypatch.setattr("segue.metrics.intervals.FEWEST_TO_COMPARE", 5)  # the shop is small
    found = model.evaluate_new_items(tmp_path / "log.csv", tmp_path / "items.csv")
    recall = found.cold["recall@20"]
    assert found.lift == 1.0, "of the model's settings"
    assert found.new_items >= len(hidden & {row[1] for row in kept})
    assert recall.chance == pytest.approx(20 / (found.n_items + found.new_items))
    assert recall.network.low > 4 * recall.chance
    assert "beats content neighbours" in found.verdict


def test_the_command_prints_both_tables_or_json(
    found: ColdItems, files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, log, items = files
    assert run(["evaluate", folder, log, "--new-items", items, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cold"]["ndcg@10"]["network"]["value"] == pytest.approx(found.cold["ndcg@10"].network.value, abs=1e-6)
    assert told["verdict"] == found.verdict
    assert run(["evaluate", folder, log, "--new-items", items, "--lift", "2"]) == 0
    out = capsys.readouterr().out
    for words in ("network, by content alone, lift 2", "content neighbours, last", "chance", "without the new ones"):
        assert words in out
    assert run(["evaluate", folder, log, "--lift", "2"]) == 2
    assert "give their table" in capsys.readouterr().err
    assert run(["evaluate", folder, log, "--new-items", items, "--metrics", "hr@5"]) == 2
    assert "leave --items and --metrics out" in capsys.readouterr().err
