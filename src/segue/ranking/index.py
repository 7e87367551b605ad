"""The best k of a large catalog without a product with all of it: codes find candidates, exact scores rank them.

Jegou, Douze and Schmid 2011 ("Product quantization for nearest neighbor search"); Andre, Kermarrec and Le Scouarnec
2017 ("Accelerated nearest neighbor search with Quick ADC"): codes of four bits, whose distances are looked up in
registers. By faiss. Deviation: what is excluded is not skipped in the search: it is found and dropped, and so many more
are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import numpy as np

from segue.ranking.top_k import Exclusions, top_k
from segue.shapes import Array, Floats, Ints

LARGE = 50_000
"""Above so many items a product with the whole catalog takes longer than it may."""

RECALL, RECALL_AT, RECALL_K = 0.99, (1, 20), 20
"""The share of the true best, and of the best 20, that an index must find on the queries it is built with."""

DIMENSIONS = (2, 1)
"""How many dimensions share a code of four bits: fewer are more accurate and slower."""

FACTORS = (10, 20, 40, 80)
"""So many times k candidates, of a k of 20 at least, are found and scored."""

LEARNED_FROM = 65_536
"""Codes are learned from so many vectors."""

MOST_EXCLUDED = 2_000
"""A row with more exclusions is answered by the product: an index would have to find as many more."""


class Quality(NamedTuple):
    """How an index was chosen.

    Attributes:
        recall: the share of the true best 20 that it finds.
        factor: so many times k candidates are scored.
        dimensions: how many share a code.
    """

    recall: float
    factor: int
    dimensions: int


class Index:
    """Codes of the items, beside the vectors themselves.

    Args:
        vectors: (N, D), as they are scored.
        bias: (N,).
        codes: made by `build` or read by `restored`.
    """

    def __init__(self, vectors: Floats, bias: Floats, codes: Any, quality: Quality) -> None:
        self._vectors, self._bias, self._codes, self.quality = vectors, bias, codes, quality

    def search(self, queries: Floats, k: Sequence[int], exclude: Exclusions) -> tuple[Ints, Floats]:
        """The best items a row with their exact scores; see `top_k`. A row depends on no other row.

        A row that came out short, has very many exclusions, or asks nothing (a query of zeros, of someone of whom
        nothing is known) is answered exactly.

        Args:
            queries: (B, D).
            k: (B,) how many each row wants.
            exclude: pairs (row, item) that may not be answered.

        Returns:
            items (B, K) and scores (B, K), K the largest of k; the rest of a row is -1 and -inf.
        """
        import faiss

        faiss.omp_set_num_threads(1)  # of this thread: OpenMP keeps that for each
        n_items, most = len(self._vectors), max(k)
        known = exclude.items >= 0
        gone = [np.unique(exclude.items[known & (exclude.rows == row)]) for row in range(len(queries))]
        looks = [max(one, RECALL_K) * self.quality.factor + len(some) for one, some in zip(k, gone, strict=True)]
        searched = [
            row
            for row, query in enumerate(queries)
            if len(gone[row]) <= MOST_EXCLUDED and looks[row] < n_items and query.any()
        ]
        items = np.full((len(queries), most), -1, np.int32)
        scores = np.full((len(queries), most), -np.inf, np.float32)
        candidates: dict[int, Array] = {}
        if searched:
            asked = augmented(queries[searched], np.ones(len(searched), np.float32))
            _, found = self._codes.search(asked, max(looks[row] for row in searched))
            candidates = {row: one[: looks[row]] for row, one in zip(searched, found, strict=True)}
        for row, query in enumerate(queries):
            best, values = self.ranked(query, candidates.get(row), gone[row], k[row])
            items[row, : len(best)], scores[row, : len(best)] = best, values
        return items, scores

    def ranked(self, query: Floats, candidates: Array | None, gone: Array, k: int) -> tuple[Array, Array]:
        """The best k of some candidates, or of all items where there are too few of them."""
        if candidates is not None:
            some = np.setdiff1d(candidates[candidates >= 0], gone)
            if len(some) >= k:
                values = self._vectors[some] @ query + self._bias[some]
                # candidates are in ascending order, and so are those of equal scores in the list
                best, kept = top_k(values[None], k)
                return some[best[0]], kept[0]
        if not query.any():
            return self.of_nothing(gone, k)
        exact = (query @ self._vectors.T + self._bias)[None]
        best, values = top_k(exact, k, Exclusions(np.zeros_like(gone), gone))
        found = best[0] >= 0
        return best[0][found], values[0][found]

    def of_nothing(self, gone: Array, k: int) -> tuple[Array, Array]:
        """What ranks by its bias alone, as for everyone of whom nothing is known."""
        first = self.by_bias[: k + len(gone)]
        kept = first[~np.isin(first, gone)][:k]
        return kept, self._bias[kept]

    @cached_property
    def by_bias(self) -> Array:
        """(N,) all items, the largest bias first."""
        return np.argsort(-self._bias, kind="stable")

    def content(self) -> bytes:
        """The codes and how they were chosen, without the vectors."""
        import faiss

        return msgspec.msgpack.encode((*self.quality, bytes(faiss.serialize_index(self._codes))))


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


def restored(vectors: Floats, bias: Floats, content: bytes) -> Index:
    """An index from its bytes. Raises ValueError where they are not of so many items of that width."""
    import faiss

    try:
        recall, factor, dimensions, of_codes = msgspec.msgpack.decode(content, type=tuple[float, int, int, bytes])
        codes = faiss.deserialize_index(np.frombuffer(of_codes, np.uint8))
    except (RuntimeError, msgspec.MsgspecError) as error:
        raise ValueError(f"the search index cannot be read: {str(error)[:200]}") from None
    if codes.ntotal != len(vectors) or codes.d != padded(vectors.shape[1]):
        raise ValueError(f"the search index is of {codes.ntotal:,} items, expected {len(vectors):,}")
    return Index(vectors, bias, codes, Quality(recall, factor, dimensions))


def codes_of(vectors: Floats, bias: Floats, learned_from: Array, dimensions: int) -> Any:
    """The codes of all items."""
    import faiss

    d = padded(vectors.shape[1])
    codes = faiss.index_factory(d, f"PQ{d // dimensions}x4fs", faiss.METRIC_INNER_PRODUCT)
    codes.train(augmented(vectors[learned_from], bias[learned_from]))
    for begin in range(0, len(vectors), LEARNED_FROM):
        part = slice(begin, begin + LEARNED_FROM)
        codes.add(augmented(vectors[part], bias[part]))
    return codes


def padded(width: int) -> int:
    """The width of a vector with its bias, made even."""
    return width + 1 + (width + 1) % 2


def augmented(vectors: Floats, last: Floats) -> Floats:
    """Vectors with one more number each, and zeros up to an even width: the bias becomes part of the inner product."""
    whole = np.zeros((len(vectors), padded(vectors.shape[1])), np.float32)
    whole[:, : vectors.shape[1]] = vectors
    whole[:, vectors.shape[1]] = last
    return whole
