"""A log through a real server: its metrics are those of the evaluation, and what would make them differ is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

import segue
from api_log import QUICK, clicks
from made_up_server import BUSY, made_up
from segue.data.events import log_of
from segue.data.log import read_log
from segue.data.splits import TEST, Split
from segue.errors import ConfigError, EvaluationError, SegueError
from segue.ranking import NEVER
from segue.replaying import replay_log
from segue.traffic.agreement import ReplayReport
from segue.traffic.log_plan import LogPlan, before_test
from segue.traffic.process import served
from segue.traffic.wire import Listed, rank_in
from segue.training.evaluate import asked_of, split_for
from small_shop import Ran

METRICS = [f"{metric}@{k}" for metric in ("recall", "mrr", "ndcg", "hr") for k in (10, 20)]


def model_in(folder: Path, log: pl.DataFrame, model: str, **settings: Any) -> Path:
    segue.fit(log, model=model, settings=QUICK | settings).save(folder / model)
    return folder / model


def visits() -> pl.DataFrame:
    """The clicks with a session for every five of a user, whatever the pauses, and kinds of event."""
    log = clicks()
    number = pl.int_range(pl.len()).over("user_id") // 5
    return log.with_columns(
        pl.format("{} {}", "user_id", number).alias("session_id"), pl.lit("click").alias("event_type")
    )


@pytest.mark.parametrize(
    ("model", "split", "exclude"), [("gru", "time", "current"), ("markov", "leave-one-out", "seen")]
)
def test_a_server_of_its_own_says_what_evaluate_says(
    model: str, split: str, exclude: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = clicks() if split == "time" else visits()
    log.write_csv(tmp_path / "clicks.csv")
    settings = {"split.kind": split, "evaluate.exclude": exclude}
    folder = model_in(tmp_path, log, model, **settings)
    evaluated = Ran(capsys, "evaluate", folder, tmp_path / "clicks.csv", "--json").json
    row = next(row for row in evaluated["rows"] if row["model"] == model)
    ran = Ran(capsys, "replay", folder, tmp_path / "clicks.csv", "--json", "--together", "4")
    report = ran.json
    assert report["predictions"] == row["predictions"] > 20
    assert sorted(report["metrics"]) == sorted(METRICS)
    for name, pair in report["metrics"].items():
        assert pair["offline"] == pytest.approx(row["metrics"][name]["value"], abs=1e-12)
        assert pair["online"] == pytest.approx(pair["offline"], abs=1e-12)
    assert 0.01 < report["metrics"]["mrr@10"]["online"] < 0.99
    assert (report["equal"], report["other_ranks"], report["notes"]) == (True, 0, [])
    assert report["lists_ms"]["requests"] >= report["predictions"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replaying")
    clicks().write_csv(folder / "clicks.csv")
    model_in(folder, clicks(), "popularity")
    model_in(folder, clicks(), "markov")
    return folder


@pytest.fixture
def server(shop: Path, tmp_path: Path) -> Iterator[str]:
    """A server of the Markov model over an empty store."""
    with served(shop / "markov", tmp_path / "store") as (url, _):
        yield url


def test_a_store_without_the_log_before_is_told(shop: Path, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "replay", shop / "markov", shop / "clicks.csv", "--url", server)
    assert ran.status == 1
    assert "answers came from a state of another number of events than the log has (first: after " in ran.err
    assert "more than 0.001 apart" in ran.err
    assert "mrr@10" in ran.out
    # sent again, the same events are there already
    again = replay_log(shop / "markov", read_log(shop / "clicks.csv"), url=server)
    assert any("events were in the store before they were sent" in note for note in again.notes)
    with pytest.raises(SegueError, match=r"serves markov of version \w+, the folder holds"):
        replay_log(shop / "popularity", read_log(shop / "clicks.csv"), url=server)


def test_a_store_with_what_comes_before_the_test_part_does(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = shop / "clicks.csv"
    assert Ran(capsys, "backfill", shop / "markov", log, "--store", tmp_path / "store", "--before-test").status == 0
    with served(shop / "markov", tmp_path / "store") as (url, _):
        report = Ran(capsys, "replay", shop / "markov", log, "--url", url, "--json").json
    assert (report["equal"], report["other_ranks"], report["notes"]) == (True, 0, [])
    assert report["url"] == url


def test_what_is_sent_begins_with_the_first_event_of_a_user_that_is_new() -> None:
    log = log_of(list("abababab"), list("xyxyzxyz"), [float(n) for n in range(8)])
    role = np.zeros(8, np.int8)
    role[[3, 6]] = TEST  # of a the last, of b one between others
    split = Split("column", role, None, ())
    assert before_test(log, split).tolist() == [True, True, True, False, True, False, False, False]


def plan_of(folder: Path, log: Path) -> tuple[LogPlan, int]:
    artifact, events = segue.load(folder, light=True).artifact, read_log(log)
    split = split_for(artifact, events)
    return LogPlan(events, split, asked_of(artifact, events, split)), int((split.role == TEST).sum())


def test_events_go_out_in_time_order_and_each_prediction_is_asked_for_once(shop: Path) -> None:
    plan, new = plan_of(shop / "markov", shop / "clicks.csv")
    sendings = list(plan)
    assert len(plan) == len(sendings) == new
    assert [one.place for one in sendings] == sorted(one.place for one in sendings)
    asked = [number for one in sendings for number in (one.first, one.target) if number >= 0]
    assert sorted(asked) == list(range(len(plan.targets)))
    before = Counter(plan.before.users[user] for user in plan.before.user)
    for one in sendings:
        assert one.before == before[one.user_id]
        before[one.user_id] += 1


def test_ties_count_against_us() -> None:
    items = [Listed("a", 3.0), Listed("b", 2.0), Listed("c", 2.0), Listed("d", 1.0)]
    assert [rank_in(items, name) for name in "abcde"] == [1, 3, 3, 4, NEVER]


def report_by(shop: Path, refused: set[int], died: int | None = None) -> ReplayReport:
    """A replay to a server that makes up lists without items, and refuses the calls of some numbers."""
    version = segue.load(shop / "markov", light=True).artifact.version
    plan, _ = plan_of(shop / "markov", shop / "clicks.csv")
    known = Counter(plan.before.users[user] for user in plan.before.user)

    async def answering(number: int) -> bytes | None:
        if number == died:
            return None
        if number in refused:
            return BUSY
        body: Any = {"name": "markov", "version": version}
        if number:
            sent = msgspec.json.decode(server.requests[number])
            event = sent["events"][0] if "events" in sent else sent.get("event")
            user = sent["events"][0]["user_id"] if "events" in sent else sent["user_id"]
            known[user] += event is not None
            became = {"seq": known[user], "duplicate": False, "known_item": True}
            body = {"state_version": known[user], "items": []} | ({} if event is None else {"event": became})
            body = {"results": [became]} if "events" in sent else body
        content = msgspec.json.encode(body)
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content)

    with made_up(answering) as server:
        return replay_log(shop / "markov", read_log(shop / "clicks.csv"), url=server.url, together=1)


def test_a_call_that_is_refused_for_now_is_made_again(shop: Path) -> None:
    report = report_by(shop, {1, 5})
    assert report.notes == ["2 calls were made again (first: 503 to /v1/recommend)"] or report.notes == [
        "2 calls were made again (first: 503 to /v1/events)"
    ]
    assert {pair.online for pair in report.metrics.values()} == {0.0}
    assert not report.equal


def test_a_server_that_dies_ends_the_replay(shop: Path) -> None:
    with pytest.raises(SegueError, match="does not answer any more"):
        report_by(shop, set(), died=7)


def test_a_log_that_cannot_be_replayed_is_refused(shop: Path) -> None:
    with pytest.raises(ConfigError, match="replay needs times"):
        replay_log(shop / "markov", read_log(clicks().drop("timestamp").with_row_index("order"), order_col="order"))
    old = clicks().filter(pl.col("timestamp") < pl.col("timestamp").median())
    with pytest.raises(EvaluationError, match=r"before .*the model's cutoff"):
        replay_log(shop / "markov", read_log(old))
