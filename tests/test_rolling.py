"""Weeks after a model's cutoff: what each model has learned when it is asked, and what the figures are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

import segue
from segue.artifact import Artifact
from segue.config import EvaluateSettings, ObjectiveSettings
from segue.data.catalog import Catalog
from segue.data.events import EventLog
from segue.errors import ConfigError, EvaluationError, InterruptedTrainingError, TrainingError
from segue.evaluation.replay import askable
from segue.metrics import Bootstrap
from segue.models.base import Model
from segue.recommender import Recommender
from segue.rng import stream
from segue.training import networks
from segue.training.rolling import models, roll
from segue.training.rolling.asking import Answers, Question, answers_of, question_of
from segue.training.rolling.models import Lineup, only_known, until
from segue.training.rolling.report import Rolling
from segue.training.rolling.retraining import trained_anew
from segue.training.rolling.roll import rolled, rolling_of
from segue.training.rolling.summing import Asked
from segue.training.rolling.telling import tables_of
from segue.training.rolling.weeks import Week, weeks_of
from small_shop import Ran, copied
from update_models import ITEMS, NEW_ITEMS, items_table, whole_log
from update_models import model as trained

WEEKS = 3
TEXT = "{http://www.w3.org/2000/svg}text"


def model(name: str = "gru") -> Artifact:
    """Of the first days; quickly trained."""
    return trained(name, precision="float32", epochs=2, rows=32)


def cutoff() -> float:
    found = model().facts.cutoff
    assert found is not None
    return found


def length() -> float:
    """Of a week, so that the log ends within the third."""
    return (float(whole_log().time[-1]) - cutoff()) / (WEEKS - 0.5)


def weeks() -> list[Week]:
    return weeks_of(whole_log(), cutoff(), length())


class Watched:
    """What learning was given, by who learned: the log, and the cutoff of the model that went on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.logs: dict[str, list[EventLog]] = {"updated": [], "retrained": []}
        self.cutoffs: list[float | None] = []
        self.catalogs: list[Catalog] = []
        update, anew = models.update_artifact, models.trained_anew

        def updating(artifact: Artifact, log: EventLog, *given: Any, **named: Any) -> Any:
            self.logs["updated"].append(log)
            self.cutoffs.append(artifact.facts.cutoff)
            return update(artifact, log, *given, **named)

        def training(artifact: Artifact, log: EventLog, *given: Any, **named: Any) -> Any:
            self.logs["retrained"].append(log)
            return anew(artifact, log, *given, **named)

        def asking(question: Question, model: Model, catalog: Catalog, *given: Any) -> Answers:
            self.catalogs.append(catalog)
            return answers_of(question, model, catalog, *given)

        monkeypatch.setattr(roll, "answers_of", asking)
        monkeypatch.setattr(models, "update_artifact", updating)
        monkeypatch.setattr(models, "trained_anew", training)


BOUND = "segue.metrics.intervals.FEWEST_TO_COMPARE"
"""Lowered here, where few users are asked for: what is told of so few has tests of its own."""


@cache
def everything() -> tuple[list[Asked], Watched, Rolling]:
    """Three weeks, all models, what they learned from and the report of them."""
    with pytest.MonkeyPatch.context() as patched:
        watched, asked = Watched(patched), []
        patched.setattr(BOUND, 2)

        def kept(*given: Any) -> Any:
            for one in rolled(*given):
                asked.append(one)
                yield one

        patched.setattr(roll, "rolled", kept)
        report = rolling_of(model(), whole_log(), items_table(), every=f"{length()}s")
    return asked, watched, report


def test_weeks_part_the_time_after_the_cutoff() -> None:
    found, log = weeks(), whole_log()
    assert [week.number for week in found] == [1, 2, 3]
    assert found[0].begins == cutoff()
    assert all(one.ends == other.begins and one.last == other.first for one, other in pairwise(found))
    assert found[-1].last == len(log)
    for week in found:
        inside = (log.time >= week.begins) & (log.time < week.ends)
        assert np.flatnonzero(inside).tolist() == list(range(week.first, week.last))
    assert weeks_of(log, cutoff(), length(), 2) == found[:2]


def test_nothing_of_a_week_is_learned_before_it_is_asked() -> None:
    _, watched, _ = everything()
    for logs in watched.logs.values():
        assert [len(log) for log in logs] == [week.first for week in weeks()[1:]]
        for log, week in zip(logs, weeks()[1:], strict=True):
            assert log.time[-1] < week.begins
            assert set(log.items) == set(whole_log().items.take(np.unique(whole_log().item[: week.first])))
    first, second = watched.cutoffs
    assert first == cutoff()
    assert second is not None
    assert weeks()[1].first == int(np.searchsorted(whole_log().time, second)), "an update goes on where the last ended"


def test_what_is_learned_before_a_week_does_not_depend_on_what_comes_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log, week = whole_log(), weeks()[0]
    item = log.item.copy()
    item[week.first :] = item[week.first :][::-1]
    given: list[tuple[Any, ...]] = []

    def noted(*what: Any, **_: Any) -> None:
        given.append(what)
        raise TrainingError("enough is known")

    for name in ("update_artifact", "trained_anew", "again"):
        monkeypatch.setattr(models, name, noted)
    for one in (log, replace(log, item=item)):
        lineup = Lineup(model(), one, items_table(), model().settings, True, "markov", lambda _: None, lambda *_: None)
        for learn in (
            lambda of=lineup: of.updated(model(), week.first, 0),
            lambda of=lineup: of.retrained(week.first),
            lambda of=lineup: of.fitted(week.first, week.begins),
        ):
            with pytest.raises(TrainingError):
                learn()
    assert len(given) == 6
    for before, after in zip(given[:2], given[3:5], strict=True):
        for name in ("user", "item", "time"):
            np.testing.assert_array_equal(getattr(before[1], name), getattr(after[1], name))
        assert before[1].items == after[1].items
    assert given[0][2].ids == given[3][2].ids, "nor does the table say what will come"
    learned, others = given[2][2].learned, given[5][2].learned
    np.testing.assert_array_equal(learned.item, others.item)
    assert len(learned) == week.first
    assert given[2][2].catalog.ids == given[5][2].catalog.ids


def test_all_models_are_asked_the_same_events_and_all_of_a_week() -> None:
    asked, watched, report = everything()
    log, catalogs = whole_log(), iter(watched.catalogs)
    assert report.names == ["kept", "updated", "retrained", report.baseline]
    for one, week in zip(asked, weeks(), strict=True):
        question = question_of(log, week, model().facts.rule, model().settings)
        assert question is not None
        places = question.sequences.order[question.asked]
        inside = askable(question.sequences) & (question.sequences.order >= week.first)
        assert sorted(places) == sorted(question.sequences.order[inside])
        for name, found in one.answers.items():
            ids, catalog = log.items, next(catalogs)
            assert len(catalog) == one.models[name].items
            assert found.user.tolist() == log.user[places].tolist()
            wanted = [catalog.ids.place_of(ids[item]) for item in log.item[places]]
            assert found.target.tolist() == wanted, name


def test_updated_and_retrained_know_items_that_came_and_kept_does_not() -> None:
    _, _, report = everything()
    first, *later = report.weeks
    assert not first.compared
    assert {one.items for name, one in first.models.items() if name != report.baseline} == {ITEMS}
    assert first.models["kept"].unknown == first.models["updated"].unknown > 0
    for week in later:
        assert week.compared
        assert week.models["kept"].items == ITEMS
        assert week.models["updated"].items == week.models["retrained"].items == ITEMS + NEW_ITEMS
        assert week.models["kept"].unknown > 0 == week.models["updated"].unknown == week.models["retrained"].unknown
        assert week.models["updated"].events == weeks()[week.number - 2].last - weeks()[week.number - 2].first
    assert first.models["kept"].metrics == first.models["retrained"].metrics
    assert later[0].models["kept"].metrics != later[0].models["updated"].metrics != later[0].models["retrained"].metrics


def test_the_difference_over_all_weeks_is_that_of_the_predictions_of_the_weeks_that_were_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BOUND, 2)
    asked, _, report = everything()
    later = asked[1:]
    for difference in report.differences:
        assert difference.model == "updated"
        mine, others = (
            np.concatenate([one.answers[name].scored[difference.metric].values for one in later])
            for name in ("updated", difference.against)
        )
        by_hand = float(mine.mean() - others.mean())
        assert difference.difference["difference"] == pytest.approx(by_hand)
        assert difference.relative.value == pytest.approx(by_hand / others.mean())
        weighted = sum(
            week.predictions
            * (
                (week.models["updated"].metrics[difference.metric].value or 0.0)
                - (week.models[difference.against].metrics[difference.metric].value or 0.0)
            )
            for week in report.weeks[1:]
        )
        assert weighted / report.predictions == pytest.approx(by_hand)
        user = np.concatenate([one.answers["kept"].user for one in later])
        found = Bootstrap(user, rng=stream(1, "rolling"), replicates=100).compare(mine, others)
        assert difference.difference["low"] == pytest.approx(found.low)
        assert difference.difference["high"] == pytest.approx(found.high)
    assert {one.against for one in report.differences} == {"kept", "retrained", report.baseline}
    assert report.predictions == sum(week.predictions for week in report.weeks[1:])
    seconds = {
        name: sum(week.models[name].seconds or 0 for week in report.weeks[1:]) for name in ("updated", "retrained")
    }
    assert report.time_share == pytest.approx(seconds["updated"] / seconds["retrained"], rel=1e-6)
    assert any(f"{100 * report.time_share:.1f} %" in verdict for verdict in report.verdicts)


def test_a_picture_and_tables_show_every_week() -> None:
    _, _, report = everything()
    picture = report.chart()
    texts = [one.text for one in ElementTree.fromstring(picture).iter(TEXT)]
    for name in report.names:
        assert texts.count(name) >= 2
    circles = list(ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == 3 * WEEKS * len(report.names)
    colors = [
        [one.attrib["fill"] for one in ElementTree.fromstring(picture).iter(TEXT) if one.text == name]
        for name in report.names
    ]
    assert all(len(set(of)) == 1 for of in colors), "a model has one color in all pictures"
    tables = list(tables_of(report))
    assert [len(table.rows) for table in tables] == [WEEKS + 1] * 3
    assert all(len(row) == len(table.headings) for table in tables for row in table.rows)
    assert tables[0].rows[-1][0] == "all of 2 to 3"
    assert msgspec.json.decode(msgspec.json.encode(report), type=Rolling) == report
    assert any("week 1: nobody can have learned anything" in note for note in report.notes)
    assert any("week 3 is not whole" in note for note in report.notes)


@pytest.mark.parametrize(
    ("error", "interrupted"),
    [
        (KeyboardInterrupt(), True),
        (InterruptedTrainingError("the update was interrupted"), True),
        (TrainingError("no number"), False),
    ],
)
def test_what_stops_it_after_some_weeks_leaves_these(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, interrupted: bool
) -> None:
    asked, _, whole = everything()
    stopping(monkeypatch, asked[:2], error)
    report = rolling_of(model(), whole_log(), every=f"{length()}s")
    assert report.weeks == whole.weeks[:2]
    assert (report.interrupted, report.ended) == (interrupted, "interrupted" if interrupted else "no number")
    assert any("it ended after week 2 of 3" in note for note in report.notes)
    stopping(monkeypatch, asked[:1], error)
    with pytest.raises(KeyboardInterrupt if interrupted else TrainingError):
        rolling_of(model(), whole_log(), every=f"{length()}s")


def stopping(monkeypatch: pytest.MonkeyPatch, asked: list[Asked], error: BaseException) -> None:
    """So that it stops after some weeks."""

    def stopped(*_: Any) -> Any:
        yield from asked
        raise error

    monkeypatch.setattr(roll, "rolled", stopped)


def test_ctrl_c_while_a_network_is_trained_anew_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*given: Any, **named: Any) -> Any:
        return train_network(*given, **named)._replace(interrupted=True)

    train_network = networks.train_network
    monkeypatch.setattr(networks, "train_network", stopped)
    with pytest.raises(InterruptedTrainingError):
        trained_anew(model(), until(whole_log(), 200), None, say=lambda _: None, show=lambda *_: None)


def test_what_is_not_to_be_predicted_is_not_asked() -> None:
    log, week = whole_log(), weeks()[0]
    weight = np.arange(len(log), dtype=np.float32) % 3
    objective = ObjectiveSettings(at_least=2.0, half_life="1h")
    settings = msgspec.structs.replace(model().settings, objective=objective)
    question = question_of(replace(log, weight=weight), week, model().facts.rule, settings)
    assert question is not None
    places = question.sequences.order[question.asked]
    every = question_of(log, week, model().facts.rule, model().settings)
    assert every is not None
    all_places = every.sequences.order[every.asked]
    assert sorted(places) == sorted(place for place in all_places if weight[place] == 2)
    few = msgspec.structs.replace(model().settings, evaluate=EvaluateSettings(max_predictions=20))
    some = question_of(log, week, model().facts.rule, few)
    assert some is not None
    assert int(some.asked.sum()) + some.left_out == len(all_places)
    assert 20 <= int(some.asked.sum()) < len(all_places)


def test_a_table_of_items_says_nothing_of_items_that_come_later() -> None:
    early = until(whole_log(), weeks()[0].first)
    assert len(early.items) == ITEMS
    table = only_known(items_table(), early, model().catalog)
    assert list(table.ids) == [one for one in items_table().ids if one in set(early.items)]
    assert table.columns["price"] == [
        items_table().columns["price"][items_table().ids.place_of(one)] for one in table.ids
    ]


def without_cutoff(artifact: Artifact) -> Artifact:
    return msgspec.structs.replace(
        artifact, facts=msgspec.structs.replace(artifact.facts, cutoff=None, split="leave-one-out")
    )


BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: rolling_of(model(), whole_log(), every="7"), ConfigError, "--rolling is `7`: 7 has no unit"),
    (lambda: rolling_of(model(), whole_log(), every="7d", weeks=1), ConfigError, "--weeks is 1; expected at least 2"),
    (lambda: rolling_of(model(), whole_log(), every="3650d"), EvaluationError, "within the first week after"),
    (lambda: rolling_of(model(), whole_log(), every="10ms"), EvaluationError, "more than 1,000"),
    (lambda: rolling_of(model(), until(whole_log(), weeks()[0].first)), EvaluationError, "no week is left to ask for"),
    (lambda: rolling_of(without_cutoff(model()), whole_log()), EvaluationError, "trained under a leave-one-out split"),
    (lambda: rolling_of(model("markov"), whole_log()), EvaluationError, "`markov` is no network"),
    (
        lambda: rolling_of(model(), whole_log(), settings={"model.width": 4}),
        ConfigError,
        "`model.width` goes with the model",
    ),
    (
        lambda: rolling_of(
            model(), whole_log().where(np.arange(len(whole_log())) >= weeks()[0].first), every=f"{length()}s"
        ),
        EvaluationError,
        "no event before",
    ),
]


@pytest.mark.parametrize(("asked", "error", "words"), BAD, ids=[words for _, _, words in BAD])
def test_what_cannot_be_meant_is_said_with_what_to_do(
    asked: Callable[[], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as found:
        asked()
    assert words in str(found.value)


def test_without_old_events_updates_stand_beside_the_kept_model_alone() -> None:
    late = whole_log().where(np.arange(len(whole_log())) >= weeks()[0].first)
    report = rolling_of(model(), late, every=f"{length()}s", weeks=2, retrain=False)
    assert report.names == ["kept", "updated"]
    assert (report.baseline, report.time_share) == ("", None)
    assert len(report.weeks) == 2


def test_the_command_prints_tables_a_picture_and_json(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copied(tmp_path_factory, tmp_path)
    monkeypatch.chdir(folder)
    asked = ["evaluate", "gru", "clicks.csv", "--rolling", "3h", "--weeks", "2"]
    ran = Ran(capsys, *asked, "--set", "update.epochs=1", "--chart", "weeks.svg")
    assert ran.status == 0, ran.err
    assert "ndcg@10 of each stretch of 3 h, asked before anybody learned it" in ran.out
    assert "1 update took" in ran.out
    assert "the chart is in weeks.svg" in ran.err
    assert Path("weeks.svg").read_text().startswith("<svg")
    told = Ran(capsys, *asked, "--no-retrain", "--json").json
    assert [week["number"] for week in told["weeks"]] == [1, 2]
    assert set(told["weeks"][0]["models"]) == {"kept", "updated", told["baseline"]}
    for words, status, message in (
        (["--weeks", "2"], 2, "--weeks: only with --rolling"),
        (["--no-retrain"], 2, "--no-retrain: only with --rolling"),
        (["--rolling", "1h", "--metrics", "calibration@10"], 2, "--metrics does not go with --rolling"),
        (["--rolling", "1h", "--chart", "weeks.png"], 2, "ends in .svg"),
        (["--rolling", "fortnight"], 2, "--rolling is `fortnight`"),
    ):
        Ran(capsys, "evaluate", "gru", "clicks.csv", *words).failed(status, message)


def test_the_command_tells_of_the_weeks_before_ctrl_c(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copied(tmp_path_factory, tmp_path)
    _, _, whole = everything()
    stopped = msgspec.structs.replace(whole, interrupted=True, ended="interrupted")
    monkeypatch.setattr(Recommender, "rolling", lambda *_, **__: stopped)
    ran = Ran(capsys, "evaluate", folder / "gru", folder / "clicks.csv", "--rolling", "1d")
    assert ran.status == 130
    assert "all of 2 to 3" in ran.out
    failed = msgspec.structs.replace(whole, ended="the loss is no number")
    monkeypatch.setattr(Recommender, "rolling", lambda *_, **__: failed)
    ran = Ran(capsys, "evaluate", folder / "gru", folder / "clicks.csv", "--rolling", "1d")
    assert ran.status == 1
    assert "error: the loss is no number" in ran.err
    assert "all of 2 to 3" in ran.out
    assert segue.load(folder / "gru").item_ids
