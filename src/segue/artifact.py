"""A trained model as a folder: written as a whole or not at all, read without running code.

segue.json          format version, what it is, and the SHA-256 of this and of every other file
config.toml         the settings it was trained with
model.safetensors   what was learned
catalog.json        item ids in order, and what is known of the items
metrics.json        how good it was when it was trained, beside the baselines
README.md           the model card

And where a network was trained, not read again for an answer:

curves.svg          loss and validation metric by epoch
gradients.json      norms of the gradients by parameter and epoch, where they were asked for
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import safetensors.numpy
from msgspec import Meta, Struct
from safetensors import SafetensorError

from segue.choices import read_toml, settings_of
from segue.config import Settings, toml_of
from segue.data.catalog import Catalog
from segue.data.ids import Ids
from segue.errors import ArtifactError, SegueError
from segue.models.base import Model, SessionRule
from segue.models.build import KINDS, restore

FORMAT = 1
MANIFEST = "segue.json"
FILES = ("config.toml", "model.safetensors", "catalog.json", "metrics.json", "README.md")
DIAGNOSIS = ("curves.svg", "gradients.json")
"""Files that an artifact may have."""


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
    """

    model: Model
    catalog: Catalog
    settings: Settings
    facts: Facts
    metrics: dict[str, Any]
    card: str
    diagnosis: dict[str, str] = {}
    version: str = ""


def save_artifact(artifact: Artifact, folder: Path, *, overwrite: bool = False) -> None:
    """Write an artifact, whole or not at all: whatever goes wrong, what was there before stays.

    Raises:
        ArtifactError: the folder is in the way, or the disk does not take it.
    """
    check_free(folder, overwrite=overwrite)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    catalog = {"ids": list(artifact.catalog.ids), "columns": artifact.catalog.columns}
    arrays = {name: np.ascontiguousarray(array) for name, array in artifact.model.arrays().items()}
    try:
        content = {
            "config.toml": toml_of(artifact.settings).encode(),
            "model.safetensors": safetensors.numpy.save(arrays),
            "catalog.json": msgspec.json.encode(catalog),
            "metrics.json": msgspec.json.format(msgspec.json.encode(artifact.metrics)),
            "README.md": artifact.card.encode(),
            **{name: text.encode() for name, text in artifact.diagnosis.items()},
        }
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        manifest = Manifest(format=FORMAT, facts=artifact.facts, facts_sha256=facts_hash(artifact.facts), files=hashes)
        content[MANIFEST] = msgspec.json.format(msgspec.json.encode(manifest))
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
    foreign = sorted({file.name for file in folder.iterdir()} - {MANIFEST, *FILES, *DIAGNOSIS})
    if foreign:
        raise ArtifactError(
            f"{folder} holds more than a model ({', '.join(foreign[:3])}): it is not overwritten; move that elsewhere"
        )


def write_through(file: Path, data: bytes) -> None:
    """Write a file down to the disk."""
    with open(file, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def load_artifact(folder: Path | str) -> Artifact:
    """Read an artifact and check every byte of it.

    Raises:
        ArtifactError: no artifact, one of a newer format, or a damaged one.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    content = {name: read_checked(folder, name, manifest.files) for name in {*FILES, *manifest.files}}
    facts = manifest.facts
    if facts.kind not in KINDS:
        raise ArtifactError(f"{folder}: holds a model of the kind `{facts.kind}`, which this version does not know")
    try:
        catalog = msgspec.json.decode(content["catalog.json"])
        arrays = safetensors.numpy.load(content["model.safetensors"])
        model = restore(facts.kind, facts.n_items, facts.rule, facts.settings, arrays)
        if len(catalog["ids"]) != facts.n_items:
            raise ArtifactError(f"the catalog has {len(catalog['ids'])} items, the model scores {facts.n_items}")
        return Artifact(
            model=model,
            catalog=Catalog(Ids.of(catalog["ids"]), catalog["columns"]),
            settings=settings_of(read_toml(folder / "config.toml")),
            facts=facts,
            metrics=msgspec.json.decode(content["metrics.json"]),
            card=content["README.md"].decode(),
            diagnosis={name: content[name].decode() for name in DIAGNOSIS if name in content},
            version=hashlib.sha256("".join(sorted(manifest.files.values())).encode()).hexdigest()[:12],
        )
    except (ValueError, KeyError, TypeError, SafetensorError, SegueError) as error:
        raise ArtifactError(f"{folder}: the model is damaged or was made by another version: {error}") from None


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


def facts_hash(facts: Facts) -> str:
    """The SHA-256 of what an artifact says of itself."""
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


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
