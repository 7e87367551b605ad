"""What is wished for, what a list is made from, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from segue.errors import RequestError, did_you_mean
from segue.ranking.rules import Bound, Short, UnmetPin
from segue.serving.bundle import EXCLUDES, Bundle, Exclude
from segue.serving.events import check_id, check_time
from segue.serving.lists.applied import Applied
from segue.serving.lists.diverse import ChosenBy, Diverse
from segue.serving.store.base import Memory
from segue.shapes import Ints

USUAL_K = 10
"""The length of a list where a request does not say."""


class Ask(NamedTuple):
    """A wish for a list.

    Attributes:
        k: its length.
        timestamp: of the request in Unix seconds; None: for a user the present, for items not known.
        exclude: in place of the bundle's.
        candidates: item ids, of which alone may be answered; None: any.
        categories: items of none of these may not be answered; None: any may.
        rules: of the request and its scenario; None: there are none.
        diverse: how it is to be less of the same; None: not at all.
        explain: whether what reasons are made from is to be kept.
    """

    k: int = USUAL_K
    timestamp: float | None = None
    exclude: Exclude | None = None
    candidates: Sequence[str] | None = None
    categories: Sequence[str] | None = None
    rules: Applied | None = None
    diverse: Diverse | None = None
    explain: bool = False


class Question(NamedTuple):
    """What a list is made from.

    Attributes:
        memory: the state to answer from.
        now: the moment of the request, if known.
        k: length of the list.
        left_out: item ids that may not be answered.
        unknown_items: given items outside the catalog, for the answer to name.
        allowed: (C,) items of which alone may be answered, ascending; None: any.
        unknown_categories: given categories that no item has, for the answer to name.
        rules: for the items of the bundle; None: there are none.
        at: the moment for which windows are open or not; None: `now`, or the present.
        diverse: how it is to be less of the same; None: not at all.
        explain: whether what reasons are made from is to be kept.
    """

    memory: Memory
    now: float | None
    k: int
    left_out: Sequence[str]
    unknown_items: Sequence[str] = ()
    allowed: Ints | None = None
    unknown_categories: Sequence[str] = ()
    rules: Bound | None = None
    at: float | None = None
    diverse: Diverse | None = None
    explain: bool = False


class Ranked(NamedTuple):
    """An answer.

    Attributes:
        items: up to k (item id, score), best first; fewer where no more may be answered.
        source: of what is not in `filled`: `state`, or `initial_state` where nothing is known or a request would open a
            session.
        model_version: of the model that answered.
        state_version: how many events the state has absorbed.
        unknown_items: the given items that are outside the catalog; they tell the model little.
        unknown_categories: the given categories that no item has.
        short: why there are fewer than k; None: there are k.
        pinned: ids of the items that stand where a rule has pinned them.
        filled: by id, where an item comes from that the model had nothing to say of, see `Chain`.
        unmet_pins: pins that could not be had.
        before_rules: ids by the model's scores alone, where that was to be kept and the list has rules or diversity.
        chosen_by: what made it less of the same; None: nothing did.
    """

    items: list[tuple[str, float]]
    source: str
    model_version: str
    state_version: int
    unknown_items: list[str]
    unknown_categories: list[str]
    short: Short | None = None
    pinned: frozenset[str] = frozenset()
    filled: Mapping[str, str] = MappingProxyType({})
    unmet_pins: Sequence[UnmetPin] = ()
    before_rules: Sequence[str] = ()
    chosen_by: ChosenBy | None = None

    @property
    def sources(self) -> dict[str, str]:
        """By id, where an item comes from, of those that do not come from `source`."""
        return {**self.filled, **dict.fromkeys(self.pinned, "pin")} if self.pinned or self.filled else {}


def with_rules(question: Question, ask: Ask, bundle: Bundle, present: float) -> Question:
    """The same with the rules of the wish, for what serves now. Without any, and without windows, as it is."""
    if ask.rules is None and bundle.facts.availability is None:
        return question
    at = present if ask.timestamp is None else ask.timestamp
    if ask.rules is None:
        return question._replace(at=at)
    bound = ask.rules.on(bundle)
    return question._replace(
        rules=bound,
        at=at,
        unknown_items=list(dict.fromkeys((*question.unknown_items, *bound.unknown_items))),
        unknown_categories=list(dict.fromkeys((*question.unknown_categories, *bound.unknown_categories))),
    )


def check_ask(ask: Ask) -> None:
    """Raise RequestError for a wish that cannot be meant."""
    if ask.k < 1:
        raise RequestError(f"`k` is {ask.k}; expected at least 1")
    check_time(ask.timestamp, "timestamp")
    for place, item_id in enumerate(ask.candidates or ()):
        check_id(item_id, f"candidates[{place}]")
    if ask.exclude is not None and ask.exclude not in EXCLUDES:
        raise RequestError(f"`exclude` is {ask.exclude!r}; expected one of these{did_you_mean(ask.exclude, EXCLUDES)}")


def check_one_of(user_id: str | None, items: Sequence[str] | None) -> None:
    """Raise RequestError unless exactly one of the two is given, with ids that can be meant."""
    if (user_id is None) == (items is None):
        found = "neither" if user_id is None else "both"
        raise RequestError(f"`user_id` and `items`: {found} given; expected exactly one of them")
    if user_id is not None:
        check_id(user_id, "user_id")
    for place, item_id in enumerate(items or ()):
        check_id(item_id, f"items[{place}]")


def check_times(times: Sequence[float], items: Sequence[str] | None) -> None:
    """Raise RequestError for times of given items that cannot be meant."""
    if items is None:
        raise RequestError("`times` are given without `items`; expected the times of given items, one each")
    if len(times) != len(items):
        raise RequestError(f"`times` has {len(times)} times for {len(items)} items; expected one for each item")
    for place, time in enumerate(times):
        check_time(time, f"times[{place}]")
        if place and time < times[place - 1]:
            raise RequestError(
                f"`times[{place}]` is {time!r}, before {times[place - 1]!r}; expected the oldest item first"
            )
