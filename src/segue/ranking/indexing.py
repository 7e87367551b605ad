"""An index is built: codes coarse or fine, many candidates or few, until it finds enough."""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.ranking.codes import RECALL_K, augmented, padded
from segue.ranking.index import Index, Quality
from segue.ranking.top_k import Exclusions, top_k
from segue.shapes import Array, Floats

RECALL, RECALL_AT = 0.99, (1, RECALL_K)
"""The share of the true best, and of the best 20, that an index must find on the queries it is built with."""

DIMENSIONS = (2, 1)
"""How many dimensions share a code of four bits: fewer are more accurate and slower."""

FACTORS = (10, 20, 30, 40, 60, 80)
"""So many times k candidates, of a k of 20 at least, are found and scored."""

LEARNED_FROM = 65_536
"""Codes are learned from so many vectors."""


def build(vectors: Floats, bias: Floats, queries: Floats, *, seed: int = 1) -> Index | None:
    """The fastest index that finds enough, for queries like these; None where none does: the product stays.

    Args:
        vectors: (N, D); bias: (N,).
        queries: (Q, D) some of those that will come.
        seed: of which vectors the codes are learned from.
    """
    import faiss

    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(seed)
    sizes = [min(size, len(vectors)) for size in RECALL_AT]
    nothing = Exclusions(np.zeros(0, np.int64), np.zeros(0, np.int64))
    truth = np.stack([top_k((query @ vectors.T + bias)[None], max(sizes))[0][0] for query in queries])
    learned_from = np.sort(rng.permutation(len(vectors))[:LEARNED_FROM])
    for dimensions in DIMENSIONS:
        codes = codes_of(vectors, bias, learned_from, dimensions)
        for factor in FACTORS:
            index = Index(vectors, bias, codes, Quality(0.0, factor, dimensions))
            recall = min(recall_of(index, queries, truth, size, nothing) for size in sizes)
            if recall >= RECALL:
                return Index(vectors, bias, codes, Quality(round(recall, 4), factor, dimensions))
    return None


def recall_of(index: Index, queries: Floats, truth: Array, k: int, nothing: Exclusions) -> float:
    """The share of the true best k that an index finds."""
    found, _ = index.search(queries, [k] * len(queries), nothing)
    hits = sum(len(np.intersect1d(one, true[:k])) for one, true in zip(found, truth, strict=True))
    return hits / (k * len(queries))


def codes_of(vectors: Floats, bias: Floats, learned_from: Array, dimensions: int) -> Any:
    """The codes of all items.

    Codes of axes along which vectors vary most were tried: those of trained networks vary in all directions nearly
    alike (Diginetica, width 128: 111 axes hold 90 %), and such codes find less.
    """
    import faiss

    d = padded(vectors.shape[1])
    codes = faiss.index_factory(d, f"PQ{d // dimensions}x4fs", faiss.METRIC_INNER_PRODUCT)
    codes.train(augmented(vectors[learned_from], bias[learned_from]))
    for begin in range(0, len(vectors), LEARNED_FROM):
        part = slice(begin, begin + LEARNED_FROM)
        codes.add(augmented(vectors[part], bias[part]))
    return codes
