"""What went wrong with a SQLite file, in words that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.errors import StoreError

_ADVICE = {
    "SQLITE_FULL": "the disk is full; free some space and try again: nothing of this call was stored",
    "SQLITE_READONLY": "it is read-only; give this user the right to write to the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened; expected a folder that this user may write to",
    "SQLITE_PERM": "permission was denied; give this user the right to write to the file and its folder",
    "SQLITE_NOTADB": "it is damaged, or no SQLite database; move it away and restore a backup",
    "SQLITE_CORRUPT": "it is damaged; restore a backup, or save what is left with `sqlite3 .recover`",
    "SQLITE_IOERR": "the disk answered with an error; look into the system's log",
    "SQLITE_BUSY": "another program holds it; end that one first",
    "SQLITE_CONSTRAINT": "an event with this number or event id is already there; expected a single writer",
}


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn what SQLite raises into StoreError.

    Args:
        path: of the database.
        doing: what was tried, such as "read".
    """
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        primary = "_".join(name.split("_")[:2])
        advice = _ADVICE.get(primary, "no remedy is known")
        if isinstance(error, sqlite3.ProgrammingError):
            advice = "the store is closed; open a new one"
        raise StoreError(f"cannot {doing} {path} ({error}): {advice}") from error
