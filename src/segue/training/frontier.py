"""What diversity costs a saved model, on the events of a log that it cannot have learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from segue.artifact import Artifact
from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.errors import ConfigError, RequestError
from segue.evaluation.frontier import KNOBS, POOL, frontier
from segue.evaluation.phase import asked_of_drawn, count
from segue.evaluation.points import Frontier
from segue.evaluation.report import utc
from segue.evaluation.space import new_items
from segue.models.known_items import KnownItems, Similarity
from segue.ranking.diversity import STRATEGIES, Known, Strategy, parse
from segue.ranking.diversity.base import check_knob
from segue.training.evaluate import asked_of, split_for

PREDICTIONS = 5_000


def frontier_of(
    artifact: Artifact,
    log: EventLog,
    items: ItemTable | None = None,
    *,
    strategies: Sequence[str] | None = None,
    knobs: Sequence[float] = KNOBS,
    k: int = 10,
    pool: int = POOL,
    similarity: Similarity = "auto",
    allowed_loss: float = 0.02,
    predictions: int = PREDICTIONS,
    say: Callable[[str], None] = lambda _: None,
) -> Frontier:
    """Walk the knob of strategies for the predictions that `evaluate_artifact` would make.

    Args:
        artifact: the model.
        log: best the whole log.
        items: what is known of items, if the artifact has none.
        strategies: their names; by default all that this catalog has what they need for.
        knobs: places of the knob, from 0 to 1.
        k, pool: lists of k are chosen from the best `pool`.
        similarity: see `Similarity`.
        allowed_loss: share of ndcg that the best points may lose.
        predictions: about so many are asked for at most, of whole users drawn by the model's seed.
        say: told how far it is.

    Raises:
        ConfigError: a name that is no strategy, or a strategy that lacks what it needs.
        RequestError: a number that cannot be meant.
        EvaluationError: every event may have been learned from, or there is nothing to ask.
    """
    wanted = check_asked(strategies, knobs, k, pool, allowed_loss, predictions)
    settings = artifact.settings
    split = split_for(artifact, log)
    phase = asked_of(artifact, log, split, items)
    whole = count(phase.asked)
    drawn = asked_of_drawn(phase.replayed, phase.asked, predictions, settings.seed)
    phase = phase._replace(asked=drawn, left_out=phase.left_out + whole - count(drawn))
    known = KnownItems(
        phase.catalog.columns,
        artifact.model,
        seed=settings.seed,
        counts=phase.counts,
        new=new_items(phase.learned, len(phase.catalog)),
    ).known(similarity)
    chosen, notes = able(wanted, known)
    if phase.left_out:
        notes.append(
            f"{phase.left_out:,} predictions were left out (--predictions {predictions}, evaluate.max_predictions "
            f"{settings.evaluate.max_predictions}): whole users drawn by the seed"
        )
    if known.kinds is not None and known.kinds.left_out:
        notes.append(f"{known.kinds.left_out:,} small categories are left out of what strategies know")
    return frontier(
        artifact.model,
        phase,
        known,
        chosen,
        users=log.users,
        exclude=artifact.facts.exclude,
        split={"kind": split.kind, "cutoff": split.cutoff}
        | {"cutoff_utc": None if split.cutoff is None else utc(split.cutoff), "left_out": phase.left_out},
        knobs=knobs,
        k=k,
        pool=pool,
        allowed_loss=allowed_loss,
        notes=notes,
        replicates=settings.evaluate.replicates,
        memory_mb=settings.evaluate.memory_mb,
        seed=settings.seed,
        say=say,
    )


def check_asked(
    strategies: Sequence[str] | None, knobs: Sequence[float], k: int, pool: int, allowed_loss: float, predictions: int
) -> list[Strategy] | None:
    """The strategies that are named, None where none is; all that can be wrong without the log is told at once."""
    for knob in knobs:
        check_knob(knob)
    for name, value in (("k", k), ("pool", pool), ("predictions", predictions)):
        if value < 1:
            raise RequestError(f"`{name}` is {value}; expected at least 1")
    if pool < k:
        raise RequestError(f"`pool` is {pool} and `k` {k}; expected a pool of at least k, best some times as large")
    if not 0 <= allowed_loss < 1:
        raise RequestError(f"the loss allowed is {allowed_loss}; expected a share from 0 to below 1, such as 0.02")
    if strategies is not None and not strategies:
        raise ConfigError(f"no strategy is named; expected some of {', '.join(STRATEGIES)}")
    return None if strategies is None else [parse(name) for name in dict.fromkeys(strategies)]


def able(wanted: Sequence[Strategy] | None, known: Known) -> tuple[list[Strategy], list[str]]:
    """The strategies to run, and a note on those that lack something. Raises ConfigError where one was asked for."""
    if wanted is not None:
        for strategy in wanted:
            strategy.check(known.fields)
        return list(wanted), []
    chosen, notes = [], []
    for strategy in STRATEGIES.values():
        try:
            strategy.check(known.fields)
            chosen.append(strategy)
        except ConfigError as error:
            notes.append(f"left out: {error}")
    return chosen, notes
