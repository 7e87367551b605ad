"""An update in the making: the model as it was, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from segue.artifact import Artifact, content_of, load_artifact
from segue.config import Settings
from segue.data.catalog import Catalog, ItemTable
from segue.data.events import EventLog
from segue.data.replay_sample import ReplaySample
from segue.data.sessions import Sequences
from segue.errors import ConfigError, TrainingError
from segue.models.network import Network
from segue.training.candidates import Say
from segue.training.updating.growth import grown, vectors_of_new_items, with_content


class Round(NamedTuple):
    """An update in the making.

    Attributes:
        artifact: the model as it was.
        source: its network, on PyTorch.
        settings: for this update.
        items: what is known of items, if anything was given.
        replay: what the model kept of old sequences.
        force: make a model even of an update that is worse, or cannot be judged.
        say, show: told of what happens.
    """

    artifact: Artifact
    source: Network
    settings: Settings
    items: ItemTable | None
    replay: ReplaySample | None
    force: bool
    say: Say
    show: Callable[..., None]

    def larger(self, catalog: Catalog, sequences: Sequences | None) -> Network:
        """The network for a larger catalog, before it learns anything new.

        Args:
            catalog: the known items, and new ones after them.
            sequences: where the new ones come, with indices of the catalog; None: nowhere.
        """
        counts = None if self.artifact.counts is None else self.artifact.counts.events
        around = vectors_of_new_items(self.source, len(catalog), sequences, counts)
        rows = with_content(around, self.source, catalog, lift=self.settings.content.lift)
        return grown(self.source, rows, alone=self.settings.content.alone)


def network_of(artifact: Artifact) -> Network:
    """The network of a model, on PyTorch also where it was loaded without.

    Raises:
        TrainingError: it is another kind of model.
    """
    facts = artifact.facts
    if facts.kind != "network":
        kind = "holds session neighbours, which are" if facts.kind == "mix" else "is a count of its log,"
        raise TrainingError(
            f"`{facts.name}` {kind} made anew in seconds to minutes: train it on the whole log, new days included. "
            "Only networks go on learning from new days alone"
        )
    if not isinstance(artifact.model, Network) and artifact.folder is not None:
        artifact = load_artifact(artifact.folder)
    if not isinstance(artifact.model, Network):
        raise TrainingError("the model was loaded for answers alone: load it with PyTorch (light=False) to update it")
    content_of(artifact)
    return artifact.model


def check_asked(log: EventLog | None, items: ItemTable | None, withdraw: Iterable[str]) -> None:
    """Raise ConfigError where there is nothing to update by."""
    if log is None and items is None and not list(withdraw):
        raise ConfigError(
            "nothing to update by: give a log with new events (--log), a table with new items (--items), or items to "
            "withdraw (--withdraw)"
        )
