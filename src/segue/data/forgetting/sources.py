"""The files of a log that is to be written anew, and in which column of each the users stand."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from segue.data.reading.coding import as_strings
from segue.data.reading.columns import OPTIONS, find_columns
from segue.data.reading.formats import check_format, open_file
from segue.data.reading.packed import packed_folder
from segue.data.reading.sources import found_files, known_format
from segue.data.reading.tables import Table
from segue.errors import ConfigError, LogError


@dataclass(frozen=True)
class LogFile:
    """A file of a log.

    Attributes:
        path: the file itself, where what was named is a link to it.
        kind: its format.
        table: the file as the reader sees it.
        column: where the users stand; in a log without users, the sessions.
    """

    path: Path
    kind: str
    table: Table
    column: str

    def users(self) -> Iterator[pl.Series]:
        """The user of each row as a string, in order, some at a time."""
        for batch in self.table.batches([self.column]):
            yield as_strings(batch.frame[self.column], self.table.name)


class Found(dict[str, int]):
    """Rows by user, of those asked for, and how many rows have any user.

    Attributes:
        named: rows with a user, whoever it is.
    """

    named: int = 0

    @property
    def rows(self) -> int:
        """Rows of the users asked for."""
        return sum(self.values())


def look(file: LogFile, users: Collection[str]) -> Found:
    """Look a file through for users, as the reader reads it."""
    found = Found()
    wanted = sorted(users)
    for some in file.users():
        found.named += len(some) - some.null_count()
        for user in some.filter(some.is_in(wanted)):
            found[user] = found.get(user, 0) + 1
    return found


def files_of(names: Sequence[str | Path], columns: Mapping[str, Any]) -> list[LogFile | Path]:
    """The files that logs are in; a packed log is its folder.

    Args:
        names: paths, globs and folders.
        columns: which column is what; see `read_log`.

    Raises:
        ConfigError: standard input, a frame, or a column that does not exist.
        LogError: a log is missing, cannot be read, or is named twice.
    """
    asked = {role: columns.get(option) for role, option in OPTIONS.items()}
    features, kind = columns.get("feature_cols", ()), check_format(columns.get("format") or None)
    found: list[LogFile | Path] = []
    for name in names:
        if not isinstance(name, str | os.PathLike):
            raise ConfigError(f"cannot write a {type(name).__name__} anew; expected the name of a file or a folder")
        if str(name) == "-":
            raise ConfigError("standard input cannot be written anew: name the files of the log")
        if not str(name).strip():
            raise ConfigError("the name of a log is empty; expected a file, a glob or a folder")
        folder = packed_folder(name)
        if folder is not None:
            found.append(folder.resolve())
            continue
        for path in found_files(Path(name).expanduser())[0]:
            known = known_format(path, kind)
            table = open_file(path, path.name, known)
            roles = find_columns(table.columns, table=table.name, asked=asked, features=features).by_role
            found.append(LogFile(path.resolve(), known, table, roles.get("user_id") or roles["session_id"]))
    paths = [one if isinstance(one, Path) else one.path for one in found]
    for path in paths:
        if paths.count(path) > 1:
            raise LogError(f"{path} is named twice as a log; expected each file once")
    return found
