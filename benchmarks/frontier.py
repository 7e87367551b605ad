"""What a diverse list costs a well-trained model: the frontier of every strategy on two real logs.

    .venv/bin/python benchmarks/frontier.py --logs ml-1m,online-retail-ii     training included

- ml-1m: the plain GRU of `ml1m_gru.py`; each user's last film; alike by genres.
- online-retail-ii: what `segue train` proposes; the last part in time; alike by the words of titles.

The model is chosen by validation and asked for the test part. No knob was chosen here: every point is written, and
marked are the best ones at a loss of 2 % of ndcg@10. The model is kept in `.frontier/`; the points are written to
frontier.json, and the pictures to docs/pictures.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import polars as pl
from machine import DATA, introduce, processor

import segue
from segue.cli.show import progress, say
from segue.evaluation.points import Frontier

HERE = Path(__file__).parent
OUT, KEPT = HERE / "frontier.json", HERE / ".frontier"
PICTURES = HERE.parent / "docs" / "pictures"
KNOBS = (0.0, 0.02, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.12, 0.13, 0.14, 0.15, 0.2, 0.25, 0.3, 0.5, 0.7, 1.0)
SEED = 1


def films() -> tuple[pl.DataFrame, dict[str, Any], dict[str, Any]]:
    """The 3,416 films with five ratings or more, in the standard order."""
    frame = pl.read_parquet(DATA / "ml-1m" / "interactions.parquet").filter(pl.col("position_lrurec") >= 0)
    settings = {
        "split": {"kind": "leave-one-out"},
        "evaluate": {"exclude": "seen"},
        "model": {"cell": "gru", "block": "plain", "dropout": 0.3, "cosine": 0.0},
        "train": {"loss": "full", "epochs": 6, "rows": 32, "window": 64},
    }
    return frame.select("user_id", "item_id", "position"), {"order_col": "position"}, settings


def shop() -> tuple[pl.DataFrame, dict[str, Any], dict[str, Any]]:
    """Purchases of known customers; the order inside an invoice means nothing and is drawn."""
    frame = pl.read_parquet(DATA / "online-retail-ii" / "interactions.parquet").filter(
        pl.col("user_id").is_not_null(),
        ~pl.col("invoice").str.starts_with("C"),
        pl.col("quantity") > 0,
        pl.col("price") > 0,
    )
    frame = frame.sample(fraction=1.0, shuffle=True, seed=SEED)
    return frame.select("user_id", "item_id", "timestamp"), {}, {}


IDS_ALONE: dict[str, Any] = {"content": {"columns": []}}
"""The figures are of networks that read no content: diversity is told by it."""

LOGS = {"ml-1m": films, "online-retail-ii": shop}


def main() -> None:
    parser = argparse.ArgumentParser(description="What diversity costs on real logs.")
    parser.add_argument("--logs", default=",".join(LOGS))
    options = parser.parse_args()
    introduce(SEED)
    for name in options.logs.split(","):
        frame, columns, settings = LOGS[name]()
        found = frontier_of(name, frame, columns, settings)
        for verdict in found.verdicts:
            print(f"{name}: {verdict}", flush=True)
        (PICTURES / f"frontier-{name}.svg").write_text(found.chart(), "utf-8")
        rows = json.loads(OUT.read_text()) if OUT.exists() else {}
        rows[name] = {"command": f"python benchmarks/frontier.py --logs {name}", "machine": processor(), **told(found)}
        OUT.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def frontier_of(name: str, frame: pl.DataFrame, columns: dict[str, Any], settings: dict[str, Any]) -> Frontier:
    """Train, or take what was trained before, and walk the knobs."""
    items, kept = pl.read_parquet(DATA / name / "items.parquet"), KEPT / name
    if kept.exists():
        model = segue.load(kept)
    else:
        train = {**settings.get("train", {}), "refit": False}
        with progress() as show:
            model = segue.fit(
                frame,
                items=items,
                settings={**settings, "train": train, "seed": SEED, **IDS_ALONE},
                say=say,
                show=show,
                **columns,
            )
        model.save(kept, say=say)
    return model.frontier(frame, columns=columns, knobs=KNOBS, predictions=10_000, say=say)


def told(found: Frontier) -> dict[str, Any]:
    """The frontier in short: values, changes, and the loss with its interval."""
    return {
        "split": found.split,
        "similarity": found.similarity,
        "measured_by": found.measured_by,
        "verdicts": found.verdicts,
        "points": [
            {
                "strategy": point.strategy,
                "diversity": point.diversity,
                "metrics": {name: rounded(value.value) for name, value in point.metrics.items()},
                "change": {name: rounded(change) for name, change in point.change.items()},
                "loss": [rounded(end) for end in (point.loss.value, point.loss.low, point.loss.high)],
                "best_of": list(point.best_of),
            }
            for point in found.points
        ],
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main()
