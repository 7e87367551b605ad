"""What goes over the wire to one who looks around."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from segue.models.known_items import Similarity
from segue.serving.bundle import Exclude
from segue.web.messages import Id

K = Annotated[int, Meta(ge=1, le=100)]


class SearchQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Words of titles, whatever their case and accents; without any, the most frequent items are meant."""

    search: Annotated[str, Meta(max_length=200, extra_json_schema={"pattern": "^[^\\x00]*$"})] = ""
    k: K = 20


class UsersQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How many users are wanted."""

    k: K = 20


class ItemsMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """Items of which all that is known is wanted."""

    item_ids: Annotated[list[Id], Meta(max_length=1000)]


class ItemMessage(Struct, frozen=True):
    """An item; where it is not `known`, it is outside the catalog.

    Texts are shortened, and end in an ellipsis then. `columns` are the rest of the items table; `withdrawn` is there,
    and true, where the catalog says that the item is not available now.
    """

    item_id: str
    known: bool
    title: str | UnsetType = UNSET
    categories: list[str] | UnsetType = UNSET
    columns: dict[str, str | float] | UnsetType = UNSET
    withdrawn: bool | UnsetType = UNSET


class ItemsAnswer(Struct, frozen=True):
    """The items, as they were asked for, or the best first.

    `partial` is there, and true, where a search was given up after a second: these are the best among the more
    frequent items.
    """

    items: list[ItemMessage]
    partial: bool | UnsetType = UNSET


class HistoryMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """A user whose last events are wanted."""

    user_id: Id
    last: Annotated[int, Meta(ge=1, le=1000)] = 50


class PastMessage(Struct, frozen=True):
    """An event that is stored; `seq` is its number among the user's events.

    `time` is when it counts, in Unix seconds, never before the event before it: such a late one counts as simultaneous
    with that, unless the server was started to give it its place in time. `sent` is there where it was another time
    that was sent. The `item_id`s and `time`s of a whole history may be asked about as `items` and `times`, and are
    answered as the user is where the events have no sessions, types or features of their own.
    """

    seq: int
    item_id: str
    time: float
    known_item: bool
    event_type: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    sent: float | UnsetType = UNSET


class HistoryAnswer(Struct, frozen=True):
    """The last of `total` events of a user in the order in which they count, oldest first."""

    user_id: str
    total: int
    events: list[PastMessage]


class UserMessage(Struct, frozen=True):
    """A user with so many events; `last_time` is that of the event that came last."""

    user_id: str
    events: int
    last_time: float


class UsersAnswer(Struct, frozen=True):
    """Some users; of those found, the latest event first."""

    users: list[UserMessage]


class CategoryMessage(Struct, frozen=True):
    """A category, and how many items it has."""

    category: str
    items: int


class DefaultsMessage(Struct, frozen=True):
    """What holds where a request does not say."""

    k: int
    diversity: float
    strategy: str
    similarity: Similarity
    exclude: Exclude


class ChoicesAnswer(Struct, frozen=True):
    """What a request for a list may say.

    `gap`: seconds above which a pause ends a session, null where none does; `time_aware`: whether the model reads how
    long a pause was. Of the categories the 100 largest are named.
    """

    strategies: list[str]
    similarities: list[Similarity]
    excludes: list[Exclude]
    scenarios: list[str]
    categories: list[CategoryMessage]
    defaults: DefaultsMessage
    gap: float | None
    time_aware: bool
