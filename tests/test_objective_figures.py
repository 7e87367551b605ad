"""The figures of the page on objectives are those that were measured."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "objectives.md").read_text("utf-8")
MEASURED: dict[str, Any] = json.loads((ROOT / "benchmarks" / "objectives.json").read_text("utf-8"))
TAUGHT = "the objective", "every next event"
METRICS = {"recall@10": "recall", "ndcg@10": "ndcg", "revenue_recall@10": "by_worth"}


def rows_of(case: str) -> dict[str, list[str]]:
    """The cells after a case's metrics, by the metric; the name of the case stands in the first of its lines alone."""
    lines = iter(PAGE.splitlines())
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(f"| `{case}`") or (found and line.startswith("| |")):
            _, _, metric, *cells, _ = (cell.strip(" *") for cell in line.split("|"))
            found[metric] = cells
        elif found:
            break
    return found


@pytest.mark.parametrize("case", MEASURED)
def test_the_table_says_what_was_measured(case: str) -> None:
    told, rows = rows_of(case), MEASURED[case]["rows"]
    assert told, f"docs/objectives.md has no line for `{case}`"
    for metric, (ours, plain, gain, baseline) in told.items():
        key = METRICS[metric]
        means = [mean(row[key] for row in rows if row["taught"] == name) for name in TAUGHT]
        assert [ours, plain] == [f"{value:.3f}" for value in means]
        best = max(row[key] for row in rows if row["taught"] not in TAUGHT)
        assert baseline.endswith(f" {best:.3f}")
        if "gain" in MEASURED[case]:
            difference, low, high, _ = MEASURED[case]["gain"][key]
            assert gain == f"{difference:+.3f} ({low:.3f} to {high:.3f})"
        else:
            assert gain == f"{means[0] - means[1]:+.3f}"
