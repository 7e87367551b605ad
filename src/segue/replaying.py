"""A log through a real server, beside the evaluation of the same predictions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.data.events import EventLog
from segue.errors import ConfigError
from segue.evaluation.judge import ALWAYS
from segue.evaluation.replay import replay
from segue.recommender import load
from segue.serving.backfill import backfill
from segue.serving.engine import Engine
from segue.serving.store.folder import StoreFolder
from segue.traffic.agreement import ReplayReport, agreement, ranked_by
from segue.traffic.log_plan import LogPlan
from segue.traffic.online import send_log
from segue.traffic.process import served
from segue.traffic.ready import check_model
from segue.traffic.run import run_loop
from segue.traffic.target import Target
from segue.training.evaluate import asked_of, split_for
from segue.training.own_parts import check_known

TOLERANCE = 1e-3
TOGETHER = 16


def replay_log(
    folder: Path,
    log: EventLog,
    *,
    url: str | None = None,
    key: str | None = None,
    tolerance: float = TOLERANCE,
    together: int = TOGETHER,
    say: Callable[[str], None] = lambda _: None,
) -> ReplayReport:
    """Send what a model cannot have learned from to a server in time order, and compare with the evaluation.

    Args:
        folder: of the model.
        log: the whole one: what comes before warms the states.
        url: a server that runs, with this model, and whose store has the log before; by default one is started over a
            store that is made for it.
        key: of its API.
        tolerance: how far a metric may be off.
        together: calls at a time.
        say: told what is done.

    Raises:
        ConfigError: the log has no times, or a number cannot be meant.
        EvaluationError: there is nothing to ask.
        SegueError: the server cannot be reached, serves another model, or went away.
    """
    if not log.timed:
        raise ConfigError("the log has an order, but no times: a server keeps when events happened; replay needs times")
    if together < 1 or not tolerance >= 0:
        raise ConfigError(f"--together is {together} and --tolerance {tolerance}; expected at least 1, and at least 0")
    artifact = load(folder).artifact
    split = split_for(artifact, log)
    phase = asked_of(artifact, log, split)
    plan = LogPlan(log, split, phase)
    names = [*ALWAYS, artifact.settings.train.metric, *artifact.settings.evaluate.metrics]
    check_known(artifact, names)
    k = max(length for _, length in ranked_by(names).values()) + 1
    with address(folder, plan, url, say) as where:
        target = Target.of(where, key)
        run_loop(check_model(target, artifact.version))
        say(f"{len(plan):,} events to {where}, with {len(plan.targets):,} lists compared")
        online = run_loop(send_log(target, plan, k=k, together=together))
    evaluate = artifact.settings.evaluate
    offline = replay(
        artifact.model, phase.replayed, phase.asked, exclude=artifact.facts.exclude, k=k, memory_mb=evaluate.memory_mb
    )
    return agreement(
        names,
        online,
        offline.rank,
        url=where,
        model=artifact.facts.name,
        version=artifact.version,
        k=k,
        sent=len(plan),
        tolerance=tolerance,
        together=together,
    )


@contextmanager
def address(folder: Path, plan: LogPlan, url: str | None, say: Callable[[str], None]) -> Iterator[str]:
    """The server that was named, or one of our own over a store that holds what comes before."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="segue-replay-") as home:
        store = Path(home) / "store"
        fill(folder, plan, store, say)
        with served(folder, store) as (where, _):
            yield where


def fill(folder: Path, plan: LogPlan, store: Path, say: Callable[[str], None]) -> None:
    """Put what comes before into a new store."""
    before = plan.before
    engine = Engine(load(folder, light=True).bundle, StoreFolder(store, durability="fast"))
    try:
        if len(before):
            done = backfill(engine, before)
            say(f"{done.events:,} events of {done.users:,} users before them are in its store")
    finally:
        engine.close()
