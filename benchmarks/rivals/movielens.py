"""RecBole's GRU4Rec on what there is to learn from in MovieLens-1M: its seconds an epoch.

    PYTHONPATH=benchmarks .venv/bin/python -m rivals.movielens --seconds 120 --threads 2

The 3,416 films with five ratings or more, in the standard order, without the last two events of each user (leave one
out: the test, and what chooses the epoch). Options go to rivals/recbole_gru4rec.py, which says what is measured.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
from machine import DATA, introduce
from rivals.environment import recbole_python

SCRIPT = Path(__file__).with_name("recbole_gru4rec.py")


def training_part(path: Path = DATA / "ml-1m" / "interactions.parquet") -> pl.DataFrame:
    """user_id, item_id, position: 987,531 events of 6,040 users."""
    frame = pl.read_parquet(path).filter(pl.col("position_lrurec") >= 0)
    from_the_end = pl.col("position").rank("ordinal", descending=True).over("user_id")
    return frame.filter(from_the_end > 2).select("user_id", "item_id", "position")


def recbole_gru4rec(log: pl.DataFrame, *options: str) -> dict[str, object]:
    """The report of rivals/recbole_gru4rec.py on a log."""
    python = recbole_python()
    with tempfile.TemporaryDirectory(prefix="segue-") as folder:
        path = Path(folder) / "log.parquet"
        log.write_parquet(path)
        command = [python, "-W", "ignore", SCRIPT, "--log", path, "--json", *options]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main() -> None:
    introduce()
    for name, value in recbole_gru4rec(training_part(), *sys.argv[1:]).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
