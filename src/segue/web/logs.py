"""The log of a server: a JSON object a line, on stderr. Ids of users are not in it."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import msgspec


class Lines(logging.Formatter):
    """A record as a JSON object: time, level, logger, message, and the fields that came with it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        tree = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            tree["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(tree).decode()


class Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        self.stream = sys.stderr
        super().emit(record)


def set_up() -> None:
    """Have what is logged written to stderr, that of other libraries too."""
    handler = Stderr()
    handler.setFormatter(Lines())
    logging.getLogger().handlers = [handler]
    logging.getLogger("segue").setLevel(logging.INFO)
