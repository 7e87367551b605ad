"""What a shard is asked to do for one user, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from segue.errors import SegueError
from segue.serving.bundle import Bundle
from segue.serving.events import LiveEvent, Observed, check_event
from segue.serving.lists.asks import Ask, Ranked, check_ask, check_one_of, check_times
from segue.serving.store.base import StoredEvent


class ListError(SegueError):
    """A list could not be made, by no fault of who asked; the message says what became of the event before it."""


@dataclass
class Done:
    """What came of a task: what became of its events, and the list, if one was asked for.

    Attributes:
        bundle: what answered; another one may serve by now.
        failed: why there is no list though one was asked for; its events count all the same.
        history, moment: the last events and the moment of the request, where reasons are wanted.
    """

    bundle: Bundle = field(compare=False)
    observed: list[Observed] = field(default_factory=list)
    ranked: Ranked | None = None
    failed: Exception | None = None
    history: Sequence[StoredEvent] = ()
    moment: float | None = None


@dataclass
class Task:
    """Events of one user in the order in which they count, and then maybe a list.

    Attributes:
        user_id: whose they are; None for a list after `items`, of which nothing is kept.
        events: to store; checked.
        ask: the list wanted after them.
        items: where there is no user: item ids, oldest first; without `times` they are taken as one session.
        times: Unix seconds of each of `items`, none before the one before it; empty: all at the moment of the request.
        result: settled once everything is stored.
    """

    user_id: str | None
    events: Sequence[LiveEvent] = ()
    ask: Ask | None = None
    items: Sequence[str] = ()
    times: Sequence[float] = ()
    result: Future[Done] = field(default_factory=Future)


def tasks_of(events: Sequence[LiveEvent]) -> tuple[list[Task], list[list[int]]]:
    """Events as a task a user, with the places of its events. Raises RequestError for what cannot be meant."""
    for place, event in enumerate(events):
        check_event(event, f"events[{place}]")
    places: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        places.setdefault(event.user_id, []).append(place)
    return [Task(user_id, [events[place] for place in of]) for user_id, of in places.items()], list(places.values())


def in_order(places: Sequence[Sequence[int]], done: Sequence[Done]) -> list[Observed]:
    """What became of events, as they were given."""
    found = {
        place: one for of, each in zip(places, done, strict=True) for place, one in zip(of, each.observed, strict=True)
    }
    return [found[place] for place in range(len(found))]


def question_of(
    user_id: str | None,
    items: Sequence[str] | None,
    ask: Ask,
    event: LiveEvent | None = None,
    times: Sequence[float] | None = None,
) -> Task:
    """The task of a list, maybe with an event before it. Raises RequestError for what cannot be meant."""
    check_one_of(user_id, items)
    check_ask(ask)
    if event is not None:
        check_event(event, "event")
    if times is not None:
        check_times(times, items)
    return Task(user_id, [] if event is None else [event], ask, list(items or ()), list(times or ()))


def given_event(task: Task, number: int) -> StoredEvent:
    """One of the given items as an event. Those without times happen at one moment: only the first opens a session."""
    if task.times:
        return StoredEvent(number + 1, task.items[number], task.times[number])
    moment = 0.0 if task.ask is None else task.ask.timestamp or 0.0
    return StoredEvent(number + 1, task.items[number], moment)
