"""What a strategy is, and the registry that finds one by its name.

A strategy is a function in a file of its own here, with a decorator that names what of a `Pool` it needs:

    @strategy("vectors")
    def mmr(pool, k, diversity, rng): ...    # -> places in the pool, at most k

The decorator returns the function as it was. `STRATEGIES` holds it wrapped: what is asked is checked there, once for
all strategies, and a knob at 0 gives the pool's own order. One of a file of one's own is tried as it registers, and
what it gives is checked each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np

from segue.errors import ConfigError, RequestError, did_you_mean
from segue.own import own_file, same_place
from segue.ranking.diversity.checked import called, try_out
from segue.ranking.diversity.pool import Pool, check_scores
from segue.rng import stream
from segue.shapes import Array

Function = Callable[..., Array]

MISSING = {
    "vectors": "vectors of the items: give the model an items table with categories or titles, or a model with item "
    "vectors",
    "kinds": "the items' categories: give the model an items table with a column of categories",
    "shares": "how often each item was met in training",
    "taste": "the categories of the user's past: give the model an items table with a column of categories",
    "new": "which items are new: a log with times, in whose last tenth items appear",
}
"""What a strategy may need, and where it comes from."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to choose and order k of a pool.

    Attributes:
        name: of the function.
        needs: the fields of `Pool` that it cannot do without.
        file: the name of the file that it is from; "" for one that came with segue.
    """

    name: str
    needs: tuple[str, ...]
    function: Function
    file: str = ""

    def __call__(self, pool: Pool, k: int, diversity: float, rng: np.random.Generator, **given: Any) -> Array:
        """(min(k, C),) places in the pool, no place twice.

        Args:
            pool: C candidates, best first.
            k: length of the list.
            diversity: the knob, from 0 (the pool's own order) to 1.
            rng: draws, where a strategy does: the same pool and seed give the same list.
            given: further settings of the strategy, such as `at_most` of `quotas`.

        Raises:
            RequestError: a knob or a k that cannot be meant.
            ConfigError: the pool lacks what the strategy needs; or one of one's own fails, or gives no such places.
            EvaluationError: scores that are no numbers, or not the best first.
        """
        check_knob(diversity)
        if k < 1:
            raise RequestError(f"a list of k = {k} items was asked for; k must be at least 1")
        self.check(field for field in self.needs if getattr(pool, field) is not None)
        check_scores(pool.scores)
        k = min(k, len(pool.items))
        if (diversity == 0 and not given) or len(pool.items) < 2:
            return np.arange(k)
        if self.file:
            who = f"the strategy `{self.name}` of {self.file}"
            return called(self.function, who, pool, k, float(diversity), rng, **given)
        return self.function(pool, k, float(diversity), rng, **given)

    def draws(self, seed: int, who: str) -> np.random.Generator:
        """The draws of one list, the same offline and online: those of two users differ under one seed.

        Args:
            seed: as asked for; where none was, the number of events that the user had.
            who: the id of the user; of a list after items these, as `who_had` writes them.
        """
        return stream(seed, f"diversity {self.name}\0{who}")

    def check(self, known: Iterable[str]) -> None:
        """Raise ConfigError where something that it needs is not known."""
        there = set(known)
        for field in self.needs:
            if field not in there:
                raise ConfigError(f"the strategy `{self.name}` needs {MISSING[field]}")


STRATEGIES: dict[str, Strategy] = {}


def check_knob(diversity: float) -> None:
    """Raise RequestError for a knob that is not from 0 to 1."""
    # no comparison is true of nan
    if isinstance(diversity, (str, bytes)) or not 0 <= diversity <= 1:
        raise RequestError(f"`diversity` is {diversity!r}; expected a number from 0 (as ranked) to 1 (most diverse)")


def strategy(*needs: str) -> Callable[[Function], Function]:
    """Register a strategy that needs these fields of a pool."""
    if len(needs) == 1 and callable(needs[0]):  # `@strategy` without parentheses: it needs nothing
        return strategy()(needs[0])  # type: ignore[return-value]
    for field in needs:
        if field not in MISSING:
            raise ConfigError(f"`{field}` is nothing that a pool has{did_you_mean(field, MISSING)}")

    def register(function: Function) -> Function:
        name = function.__name__
        taken = STRATEGIES.get(name)
        if taken is not None and not same_place(function, taken.function):
            raise ConfigError(
                f"strategy `{name}` of {function.__module__} is already registered by "
                f"{taken.function.__module__}; give one of the two functions another name"
            )
        found = Strategy(name, needs, function, own_file(function))
        if found.file:
            try_out(name, found)
        STRATEGIES[name] = found
        return function

    return register


def who_had(items: Iterable[str]) -> str:
    """Who is asking, where only the items of a session are known."""
    return "\0".join(items)


def discover(folder: Iterable[str], package: str) -> None:
    """Import every file of a folder, so that its strategies register themselves."""
    for module in iter_modules(folder):
        import_module(f"{package}.{module.name}")


def parse(name: str) -> Strategy:
    """The strategy of a name. Raises ConfigError if there is none.

    >>> parse("mmr").needs
    ('vectors',)
    """
    if name not in STRATEGIES:
        raise ConfigError(f"`{name}` is not a strategy{did_you_mean(name, STRATEGIES)}")
    return STRATEGIES[name]
