"""What events bring with them, in numbers, for a network that reads it."""

from __future__ import annotations

from functools import partial

from segue.config import Settings
from segue.data.encoding.events import EventEncoder
from segue.data.events import EventLog
from segue.training.axes import axes_of


def event_encoder_of(log: EventLog, settings: Settings) -> EventEncoder | None:
    """What `content.events` asks for, learned from the events of a log; None where that is nothing.

    Raises:
        ConfigError: the log has no such column.
        LogError: values of another kind than was asked for.
    """
    if not settings.content.events:
        return None
    encoder = EventEncoder.fitted(log, settings.content.events, axes=partial(axes_of, seed=settings.seed))
    return encoder if encoder.width else None
