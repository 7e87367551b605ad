"""A packed log without some users: the same that packing a log without their rows gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from segue.data import spill
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.reading.coding import by_appearance
from segue.data.reading.spool import Spool
from segue.shapes import Array, Bools

FORGOTTEN = "users were taken out of the packed log: what is said of all its rows is of before"
"""The note that such a log has."""


def events_of(log: EventLog, users: frozenset[str]) -> dict[str, int]:
    """How many events each of these users has; without those who have none."""
    places = {user: place for user in users if (place := log.users.place_of(user)) >= 0}
    counts = spill.counted(log.user, len(log.users)) if places else np.zeros(0, np.int64)
    return {user: int(counts[place]) for user, place in places.items() if counts[place]}


def others_in(log: EventLog, users: frozenset[str]) -> Bools:
    """(E,) True for the events of everybody else."""
    known = np.ones(len(log.users), bool)
    known[[place for user in users if (place := log.users.place_of(user)) >= 0]] = False
    return spill.filled(len(log), bool, lambda block: known[log.user[block]], log.user)


def without(log: EventLog, users: frozenset[str]) -> EventLog:
    """The log of everybody else: ids, sessions, types and values that only these users had are gone from it, too."""
    kept = log.where(others_in(log, users))
    user, user_places = renumbered(kept.user, len(log.users))
    item, item_places = renumbered(kept.item, len(log.items))
    columns: dict[str, Array] = {"item": item, "user": user}
    if kept.session is not None:
        # a log without users has its sessions for users, numbered alike
        columns["session"] = renumbered(kept.session, number_of(kept.session))[0]
    names = kept.type_names
    if kept.event_type is not None:
        columns["event_type"], places = renumbered(kept.event_type, len(names))
        names = tuple(names[place] for place in places)
    features, feature_names = dict(kept.features), dict(kept.feature_names)
    for name, values in kept.feature_names.items():
        features[name], places = renumbered(kept.features[name], len(values))
        feature_names[name] = tuple(values[place] for place in places)
    return replace(
        kept,
        users=chosen(log.users, user_places),
        items=chosen(log.items, item_places),
        type_names=names,
        features=features,
        feature_names=feature_names,
        notes=tuple(dict.fromkeys((*kept.notes, FORGOTTEN))),
        **columns,  # type: ignore[arg-type]
    )


def renumbered(codes: Array, number: int) -> tuple[Array, list[int]]:
    """Codes (E,) in order of first appearance, and which old one each new one was.

    Args:
        number: all old codes are below it.
    """
    spool = Spool(codes.dtype)
    for block in spill.blocks(len(codes)):
        spool.append(codes[block])
    new, places = by_appearance(spool, pl.Series(np.arange(number)))
    return new, places.to_list()


def number_of(codes: Array) -> int:
    """How many codes there are in (E,), counted from 0 to the highest."""
    return max((int(codes[block].max()) for block in spill.blocks(len(codes))), default=-1) + 1


def chosen(ids: Ids, places: list[int]) -> Ids:
    """Some ids, in that order."""
    ends = np.zeros(len(places) + 1, np.int64)
    np.cumsum(np.diff(ids.ends)[places], out=ends[1:])
    return Ids(b"".join(bytes(ids.text[ids.ends[place] : ids.ends[place + 1]]) for place in places), ends)
