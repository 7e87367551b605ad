"""What `segue compare` says beside accuracy: the costs of each model, printed and in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from segue import api
from segue.cli.show import print_report
from segue.evaluation.report import Report, Row
from segue.models.build import BASELINES
from small_shop import SETTINGS, SMALL, Ran, write_shop

Capture = pytest.CaptureFixture[str]
NETWORKS = ("gru", "lstm", "mix")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    log, _ = write_shop(tmp_path_factory.mktemp("compared"))
    return api.compare(log, models=NETWORKS, settings=SETTINGS)


def row_of(report: Report, model: str) -> Row:
    return next(row for row in report.rows if row.model == model)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def printed(report: Report, capsys: Capture) -> list[list[list[str]]]:
    """The rows of each table on stdout."""
    capsys.readouterr()
    print_report(report)
    tables: list[list[list[str]]] = []
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("┏"):
            tables.append([])
        elif line.startswith("│"):
            tables[-1].append(cells(line))
    return tables


def test_the_costs_stand_beneath_the_figures_in_the_same_order(report: Report, capsys: Capture) -> None:
    figures, costs, *_ = printed(report, capsys)
    assert [row[:2] for row in costs] == [row[:2] for row in figures], "the main metric is ndcg@10, the first of all"
    assert {row[0] for row in costs} == {*NETWORKS, *BASELINES}
    for name, _, *found in costs:
        cost = row_of(report, name).cost
        assert cost is not None
        plain = [None if cell == "-" else float(cell.replace(",", "")) for cell in found]
        assert [plain[0], plain[1], plain[4]] == [cost.parameters, cost.events_per_s, cost.state_bytes]
        assert plain[2] == pytest.approx(cost.step_us, abs=0.06)
        assert plain[3] == pytest.approx(cost.step_p90_us, abs=0.06)
        assert plain[5] == (None if cost.peak_memory_mb is None else pytest.approx(cost.peak_memory_mb, abs=0.6))


def test_a_network_has_a_pace_of_training_and_a_baseline_has_none(report: Report) -> None:
    for row in report.rows:
        assert row.cost is not None
        assert (row.cost.events_per_s is None) == row.baseline
        assert row.baseline or row.cost.events_per_s > 0  # type: ignore[operator]


def test_a_mix_costs_the_training_of_its_network_and_the_state_of_both(report: Report) -> None:
    mix, gru, neighbours = (row_of(report, name).cost for name in ("mix", "gru", "sknn"))
    assert mix is not None
    assert gru is not None
    assert neighbours is not None
    assert (mix.events_per_s, mix.peak_memory_mb) == (gru.events_per_s, gru.peak_memory_mb)
    assert mix.parameters == gru.parameters + neighbours.parameters
    clock = 8  # the time of the last event is kept once
    assert mix.state_bytes == gru.state_bytes + neighbours.state_bytes - clock


def without_costs(tree: Any) -> Any:
    """A report as it was written before costs were measured."""
    return {**tree, "rows": [{key: value for key, value in row.items() if key != "cost"} for row in tree["rows"]]}


def test_json_has_the_costs_and_a_report_of_earlier_days_is_still_read(report: Report, capsys: Capture) -> None:
    text = msgspec.json.encode(report)
    assert msgspec.json.decode(text, type=Report) == report
    tree = msgspec.json.decode(text)
    assert tree["rows"][0]["cost"].keys() == {
        "parameters",
        "step_us",
        "step_p90_us",
        "state_bytes",
        "events_per_s",
        "peak_memory_mb",
    }
    old = msgspec.convert(without_costs(tree), Report)
    assert {row.cost for row in old.rows} == {None}
    assert [row.metrics for row in old.rows] == [row.metrics for row in report.rows]
    assert len(printed(old, capsys)) == len(printed(report, capsys)) - 1, "no table of costs"


def test_the_chart_has_every_model_that_has_a_cost_and_no_other(report: Report) -> None:
    def names(of: Report) -> set[str | None]:
        return {one.text for one in ElementTree.fromstring(of.chart()).iter("{http://www.w3.org/2000/svg}text")}

    assert {*NETWORKS, *BASELINES, "ndcg@10"} <= names(report)
    old = msgspec.convert(without_costs(msgspec.to_builtins(report)), Report)
    assert "nothing to show" in names(old)
    assert not {*NETWORKS, *BASELINES} & names(old)


def test_a_chart_is_written_beside_the_report(tmp_path: Path, capsys: Capture) -> None:
    log, _ = write_shop(tmp_path)
    file = tmp_path / "accuracy and speed.svg"
    file.write_text("the chart of yesterday")
    ran = Ran(capsys, "compare", log, "--models", "gru", *SMALL, "--chart", file, "--json")
    assert file.read_text("utf-8") == msgspec.convert(ran.json, Report).chart()
    assert f"the chart is in {file}" in ran.err
    assert {one.name for one in tmp_path.iterdir()} == {"clicks.csv", "items.csv", file.name}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("chart.png", "expected a name that ends in .svg"),
        ("chart", "expected a name that ends in .svg"),
        ("nowhere/chart.svg", "could not be written there (No such file or directory)"),
        ("clicks.csv/chart.svg", "could not be written there (Not a directory)"),
        ("folder.svg", "is a folder"),
        ("", "--chart is empty"),
    ],
)
def test_a_chart_that_cannot_be_written_is_refused_before_the_log_is_read(
    name: str, told: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, _ = write_shop(tmp_path)
    (tmp_path / "folder.svg").mkdir()
    monkeypatch.setattr(api, "compare", None)
    before = sorted(tmp_path.iterdir())
    Ran(capsys, "compare", log, *SMALL, "--chart", tmp_path / name if name else "").failed(2, told)
    assert sorted(tmp_path.iterdir()) == before


def test_the_command_prints_the_costs_as_json(tmp_path: Path, capsys: Capture) -> None:
    log, _ = write_shop(tmp_path)
    rows = Ran(capsys, "compare", log, "--models", "gru", *SMALL, "--json").json["rows"]
    assert {row["model"]: row["cost"]["events_per_s"] is None for row in rows} == {
        "gru": False,
        **dict.fromkeys(BASELINES, True),
    }
