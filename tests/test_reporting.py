"""The report that can be mailed: complete in itself, true to the table, and whatever a title holds is text."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec import structs

import segue
from api_log import FLAGS, QUICK, clicks, titles
from report_files import Page, read
from segue.cli import run
from segue.data.catalog import ItemTable
from segue.data.events import Rejection
from segue.data.ids import Ids
from segue.data.log import read_log
from segue.data.splits import Split
from segue.errors import ConfigError, SegueError
from segue.evaluation.figures import differs, figure
from segue.evaluation.judged import Judged
from segue.evaluation.report import Report
from segue.reporting.evidence import evidence_of
from segue.reporting.examples import examples_of
from segue.reporting.file import Mail, mail_judged
from segue.training.evaluate import evaluate_artifact

HOSTILE = {
    "i0": "<script>alert(1)</script>",
    "i1": '"><img src=x onerror=alert(1)>',
    "i2": "x" * 10_240,
    "i3": "\u202eright to left \u05d0\u05d1\u05d2",
    "i4": "\N{PILE OF POO} & \x00 \x1f ]]> </style>",
    "i5": "",
}


def hostile() -> pl.DataFrame:
    table = titles()
    named = [HOSTILE.get(item, "y" * 10_000 + item) for item in table["item_id"]]
    return table.with_columns(title=pl.Series(named))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, the log and a report of it."""
    place = tmp_path_factory.mktemp("reported")
    clicks().write_csv(place / "clicks.csv")
    segue.fit(clicks(), items=hostile(), model="gru", settings=QUICK).save(place / "gru")
    return place


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return segue.load(folder / "gru").evaluate(folder / "clicks.csv", report=folder / "out.html")


@pytest.fixture(scope="module")
def page(folder: Path, report: Report) -> Page:
    assert report.rows
    return read(folder / "out.html")


def test_every_figure_of_the_tables_is_that_of_the_result(report: Report, page: Page) -> None:
    rows = page.rows("data-model")
    assert list(rows) == [row.model for row in report.rows]
    for row in report.rows:
        cells = dict(rows[row.model])
        test = cells.pop("test", None)
        assert len(cells) >= 7
        assert cells == {name: figure(row.metrics[name]) for name in cells}
        assert report.main in cells
        assert (test is None) is (row.against_best_baseline is None)
        if row.against_best_baseline is not None:
            assert test == differs(row.against_best_baseline)


def test_groups_are_those_of_the_table_and_their_figures_too(report: Report, page: Page) -> None:
    rows = page.rows("data-group")
    network = next(row for row in report.rows if not row.baseline)
    baseline = next(row for row in report.rows if row.baseline)
    assert set(report.groups) <= set(rows)
    assert len(rows) > len(report.groups), "and thirds of popularity"
    for name in report.groups:
        assert rows[name] == {"network": figure(network.groups[name]), "baseline": figure(baseline.groups[name])}


def test_a_handful_of_users_is_too_few_to_tell_in_the_verdict_and_in_every_group(page: Page) -> None:
    first = page.of("h2")[0]
    assert first.startswith("Too few users to tell GRU from ")
    assert "30 are needed" in first
    assert len(page.of("td", class_="few")) == len(page.rows("data-group"))
    assert not page.of("td", class_="ahead") + page.of("td", class_="behind")


def test_users_of_few_events_are_taken_together(folder: Path) -> None:
    kept: list[Judged] = []
    log = read_log(folder / "clicks.csv")
    evaluate_artifact(segue.load(folder / "gru").artifact, log, watch=lambda _, judged: kept.append(judged))
    found = evidence_of(kept[0], log)
    assert len(found.beginners) == len(found.activity) - 1 > 1
    for number, together in enumerate(found.beginners, 1):
        parts = found.activity[:number]
        assert together.predictions == sum(one.predictions for one in parts)
        total = sum(one.predictions * (one.difference.value or 0.0) for one in parts)
        assert together.difference.value == pytest.approx(total / together.predictions)
    for one in (*found.activity, *found.others):
        ours, theirs = one.network.value, one.baseline.value
        assert ours is not None
        assert theirs is not None
        assert one.difference.value == pytest.approx(ours - theirs)


def test_titles_are_text_and_long_ones_are_cut(folder: Path, page: Page) -> None:
    shown = page.of("bdi")
    assert len(shown) > 40
    assert max(map(len, shown)) <= 90
    assert any("yyy" in one for one in shown)
    assert HOSTILE["i0"] in shown
    assert HOSTILE["i3"] in shown
    assert not any("\x00" in one for one in shown)
    text = (folder / "out.html").read_text("utf-8")
    assert len(text.encode()) < 300_000
    assert "<script" not in text.replace("&lt;script", "")


def test_lists_are_drawn_by_the_seed_and_their_share_is_told(report: Report, page: Page, folder: Path) -> None:
    lead = next(text for text in page.of("p", class_="lead") if "Nobody chose" in text)
    network = next(row for row in report.rows if not row.baseline)
    found = network.metrics["recall@10"].value
    assert found is not None
    assert f"{round(found * report.split['predictions']):,} of {report.split['predictions']:,} lists" in lead
    cards = page.of("article")
    assert 2 < len(cards) <= 8, "each is of another user, and few were asked for"
    right = [card for card in cards if card.startswith("right")]
    assert f"{len(right)} of them" in lead
    assert all(("came next" in card) is card.startswith("right") for card in cards)
    segue.load(folder / "gru").evaluate(folder / "clicks.csv", report=folder / "again.html")
    assert read(folder / "again.html").of("article") == cards


def test_at_least_two_lists_of_each_kind_are_drawn_where_one_kind_is_rare(folder: Path) -> None:
    kept: list[Judged] = []
    log = read_log(folder / "clicks.csv")
    evaluate_artifact(segue.load(folder / "gru").artifact, log, watch=lambda _, judged: kept.append(judged))
    found = kept[0].predictions["gru"]
    user, lists = found.user, found.lists.copy()
    lists[:, 0] = found.target  # all are right ...
    for one in np.unique(user)[:3]:  # ... but one of each of three users
        lists[np.flatnonzero(user == one)[-1]] = -1
    assert len(np.unique(user)) == 6
    for seed in range(20):
        judged = kept[0]._replace(predictions={"gru": found._replace(lists=lists)}, seed=seed)
        drawn = examples_of(judged, log, "gru", None).drawn
        right = sum(one.right for one in drawn)
        assert right >= 2
        assert len(drawn) - right >= 2


def test_an_item_that_was_not_learned_from_has_its_title_where_the_table_has_it(folder: Path) -> None:
    new = pl.DataFrame({"user_id": [f"u{user}" for user in range(40)], "item_id": "new", "timestamp": 1_900_000_000})
    new = pl.concat([new, new.with_columns(pl.col("timestamp") + 10)])  # the first of a session is no target
    log = read_log(pl.concat([clicks(), new], how="vertical_relaxed"))
    kept: list[Judged] = []
    evaluate_artifact(segue.load(folder / "gru").artifact, log, watch=lambda _, judged: kept.append(judged))
    table = ItemTable(Ids.of(["other", "new"]), {"title": [None, "The new one"]})
    for named, title in ((None, "new"), (table, "The new one")):
        unknown = [one for one in examples_of(kept[0], log, "gru", None, named).drawn if one.unknown]
        assert unknown
        assert {one.target for one in unknown} == {title}


def test_many_models_and_long_texts_stay_small_enough_to_mail(folder: Path, tmp_path: Path) -> None:
    kept: list[tuple[Split, Judged]] = []
    model = segue.load(folder / "gru")
    log = read_log(folder / "clicks.csv")
    evaluate_artifact(model.artifact, log, watch=lambda *found: kept.append(found))
    ((split, judged),) = kept
    rows, long = judged.report.rows * 40, ["note " * 5000] * 500
    judged = judged._replace(report=structs.replace(judged.report, rows=rows, notes=long))
    log = replace(log, rejected=(Rejection("r" * 10_000, 3, "e" * 10_000),), notes=tuple(long))
    mail = Mail(tmp_path / "large.html", "segue " + "x" * 100_000)
    mail_judged(mail, judged, log, split, model.artifact.settings, ["y" * 10_000] * 50)
    page = read(mail.file)
    assert len(page.of("strong")) > 40
    assert mail.file.stat().st_size < 1_000_000


def test_nobody_is_named_by_a_row_that_was_left_out(folder: Path, tmp_path: Path) -> None:
    model, log = segue.load(folder / "gru"), clicks()
    strange = pl.DataFrame({"user_id": ["bob.jones@example.org" * 60], "item_id": ["i1"], "timestamp": [1_700_000_000]})
    model.evaluate(pl.concat([log, strange]), report=tmp_path / "out.html")
    page = read(tmp_path / "out.html")
    assert any("column `user_id` (not shown)" in cell for cell in page.of("td"))
    assert any("column `user_id` (not shown)" in note for note in page.of("li"))
    assert "bob.jones" not in (tmp_path / "out.html").read_text("utf-8")


def test_the_style_is_the_one_that_the_policy_allows(page: Page) -> None:
    (style,) = page.of("style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (found["content"] for _, found, _ in page.elements if found.get("http-equiv"))
    assert f"'sha256-{digest}'" in policy


def test_pictures_are_named_and_places_that_are_linked_are_there(page: Page) -> None:
    for tag, found, _ in page.elements:
        if tag == "svg":
            assert found.get("aria-label") or found.get("aria-hidden")
    places = {found["id"] for _, found, _ in page.elements if "id" in found}
    linked = {found["href"][1:] for tag, found, _ in page.elements if tag == "a"}
    assert linked
    assert linked <= places
    assert len(places) == sum("id" in found for _, found, _ in page.elements)


def test_the_command_writes_it_and_names_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "typed.html"
    out.write_text("old")
    words = ["evaluate", str(folder / "gru"), str(folder / "clicks.csv"), "--report", str(out)]
    assert run(words) == 0
    assert f"the report is in {out}" in capsys.readouterr().err
    assert read(out).of("code") == [f"segue {' '.join(words)}"]
    assert not list(folder.glob(".*partial*"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("out.pdf", "ends in .html"), ("missing/out.html", "could not be written there"), (".html.html/", "ends in")],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    folder: Path, name: str, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("segue.data.log.read_log", None)  # whoever got as far as reading would fail
    place = str(folder / name) if not name.endswith("/") else str(folder)
    recommender = segue.load(folder / "gru")
    with pytest.raises(ConfigError, match=expected):
        recommender.evaluate(folder / "clicks.csv", report=place)
    assert run(["evaluate", str(folder / "gru"), str(folder / "clicks.csv"), "--report", place]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("other", [["--rolling", "7d"], ["--new-items", "items.csv"]])
def test_a_report_is_of_one_table(folder: Path, other: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(folder / "gru"), str(folder / "clicks.csv"), "--report", str(folder / "no.html"), *other]
    assert run(words) == 2
    assert "--report is of one table" in capsys.readouterr().err
    assert not (folder / "no.html").exists()


def test_comparing_tells_the_costs_and_a_frontier_its_points(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("segue.evaluation.cost.SECONDS", 0.02)
    words = ["compare", str(folder / "clicks.csv"), "--models", "elman", *FLAGS, "--report", str(tmp_path / "c.html")]
    assert run(words) == 0
    compared = read(tmp_path / "c.html")
    assert "What that costs" in compared.of("h2")
    drawn = [found["aria-label"] for tag, found, _ in compared.elements if tag == "svg" and "aria-label" in found]
    for what in ("the time of a step", "the time of learning", "what is kept for a user"):
        assert f"ndcg@10 against {what}" in drawn
    assert compared.of("code") == [f"segue {' '.join(words)}"]

    found = segue.load(folder / "gru").frontier(
        folder / "clicks.csv", strategies=["mmr"], knobs=[0.5], report=tmp_path / "f.html"
    )
    page = read(tmp_path / "f.html")
    rows = page.rows("data-point")
    assert list(rows) == ["mmr 0", "mmr 0.5"]
    for point, cells in zip(found.points, rows.values(), strict=True):
        assert cells == {name: figure(value) for name, value in point.metrics.items()}
    assert "served unless asked otherwise" in "".join(page.of("td"))
    assert page.of("code") == []
    words = ["frontier", str(folder / "gru"), str(folder / "clicks.csv"), "--report", str(tmp_path)]
    assert run(words) == 2
    assert run(["compare", str(folder / "clicks.csv"), "--report", str(tmp_path / "no" / "c.html")]) == 2
    assert "could not be written there" in capsys.readouterr().err


def test_a_frontier_that_is_kept_with_the_model_is_in_its_report(folder: Path, tmp_path: Path) -> None:
    segue.load(folder / "gru").save(tmp_path / "gru")
    model = segue.load(tmp_path / "gru")
    found = model.frontier(folder / "clicks.csv", strategies=["mmr"], knobs=[0.5])
    kept = model.keep_frontier(found)
    model.evaluate(folder / "clicks.csv", report=tmp_path / "out.html")
    page = read(tmp_path / "out.html")
    assert list(page.rows("data-point")) == ["mmr 0", "mmr 0.5"]
    assert "gru" in page.rows("data-model")
    assert any("Measured earlier, at" in text for text in page.of("p"))
    whole = kept.read_text()
    for word in ('"points"', '"predictions"', '"ndcg@10"', '"strategy"'):
        kept.write_text(whole.replace(word, '"damaged"'))
        model.evaluate(folder / "clicks.csv", report=tmp_path / "out.html")
        assert not read(tmp_path / "out.html").rows("data-point"), word


def test_a_report_that_fails_costs_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("ndcg@10")

    monkeypatch.setattr("segue.reporting.file.data_of", broken)
    log, out = str(folder / "clicks.csv"), str(tmp_path / "out.html")
    recommender = segue.load(folder / "gru")
    with pytest.warns(UserWarning, match="could not be made .KeyError: 'ndcg@10'.; the result stands"):
        assert recommender.evaluate(log, report=out).rows
    with pytest.warns(UserWarning, match="the result stands"):
        assert recommender.frontier(log, strategies=["mmr"], knobs=[0.5], report=out).points
    assert run(["evaluate", str(folder / "gru"), log, "--json", "--report", out]) == 1
    said = capsys.readouterr()
    assert '"rows"' in said.out
    assert "error: " in said.err
    assert "the report could not be made (KeyError: 'ndcg@10')" in said.err
    assert not Path(out).exists()


def test_a_disk_that_does_not_take_the_report_costs_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(text: str, file: Path, what: str) -> None:
        raise SegueError(f"{file}: {what} could not be written (No space left on device)")

    monkeypatch.setattr("segue.reporting.file.write_whole", full)
    words = ["evaluate", str(folder / "gru"), str(folder / "clicks.csv"), "--report", str(tmp_path / "out.html")]
    assert run(words) == 1
    said = capsys.readouterr()
    assert "sknn" in said.out, "the table was printed first"
    assert "the report could not be written (No space left on device)" in said.err
