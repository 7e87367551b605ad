"""The registry of metrics: one is found by a name like `ndcg@10`, and made known by a decorator.

A metric is a function in a file of its own here, or in a file of one's own; its name is the function's:

    @rank_metric      f(ranks (P,), k) -> (P,)    from the rank of each prediction's target
    @list_metric      f(lists) -> (P,)            from each list by itself; NaN where a list has no value
    @target_metric    f(lists) -> (P,)            from each list and what came next; higher is better
    @basket_metric    f(lists) -> (P,)            from the list given before each basket, and what was in it
    @catalog_metric   f(lists) -> float           from all lists together

Below one of these may stand `@needs("categories")`, so that a log without them is refused before any work is done,
and `@weighted`. The decorators return the function as it was. `METRICS` holds it wrapped, to be called as
`metric(ranks, k)` or `metric(lists, k)`: lists are cut to k there, and all but a catalog metric sees a block of
predictions at a time.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

from segue.errors import ConfigError, did_you_mean
from segue.metrics.kinds import (
    LACKING,
    BasketMetric,
    CatalogFunction,
    CatalogMetric,
    ListFunction,
    ListMetric,
    Marks,
    Metric,
    RankFunction,
    RankMetric,
    TargetMetric,
)
from segue.own import same_place

__all__ = [
    "METRICS",
    "BasketMetric",
    "CatalogMetric",
    "ListMetric",
    "Metric",
    "RankMetric",
    "TargetMetric",
    "basket_metric",
    "catalog_metric",
    "discover",
    "list_metric",
    "needs",
    "parse",
    "rank_metric",
    "target_metric",
    "weighted",
]

METRICS: dict[str, Metric] = {}

F = TypeVar("F", bound=Callable[..., Any])


def needs(*fields: str) -> Callable[[F], F]:
    """Say which fields of `Lists` a metric cannot do without: of `weight`, `categories`, `expected` and so on."""
    for field in fields:
        if field not in LACKING:
            raise ConfigError(f"`{field}` is nothing that a metric may need{did_you_mean(field, LACKING)}")

    def mark(function: F) -> F:
        vars(function)["needs"] = fields
        return function

    return mark


def weighted(function: F) -> F:
    """Weigh the values of a metric in its mean by what the event that came is worth: its weight in the log."""
    vars(function)["weighted"] = True
    return function


def rank_metric(function: RankFunction) -> RankFunction:
    """Register a metric of ranks."""
    _register(RankMetric(function.__name__, function, Marks.of(function)))
    return function


def list_metric(function: ListFunction) -> ListFunction:
    """Register a metric of each list by itself."""
    _register(ListMetric(function.__name__, function, Marks.of(function)))
    return function


def target_metric(function: ListFunction) -> ListFunction:
    """Register a metric of each list and what came next."""
    _register(TargetMetric(function.__name__, function, Marks.of(function)))
    return function


def basket_metric(function: ListFunction) -> ListFunction:
    """Register a metric of the list before each basket and what was in it."""
    _unweighted(function)
    _register(BasketMetric(function.__name__, function, Marks.of(function)))
    return function


def catalog_metric(function: CatalogFunction) -> CatalogFunction:
    """Register a metric of all lists together."""
    _unweighted(function)
    _register(CatalogMetric(function.__name__, function, Marks.of(function)))
    return function


def _unweighted(function: Callable[..., Any]) -> None:
    if Marks.of(function).weighted:
        raise ConfigError(
            f"metric `{function.__name__}` of {function.__module__} is marked `@weighted`, and has no value a "
            "prediction that could be weighed: take the mark away, or make it a metric of ranks, of lists or of targets"
        )


def _register(metric: Metric) -> None:
    taken = METRICS.get(metric.name)
    function: Callable[..., Any] = metric.function
    if taken is not None and not same_place(function, taken.function):
        raise ConfigError(
            f"metric `{metric.name}` of {function.__module__} is already registered by "
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
