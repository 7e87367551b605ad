"""What a metric is, and the registry that finds one by a name like `ndcg@10`.

A metric is a function with one of three decorators, in a file of its own here; its name is the function's:

    @rank_metric      f(ranks (P,), k) -> (P,)    from the rank of each prediction's target
    @list_metric      f(lists) -> (P,)            from each list by itself; NaN where a list has no value
    @catalog_metric   f(lists) -> float           from all lists together

The decorators return the function as it was. `METRICS` holds it wrapped, to be called as `metric(ranks, k)`
or `metric(lists, k)`: lists are cut to k there, and a list metric sees a block of predictions at a time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

import numpy as np

from segue.errors import ConfigError, did_you_mean
from segue.metrics.lists import Lists
from segue.shapes import Array, Doubles

RankFunction = Callable[[Array, int], Doubles]
ListFunction = Callable[[Lists], Doubles]
CatalogFunction = Callable[[Lists], float]


@dataclass(frozen=True, slots=True)
class RankMetric:
    """A value in [0, 1] a prediction, from the rank of its target."""

    name: str
    function: RankFunction

    def __call__(self, ranks: Array, k: int) -> Doubles:
        """(P,) values at list length k."""
        return self.function(ranks, k)


@dataclass(frozen=True, slots=True)
class ListMetric:
    """A value a prediction, from its list alone."""

    name: str
    function: ListFunction

    def __call__(self, lists: Lists, k: int) -> Doubles:
        """(P,) values of the lists cut to k, NaN where a list has none."""
        blocks = [self.function(block) for block in lists.first(k).blocks()]
        return np.concatenate(blocks) if blocks else np.empty(0)


@dataclass(frozen=True, slots=True)
class CatalogMetric:
    """One value, from all lists together."""

    name: str
    function: CatalogFunction

    def __call__(self, lists: Lists, k: int) -> float:
        """The value of the lists cut to k, NaN where there is none."""
        return self.function(lists.first(k))


Metric = RankMetric | ListMetric | CatalogMetric

METRICS: dict[str, Metric] = {}


def rank_metric(function: RankFunction) -> RankFunction:
    """Register a metric of ranks."""
    _register(RankMetric(function.__name__, function))
    return function


def list_metric(function: ListFunction) -> ListFunction:
    """Register a metric of each list by itself."""
    _register(ListMetric(function.__name__, function))
    return function


def catalog_metric(function: CatalogFunction) -> CatalogFunction:
    """Register a metric of all lists together."""
    _register(CatalogMetric(function.__name__, function))
    return function


def _register(metric: Metric) -> None:
    taken = METRICS.get(metric.name)
    if taken is not None:
        raise ConfigError(
            f"metric `{metric.name}` of {metric.function.__module__} is already registered by "
            f"{taken.function.__module__}; give one of the two functions another name"
        )
    METRICS[metric.name] = metric


def discover(folder: Iterable[str], package: str) -> None:
    """Import every file of a folder, so that its metrics register themselves."""
    for module in iter_modules(folder):
        import_module(f"{package}.{module.name}")


def parse(name: str) -> tuple[Metric, int]:
    """The metric and the list length that a name like `ndcg@10` asks for.

    Raises:
        ConfigError: no such metric, or no list length.

    >>> metric, k = parse("ndcg@10")
    >>> metric.name, k
    ('ndcg', 10)
    """
    word, _, length = name.partition("@")
    if word not in METRICS:
        raise ConfigError(f"`{word}` (in `{name}`) is not a metric{did_you_mean(word, METRICS)}")
    if not (length.isascii() and length.isdigit()) or int(length) < 1:
        raise ConfigError(f"`{name}` names no length of list; write the metric as `{word}@10`")
    return METRICS[word], int(length)
