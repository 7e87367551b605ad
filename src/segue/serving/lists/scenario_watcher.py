"""The scenarios of a file are read again when it changes, while the server runs."""

from __future__ import annotations

import logging
from pathlib import Path

from segue.errors import ConfigError
from segue.serving.engine import Engine
from segue.serving.lists.scenarios import Scenarios, read_scenarios
from segue.serving.recurring import Recurring

SECONDS = 1.0
"""How often it looks whether the file has changed."""

_log = logging.getLogger("segue.serving")


class ScenarioWatcher(Recurring):
    """A thread that has an engine know the scenarios of a file. A broken new file is refused, and the old ones go on.

    Args:
        engine: knows those of the file once this is made.
        seconds: between two looks.

    Raises:
        ConfigError: the file is broken at the start.
    """

    def __init__(self, engine: Engine, file: Path, *, seconds: float = SECONDS) -> None:
        super().__init__("scenarios", seconds)
        self._engine, self._file = engine, file
        self._tried = self._seen = content_of(file)
        self._take()
        self.start()

    def look(self) -> None:
        """Read the file anew, if it has changed. Each content is tried once, and not while it is being written."""
        content, before = content_of(self._file), self._seen
        self._seen = content
        if content == self._tried or content != before:
            return
        self._tried = content
        try:
            self._take()
        except ConfigError as error:
            _log.error("the scenarios are refused, and those before go on: %s", error)
        else:
            _log.info("the scenarios of %s were read: %s", self._file, ", ".join(self._engine.scenarios.sets) or "none")

    def _take(self) -> None:
        sets, notes = read_scenarios(self._file, self._engine.bundle)
        for note in notes:
            _log.warning("%s: %s", self._file, note)
        self._engine.scenarios = Scenarios(sets)


def content_of(file: Path) -> bytes | None:
    """What a file holds; None where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError:
        return None
