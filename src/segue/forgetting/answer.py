"""What `forget` says: what went, from where, and what remains. No id of a user who was found is in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InStore:
    """A store, or a server that was asked.

    Attributes:
        place: its name, without a password.
        users, events: how many went.
        files: how many files were written anew, so that the bytes of what was deleted are gone.
    """

    place: str
    users: int
    events: int
    files: int = 0


@dataclass(frozen=True)
class InLog:
    """A file of a log, or a packed log.

    Attributes:
        place: its path.
        users, rows: how many went; of a packed log, events.
    """

    place: str
    users: int
    rows: int


@dataclass(frozen=True)
class InModel:
    """A model, or a version of one.

    Attributes:
        place: its folder.
        name: such as `gru`.
        cutoff: Unix seconds from which on it has learned nothing; None where it has no such time.
        events: from how many it learned.
        learned: how many of these were the users', as the logs say; None where they do not.
        same_log: whether the events before the cutoff are, by their fingerprint, those that it learned from; None
            where that was not to be seen.
        alone: items of its catalog that have events of nobody else in the logs.
        sequences: how many went from what it keeps to learn from again.
    """

    place: str
    name: str
    cutoff: float | None
    events: int
    learned: int | None
    same_log: bool | None
    alone: list[str]
    sequences: int


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten; of a dry run, what would be.

    Attributes:
        at: when, UTC, ISO 8601.
        dry_run: True: nothing was changed.
        users: how many were found anywhere.
        not_found: ids that are in none of the places that were looked through.
        first: Unix seconds of the first of all their events; None where no time is known.
        stores, logs, models: where.
        base: the newest version that learned nothing from the first of their events on; None without one.
        retrained: the folder of the model that was trained anew.
        remains: what is left of them, one sentence each.
    """

    at: str
    dry_run: bool
    users: int
    not_found: list[str]
    first: float | None
    stores: list[InStore]
    logs: list[InLog]
    models: list[InModel]
    base: str | None
    retrained: str | None
    remains: list[str]
