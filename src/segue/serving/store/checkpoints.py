"""Moves what was committed from the write-ahead logs into the databases, beside the threads that commit."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from segue.serving.recurring import Recurring

SECONDS = 1.0
"""How often it looks."""

LARGE = 64 * 2**20
"""From so many bytes on a log is cut, for which writers wait a moment."""

PATIENCE = 0.05
"""Seconds that a cut waits for whoever reads: writers wait with it."""

_log = logging.getLogger("segue.serving")


class Checkpointer(Recurring):
    """A thread with connections of its own. Logs are moved as they grow, and cut where they are large."""

    def __init__(self, paths: Sequence[Path], seconds: float = SECONDS, large: int = LARGE) -> None:
        super().__init__("checkpoints", seconds)
        self._paths, self._large = list(paths), large
        self._moved: dict[Path, int] = {}
        self.start()

    def look(self) -> None:
        """Move what was written to any of them."""
        for path in self._paths:
            try:
                self.look_at(path)
            except (OSError, sqlite3.Error) as error:
                _log.warning("no checkpoint of %s: %s", path.name, error)

    def look_at(self, path: Path) -> None:
        """Move what was written since the last look."""
        log = path.with_name(f"{path.name}-wal")
        if not log.exists() or self._moved.get(path) == log.stat().st_mtime_ns:
            return
        written = log.stat().st_mtime_ns
        if checkpoint(path, cut=log.stat().st_size >= self._large):
            self._moved[path] = written
        elif log.stat().st_size >= 4 * self._large:
            _log.warning(
                "the write-ahead log of %s has %d bytes: something reads without end", path.name, log.stat().st_size
            )


def checkpoint(path: Path, *, cut: bool = False) -> bool:
    """Move what can be moved while the writer goes on; whether that was all.

    Args:
        cut: then have the writer wait, move the rest, and make the log empty: one that is always written to would
            never be moved whole, and grow for ever. Where someone reads that cannot be, and is left for the next time.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)) as connection:
        busy, written, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if cut:
            busy, written, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy and written == moved
