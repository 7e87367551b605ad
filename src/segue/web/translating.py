"""Between what goes over the wire and what the engine knows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import msgspec
from msgspec import UNSET

from segue.errors import RequestError
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent, Observed
from segue.serving.lists.asks import Ask
from segue.serving.lists.diverse import Wish
from segue.serving.lists.explain import explain
from segue.serving.task import Done
from segue.web.messages import (
    EventMessage,
    ObservedMessage,
    RankedMessage,
    RecommendAnswer,
    RecommendMessage,
    SimilarAnswer,
    SimilarItem,
)
from segue.web.reasons import ReasonsMessage, reasons_message


def live_event(message: EventMessage) -> LiveEvent:
    """An event as the engine takes it."""
    return LiveEvent(
        message.user_id,
        message.item_id,
        message.timestamp,
        message.session_id,
        message.event_id,
        message.event_type,
        message.features,
    )


def ask_of(message: RecommendMessage, engine: Engine) -> Ask:
    """What a request wishes for. Raises RequestError for rules or a strategy that cannot be meant."""
    rules = None
    if message.rules is not None or message.scenario is not None:
        rules = engine.applied(message.rules, message.scenario, message.k)
    diverse = engine.diverse(Wish(message.diversity, message.strategy, message.similarity, message.seed))
    return Ask(
        message.k,
        message.timestamp,
        message.exclude,
        message.candidates,
        message.categories,
        rules,
        diverse,
        message.explain,
    )


def own_event(message: RecommendMessage) -> LiveEvent | None:
    """The event that came with a request. Raises RequestError where it is not its user's."""
    event, user_id = message.event, message.user_id
    if event is None:
        return None
    if user_id is None:
        raise RequestError("`event` is given without `user_id`; expected the user whose event it is")
    if event.user_id not in (None, user_id):
        raise RequestError(f"`event.user_id` is {event.user_id!r}; expected the user of the request, {user_id!r}")
    named = event.session_id, event.event_id, event.event_type
    return LiveEvent(user_id, event.item_id, event.timestamp, *named, event.features)


def observed_message(observed: Observed) -> ObservedMessage:
    """What became of an event, for its sender."""
    return ObservedMessage(
        observed.seq,
        observed.duplicate,
        observed.known_item,
        observed.refused or UNSET,
        observed.message or UNSET,
        list(observed.unread_features) or UNSET,
    )


def reasons_of(done: Done) -> list[ReasonsMessage]:
    """Why each item of a list stands there. It takes some milliseconds: histories are folded for it."""
    ranked = done.ranked
    assert ranked is not None
    listed = [item_id for item_id, _ in ranked.items]
    before = ranked.before_rules or listed
    reasons = explain(done.bundle, done.history, listed, done.moment, before_rules=before)
    return [reasons_message(done.bundle, reason) for reason in reasons]


def recommend_answer(done: Done, reasons: Sequence[ReasonsMessage] = ()) -> RecommendAnswer:
    """A list with the titles of its items, and why each is there, if that was asked for."""
    ranked, bundle = done.ranked, done.bundle
    assert ranked is not None
    titled = "title" in bundle.columns
    items = [
        RankedMessage(item_id, score, rank, ranked.source, (bundle.title_of(item_id) if titled else None) or UNSET)
        for rank, (item_id, score) in enumerate(ranked.items, 1)
    ]
    if sources := ranked.sources:
        items = [msgspec.structs.replace(one, source=sources.get(one.item_id, one.source)) for one in items]
    if reasons:
        items = [msgspec.structs.replace(one, reasons=why) for one, why in zip(items, reasons, strict=True)]
    event = observed_message(done.observed[0]) if done.observed else UNSET
    return RecommendAnswer(
        request_id=uuid4().hex,
        model_version=ranked.model_version,
        state_version=ranked.state_version,
        items=items,
        unknown_items=ranked.unknown_items,
        unknown_categories=ranked.unknown_categories or UNSET,
        event=event,
        short=ranked.short or UNSET,
        unmet_pins=list(ranked.unmet_pins) or UNSET,
        chosen_by=ranked.chosen_by or UNSET,
    )


def similar_answer(bundle: Bundle, found: list[tuple[str, float]]) -> SimilarAnswer:
    """Similar items with their titles."""
    items = [
        SimilarItem(item_id, score, rank, bundle.title_of(item_id) or UNSET)
        for rank, (item_id, score) in enumerate(found, 1)
    ]
    return SimilarAnswer(bundle.version, items)
