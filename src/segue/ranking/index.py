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

LARGE = 20_000
"""Above so many items a product with the whole catalog takes longer than a list may; docs/decisions/0013."""

RECALL_K = 20
"""Candidates are looked for as if at least so many were wanted."""

FEW = 8
"""So many exclusions are looked for one by one."""

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
        self._vectors = np.ascontiguousarray(vectors, np.float32)
        self._bias, self._codes, self.quality = bias, codes, quality

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
        gone = [exclude.items[known & (exclude.rows == row)] for row in range(len(queries))]
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
            # ascending, so that those of equal scores are in that order in the list
            some = np.sort(without(candidates[candidates >= 0], gone))
            if len(some) >= k:
                best, kept = top_k(self.scored(query, some)[None], k)
                return some[best[0]], kept[0]
        if not query.any():
            return self.of_nothing(gone, k)
        exact = (query @ self._vectors.T + self._bias)[None]
        best, values = top_k(exact, k, Exclusions(np.zeros_like(gone), gone))
        found = best[0] >= 0
        return best[0][found], values[0][found]

    def scored(self, query: Floats, items: Array) -> Floats:
        """The exact scores of some items. Their vectors are read where they are: a copy of them would take longer."""
        import faiss

        scores = np.empty(len(items), np.float32)
        places, asked = np.ascontiguousarray(items, np.int64), np.ascontiguousarray(query, np.float32)
        pointers = (faiss.swig_ptr(one) for one in (scores, asked, self._vectors, places))
        faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]  # its stubs leave it out
            *pointers, self._vectors.shape[1], 1, len(items)
        )
        return np.asarray(scores + self._bias[items], np.float32)

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


def without(items: Array, gone: Array) -> Array:
    """The items that are not gone, as they were."""
    if len(gone) > FEW:
        return items[~np.isin(items, gone)]
    for one in gone:
        items = items[items != one]
    return items


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


def padded(width: int) -> int:
    """The width of a vector with its bias, made even."""
    return width + 1 + (width + 1) % 2


def augmented(vectors: Floats, last: Floats) -> Floats:
    """Vectors with one more number each, and zeros up to an even width: the bias becomes part of the inner product."""
    whole = np.zeros((len(vectors), padded(vectors.shape[1])), np.float32)
    whole[:, : vectors.shape[1]] = vectors
    whole[:, vectors.shape[1]] = last
    return whole
