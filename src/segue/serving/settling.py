"""Work on tasks and settle their results: one that cannot be worked on does not cost the others theirs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from segue.errors import OverloadedError, RequestError, StoreError
from segue.serving.shard import Shard
from segue.serving.store.base import UncertainError
from segue.serving.task import Done, ListError, Task

GIVEN_UP = 2
"""After so many writes in a row that the store did not take, or reads that it did not answer, others are not tried."""

STORED = "The event is stored; where it has an `event_id` the request may be sent again"
"""What one who got no list should know."""

_log = logging.getLogger("segue.serving")


def settle(shard: Shard, tasks: Sequence[Task]) -> None:
    """Work on tasks and settle their results. One that cannot be worked on does not cost the others theirs."""
    try:
        done = shard.work(tasks)
    except Exception as error:
        # where it may be stored already, nothing is done again
        if len(tasks) > 1 and not isinstance(error, UncertainError):
            one_by_one(shard, tasks)
            return
        if not isinstance(error, (StoreError, OverloadedError)):
            _log.error("a request failed", exc_info=error)
        for task in tasks:
            task.result.set_exception(error)
    else:
        for task, one in zip(tasks, done, strict=True):
            if one.failed is None:
                task.result.set_result(one)
            else:
                _log.error("a list failed", exc_info=one.failed)
                task.result.set_exception(without_list(one, one.failed))


def without_list(done: Done, error: Exception) -> Exception:
    """The error of a list, and what became of the event that came with it, if one did."""
    if not done.observed:
        return error
    event = done.observed[-1]
    fate = STORED if event.refused is None else f"The event was refused: {event.message}"
    if isinstance(error, RequestError):
        told: Exception = RequestError(f"{error}. {fate}")
    else:
        told = ListError(f"the list could not be made; the server's log says how. {fate}")
    told.__cause__ = error
    return told


def one_by_one(shard: Shard, tasks: Sequence[Task]) -> None:
    """Settle tasks that failed together, in their order. Where the store takes nothing it is not asked for each.

    Nor where it answers nothing, and each try may take seconds. In files of our own that may be a page of one user.
    """
    refused: list[StoreError] = []
    silent: list[StoreError] = []
    for task in tasks:
        error: BaseException | None = None
        if task.user_id is not None:
            error = silent[-1] if len(silent) == GIVEN_UP else None
            if task.events and len(refused) == GIVEN_UP:
                error = refused[-1]
        if error is not None:
            task.result.set_exception(error)
            continue
        settle(shard, [task])
        error = task.result.exception()
        if task.events:
            refused = [*refused, error] if isinstance(error, StoreError) else []
        elif task.user_id is not None and shard.store.shared:
            silent = [*silent, error] if isinstance(error, StoreError) else []
