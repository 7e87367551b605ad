"""What a metric may be made of: ranks, lists, lists and what came, lists and baskets, all lists together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from segue.errors import EvaluationError
from segue.metrics.calling import numbers, one_number
from segue.metrics.lists import Lists
from segue.shapes import Array, Doubles

RankFunction = Callable[[Array, int], Doubles]
ListFunction = Callable[[Lists], Doubles]
CatalogFunction = Callable[[Lists], float]

LACKING = {
    "vectors": "vectors of the items: give vectors (N, D), from `attribute_vectors` or `cooccurrence_vectors`",
    "target": "the items that came: give `target` (P,)",
    "weight": "what an event is worth, and the log has no weights: name their column with --weight-col "
    "(`log.weight_col`)",
    "categories": "the items' categories, and none are known: give an items table with a column `categories` "
    "(--items FILE)",
    "past": "what each user did before: give `past`",
    "expected": "what popularity lists in the same place: `compare`, `train` and `evaluate` have that row where the "
    "log holds events to learn it from",
    "basket": "baskets: a log that is cut into sessions or has times",
}
"""What a metric may need, by the field of `Lists`, in words that say how to give it."""


class Marks(NamedTuple):
    """What is said of a metric's function: see `needs` and `weighted` in `base.py`."""

    needs: frozenset[str] = frozenset()
    weighted: bool = False

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Marks":
        """The marks of a function."""
        known = vars(function)
        weighted = bool(known.get("weighted", False))
        return cls(frozenset(known.get("needs", ())) | ({"weight"} if weighted else set()), weighted)


@dataclass(frozen=True, slots=True)
class RankMetric:
    """A value in [0, 1] a prediction, from the rank of its target."""

    name: str
    function: RankFunction
    marks: Marks

    def __call__(self, ranks: Array, k: int) -> Doubles:
        """(P,) values at list length k."""
        return numbers(self.name, self.function, len(ranks), [ranks, k])


@dataclass(frozen=True, slots=True)
class ListMetric:
    """A value a prediction, from its list alone."""

    name: str
    function: ListFunction
    marks: Marks

    def __call__(self, lists: Lists, k: int) -> Doubles:
        """(P,) values of the lists cut to k, NaN where a list has none."""
        return by_block(self, lists.first(k), gaps=True)


@dataclass(frozen=True, slots=True)
class TargetMetric:
    """A value a prediction, higher is better, from its list and what came next (`lists.target`)."""

    name: str
    function: ListFunction
    marks: Marks

    def __call__(self, lists: Lists, k: int) -> Doubles:
        """(P,) values of the lists cut to k."""
        require(self.name, lists, ["target"])
        return by_block(self, lists.first(k))


@dataclass(frozen=True, slots=True)
class BasketMetric:
    """A value a basket, from the list given before it began and what was in it (`lists.basket`)."""

    name: str
    function: ListFunction
    marks: Marks

    def __call__(self, lists: Lists, k: int) -> Doubles:
        """(P,) values of the lists cut to k, each given before one of P baskets."""
        require(self.name, lists, ["basket"])
        return by_block(self, lists.first(k))


@dataclass(frozen=True, slots=True)
class CatalogMetric:
    """One value, from all lists together."""

    name: str
    function: CatalogFunction
    marks: Marks

    def __call__(self, lists: Lists, k: int) -> float:
        """The value of the lists cut to k, NaN where there is none."""
        require(self.name, lists, self.marks.needs)
        return one_number(self.name, self.function, [lists.first(k)])


Metric = RankMetric | ListMetric | TargetMetric | BasketMetric | CatalogMetric


def by_block(metric: ListMetric | TargetMetric | BasketMetric, lists: Lists, *, gaps: bool = False) -> Doubles:
    """A function's values of all lists, some at a time."""
    require(metric.name, lists, metric.marks.needs)
    blocks = [numbers(metric.name, metric.function, len(block.items), [block], gaps=gaps) for block in lists.blocks()]
    return np.concatenate(blocks) if blocks else np.empty(0)


def require(name: str, lists: Lists, fields: Iterable[str]) -> None:
    """Raise EvaluationError for a field that a metric needs and the lists lack."""
    for field in sorted(fields):
        if getattr(lists, field) is None:
            raise EvaluationError(f"`{name}` needs {LACKING[field]}")
