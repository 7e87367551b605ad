"""What an artifact holds, and what it says of itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from segue.config import Settings
from segue.data.catalog import Catalog
from segue.data.encoding.bound import EventFeatures
from segue.data.encoding.events import EventEncoder
from segue.data.events import EventLog
from segue.data.replay_sample import ReplaySample
from segue.models.base import Model, SessionRule
from segue.models.log_counts import LogCounts
from segue.ranking.index import Index

FORMAT = 2
"""1 had the weights of a network under other names."""

MANIFEST = "segue.json"
FILES = ("config.toml", "model.safetensors", "catalog.json", "metrics.json", "README.md")
DIAGNOSIS = ("curves.svg", "gradients.json")
"""Files that an artifact may have, for people."""

STEP = "step.onnx"
"""The step of a network, for a server without PyTorch; absent where it could not be exported."""

INDEX = "index.bin"
"""What finds the best of a large catalog; absent where a product with all of it is fast enough, or finds more."""


CONTENT = "content.safetensors"
"""What the item table of a network with content was made of: learning goes on from it, and nothing else reads it."""

EVENTS = "events.safetensors"
"""What makes numbers of the features of events; absent where a model reads none."""

COUNTS = "log_counts.safetensors"
"""What the training log says of each item, see `LogCounts`; absent from models that were saved before it was kept."""

REPLAY = "replay.safetensors"
"""The last events of some users, see `ReplaySample`; absent from what is no network, and from older models."""

FRONTIER = "frontier.json"
"""What diversity costs the model, as it was last measured, see `artifact.frontier`; no hash of the model has it."""

FOR_LEARNING = (REPLAY, CONTENT)
"""Files that nobody reads who answers: a model that goes on learning does."""


class Facts(Struct, frozen=True, kw_only=True):
    """What an artifact says of itself.

    Attributes:
        name: what people call the model, such as `gru`.
        kind: which class it is, see `models/build.py`.
        n_items: N.
        settings: what the class's constructor needs.
        gap, at_session_start, exclude: the rules that travel with the model.
        timed: whether the log had times.
        split: the kind of split it was trained under.
        cutoff: Unix seconds from which on it has learned nothing; None where the split has no such time.
        trained_on: fingerprint of the events it learned from.
        events: how many these are.
        trained_at: UTC, ISO 8601.
        baselines: the settings of the baselines that were tuned beside it, by name.
        interrupted: stopped by Ctrl-C, and so learned from the training part alone, up to the best epoch by then.
        update_of: the version that it went on learning from, or grew from; "" for one that was trained.
        core_version: the version whose states are its states too, since what they depend on has not changed; "": its
            own alone.
        finetuned_of: the version whose core it began with, on another catalog; "": none.
    """

    name: str
    kind: str
    n_items: int
    settings: dict[str, Any]
    gap: float | None
    at_session_start: str
    exclude: str
    timed: bool
    split: str
    cutoff: float | None
    trained_on: str
    events: int
    trained_at: str
    baselines: dict[str, dict[str, Any]]
    interrupted: bool = False
    update_of: str = ""
    core_version: str = ""
    finetuned_of: str = ""

    @property
    def rule(self) -> SessionRule:
        """When a session is over."""
        return SessionRule(self.gap, self.at_session_start)


class Manifest(Struct, frozen=True, kw_only=True):
    """The content of `segue.json`."""

    format: Annotated[int, Meta(ge=1)]
    facts: Facts
    facts_sha256: str
    files: dict[str, str]


class Artifact(Struct, frozen=True, kw_only=True):
    """A trained model with all that belongs to it.

    Attributes:
        card: a README in Markdown.
        diagnosis: how training went: texts by the names of files, of `DIAGNOSIS`.
        version: names these very weights: the first letters of their hash.
        index: finds the best of a large catalog; None: a product with all of it does.
        counts: what the training log says of each item; None: not known.
        replay: what it learns beside new days; None: see `replay_of`.
        folder: where it was read from, and what is for learning alone can be; None: it is not on the disk.
        events: makes numbers of the features of events; None: none are read.
        parameters: how many weights a network has, as it was read; None: it is none, or was not read.
    """

    model: Model
    catalog: Catalog
    settings: Settings
    facts: Facts
    metrics: dict[str, Any]
    card: str
    diagnosis: dict[str, str] = {}
    version: str = ""
    index: Index | None = None
    counts: LogCounts | None = None
    replay: ReplaySample | None = None
    folder: Path | None = None
    events: EventEncoder | None = None
    parameters: int | None = None

    def features_of(self, log: EventLog) -> EventFeatures | None:
        """What the model reads of the events of a log; None: nothing. Raises LogError where the log lacks it."""
        return None if self.events is None else self.events.bound(log)


LATER = ("update_of", "core_version", "finetuned_of")
"""Facts that models of earlier days do not have: where they are empty they are not told, so that old hashes hold."""


def told_of(facts: Facts) -> dict[str, Any]:
    """The facts as a manifest has them."""
    return {name: value for name, value in msgspec.to_builtins(facts).items() if value or name not in LATER}


def manifest_bytes(manifest: Manifest) -> bytes:
    """The content of `segue.json`."""
    told = {**msgspec.to_builtins(manifest), "facts": told_of(manifest.facts)}
    return msgspec.json.format(msgspec.json.encode(told))


def facts_hash(facts: Facts) -> str:
    """The SHA-256 of what an artifact says of itself."""
    return hashlib.sha256(msgspec.json.encode(told_of(facts))).hexdigest()
