"""Items that nobody met: a network that has learned asked for items that it knows by their content alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from segue.artifact import Artifact
from segue.data.catalog import Catalog, ItemTable
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.objective import worth_of
from segue.data.splits import TEST, TRAIN, VALID, Split
from segue.errors import ConfigError, EvaluationError, TrainingError
from segue.evaluation.judge import rank_values
from segue.evaluation.phase import Phase, asked_of_drawn, phase_of
from segue.evaluation.replay import Predictions, replay
from segue.models.base import Model
from segue.models.content_neighbours import ContentNeighbours
from segue.models.network import Network
from segue.shapes import Bools, Floats
from segue.training.cold_report import METRICS, ColdItems, cold_of, known_of
from segue.training.evaluate import split_for
from segue.training.updating.forgetting import seen_by
from segue.training.updating.growth import grown, vectors_of_new_items, with_content
from segue.training.updating.items import enlarged
from segue.training.updating.rounds import network_of

LASTS = 1, 3, 10, 30
UNCHOSEN = 3
"""So many last items content neighbours look at, where no earlier event is there to choose by."""


class Larger(NamedTuple):
    """A network with new items: these come last in its catalog, and all have content, (N, C) numbers.

    `undescribed` further items are unknown.
    """

    network: Network
    catalog: Catalog
    numbers: Floats
    undescribed: int


def cold_items(artifact: Artifact, log: EventLog, table: ItemTable, *, lift: float | None = None) -> ColdItems:
    """Append the unknown items of a log's asked part that a table describes, by their content alone, and ask for them.

    Each such target is ranked against the whole enlarged catalog. What the enlargement costs is seen on the other
    targets: before, events of new items are unknown to the model.

    Args:
        artifact: a network that reads content.
        log: best the whole one, see `evaluate_artifact`.
        table: of items, new ones among them.
        lift: added to the bias of new items; None: as in the model's settings.

    Raises:
        ConfigError: the lift is no number.
        TrainingError: the model is no network, or reads no content.
        EvaluationError: there is nothing to ask for.
    """
    network = reading_network(artifact)
    settings, facts = artifact.settings, artifact.facts
    lift = settings.content.lift if lift is None else lift
    if not np.isfinite(lift):
        raise ConfigError(f"lift is {lift}; expected a number")
    split = split_for(artifact, log)
    larger = larger_for(artifact.catalog, network, log, split, table, lift)
    worth = worth_of(log, settings.objective, strict=False)
    given: dict[str, Any] = {"catalog": larger.catalog, "worth": worth, "features": artifact.features_of(log)}
    phase = phase_of(log, split, facts.rule, ask=TEST, learn_below=VALID, **given)
    N, N_all, item = network.n_items, len(larger.catalog), phase.replayed.item
    new, known = (drawn(phase, which, artifact) for which in (item >= N, (item >= 0) & (item < N)))
    if not new.any():
        raise EvaluationError(
            f"none of the events of the {N_all - N:,} new items comes after another one of its session: there is "
            "nothing to predict them from"
        )
    last, notes = chosen_last(artifact, log, split, network)
    others = ContentNeighbours(larger.numbers, rule=facts.rule, last=last)
    ours, theirs = (answers(model, phase, new, artifact) for model in (larger.network, others))
    told = {"seed": settings.seed, "replicates": settings.evaluate.replicates}
    before_after = {}
    if known.any():
        before = answers(network, seen_by(phase, N), known, artifact)
        before_after = known_of(before, answers(larger.network, phase, known, artifact), **told)
    else:
        notes.append("no item that the model knew is asked for: what the new ones cost is not seen")
    return ColdItems(
        n_items=N,
        new_items=N_all - N,
        undescribed=larger.undescribed,
        predictions=len(ours.rank),
        users=len(np.unique(ours.user)),
        known_predictions=int(known.sum()),
        exclude=facts.exclude,
        last=last,
        lift=lift,
        cold=cold_of(ours, theirs, N_all, **told),
        known=before_after,
        notes=notes,
    )


def reading_network(artifact: Artifact) -> Network:
    """The network of a model that reads content. Raises TrainingError for another one."""
    if artifact.facts.kind != "network":
        raise TrainingError(
            f"`{artifact.facts.name}` knows items by their ids alone, so of an item that nobody met it knows nothing: "
            "train a network with an items table (--model gru --items ITEMS)"
        )
    network = network_of(artifact)
    if network.content is None:
        raise TrainingError(
            "the model knows items by their ids alone, so of an item that nobody met it knows nothing: train it with "
            "an items table (--items ITEMS), and with content.columns that are not empty"
        )
    return network


def larger_for(
    catalog: Catalog, network: Network, log: EventLog, split: Split, table: ItemTable, lift: float
) -> Larger:
    """The network with the unknown items of the asked part of which a table says something that was learned."""
    content = network.content
    assert content is not None
    assert content.encoder is not None
    asked = log.items.take(np.unique(log.item[split.role == TEST]))
    unknown = [one for one in asked if one not in catalog.ids.places]
    if not unknown:
        raise EvaluationError(
            "the model knows every item of the events that it is asked for: none is new. Give a log with events of new "
            "items, or train on a log without the events of some"
        )
    listed = [one for one in unknown if one in table.ids.places]
    described = rows_of(table, listed)
    nothing = [None] * len(listed)
    columns = content.encoder.columns
    numbers = content.encoder.encode({name: described.columns.get(name, nothing) for name in columns}, len(listed))
    kept = [one for one, told in zip(listed, numbers, strict=True) if told.any()]
    if not kept:
        raise EvaluationError(
            f"the items table says nothing that was learned of the {len(unknown):,} items that the model does not know "
            f"({len(listed):,} have a row there); expected {', '.join(f'`{name}`' for name in columns)}, with values "
            "that occurred in training"
        )
    whole, _ = enlarged(catalog, kept, rows_of(table, kept))
    rows = with_content(vectors_of_new_items(network, len(whole), None, None), network, whole, lift=lift)
    assert rows.numbers is not None
    both = np.concatenate([content.numbers.cpu().numpy(), rows.numbers])
    return Larger(grown(network, rows), whole, both, len(unknown) - len(kept))


def rows_of(table: ItemTable, ids: list[str]) -> ItemTable:
    """Some rows of a table."""
    places = [table.ids.place_of(one) for one in ids]
    return ItemTable(Ids.of(ids), {name: [values[at] for at in places] for name, values in table.columns.items()})


def chosen_last(artifact: Artifact, log: EventLog, split: Split, network: Network) -> tuple[int, list[str]]:
    """How many last items content neighbours look at: best on known items, new to their user, before the asked part."""
    settings, rule = artifact.settings, artifact.facts.rule
    earlier = log.where(split.below(VALID))
    first = int(len(earlier) * (1 - settings.split.valid))
    role = np.where(np.arange(len(earlier)) < first, TRAIN, TEST)
    if 0 < first < len(earlier):
        parted, worth = Split("time", role, None, ()), worth_of(earlier, settings.objective, strict=False)
        phase = phase_of(earlier, parted, rule, ask=TEST, catalog=artifact.catalog, worth=worth)
        asked = drawn(phase, phase.replayed.item >= 0, artifact, settings.train.grid_predictions)
        if asked.any():
            assert network.content is not None
            numbers = network.content.numbers.cpu().numpy()
            tried = {}
            for last in LASTS:
                found = answers(ContentNeighbours(numbers, rule=rule, last=last), phase, asked, artifact)
                hit = rank_values(METRICS[0], found)
                tried[last] = float((hit if found.repeated.all() else hit[~found.repeated]).mean())
            return max(tried, key=lambda last: tried[last]), []
    return UNCHOSEN, [
        f"the log has too few events before the asked part to choose how many last items content neighbours look at: "
        f"{UNCHOSEN}"
    ]


def drawn(phase: Phase, which: Bools, artifact: Artifact, at_most: int | None = None) -> Bools:
    """(E,) the asked events that are marked, or those of users drawn by the seed, where they are too many."""
    asked, settings = phase.asked & which, artifact.settings
    most = settings.evaluate.max_predictions if at_most is None else at_most
    return asked_of_drawn(phase.replayed, asked, most, settings.seed) if int(asked.sum()) > most else asked


def answers(model: Model, phase: Phase, asked: Bools, artifact: Artifact) -> Predictions:
    """What a model answers."""
    memory = artifact.settings.evaluate.memory_mb
    return replay(model, phase.replayed, asked, exclude=artifact.facts.exclude, k=1, memory_mb=memory)
