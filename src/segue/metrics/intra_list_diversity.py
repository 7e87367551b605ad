"""Diversity within a list."""

import numpy as np

from segue.errors import EvaluationError
from segue.metrics.base import list_metric
from segue.metrics.lists import Lists
from segue.shapes import Doubles


@list_metric
def intra_list_diversity(lists: Lists) -> Doubles:
    """1 - mean cosine over the pairs of items in the list: 0 all alike, 1 nothing in common.

        diversity = 1 - (|sum of v_i|² - n) / (n (n - 1)),    n unit vectors v_i: no pair is formed

    Source: Ziegler et al., Improving Recommendation Lists Through Topic Diversification (2005);
    deviation: theirs is the sum of similarities, this is 1 - their mean.
    Edge cases: an item with a zero vector (nothing known of it) is left out of the pairs; fewer than two
    items with a vector, so also k = 1, is NaN. Vectors with negative cosines reach above 1, to 2 at most.

    >>> vectors = np.array([[1, 0], [0, 1], [0, 1], [0, 0]], np.float32)
    >>> items, seen = np.array([[0, 1, 2], [1, 2, 3], [0, 3, -1]]), np.zeros((3, 3), bool)
    >>> intra_list_diversity(Lists(items, 4, np.ones(4), seen, vectors)).round(3).tolist()
    [0.667, 0.0, nan]
    """
    if lists.vectors is None:
        raise EvaluationError(
            "`intra_list_diversity` found no vectors of the items; give vectors (N, D), "
            "from `attribute_vectors` or `cooccurrence_vectors`"
        )
    vectors = lists.vectors[lists.items]
    vectors[~lists.filled] = 0.0
    lengths = np.einsum("pkd,pkd->pk", vectors, vectors)
    total = vectors.sum(axis=1)
    n = np.count_nonzero(lengths, axis=1)
    pairs = np.einsum("pd,pd->p", total, total).astype(float) - lengths.sum(axis=1)
    mean = np.full(len(n), np.nan)
    np.divide(pairs, n * (n - 1.0), out=mean, where=n > 1)
    return 1.0 - mean
