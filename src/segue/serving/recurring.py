"""A thread that does something every so often."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from threading import Event, Thread

_log = logging.getLogger("segue.serving")


class Recurring(ABC):
    """Begins with `start`, and has `look` done until it is closed.

    Args:
        name: of the thread.
        seconds: between two looks.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._seconds, self.ending = seconds, Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @abstractmethod
    def look(self) -> None:
        """What is done."""

    def close(self) -> None:
        """End the thread."""
        self.ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.ending.wait(self._seconds):
            try:
                self.look()
            except Exception:  # nothing would be looked at any more
                _log.exception("what is done every so often failed, and is tried again")
