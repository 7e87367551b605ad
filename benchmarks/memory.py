"""How memory grows with the number of events, and with the number of epochs.

    .venv/bin/python benchmarks/memory.py --events 5,20,50

First part: a synthetic log (1 M users, 100 k items; sessions of about four events) is made as columns in files, for
each size in a fresh process. It is planned (measured, parted, laid out) as `train` plans it, learned from for 200
windows and asked 2,000 times. Printed for each step: its seconds, the peak of anonymous memory (what a machine must
have), and the peak of all resident memory (which includes pages of files, that the system takes back when it must).
Second part: 50 epochs of a small log; anonymous memory after the 5th and the last. Bars: 1.5 and 1.1.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from machine import introduce

SEED = 0
USERS, ITEMS = 1_000_000, 100_000
AT_ONCE = 256
WINDOWS = 200
SETTINGS = {
    "model": {"width": 32},
    "train": {"loss": "sampled", "negatives": 256, "rows": 32, "window": 32, "validation_predictions": 2000},
    "evaluate": {"max_predictions": 2000},
}


def resident(name: str) -> float:
    """A line of /proc/self/status in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1000


class Watch:
    """Peaks of memory, looked at every few milliseconds, and seconds, by step."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Watch one step."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak of all resident memory begins anew
        peak, over = [resident("RssAnon")], threading.Event()

        def look() -> None:
            while not over.wait(0.005):
                peak.append(max(peak.pop(), resident("RssAnon")))

        thread = threading.Thread(target=look)
        thread.start()
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            over.set()
            thread.join()
        self.found[name] = {"seconds": seconds, "anonymous": peak[0], "all": resident("VmHWM")}


def synthetic(n_events: int):
    from segue.data import spill
    from segue.data.events import EventLog
    from segue.data.ids import Ids

    rng = np.random.default_rng(SEED)
    user, item = (spill.empty(n_events, np.int32) for _ in range(2))
    seconds = spill.empty(n_events, np.float64)
    for block in spill.blocks(n_events, 1 << 20):
        size = block.stop - block.start
        here = rng.integers(0, USERS, (-(-size // 1024), AT_ONCE))
        user[block] = np.take_along_axis(here, rng.integers(0, AT_ONCE, (len(here), 1024)), 1).ravel()[:size]
        item[block] = ITEMS * rng.random(size) ** 3
        seconds[block] = 1_600_000_000 + np.arange(block.start, block.stop) // 2
        for column in (user, item, seconds):
            spill.release(column)
    users, items = (Ids.of(f"{name}-{number}" for number in range(n)) for name, n in (("u", USERS), ("i", ITEMS)))
    return EventLog(users, items, user, item, seconds)


def measure_events(n_events: int) -> dict[str, dict[str, float]]:
    import torch

    from segue.data.batches import windows
    from segue.data.targets import targets_of
    from segue.rng import stream
    from segue.training.candidates import validation_metric
    from segue.training.fingerprint import run_fingerprint
    from segue.training.networks import new_network
    from segue.training.plan import plan_of
    from segue.training.trainer import Trainer

    torch.set_num_threads(1)
    watch = Watch()
    with watch.step("make"):
        log = synthetic(n_events)
    with watch.step("plan"):
        plan = plan_of(log, SETTINGS)
    with watch.step("fingerprint"):
        run_fingerprint(plan, "gru")
    settings = plan.settings
    with watch.step("train"):
        network = new_network("gru", len(plan.judge.catalog), plan.rule, settings)
        learned = plan.judge.learned
        trainer = Trainer(network, learned, targets_of(learned), settings.train, seed=SEED)
        trainer.begin_epoch()
        epoch = windows(learned, rows=settings.train.rows, window=settings.train.window, rng=stream(SEED, "epoch 0"))
        for number, batch in zip(range(WINDOWS), epoch, strict=False):
            trainer.step(batch, number / WINDOWS)
    with watch.step("an epoch of windows"):
        some = windows(learned, rows=settings.train.rows, window=settings.train.window, rng=stream(SEED, "epoch 1"))
        assert sum(int((batch.place >= 0).sum()) for batch in some) == len(learned)
    with watch.step("ask"):
        network.eval()
        validation_metric(network, plan.choose, settings)
    return watch.found


def measure_epochs(loss: str) -> dict[str, float]:
    import torch

    from segue.config import Settings, TrainSettings
    from segue.data.sessions import lay_out
    from segue.data.synthetic import noisy_chain
    from segue.models.base import SessionRule
    from segue.training.loop import Progress, train_network
    from segue.training.networks import new_network

    torch.set_num_threads(1)
    laid = lay_out(noisy_chain(2_000, 25, 5_000, follow=0.5), gap=None, at_session_start="reset")
    train = TrainSettings(epochs=50, loss=loss, negatives=512, rows=32, window=50)
    network = new_network("gru", 5_000, SessionRule(), Settings(train=train))
    after: dict[str, float] = {}

    def show(progress: Progress) -> None:
        after[str(progress.epoch)] = resident("RssAnon")

    train_network(network, laid, train, seed=SEED, show=show)
    return after


def told(measured: dict[int, dict[str, dict[str, float]]]) -> None:
    sizes = sorted(measured)
    print("MB of anonymous memory / of all resident memory, at most, and seconds:")
    print(f"{'':>20}" + "".join(f"{size / 1e6:>20g} M" for size in sizes) + f"{'ratio':>8}")
    for step in measured[sizes[0]]:
        cells = [measured[size][step] for size in sizes]
        texts = [f"{cell['anonymous']:,.0f} / {cell['all']:,.0f}, {cell['seconds']:.0f} s" for cell in cells]
        ratio = cells[-1]["anonymous"] / cells[0]["anonymous"]
        print(f"{step:>20}" + "".join(f"{text:>22}" for text in texts) + f"{ratio:>8.2f}")
    peaks = [max(step["anonymous"] for step in measured[size].values()) for size in sizes]
    a_event = (peaks[-1] - peaks[0]) / max(sizes[-1] - sizes[0], 1) * 1e6
    print(
        f"peak of anonymous memory, largest / smallest: {peaks[-1] / peaks[0]:.2f}; {a_event:.1f} bytes an event more"
    )


def fresh(*asked: str) -> dict:
    """What this file prints when it is asked so in a process of its own."""
    lines = subprocess.run([sys.executable, __file__, *asked], check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(lines.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description="Memory by events and by epochs.")
    parser.add_argument("--events", default="5,20,50", help="millions, such as 5,20,50; empty: not this part")
    parser.add_argument("--losses", default="full,sampled", help="losses of the second part; empty: not this part")
    parser.add_argument("--measure-events", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measure-epochs", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure_events:
        print(json.dumps(measure_events(options.measure_events)))
        return
    if options.measure_epochs:
        print(json.dumps(measure_epochs(options.measure_epochs)))
        return
    introduce(SEED)
    sizes = [int(float(size) * 1e6) for size in options.events.split(",") if size]
    if sizes:
        told({size: fresh("--measure-events", str(size)) for size in sizes})
    for loss in filter(None, options.losses.split(",")):
        after = fresh("--measure-epochs", loss)
        last = max(map(int, after))
        ratio = after[str(last)] / after["5"]
        print(f"{loss}: {after['5']:.0f} MB after epoch 5, {after[str(last)]:.0f} MB after epoch {last}: {ratio:.2f}")


if __name__ == "__main__":
    main()
