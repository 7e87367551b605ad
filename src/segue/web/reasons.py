"""Reasons as they go over the wire."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from segue.serving.bundle import Bundle
from segue.serving.lists.explain import Reason


class MovedMessage(Struct, frozen=True):
    """A past event that moved the score; `difference` is the score with all events less the score without this one."""

    item_id: str
    seq: int
    time: float
    difference: float
    title: str | UnsetType = UNSET


class FollowedMessage(Struct, frozen=True):
    """People went from `item_id` to the listed item `times` times, `of` the times that they went on from it."""

    item_id: str
    times: int
    of: int
    title: str | UnsetType = UNSET


class ReasonsMessage(Struct, frozen=True):
    """Why an item stands in a list; `rank_without_rules` is null where it was not among what rules were given."""

    events: list[MovedMessage]
    followed: list[FollowedMessage]
    rank_without_rules: int | None


def reasons_message(bundle: Bundle, reason: Reason) -> ReasonsMessage:
    """The reasons of one item, with titles where there are some."""

    def title(item_id: str) -> str | UnsetType:
        return bundle.title_of(item_id) or UNSET

    return ReasonsMessage(
        [MovedMessage(*moved, title(moved.item_id)) for moved in reason.events],
        [FollowedMessage(*followed, title(followed.item_id)) for followed in reason.followed],
        reason.rank_without_rules,
    )
