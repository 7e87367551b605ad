"""Ranks and lists to numbers: one metric a file, named alike; a file dropped in registers itself."""

from segue.metrics.base import METRICS, CatalogMetric, ListMetric, Metric, RankMetric, discover, parse
from segue.metrics.intervals import Bootstrap, Comparison, Interval, bootstrap
from segue.metrics.lists import Lists
from segue.metrics.vectors import attribute_vectors, cooccurrence_vectors

__all__ = [
    "METRICS",
    "Bootstrap",
    "CatalogMetric",
    "Comparison",
    "Interval",
    "ListMetric",
    "Lists",
    "Metric",
    "RankMetric",
    "attribute_vectors",
    "bootstrap",
    "cooccurrence_vectors",
    "discover",
    "parse",
]

discover(__path__, __name__)
