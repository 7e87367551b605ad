"""From what the user names (paths, globs, folders, standard input, frames) to tables."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from segue.data.reading.formats import FORMATS, check_format, format_of, open_file, sniff
from segue.data.reading.packed import packed_folder
from segue.data.reading.tables import Table, frame_table, not_a_source
from segue.errors import ConfigError, LogError


@contextmanager
def open_tables(source: Any, *, kind: str | None = None) -> Iterator[list[Table]]:
    """The tables that `source` names, in order; temporary files live as long as the context.

    Args:
        source: a path, a glob, a folder, '-' for standard input, a polars or pandas frame, or a list of
            these.
        kind: csv, tsv, inter, jsonl or parquet; None: from each file's name.

    Raises:
        LogError: there is nothing to read.
        ConfigError: `source` or `kind` is not of a known kind.
    """
    kind = check_format(kind)
    with ExitStack() as stack:
        tables: list[Table] = []
        for single in source if isinstance(source, list | tuple) else [source]:
            name = "the data frame" if not tables else f"data frame {len(tables) + 1}"
            table = frame_table(single, name)
            if table is not None:
                tables.append(table)
            elif isinstance(single, str) and single == "-":
                path = stack.enter_context(_standard_input())
                tables.append(open_file(path, "standard input", kind or sniff(path)))
            elif single == "":
                raise ConfigError("the log's name is empty; expected a file, a glob, a folder or '-'")
            elif isinstance(single, str | os.PathLike):
                tables += _open_path(Path(single).expanduser(), kind)
            else:
                raise not_a_source(single)
        if not tables:
            raise LogError("an empty list was given as the source; expected at least one file or frame")
        yield tables


@contextmanager
def _standard_input() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="segue-") as folder:
        path = Path(folder) / "standard-input"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        yield path


def _open_path(path: Path, kind: str | None) -> list[Table]:
    if packed_folder(path):
        raise LogError(
            f"{path} is a packed log, which is read alone; expected no other source beside it: "
            "pack the files that it was made of together with the others"
        )
    files, others = found_files(path)
    tables = [_open_one(file, kind) for file in files]
    if others:
        names = ", ".join(file.name for file in others)
        tables[0] = replace(tables[0], notes=(f"not read from {path}: {names}", *tables[0].notes))
    return tables


def found_files(path: Path) -> tuple[list[Path], list[Path]]:
    """The files that a path, a folder or a glob names, in order, and those of a folder that are passed over.

    Raises LogError where there is nothing to read.
    """
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        chosen = [file for file in found if format_of(file) is not None]
        if not chosen:
            raise LogError(
                f"the folder {path} holds no file that segue reads ({len(found)} others); expected files "
                f"that end in {SUPPORTED}"
            )
        return chosen, [file for file in found if file not in chosen]
    if path.exists() or not has_magic(str(path)):
        return [path], []
    matches = sorted(Path(match) for match in glob(str(path), recursive=True))
    files = [match for match in matches if match.is_file()]
    if not files:
        raise LogError(f"no file matches {path}; expected at least one: check the pattern and the folder")
    return files, []


def known_format(path: Path, kind: str | None) -> str:
    """The format of a file that is there: `kind`, or what its name tells. Raises LogError where neither does."""
    if not path.exists():
        raise LogError(f"there is no file {path}; expected a log or an items table: check the path")
    kind = kind or format_of(path)
    if kind is None:
        raise LogError(
            f"{path} has no known suffix; expected {SUPPORTED}: rename it, or say what it is with `format` "
            f"(--format {'|'.join(FORMATS)})"
        )
    return kind


def _open_one(path: Path, kind: str | None) -> Table:
    return open_file(path, path.name, known_format(path, kind))


SUPPORTED = ".csv, .tsv, .inter, .jsonl, .ndjson (each also .gz or .zst) or .parquet"
