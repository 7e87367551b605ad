"""A new model takes over while the server runs: from a home of versions, which `segue publish` writes."""

from __future__ import annotations

import logging
from pathlib import Path

from segue.artifact.current import Current, is_home, read_current
from segue.artifact.home import checked
from segue.errors import ArtifactError
from segue.serving.bundle import Bundle, Refused
from segue.serving.engine import Engine
from segue.serving.recurring import Recurring

SECONDS = 1.0
"""How often it looks whether there is another version."""

_log = logging.getLogger("segue.serving")


def first(folder: Path) -> tuple[Bundle, list[Refused]]:
    """The model to begin with: of a home the version that it says, or where that is broken the one before it.

    Returns:
        bundle: checked.
        refused: the versions that were to serve and cannot, the one that the home says first.

    Raises:
        ArtifactError: none can serve.
    """
    if not is_home(folder):
        return Bundle.of(checked(folder)), []
    current = read_current(folder)
    refused: list[Refused] = []
    for version in (current.version, *reversed(current.before)):
        try:
            return Bundle.of(checked(folder / version)), refused
        except ArtifactError as error:
            refused.append(Refused(version, str(error)))
    raise ArtifactError(f"{folder}: no version can serve: {refused[0].message}")


class Watcher(Recurring):
    """A thread that has an engine serve what a home says. What is broken is refused, and the old one goes on.

    Args:
        home: with versions of a model.
        seconds: between two looks.
    """

    def __init__(self, engine: Engine, home: Path, *, seconds: float = SECONDS) -> None:
        super().__init__("watcher", seconds)
        self._engine, self._home = engine, home
        self._tried: Current | str | None = None
        self.start()

    def look(self) -> None:
        """Have the engine serve another version, if the home says so. Each is tried once."""
        try:
            current = read_current(self._home)
        except ArtifactError as error:
            if str(error) != self._tried:
                self._refuse("unknown", str(error))
                self._tried = str(error)
            return
        if current == self._tried:
            return
        self._tried = current
        if current.version == self._engine.bundle.version:
            self._engine.refused = None
            return
        before = self._engine.bundle.version
        try:
            self._engine.swap(Bundle.of(checked(self._home / current.version)))
        except ArtifactError as error:
            self._refuse(current.version, str(error))
        except Exception as error:  # such as too little memory for two
            _log.exception("version %s could not be loaded", current.version)
            self._refuse(current.version, f"it could not be loaded: {error!r}")
        else:
            _log.info("version %s serves, after %s", self._engine.bundle.version, before)

    def _refuse(self, version: str, message: str) -> None:
        _log.error("version %s is refused, %s goes on: %s", version, self._engine.bundle.version, message)
        self._engine.refused = Refused(version, message)
