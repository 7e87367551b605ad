"""What goes over the wire. Unknown fields, wrong types and values out of bounds are refused."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from segue.models.known_items import Similarity
from segue.moments import LATEST
from segue.ranking.rules import Rules, Short, UnmetPin
from segue.serving.bundle import Exclude
from segue.serving.features import LONGEST_NAME, LONGEST_TEXT, MOST_FEATURES, MOST_LABELS
from segue.serving.lists.asks import USUAL_K
from segue.serving.lists.diverse import ChosenBy
from segue.web.reasons import ReasonsMessage

MAX_BODY_BYTES = 2**20

# checked by the engine: a pattern here would be matched again for each id
Id = Annotated[str, Meta(min_length=1, max_length=1024, extra_json_schema={"pattern": "^[^\\x00]+$"})]
Timestamp = Annotated[float, Meta(ge=0, lt=LATEST, description="Unix seconds in UTC, not milliseconds")]


Label = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Features = Annotated[
    dict[
        Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)],
        Label | float | bool | Annotated[list[Label], Meta(max_length=MOST_LABELS)] | None,
    ],
    Meta(max_length=MOST_FEATURES, description="further values by name: numbers, texts, lists of labels"),
]


class EventMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """One event. Without `timestamp` it happened now; with `event_id` it may be sent again without harm."""

    user_id: Id
    item_id: Id
    timestamp: Timestamp | None = None
    session_id: Id | None = None
    event_id: Id | None = None
    event_type: Id | None = None
    features: Features | None = None


class OwnEventMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """An event of the user of a request. `user_id` may be left out; if it is there, it is that user's."""

    item_id: Id
    user_id: Id | None = None
    timestamp: Timestamp | None = None
    session_id: Id | None = None
    event_id: Id | None = None
    event_type: Id | None = None
    features: Features | None = None


class EventsMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """Events in the order in which they count."""

    events: Annotated[list[EventMessage], Meta(min_length=1, max_length=1000)]


class ObservedMessage(Struct, frozen=True):
    """What became of one event; `seq` is its place among the user's events, from 1.

    Where it was refused `seq` is 0, `refused` is `conflict`, `late`, `future` or `features`, and `message` says more.
    `unread_features` are names that the model does not read; they are kept with the event.
    """

    seq: int
    duplicate: bool
    known_item: bool
    refused: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    unread_features: list[str] | UnsetType = UNSET


class EventsAnswer(Struct, frozen=True):
    """One result an event, in the order sent; those that were not refused are stored when this arrives."""

    results: list[ObservedMessage]


class RecommendMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes next for a user, or after some items (exactly one of the two).

    `timestamp` is the moment of the request: a user's default is now, that of items is not known. `times` of `items`,
    one each and none before the one before it, say when these happened; without, they are one session.
    `exclude` replaces the model's own setting. Of `candidates` alone, and of items in any of `categories`, may be
    answered, where they are given. An `event` of the user is stored before the answer, and counts in it. `rules` say
    what the list must and should look like, and so does a `scenario`, by its name. `diversity` above 0 makes it less of
    the same, by a `strategy`, to which items are alike by `similarity`; one that draws does so by `seed`, or anew with
    each event of the user. What is left out is as the server was started (by default 0, `mmr`, `auto`); where that is
    0, the other three need a `diversity`.
    With `explain` each item says why it is there.
    """

    user_id: Id | None = None
    items: Annotated[list[Id], Meta(max_length=1000)] | None = None
    k: Annotated[int, Meta(ge=1, le=1000)] = USUAL_K
    timestamp: Timestamp | None = None
    exclude: Exclude | None = None
    candidates: Annotated[list[Id], Meta(max_length=1000)] | None = None
    categories: Annotated[list[Id], Meta(max_length=100)] | None = None
    event: OwnEventMessage | None = None
    rules: Rules | None = None
    scenario: Id | None = None
    diversity: Annotated[float, Meta(ge=0, le=1)] | None = None
    strategy: Id | None = None
    similarity: Similarity | None = None
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    explain: bool = False
    times: Annotated[list[Timestamp], Meta(max_length=1000)] | None = None


class RankedMessage(Struct, frozen=True):
    """One recommended item; `source` says whether a `state` or the `initial_state` chose it, or a `pin`.

    Or, where the model has nothing to say, as of a stranger, `neighbours` of the last item, what is `trending`, or the
    `newest` items; scores are comparable within one source.
    """

    item_id: str
    score: float
    rank: int
    source: str
    title: str | UnsetType = UNSET
    reasons: ReasonsMessage | UnsetType = UNSET


class RecommendAnswer(Struct, frozen=True):
    """The list, best first.

    `state_version` is the number of the last event in the state that answered; `unknown_items` are given items outside
    the catalog, `unknown_categories` given ones that no item has, if there are any; `event` is what became of the
    event, if one came with the request. `short` says why there are fewer than `k`, `unmet_pins` which pins of the
    rules could not be had, `chosen_by` what made the list less of the same.
    """

    request_id: str
    model_version: str
    state_version: int
    items: list[RankedMessage]
    unknown_items: list[str]
    unknown_categories: list[str] | UnsetType = UNSET
    event: ObservedMessage | UnsetType = UNSET
    short: Short | UnsetType = UNSET
    unmet_pins: list[UnmetPin] | UnsetType = UNSET
    chosen_by: ChosenBy | UnsetType = UNSET


class SimilarMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """Items like an item."""

    item_id: Id
    k: Annotated[int, Meta(ge=1, le=1000)] = 10


class SimilarItem(Struct, frozen=True):
    """One similar item."""

    item_id: str
    score: float
    rank: int
    title: str | UnsetType = UNSET


class SimilarAnswer(Struct, frozen=True):
    """The nearest first."""

    model_version: str
    items: list[SimilarItem]


class UserAnswer(Struct, frozen=True):
    """What is known of a user: of one never heard of, nothing.

    `last_seq` is the number of the latest event; `model_version` says which model made the state.
    """

    user_id: str
    events: int
    last_seq: int
    last_time: float | None
    last_item: str | None
    model_version: str | None


class Forgotten(Struct, frozen=True):
    """A user was deleted, with so many events."""

    user_id: str
    events: int


class Live(Struct, frozen=True):
    """The process answers."""

    status: str = "live"


class RefusedMessage(Struct, frozen=True):
    """A version of the model that was to take over and could not; the log of the server says why."""

    version: str


class Ready(Struct, frozen=True):
    """The model that answers.

    `warm` is the part of the states that it made: the others are folded anew when their users come, and in the
    background. `refused` is a version that was to take over and could not.
    """

    name: str
    version: str
    n_items: int
    warm: float
    refused: RefusedMessage | UnsetType = UNSET
    status: str = "ready"


class ErrorDetail(Struct, frozen=True):
    """What was found, where, what was expected, what to do."""

    code: str
    message: str
    field: str | UnsetType = UNSET


class ErrorAnswer(Struct, frozen=True):
    """Every answer that is not 200."""

    error: ErrorDetail
