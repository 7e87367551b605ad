"""A packed log: a folder that `segue.data.packed` wrote, opened without reading it.

log.json             format version, counts, names, notes, rejections, and what each other file holds
user.npy ...         one array (E,) a column of the log, in time order; feature-0.npy and so on for further columns
users.text.npy ...   the ids of users and items: UTF-8 bytes one after another, and where each ends
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct

from segue.data.events import EventLog, Rejection
from segue.data.ids import Ids
from segue.errors import ConfigError, LogError, did_you_mean
from segue.shapes import Array

FORMAT = 1
MANIFEST = "log.json"
KIND = "a packed log of segue"
COLUMNS = ("user", "item", "time", "session", "event_type", "weight", "split")
REQUIRED = ("user", "item", "time")
IDS = ("users", "items")


class Column(Struct, frozen=True):
    """What a file holds: the type of its values, and how many."""

    dtype: str
    length: int


class Manifest(Struct, frozen=True, kw_only=True):
    """The content of `log.json`; see `EventLog` for what the attributes mean."""

    kind: str
    format: Annotated[int, Meta(ge=1)]
    events: Annotated[int, Meta(ge=1)]
    users: Annotated[int, Meta(ge=1)]
    items: Annotated[int, Meta(ge=1)]
    timed: bool
    anonymous: bool
    type_names: tuple[str, ...]
    features: tuple[str, ...]
    feature_names: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]
    rejected: tuple[Rejection, ...]
    files: dict[str, Column]


def packed_folder(source: Any) -> Path | None:
    """The folder, if `source` is the path of a packed log, alone or as a list of one; else None."""
    if isinstance(source, list | tuple) and len(source) == 1:
        source = source[0]
    if not isinstance(source, str | os.PathLike):
        return None
    folder = Path(source).expanduser()
    file = folder / MANIFEST
    if not os.path.isfile(file):
        return None
    # Someone's own log.json may lie among the files of a log.
    with file.open("rb") as opened:
        ours = KIND.encode() in opened.read(200)
    return folder if ours or os.path.isfile(folder / "item.npy") else None


def open_packed(folder: Path | str) -> EventLog:
    """Open a packed log; its columns are maps of the files, and are read where they are used.

    Raises:
        LogError: there is none, it is incomplete or damaged, or of a newer format.
    """
    folder = Path(folder).expanduser()
    manifest = read_manifest(folder)
    arrays = {name: _mapped(folder / f"{name}.npy", column) for name, column in manifest.files.items()}
    return EventLog(
        users=_ids(folder, "users", arrays),
        items=_ids(folder, "items", arrays),
        timed=manifest.timed,
        anonymous=manifest.anonymous,
        type_names=manifest.type_names,
        features={name: arrays[f"feature-{place}"] for place, name in enumerate(manifest.features)},
        feature_names=manifest.feature_names,
        notes=manifest.notes,
        rejected=manifest.rejected,
        **{name: arrays[name] for name in COLUMNS if name in arrays},
    )


def check_features(log: EventLog, folder: Path, features: Any) -> None:
    """Raise ConfigError where a packed log lacks a further column that is asked for."""
    for name in features:
        if name not in log.features:
            raise ConfigError(
                f"`feature_cols` (--feature-cols) names `{name}`, which {folder} was packed without"
                f"{did_you_mean(name, log.features)}: pack the log again with it"
            )


def read_manifest(folder: Path) -> Manifest:
    """`log.json`, if this version can read the log."""
    file = folder / MANIFEST
    try:
        tree = msgspec.json.decode(file.read_bytes())
        if tree["kind"] != KIND:
            raise ValueError(f"`kind` is {tree['kind']!r}, expected {KIND!r}")
        if tree["format"] > FORMAT:
            raise LogError(
                f"{folder}: the packed log has format {tree['format']}, this version reads up to {FORMAT}: "
                "upgrade segue, or pack the log again"
            )
        manifest = msgspec.convert(tree, Manifest)
        _check_files(manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise LogError(f"{folder}: no packed log here ({MANIFEST} is missing); write one with `segue pack`") from None
    except OSError as error:
        raise LogError(f"{file}: cannot be read ({error.strerror}); check who may read it") from None
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise LogError(f"{file}: damaged ({error}); pack the log again") from None
    return manifest


def _check_files(manifest: Manifest) -> None:
    features = [f"feature-{place}" for place in range(len(manifest.features))]
    expected = dict.fromkeys((*COLUMNS, *features), manifest.events)
    expected |= {f"{kind}.ends": getattr(manifest, kind) + 1 for kind in IDS}
    required = {*REQUIRED, *features, *(f"{kind}.{part}" for kind in IDS for part in ("text", "ends"))}
    if required - set(manifest.files):
        raise ValueError(f"lists no {', '.join(sorted(required - set(manifest.files)))}")
    for name, column in manifest.files.items():
        if name not in required and name not in COLUMNS:
            raise ValueError(f"lists {name!r}, which is no column")
        if column.length != expected.get(name, column.length):
            raise ValueError(f"{name} has {column.length:,} values, expected {expected[name]:,}")


def _mapped(file: Path, column: Column) -> Array:
    try:
        array = np.load(file, mmap_mode="r")
        size = file.stat().st_size
    except FileNotFoundError:
        raise LogError(f"{file}: missing; the packed log is incomplete: pack it again") from None
    except PermissionError as error:
        raise LogError(f"{file}: cannot be read ({error.strerror}); check who may read it") from None
    except (OSError, ValueError, EOFError) as error:
        raise LogError(f"{file}: damaged or cut short ({error}); pack the log again") from None
    found, expected = f"{array.dtype.str} of shape {array.shape}", f"{column.dtype} of shape ({column.length},)"
    if found != expected or size != array.offset + array.nbytes:
        raise LogError(f"{file}: damaged: {found} in {size:,} bytes, expected {expected}; pack the log again")
    plain: Array = np.asarray(array)  # slices of a `memmap` are slower
    return plain


def _ids(folder: Path, kind: str, arrays: dict[str, Array]) -> Ids:
    text, ends = arrays[f"{kind}.text"], arrays[f"{kind}.ends"]
    if ends[0] != 0 or ends[-1] != len(text) or np.any(ends[1:] < ends[:-1]):
        raise LogError(f"{folder / kind}.ends.npy: damaged: it does not part the ids' text; pack the log again")
    return Ids(text.data, ends)
