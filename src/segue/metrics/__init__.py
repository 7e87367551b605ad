"""Ranks and lists to numbers: one metric a file, named alike; a file dropped in registers itself."""

from segue.metrics.base import (
    METRICS,
    BasketMetric,
    CatalogMetric,
    ListMetric,
    Metric,
    RankMetric,
    TargetMetric,
    basket_metric,
    catalog_metric,
    discover,
    list_metric,
    needs,
    parse,
    rank_metric,
    target_metric,
    weighted,
)
from segue.metrics.categories import Categories
from segue.metrics.intervals import Bootstrap, Comparison, Interval, bootstrap
from segue.metrics.kinds import LACKING
from segue.metrics.lists import Lists
from segue.metrics.runs import Runs
from segue.metrics.vectors import attribute_vectors, cooccurrence_vectors

__all__ = [
    "LACKING",
    "METRICS",
    "BasketMetric",
    "Bootstrap",
    "CatalogMetric",
    "Categories",
    "Comparison",
    "Interval",
    "ListMetric",
    "Lists",
    "Metric",
    "RankMetric",
    "Runs",
    "TargetMetric",
    "attribute_vectors",
    "basket_metric",
    "bootstrap",
    "catalog_metric",
    "cooccurrence_vectors",
    "discover",
    "list_metric",
    "needs",
    "parse",
    "rank_metric",
    "target_metric",
    "weighted",
]

discover(__path__, __name__)
