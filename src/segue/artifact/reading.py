"""An artifact from the disk, every byte of it checked, no code run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

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
    FORMAT,
    INDEX,
    MANIFEST,
    STEP,
    Artifact,
    Manifest,
    facts_hash,
)
from segue.artifact.searching import index_from
from segue.choices import read_toml, settings_of
from segue.data.catalog import Catalog
from segue.data.ids import Ids
from segue.errors import ArtifactError, SegueError, UnknownCellError
from segue.models.build import KINDS, restore
from segue.models.log_counts import LogCounts


def load_artifact(folder: Path | str, *, light: bool = False) -> Artifact:
    """Read an artifact and check every byte of it.

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
    files = {name: read_checked(folder, name, manifest.files) for name in {*FILES, *manifest.files}}
    facts = manifest.facts
    if facts.kind not in KINDS:
        raise ArtifactError(f"{folder}: holds a model of the kind `{facts.kind}`, which this version does not know")
    try:
        catalog = msgspec.json.decode(files["catalog.json"])
        arrays = safetensors.numpy.load(files["model.safetensors"])
        step = files.get(STEP) if light else None
        model = restore(facts.kind, facts.n_items, facts.rule, facts.settings, arrays, step)
        content = getattr(getattr(model, "network", model), "content", None)
        if content is not None and CONTENT in files:
            content.load(files[CONTENT])
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
            events=event_features.read(files.get(EVENTS), facts.settings),
            version=hashlib.sha256("".join(sorted(manifest.files.values())).encode()).hexdigest()[:12],
        )
    except UnknownCellError as error:
        raise ArtifactError(
            f"{folder}: {error}; a cell of your own is known once its module is imported{from_file(error, files)}"
        ) from None
    except (ValueError, KeyError, TypeError, SafetensorError, SegueError) as error:
        raise ArtifactError(f"{folder}: the model is damaged or was made by another version: {error}") from None


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
