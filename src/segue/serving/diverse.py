"""How a list is made less of the same: the strategies of `ranking.diversity`, with what a server knows of the items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np

from segue.data.catalog import Catalog
from segue.errors import ConfigError, RequestError
from segue.evaluation.space import attributes_of, new_since, unit
from segue.ranking.diversity import Kinds, Known, parse
from segue.ranking.diversity.base import check_knob
from segue.ranking.pool import Choose, Pool, best_first
from segue.rng import stream
from segue.shapes import Longs

if TYPE_CHECKING:
    from segue.serving.bundle import Bundle

DEFAULT = "mmr"

LARGEST_SEED = 2**32 - 1


class Diverse(NamedTuple):
    """A wish for a list that is less of the same.

    Attributes:
        diversity: the knob, above 0, up to 1.
        strategy: by its name.
        seed: of draws; None: of the user and the state, so that a list changes with what the user does.
        past: items the user had, for a strategy that looks at tastes.
    """

    diversity: float
    strategy: str = DEFAULT
    seed: int | None = None
    past: Sequence[str] = ()

    @property
    def needs_past(self) -> bool:
        """Whether it looks at what the user had."""
        return "taste" in parse(self.strategy).needs

    def drawn_by(self, who: str, seq: int) -> Diverse:
        """The same with a seed: the given one, or that of a user at an event."""
        return self if self.seed is not None else self._replace(seed=crc32(f"{who}\0{seq}".encode()))


def diverse_of(bundle: Bundle, diversity: float, strategy: str | None, seed: int | None) -> Diverse | None:
    """What a request wishes for; None: nothing.

    Raises:
        RequestError: a knob or seed that cannot be meant, no such strategy, or one that these items cannot be told by.
    """
    check_knob(diversity)
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise RequestError(f"`seed` is {seed}; expected a whole number from 0 to {LARGEST_SEED}")
    if strategy is None and diversity == 0:
        return None
    try:
        parse(strategy or DEFAULT).check(told_of(bundle))
    except ConfigError as error:
        raise RequestError(f"`strategy`: {error}") from None
    return Diverse(diversity, strategy or DEFAULT, seed) if diversity > 0 else None


def told_of(bundle: Bundle) -> set[str]:
    """The fields that `known_by` will have, without making them: one who asks in an event loop must not wait."""
    columns, counts = bundle.columns, bundle.counts
    fields = set()
    if any(any(columns.get(name, ())) for name in ("categories", "title")) or hasattr(bundle.model, "item_vectors"):
        fields.add("vectors")
    if any(columns.get("categories", ())):
        fields |= {"kinds", "taste"}
    if counts is not None and counts.events.any():
        fields.add("shares")
        if counts.timed and new_since(counts.first_seen, float(counts.until[0])).any():
            fields.add("new")
    return fields


def known_by(bundle: Bundle) -> Known:
    """What a bundle knows of its items: the same as `segue frontier` takes for the model and its log.

    Vectors of the model stay as they are, and are made unit where a pool takes them: a copy of a large table is none
    that anybody needs.
    """
    catalog, counts = Catalog(bundle.item_ids, bundle.columns), bundle.counts  # type: ignore[arg-type]  # read only
    vectors, space = attributes_of(catalog, bundle.seed) or (None, "nothing")
    table = getattr(bundle.model, "item_vectors", None)
    if vectors is None and table is not None:
        vectors, space = table(), "the model's item vectors"
    categories = bundle.columns.get("categories")
    new = None
    if counts is not None and counts.timed:
        new = new_since(counts.first_seen, float(counts.until[0]))
    return Known(
        vectors=vectors,
        space=space,
        kinds=Kinds.of(categories) if categories is not None and any(categories) else None,
        shares=None if counts is None or not counts.events.sum() else counts.events / counts.events.sum(),
        new=new if new is not None and new.any() else None,
    )


def chosen_by(bundle: Bundle, wish: Diverse | None) -> Choose:
    """What takes a list out of a pool."""
    if wish is None:
        return best_first
    strategy, known = parse(wish.strategy), bundle.known
    if not set(strategy.needs) <= known.fields:  # another model has taken over since it was asked for
        return best_first

    def choose(pool: Pool, k: int) -> Longs:
        if not len(pool.items):
            return best_first(pool, k)
        taste = None
        if "taste" in strategy.needs and known.kinds is not None:
            taste = known.kinds.taste(bundle.item_ids.places_of(wish.past))
        given = known.pool(pool.items, pool.scores.astype(np.float32), taste)
        if given.vectors is not None:
            given = given._replace(vectors=unit(given.vectors))
        rng = stream(wish.seed or 0, f"diversity {strategy.name}")
        return strategy(given, k, wish.diversity, rng).astype(np.int64)

    return choose
