"""A log into a store, so that no user whom it knows starts cold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from segue.data.event_values import event_values
from segue.data.events import EventLog
from segue.data.sessions import Sequences, lay_out
from segue.errors import ConfigError
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.hashing import shard_of
from segue.serving.store.base import ConflictError
from segue.serving.task import Task

USERS, EVENTS = 256, 20_000
"""So many users, or events, go into one transaction."""


class Backfilled(NamedTuple):
    """What was done.

    Attributes:
        users, events: that were stored.
        skipped: users whom the store knew already, and who were left as they are.
    """

    users: int
    events: int
    skipped: int


def backfill(engine: Engine, log: EventLog, show: Callable[[int, int], None] = lambda *_: None) -> Backfilled:
    """Store the events of a log and the states they fold to, user by user, each whole or not at all.

    A user whom the store knows is left alone, so that a backfill that was stopped goes on where it stopped, and no
    live event gets an older one after it. Unlike a refold this one reads histories whole.

    Args:
        engine: without threads of its own.
        show: told how many users are done, and of how many.

    Raises:
        ConfigError: the log has no times.
        LogError: it lacks a column that the model reads, or has values of another kind there.
        StoreError: the store cannot be written; the users before are stored.
    """
    if not log.timed:
        raise ConfigError(
            "the log has an order, but no times: a store keeps when events happened; give a column of times"
        )
    if engine.bundle.events is not None:
        engine.bundle.events.bound(log)  # whoever has an event that would be refused is told, before any is stored
    rows = lay_out(log, gap=None, at_session_start="reset")
    done = Backfilled(0, 0, 0)
    for shard in range(len(engine.shards)):
        for tasks in parts_of(log, rows, shard, len(engine.shards)):
            new = stored(engine, shard, tasks)
            events = sum(len(task.events) for task in new)
            done = Backfilled(done.users + len(new), done.events + events, done.skipped + len(tasks) - len(new))
            show(done.users + done.skipped, len(rows.of))
    return done


def stored(engine: Engine, shard: int, tasks: Sequence[Task]) -> list[Task]:
    """Store what belongs to users whom the store does not know; those tasks."""
    while new := unknown(engine, shard, tasks):
        try:
            engine.shards[shard].once(new)
        except ConflictError:  # a server was first with one of them: now it is known
            continue
        break
    return new


def unknown(engine: Engine, shard: int, tasks: Sequence[Task]) -> list[Task]:
    """The tasks of users whom the store does not know."""
    store = engine.shards[shard].store
    known = store.load([str(task.user_id) for task in tasks])
    return [
        task
        for task in tasks
        if task.user_id not in known.memories
        and task.user_id not in known.damaged
        and not store.last_seq(str(task.user_id))
    ]


def parts_of(log: EventLog, rows: Sequences, shard: int, shards: int) -> Iterator[list[Task]]:
    """The users of a shard with their events, some at a time."""
    tasks: list[Task] = []
    events = 0
    for place, (begin, end) in zip(rows.of.tolist(), zip(rows.bounds, rows.bounds[1:], strict=False), strict=True):
        user_id = log.users[place]
        if shard_of(user_id, shards) != shard:
            continue
        tasks.append(Task(user_id, events_of(log, rows, user_id, slice(int(begin), int(end)))))
        events += int(end - begin)
        if len(tasks) == USERS or events >= EVENTS:
            yield tasks
            tasks, events = [], 0
    if tasks:
        yield tasks


def events_of(log: EventLog, rows: Sequences, user_id: str, part: slice) -> list[LiveEvent]:
    """The events of a user as if they came now."""
    order = rows.order[part]
    items, times = log.items.take(rows.item[part]), rows.time[part].tolist()
    sessions = [None] * len(items) if log.session is None else [f"log {n}" for n in log.session[order].tolist()]
    types: Sequence[str | None] = [None] * len(items)
    if log.event_type is not None:
        types = [(log.type_names[n] if n >= 0 else None) or None for n in log.event_type[order].tolist()]
    return [
        LiveEvent(user_id, item, time, session, None, kind, features)
        for item, time, session, kind, features in zip(
            items, times, sessions, types, event_values(log, order), strict=True
        )
    ]
