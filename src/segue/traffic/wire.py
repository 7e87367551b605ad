"""What is read of a server's answers, and how a logged event is written for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from segue.ranking import rank_of
from segue.traffic.log_plan import Sending


class Listed(Struct):
    """A place of a list."""

    item_id: str
    score: float


class Became(Struct):
    """What became of an event."""

    seq: int
    duplicate: bool
    refused: str | None = None
    message: str | None = None


class Answer(Struct):
    """What is read of an answer to `/v1/recommend`."""

    state_version: int
    items: list[Listed]
    event: Became | None = None


class Results(Struct):
    """An answer to `/v1/events`."""

    results: list[Became]


def event_of(sending: Sending) -> dict[str, Any]:
    """An event as the API takes it; its id makes it safe to send it again."""
    event = {"item_id": sending.item_id, "timestamp": sending.time, "event_id": f"replay {sending.place}"}
    more = {"session_id": sending.session_id, "event_type": sending.event_type, "features": sending.features}
    return event | {name: value for name, value in more.items() if value is not None}


def rank_in(items: list[Listed], target: str) -> int:
    """The rank of an item in a list, behind all that have its score; `NEVER` where it is not there."""
    place = next((place for place, one in enumerate(items) if one.item_id == target), -1)
    return int(rank_of(np.array([[one.score for one in items]]), np.array([place]))[0])
