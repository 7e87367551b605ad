"""What goes over the wire. Unknown fields, wrong types and values out of bounds are refused."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from segue.serving.bundle import Exclude
from segue.serving.events import LATEST

MAX_BODY_BYTES = 2**20

Id = Annotated[str, Meta(min_length=1, max_length=1024)]
Timestamp = Annotated[float, Meta(ge=0, lt=LATEST, description="Unix seconds in UTC, not milliseconds")]


class EventMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """One event. Without `timestamp` it happened now; with `event_id` it may be sent again without harm."""

    user_id: Id
    item_id: Id
    timestamp: Timestamp | None = None
    session_id: Id | None = None
    event_id: Id | None = None
    event_type: Id | None = None


class EventsMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """Events in the order in which they count; all are stored, or none."""

    events: Annotated[list[EventMessage], Meta(min_length=1, max_length=1000)]


class ObservedMessage(Struct, frozen=True):
    """What became of one event; `seq` is its place among the user's events, from 1."""

    seq: int
    duplicate: bool
    known_item: bool


class EventsAnswer(Struct, frozen=True):
    """One result an event, in the order sent; the events are stored when this arrives."""

    results: list[ObservedMessage]


class RecommendMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes next for a user, or after some items (exactly one of the two).

    `timestamp` is the moment of the request: a user's default is now, that of items is not known.
    `exclude` replaces the model's own setting.
    """

    user_id: Id | None = None
    items: Annotated[list[Id], Meta(max_length=1000)] | None = None
    k: Annotated[int, Meta(ge=1, le=1000)] = 10
    timestamp: Timestamp | None = None
    exclude: Exclude | None = None


class RankedMessage(Struct, frozen=True):
    """One recommended item; `source` says whether a `state` or the `initial_state` chose it."""

    item_id: str
    score: float
    rank: int
    source: str
    title: str | UnsetType = UNSET


class RecommendAnswer(Struct, frozen=True):
    """The list, best first; `unknown_items` are given items outside the catalog."""

    request_id: str
    model_version: str
    items: list[RankedMessage]
    unknown_items: list[str]


class Live(Struct, frozen=True):
    """The process answers."""

    status: str = "live"


class Ready(Struct, frozen=True):
    """The model that answers."""

    name: str
    version: str
    n_items: int
    status: str = "ready"


class ErrorDetail(Struct, frozen=True):
    """What was found, where, what was expected, what to do."""

    code: str
    message: str
    field: str | UnsetType = UNSET


class ErrorAnswer(Struct, frozen=True):
    """Every answer that is not 200."""

    error: ErrorDetail
