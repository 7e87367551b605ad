"""Where users are kept beside logs and models: a store that no server has, one in Valkey, or a server that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from segue.errors import StoreError
from segue.forgetting.answer import InStore
from segue.forgetting.remains import SERVER, VALKEY
from segue.forgetting.server import check_url, events_at, in_server
from segue.serving.store.base import Stores
from segue.serving.store.erasing import erase, found_in
from segue.serving.store.folder import InUseError, StoreFolder
from segue.serving.store.opening import open_stores, shown


class Kept(NamedTuple):
    """What was found of users, or went.

    Attributes:
        stores: where.
        users: who was found.
        first: Unix seconds of the first of their events; None where that is not known.
        remains: what is left there, one sentence each.
    """

    stores: list[InStore]
    users: set[str]
    first: float | None
    remains: list[str]


class Places(NamedTuple):
    """What is open.

    Attributes:
        name, home: of a store; None without one.
        url, key: of a server; None without one.
    """

    name: str | None
    home: Stores | None
    url: str | None
    key: str | None

    def forget(self, users: frozenset[str], *, write: bool) -> Kept:
        """Look for users; with `write` they are deleted. Raises StoreError."""
        kept = Kept([], set(), None, [])
        if self.name is not None and self.home is not None:
            found = (erase if write else found_in)(self.home, sorted(users))
            place = InStore(shown(self.name), len(found.events), sum(found.events.values()), len(found.rewritten))
            left = [] if isinstance(self.home, StoreFolder) else [VALKEY.format(place=place.place)]
            kept = Kept([place], set(found.events), found.first, left if found.events else [])
        if self.url is not None:
            events = events_at(self.url, self.key, sorted(users), write=write)
            kept.stores.append(in_server(self.url, events))
            kept.users.update(events)
            kept.remains.extend([SERVER.format(place=self.url)] if events else [])
        return kept


@contextmanager
def opened(store: str | None, url: str | None, key: str | None) -> Iterator[Places]:
    """Open a store for as long as the context lasts.

    Raises:
        StoreError: there is none, or a server has it.
        ConfigError: the name of the store, or the address, is none.
    """
    url = None if url is None else check_url(url)
    try:
        home = None if store is None else open_stores(store, durability="durable", new=False)
    except InUseError as error:
        raise StoreError(
            f"{error}; or have the server itself delete the users, by --url http://HOST:PORT in place of --store (that "
            "is DELETE /v1/users/ID), which leaves their bytes in free pages until this is run once it has stopped"
        ) from None
    try:
        yield Places(store, home, url, key)
    finally:
        if home is not None:
            home.close()
