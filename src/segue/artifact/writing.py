"""An artifact onto the disk, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import safetensors.numpy

from segue.artifact import event_features
from segue.artifact.content import (
    CONTENT,
    COUNTS,
    DIAGNOSIS,
    EVENTS,
    FILES,
    FOR_LEARNING,
    FORMAT,
    FRONTIER,
    INDEX,
    MANIFEST,
    REPLAY,
    STEP,
    Artifact,
    Manifest,
    facts_hash,
    manifest_bytes,
)
from segue.artifact.reading import for_learning, replay_of
from segue.artifact.searching import index_of
from segue.config import toml_of
from segue.disk import is_partial, write_through
from segue.errors import ArtifactError


def save_artifact(
    artifact: Artifact, folder: Path, *, overwrite: bool = False, say: Callable[[str], None] = lambda _: None
) -> None:
    """Write an artifact, whole or not at all: whatever goes wrong, what was there before stays.

    Args:
        say: told where the step of a network cannot be exported: it is served by PyTorch then.

    Raises:
        ArtifactError: the folder is in the way, or the disk does not take it.
    """
    check_free(folder, overwrite=overwrite)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    catalog = {"ids": list(artifact.catalog.ids), "columns": artifact.catalog.columns}
    arrays = {name: np.ascontiguousarray(array) for name, array in artifact.model.arrays().items()}
    index, replay = artifact.index or index_of(artifact.model), replay_of(artifact)
    kept = content_kept(artifact)
    try:
        content = {
            "config.toml": toml_of(artifact.settings).encode(),
            "model.safetensors": safetensors.numpy.save(arrays),
            "catalog.json": msgspec.json.encode(catalog),
            "metrics.json": msgspec.json.format(msgspec.json.encode(artifact.metrics)),
            "README.md": artifact.card.encode(),
            **step_of(artifact, say),
            **({} if index is None else {INDEX: index.content()}),
            **({} if kept is None else {CONTENT: kept}),
            **({} if artifact.events is None else {EVENTS: event_features.written(artifact.events)}),
            **({} if artifact.counts is None else {COUNTS: safetensors.numpy.save(artifact.counts.arrays())}),
            **({} if replay is None else {REPLAY: safetensors.numpy.save(replay.arrays())}),
            **{name: text.encode() for name, text in artifact.diagnosis.items()},
        }
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        manifest = Manifest(format=FORMAT, facts=artifact.facts, facts_sha256=facts_hash(artifact.facts), files=hashes)
        content[MANIFEST] = manifest_bytes(manifest)
        partial.mkdir(parents=True)
        for name, data in content.items():
            write_through(partial / name, data)
        if folder.exists():
            os.rename(folder, old)
        os.rename(partial, folder)
    except OSError as error:
        restore_old(old, folder)
        raise ArtifactError(
            f"{folder}: the model could not be saved ({error.strerror}); "
            f"{'the one that was there is untouched' if folder.exists() else remains(old)}"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        restore_old(old, folder)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def step_of(artifact: Artifact, say: Callable[[str], None]) -> dict[str, bytes]:
    """The exported step, if the model has one."""
    export: Callable[[], bytes] | None = getattr(artifact.model, "exported", None)
    try:
        return {} if export is None else {STEP: export()}
    except ArtifactError as error:
        say(f"note: {error}. The model is saved without {STEP}: serving it needs PyTorch")
        return {}


def content_kept(artifact: Artifact) -> bytes | None:
    """What a network's item table was made of: as it is now, or as it was read; None where there is nothing."""
    content = getattr(getattr(artifact.model, "network", artifact.model), "content", None)
    return for_learning(artifact, CONTENT) if content is None or content.own is None else content.saved()


def remains(old: Path) -> str:
    """What is left where no model is in its place."""
    return f"the one that was there could not be moved back and is in {old}" if old.exists() else "nothing was written"


def restore_old(old: Path, folder: Path) -> None:
    """Put back what was there, unless something new has taken its place; where that fails it stays beside."""
    if old.exists() and not folder.exists():
        with suppress(OSError):
            os.rename(old, folder)


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Raise ArtifactError unless an artifact may be written there."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not overwrite:
        raise ArtifactError(f"{folder} exists already: choose another --out, or replace the model with --overwrite")
    if not (folder / MANIFEST).exists():
        raise ArtifactError(f"{folder} exists and holds no model of segue: it is not overwritten, choose another --out")
    ours = {MANIFEST, STEP, INDEX, COUNTS, EVENTS, FRONTIER, *FOR_LEARNING, *FILES, *DIAGNOSIS}
    foreign = sorted({file.name for file in folder.iterdir() if not is_partial(file)} - ours)
    if foreign:
        raise ArtifactError(
            f"{folder} holds more than a model ({', '.join(foreign[:3])}): it is not overwritten; move that elsewhere"
        )
