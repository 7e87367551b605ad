"""Between what is known of items and users, and what goes over the wire."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from segue.serving.browse.choices import Choices
from segue.serving.browse.items import Described, shortened_title
from segue.serving.browse.users import Past
from segue.serving.bundle import Bundle
from segue.serving.store.looks import KnownUser
from segue.web.browse.messages import (
    CategoryMessage,
    ChoicesAnswer,
    DefaultsMessage,
    HistoryAnswer,
    ItemMessage,
    ItemsAnswer,
    PastMessage,
    UserMessage,
    UsersAnswer,
)


def items_answer(found: Sequence[Described], partial: bool = False) -> ItemsAnswer:
    """Items with what is known of them; `partial`: not all were looked at."""
    return ItemsAnswer(
        [
            ItemMessage(
                one.item_id,
                one.known,
                UNSET if one.title is None else one.title,
                list(one.categories) or UNSET,
                one.columns or UNSET,
                one.withdrawn or UNSET,
            )
            for one in found
        ],
        partial or UNSET,
    )


def history_answer(bundle: Bundle, user_id: str, last: Past) -> HistoryAnswer:
    """Events with the titles of their items."""
    events = [
        PastMessage(
            event.seq,
            event.item_id,
            time,
            bundle.item_ids.place_of(event.item_id) >= 0,
            UNSET if event.event_type is None else event.event_type,
            shortened_title(bundle, event.item_id) or UNSET,
            UNSET if event.time == time else event.time,
        )
        for event, time in zip(last.events, last.times, strict=True)
    ]
    return HistoryAnswer(user_id, last.total, events)


def users_answer(found: Sequence[KnownUser]) -> UsersAnswer:
    """Users."""
    return UsersAnswer([UserMessage(*user) for user in found])


def choices_answer(choices: Choices) -> ChoicesAnswer:
    """What a request may say."""
    usual = choices.usual
    return ChoicesAnswer(
        choices.strategies,
        choices.similarities,
        choices.excludes,
        choices.scenarios,
        [CategoryMessage(*one) for one in choices.categories],
        DefaultsMessage(
            choices.k, usual.diversity or 0.0, usual.strategy or "", usual.similarity or "auto", choices.exclude
        ),
        choices.gap,
        choices.time_aware,
    )
