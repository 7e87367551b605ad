"""Lists that are not all the same: one strategy a file, named alike; a file dropped in registers itself."""

from segue.ranking.diversity.base import STRATEGIES, Strategy, discover, parse, strategy, who_had
from segue.ranking.diversity.known import Kinds, Known
from segue.ranking.diversity.pool import Pool, relevance, unit

__all__ = [
    "STRATEGIES",
    "Kinds",
    "Known",
    "Pool",
    "Strategy",
    "discover",
    "parse",
    "relevance",
    "strategy",
    "unit",
    "who_had",
]

discover(__path__, __name__)
