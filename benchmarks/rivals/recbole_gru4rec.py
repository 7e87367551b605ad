"""How fast RecBole's GRU4Rec trains on this machine: RecBole unchanged, in an environment of its own.

    benchmarks/.recbole/bin/python -W ignore benchmarks/rivals/recbole_gru4rec.py --log FILE.parquet --json

FILE holds what to learn from: user_id, item_id, and position or timestamp. `rivals/environment.py` makes the
environment, `rivals/movielens.py` runs this on MovieLens-1M. Augmentation, batches, model, optimizer and loop are
RecBole's with RecBole's defaults: every event but a user's first is one sample, its target after up to `--length`
events, padded to `--length`. An epoch counts every sample once. The first steps warm up; those of the next
`--seconds` are timed, reading of batches included, and the epoch is extrapolated: padding makes all steps alike.
Building the samples is told apart (`seconds_to_prepare`). Run it on a quiet machine: with as many threads as cores, one
busy neighbour makes a step many times slower, as threads wait for each other at every step of the recurrence.

RecBole 1.2.1 is pinned to old libraries (recbole.txt): it sets aliases that NumPy 2 dropped, fills columns in place as
pandas 3 no longer does, some models call a method that SciPy 1.14 dropped, and its Ray needs Python 3.11 and
`pkg_resources` (setuptools<81). Its checkpoints cannot be read back by this PyTorch (`weights_only`): none is written.
`-W ignore` hides the warnings of all this. Its folders of logs go into the temporary folder.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import polars as pl
import recbole
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.interaction import Interaction
from recbole.data.utils import get_dataloader
from recbole.utils import get_model, get_trainer, init_seed

WARM_UP = 3


def main() -> None:
    parser = argparse.ArgumentParser(description="The training speed of RecBole's GRU4Rec.")
    parser.add_argument("--log", type=Path, required=True, help="user_id, item_id, and position or timestamp")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--batch", type=int, default=2048, help="samples a step (2048 is RecBole's default)")
    parser.add_argument("--seconds", type=float, default=120, help="time steps for so long")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # RecBole takes what it finds on the command line for settings of its own.
    sys.argv = sys.argv[:1]
    torch.set_num_threads(options.threads)
    log = read(options.log)
    with tempfile.TemporaryDirectory(prefix="recbole-") as folder:
        os.chdir(folder)
        report = measure(log, Path(folder), options)
        os.chdir("/")
    if options.json:
        print(json.dumps(report))
    else:
        print("\n".join(f"{name}: {value}" for name, value in report.items()))


def read(path: Path) -> pl.DataFrame:
    """User, item, and the place in the user's sequence: RecBole's float32 cannot tell seconds since 1970 apart."""
    frame = pl.read_parquet(path)
    order = next((name for name in ("position", "timestamp") if name in frame.columns), None)
    if order is None or not {"user_id", "item_id"} <= set(frame.columns):
        sys.exit(f"{path}: found columns {frame.columns}, expected user_id, item_id, and position or timestamp")
    place = pl.int_range(pl.len()).over("user_id")
    return frame.sort("user_id", order, maintain_order=True).select("user_id", "item_id", timestamp=place)


def measure(log: pl.DataFrame, folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Train for a while in an empty folder, and tell how fast it went."""
    started = perf_counter()
    config = Config(model="GRU4Rec", dataset="log", config_dict=settings(folder, options))
    init_seed(config["seed"], config["reproducibility"])
    (folder / "log").mkdir()
    columns = {"user_id": "user_id:token", "item_id": "item_id:token", "timestamp": "timestamp:float"}
    log.rename(columns).write_csv(folder / "log" / "log.inter", separator="\t")
    samples = create_dataset(config).build()[0]
    expected = len(log) - log["user_id"].n_unique()
    if len(samples) != expected:
        sys.exit(f"RecBole made {len(samples):,} samples of {len(log):,} events, expected {expected:,}")
    loader = get_dataloader(config, "train")(config, samples, None, shuffle=config["shuffle"])
    if len(loader) <= WARM_UP:
        sys.exit(f"{options.log}: found {len(loader)} steps an epoch, expected more than {WARM_UP}: a smaller --batch")
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, get_model(config["model"])(config, samples))
    prepared, load = perf_counter(), os.getloadavg()[0]
    ends: list[tuple[float, int]] = []
    total_loss = trainer._train_epoch(passed_on(loader, options.seconds, ends), 0)
    seconds = ends[-1][0] - ends[WARM_UP - 1][0]
    rate = sum(size for _, size in ends[WARM_UP:]) / seconds
    # The fastest step shows what an undisturbed machine would do at best.
    fastest = min((end - before) / size for (before, _), (end, size) in pairwise(ends[WARM_UP - 1 :]))
    return {
        "model": f"RecBole {recbole.__version__} GRU4Rec",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "width": options.width,
        "length": options.length,
        "batch": options.batch,
        "events_per_second": round(rate, 1),
        "samples_per_epoch": len(samples),
        "seconds_per_epoch": round(len(samples) / rate, 1),
        "seconds_per_epoch_at_fastest_step": round(len(samples) * fastest, 1),
        "extrapolated_from_steps": len(ends) - WARM_UP,
        "steps_per_epoch": math.ceil(len(samples) / options.batch),
        "seconds_timed": round(seconds, 1),
        "seconds_to_prepare": round(prepared - started, 1),
        "load_before_and_after_steps": [round(load, 1), round(os.getloadavg()[0], 1)],
        "mean_loss": round(total_loss / len(ends), 3),
    }


def settings(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """What differs from RecBole's defaults; the ratios put the whole log into the training part."""
    return {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {"split": {"RS": [1.0, 0.0, 0.0]}, "group_by": "none", "order": "TO"},
        "gpu_id": "",
        "show_progress": False,
        "embedding_size": options.width,
        "hidden_size": options.width,
        "num_layers": 1,
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "MAX_ITEM_LIST_LENGTH": options.length,
        "train_batch_size": options.batch,
    }


def passed_on(loader: Iterable[Interaction], seconds: float, ends: list[tuple[float, int]]) -> Iterator[Interaction]:
    """Pass batches to the loop and note when each step ended and its size, until `seconds` after the warm-up."""
    for batch in loader:
        yield batch
        ends.append((perf_counter(), len(batch)))
        if len(ends) > WARM_UP and ends[-1][0] - ends[WARM_UP - 1][0] >= seconds:
            return


if __name__ == "__main__":
    main()
