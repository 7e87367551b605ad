"""A list as the library gives it: what a server answers, with the titles of the items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from segue.ranking.rules import Short, UnmetPin
from segue.serving.bundle import Bundle
from segue.serving.lists.asks import Ranked
from segue.serving.lists.diverse import ChosenBy


class Recommendation(NamedTuple):
    """One place of a ranked list.

    Attributes:
        item_id: the item.
        score: with what boosts and buries made of it; comparable within one source.
        rank: from 1 on.
        title: of the item; None: it has none.
        source: `state`, or `initial_state` where nothing is known of the user; `pin`; where the model has nothing to
            say `neighbours`, `trending` or `newest`; None: not said, as of similar items.
    """

    item_id: str
    score: float
    rank: int
    title: str | None = None
    source: str | None = None


class Recommendations(list[Recommendation]):
    """A ranked list, and what is to be said of it as a whole; equal to another one with the same places.

    Attributes:
        short: why there are fewer than were asked for, in the order in which rules hold; None: there are as many.
        unmet_pins: pins of the rules that could not be had, and what forbids them.
        chosen_by: what made it less of the same; None: nothing did.
        unknown_items: given items, those of rules among them, that are outside the catalog.
        unknown_categories: given categories that no item has.
    """

    def __init__(
        self,
        places: Iterable[Recommendation] = (),
        *,
        short: Short | None = None,
        unmet_pins: Sequence[UnmetPin] = (),
        chosen_by: ChosenBy | None = None,
        unknown_items: Sequence[str] = (),
        unknown_categories: Sequence[str] = (),
    ) -> None:
        super().__init__(places)
        self.short = short
        self.unmet_pins = list(unmet_pins)
        self.chosen_by = chosen_by
        self.unknown_items = list(unknown_items)
        self.unknown_categories = list(unknown_categories)


def recommendations(bundle: Bundle, ranked: Ranked) -> Recommendations:
    """The list of an answer."""
    sources = ranked.sources
    return Recommendations(
        (
            Recommendation(item_id, score, rank, bundle.title_of(item_id), sources.get(item_id, ranked.source))
            for rank, (item_id, score) in enumerate(ranked.items, 1)
        ),
        short=ranked.short,
        unmet_pins=ranked.unmet_pins,
        chosen_by=ranked.chosen_by,
        unknown_items=ranked.unknown_items,
        unknown_categories=ranked.unknown_categories,
    )
