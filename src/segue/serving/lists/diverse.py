"""How a list is made less of the same: the strategies of `ranking.diversity`, with what a server knows of the items."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec import UNSET, Struct, UnsetType

from segue.errors import ConfigError, RequestError
from segue.models.known_items import Similarity
from segue.ranking.diversity import parse
from segue.ranking.diversity.base import check_knob
from segue.ranking.pool import Pool, best_first
from segue.shapes import Longs

if TYPE_CHECKING:
    from segue.serving.bundle import Bundle

DEFAULT = "mmr"

LARGEST_SEED = 2**32 - 1

IDLE = "{0} is given, and {1} is not: it would change nothing. Give {1}, a number above 0, up to 1"
"""What is said of a strategy, a similarity or a seed without a knob."""

_log = logging.getLogger("segue.serving")


class Wish(NamedTuple):
    """How a list is to be less of the same, as a request says it; None: it does not say.

    Attributes:
        diversity: the knob, from 0 (the best scores) to 1.
        strategy: by its name.
        similarity: by what items are alike.
        seed: of draws, from 0 to 2^32 - 1.
    """

    diversity: float | None = None
    strategy: str | None = None
    similarity: Similarity | None = None
    seed: int | None = None


UNSAID = Wish()


class ChosenBy(Struct, frozen=True):
    """What made a list less of the same; with the `seed` it is made again. `similarity`: by what items are alike."""

    strategy: str
    diversity: float
    seed: int
    similarity: str | UnsetType = UNSET


class Diverse(NamedTuple):
    """A wish that was checked, for one list.

    Attributes:
        diversity: above 0, up to 1.
        usual: whether the request said nothing of it.
        seed: of draws; None: as many events as the user had, so that a list changes with what the user does.
        who: draws: the user, or what stands for one.
        past: items the user had, for a strategy that looks at tastes.
    """

    diversity: float
    strategy: str = DEFAULT
    similarity: Similarity = "auto"
    seed: int | None = None
    usual: bool = False
    who: str = ""
    past: Sequence[str] = ()

    @property
    def needs_past(self) -> bool:
        """Whether it looks at what the user had."""
        return "taste" in parse(self.strategy).needs

    def drawn_by(self, who: str, had: int) -> Diverse:
        """The same for one who had so many events."""
        return self._replace(who=who, seed=had if self.seed is None else self.seed)


def diverse_of(bundle: Bundle, wish: Wish, usual: Wish = UNSAID) -> Diverse | None:
    """What a request wishes for; None: the best scores.

    Args:
        usual: what holds where the request does not say. Where all of it is usual, and the items of this model cannot
            be told by that, the best scores it is: `check_usual` has said so.

    Raises:
        RequestError: a knob or seed that cannot be meant, no such strategy, or one that these items cannot be told by;
            or a strategy, similarity or seed where neither the request nor what is usual has a knob.
    """
    if wish.diversity is not None:
        check_knob(wish.diversity)
    if wish.seed is not None and not 0 <= wish.seed <= LARGEST_SEED:
        raise RequestError(f"`seed` is {wish.seed}; expected a whole number from 0 to {LARGEST_SEED}")
    if wish.diversity is None and not usual.diversity:
        idle = next((name for name in ("strategy", "similarity", "seed") if getattr(wish, name) is not None), None)
        if idle is not None:
            raise RequestError(IDLE.format(f"`{idle}`", "`diversity`"))
    unsaid = wish[:3] == (None, None, None)
    diversity = next((one for one in (wish.diversity, usual.diversity) if one is not None), 0.0)
    if diversity == 0 and wish.strategy is None and wish.similarity is None:
        return None
    strategy = wish.strategy or usual.strategy or DEFAULT
    similarity = wish.similarity or usual.similarity or "auto"
    where = "similarity"
    try:
        fields = bundle.known_items.fields(similarity)
        where = "strategy"
        parse(strategy).check(fields)
    except ConfigError as error:
        if unsaid:
            return None
        raise RequestError(f"`{where}`: {error}") from None
    return Diverse(diversity, strategy, similarity, wish.seed, unsaid) if diversity > 0 else None


def check_usual(bundle: Bundle, usual: Wish) -> None:
    """Raise RequestError where what is usual cannot be meant, or cannot be had of a bundle."""
    diverse_of(bundle, usual._replace(diversity=usual.diversity or 0.0))


class Chooser:
    """Takes a list out of a pool.

    Args:
        wish: None: the best scores are taken.

    Attributes:
        by: how the list came about; None: as ranked.
    """

    def __init__(self, bundle: Bundle, wish: Diverse | None) -> None:
        self._bundle, self._wish = bundle, wish
        self.by: ChosenBy | None = None

    def __call__(self, pool: Pool, k: int) -> Longs:
        """The places of at most k.

        Raises:
            RequestError: a strategy of one's own that was asked for failed. Where it is the usual one, the list is as
                ranked, and the log says so.
        """
        wish = self._wish
        if wish is None or not len(pool.items):
            return best_first(pool, k)
        try:
            return self._chosen(wish, pool, k)
        except ConfigError as error:
            if not wish.usual:
                raise RequestError(f"`strategy`: {error}") from error
            _log.error("a list is as ranked: %s", error)
            return best_first(pool, k)

    def _chosen(self, wish: Diverse, pool: Pool, k: int) -> Longs:
        strategy, items = parse(wish.strategy), self._bundle.known_items
        try:
            known = items.known(wish.similarity)
            strategy.check(known.fields)
        except ConfigError:  # another model has taken over since it was asked for
            return best_first(pool, k)
        taste = None
        if "taste" in strategy.needs and known.kinds is not None:
            taste = known.kinds.taste(self._bundle.item_ids.places_of(wish.past))
        seed = wish.seed or 0
        given = known.pool(pool.items, pool.scores, taste, strategy.needs)
        places = strategy(given, k, wish.diversity, strategy.draws(seed, wish.who))
        alike = known.space if "vectors" in strategy.needs else UNSET
        self.by = ChosenBy(strategy.name, wish.diversity, seed, alike)
        return places.astype(np.int64)
