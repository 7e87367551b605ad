"""An artifact from the disk, every byte of it checked, no code run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import safetensors.numpy
from safetensors import SafetensorError

from segue.artifact import event_features
from segue.artifact.content import (
    CONTENT,
    COUNTS,
    DIAGNOSIS,
    EVENTS,
    FILES,
    FOR_LEARNING,
    FORMAT,
    INDEX,
    MANIFEST,
    REPLAY,
    STEP,
    Artifact,
    Manifest,
    facts_hash,
)
from segue.artifact.searching import index_from
from segue.choices import read_toml, settings_of
from segue.data.catalog import Catalog
from segue.data.ids import Ids
from segue.data.replay_sample import ReplaySample
from segue.errors import ArtifactError, SegueError, UnknownCellError
from segue.models.build import KINDS, restore
from segue.models.log_counts import LogCounts
from segue.shapes import Array


def load_artifact(folder: Path | str, *, light: bool = False) -> Artifact:
    """Read an artifact and check every byte of it, but for what is for learning alone: that is read when it is wanted.

    Args:
        light: run the exported step, where there is one, so that PyTorch is not loaded. Where only one of PyTorch and
            ONNX Runtime is installed, that one is taken.

    Raises:
        ArtifactError: no artifact, one of another format, or a damaged one.
    """
    folder = Path(folder)
    installed = {name for name in ("torch", "onnxruntime") if find_spec(name) is not None}
    light = "onnxruntime" in installed and (light or "torch" not in installed)
    manifest = read_manifest(folder)
    files = {name: read_checked(folder, name, manifest.files) for name in {*FILES, *manifest.files} - {*FOR_LEARNING}}
    facts = manifest.facts
    if facts.kind not in KINDS:
        raise ArtifactError(f"{folder}: holds a model of the kind `{facts.kind}`, which this version does not know")
    try:
        catalog = msgspec.json.decode(files["catalog.json"])
        arrays = safetensors.numpy.load(files["model.safetensors"])
        step = files.get(STEP) if light else None
        model = restore(facts.kind, facts.n_items, facts.rule, facts.settings, arrays, step)
        if len(catalog["ids"]) != facts.n_items:
            raise ArtifactError(f"the catalog has {len(catalog['ids'])} items, the model scores {facts.n_items}")
        return Artifact(
            model=model,
            catalog=Catalog(Ids.of(catalog["ids"]), catalog["columns"]),
            settings=settings_of(read_toml(folder / "config.toml")),
            facts=facts,
            metrics=msgspec.json.decode(files["metrics.json"]),
            card=files["README.md"].decode(),
            diagnosis={name: files[name].decode() for name in DIAGNOSIS if name in files},
            index=index_from(model, files.get(INDEX)) if light else None,
            counts=counts_from(files.get(COUNTS), facts.n_items),
            version=version_of(manifest),
            folder=folder,
            events=event_features.read(files.get(EVENTS), facts.settings),
            parameters=parameters_of(facts.kind, arrays),
        )
    except UnknownCellError as error:
        raise ArtifactError(
            f"{folder}: {error}; a cell of your own is known once its module is imported{from_file(error, files)}"
        ) from None
    except (ValueError, KeyError, TypeError, SafetensorError, SegueError) as error:
        raise ArtifactError(f"{folder}: the model is damaged or was made by another version: {error}") from None


def parameters_of(kind: str, arrays: Mapping[str, Array]) -> int | None:
    """How many weights the network of a model has; None where it has none."""
    within = {"network": "", "mix": "network."}.get(kind)
    return None if within is None else sum(array.size for name, array in arrays.items() if name.startswith(within))


def version_of(manifest: Manifest) -> str:
    """What names these very weights. What is kept for learning alone is left out: users may be forgotten there."""
    hashes = [value for name, value in manifest.files.items() if name not in FOR_LEARNING]
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()[:12]


def for_learning(artifact: Artifact, name: str) -> bytes | None:
    """A file that only learning reads; None where there is none.

    Raises:
        ArtifactError: it is damaged, or another model is in the folder by now.
    """
    folder = artifact.folder
    if folder is None:
        return None
    manifest = read_manifest(folder)
    if version_of(manifest) != artifact.version:
        raise ArtifactError(f"{folder}: holds another model than the one that was loaded from it: load it again")
    return read_checked(folder, name, manifest.files) if name in manifest.files else None


def replay_of(artifact: Artifact) -> ReplaySample | None:
    """What a model learns beside new days, read now if it was not before; None where it keeps nothing.

    Raises:
        ArtifactError: it is damaged, or another model is in the folder by now.
    """
    data = None if artifact.replay is not None else for_learning(artifact, REPLAY)
    if data is None:
        return artifact.replay
    try:
        return ReplaySample.loaded(safetensors.numpy.load(data), artifact.facts.n_items)
    except (ValueError, SafetensorError, ArtifactError) as error:
        raise ArtifactError(f"{artifact.folder}/{REPLAY}: damaged or made by another version: {error}") from None


def content_of(artifact: Artifact) -> Any:
    """The content of a network, see `segue.models.content`, with what it was made of, read now; None without one.

    Raises:
        ArtifactError: it is damaged, or another model is in the folder by now.
    """
    content = getattr(getattr(artifact.model, "network", artifact.model), "content", None)
    if content is not None and content.own is None and (data := for_learning(artifact, CONTENT)) is not None:
        try:
            content.load(data)
        except (ValueError, KeyError, TypeError, SafetensorError, ArtifactError) as error:
            raise ArtifactError(f"{artifact.folder}/{CONTENT}: damaged or made by another version: {error}") from None
    return content


def check_for_learning(folder: Path) -> None:
    """Raise ArtifactError where a file that only learning reads is not what was written."""
    manifest = read_manifest(folder)
    for name in FOR_LEARNING:
        if name in manifest.files:
            read_checked(folder, name, manifest.files)


def counts_from(data: bytes | None, n_items: int) -> LogCounts | None:
    """What the training log says of each item; None in an older model. Raises ArtifactError where it does not fit."""
    return None if data is None else LogCounts.loaded(safetensors.numpy.load(data), n_items)


def from_file(error: UnknownCellError, content: Mapping[str, bytes]) -> str:
    """How to import the file that the cell of a model was in, if that was noted."""
    own = msgspec.json.decode(content["metrics.json"]).get("own", {})
    files = [file for part, file in own.items() if part.startswith("cell ") and f"`{part[5:]}`" in str(error)]
    return f" (--import {files[0]})" if files else ""


def read_manifest(folder: Path) -> Manifest:
    """`segue.json`, if this version can read the artifact."""
    file = folder / MANIFEST
    try:
        tree = msgspec.json.decode(file.read_bytes())
        found = tree["format"]
        if found > FORMAT:
            raise ArtifactError(
                f"{folder}: the model has format {found}, this version reads up to {FORMAT}: upgrade segue"
            )
        if 0 < found < FORMAT:
            raise ArtifactError(
                f"{folder}: the model has format {found}, of an older version; this one reads {FORMAT}: train again"
            )
        manifest = msgspec.convert(tree, Manifest)
    except FileNotFoundError:
        raise ArtifactError(f"{folder}: no model of segue here ({MANIFEST} is missing)") from None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ArtifactError(f"{file}: damaged: {error}") from None
    if any(not name or Path(name).name != name or not name.isprintable() for name in manifest.files):
        raise ArtifactError(f"{file}: damaged: a name in `files` is no name of a file in this folder")
    if manifest.facts_sha256 != facts_hash(manifest.facts):
        raise ArtifactError(f"{file}: damaged: `facts` are not those that were written; restore the folder from a copy")
    return manifest


def read_checked(folder: Path, name: str, hashes: Mapping[str, str]) -> bytes:
    """A file whose bytes are those that were written."""
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise ArtifactError(f"{folder / name}: cannot be read ({error.strerror}); the model is incomplete") from None
    found = hashlib.sha256(data).hexdigest()
    if found != hashes.get(name):
        raise ArtifactError(
            f"{folder / name}: damaged: its SHA-256 is {found[:12]}..., expected {str(hashes.get(name))[:12]}...; "
            "restore the folder from a copy, or train again"
        )
    return data
