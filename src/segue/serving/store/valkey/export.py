"""All events of a store in Valkey, read beside servers that go on writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from segue.serving.features import unpacked
from segue.serving.store.base import StoredEvent
from segue.serving.store.export import ExportedEvent, Survey
from segue.serving.store.valkey.home import ValkeyStores
from segue.serving.store.valkey.place import Place

USERS = 100
"""So many users are read at once."""


def exported_events(place: Place) -> Iterator[list[ExportedEvent]]:
    """The events, user by user in order of arrival, some at a time. Raises StoreError where there is no store."""
    for some in histories(place):
        yield [
            ExportedEvent(user_id, event.item_id, event.time, event.session_id, event.event_type, event.features)
            for user_id, event in some
        ]


def survey(place: Place) -> Survey:
    """What there is in a store."""
    without = events = 0
    names: set[str] = set()
    for some in histories(place):
        events += len(some)
        without += sum(event.session_id is None for _, event in some)
        names = names.union(*(unpacked(event.features) or () for _, event in some))
    return Survey(without, events, sorted(names))


def histories(place: Place) -> Iterator[list[tuple[str, StoredEvent]]]:
    """The events of all users, some users at a time."""
    with closing(ValkeyStores(place, durability="fast", new=False)) as home:
        (store,) = home.stores
        after = None
        while users := store.users(after, USERS):
            found = store.histories(users)
            yield [(user_id, event) for user_id, events in zip(users, found, strict=True) for event in events]
            after = users[-1]
