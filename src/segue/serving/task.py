"""What a shard is asked to do for one user, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from segue.serving.asks import Ask, Ranked
from segue.serving.bundle import Bundle
from segue.serving.events import LiveEvent, Observed
from segue.serving.store.base import StoredEvent


@dataclass
class Done:
    """What came of a task: what became of its events, and the list, if one was asked for.

    Attributes:
        bundle: what answered; another one may serve by now.
        history, moment: the last events and the moment of the request, where reasons are wanted.
    """

    bundle: Bundle = field(compare=False)
    observed: list[Observed] = field(default_factory=list)
    ranked: Ranked | None = None
    history: Sequence[StoredEvent] = ()
    moment: float | None = None


@dataclass
class Task:
    """Events of one user in the order in which they count, and then maybe a list.

    Attributes:
        user_id: whose they are; None for a list after `items`, of which nothing is kept.
        events: to store; checked.
        ask: the list wanted after them.
        items: where there is no user: item ids, oldest first, taken as one session.
        result: settled once everything is stored.
    """

    user_id: str | None
    events: Sequence[LiveEvent] = ()
    ask: Ask | None = None
    items: Sequence[str] = ()
    result: Future[Done] = field(default_factory=Future)
