"""The best k of a large catalog without a product with all of it: codes find candidates, exact scores rank them.

Jegou, Douze and Schmid 2011 ("Product quantization for nearest neighbor search"); Andre, Kermarrec and Le Scouarnec
2017 ("Accelerated nearest neighbor search with Quick ADC"): codes of four bits, whose distances are looked up in
registers. By faiss. Deviation: what may not be answered is not skipped in the search: it is found and dropped, and so
many more are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import numpy as np

from segue.ranking.codes import RECALL_K, candidates, padded
from segue.ranking.top_k import Exclusions, top_k
from segue.shapes import Array, Bools, Floats, Ints, Longs

LARGE = 20_000
"""Above so many items a product with the whole catalog takes longer than a list may; docs/decisions/0013."""

MOST_EXCLUDED = 2_000
"""A row with more exclusions is looked for alone: as many more candidates would be found for all."""

PICKED = 4
"""Less than this part of the catalog is scored vector by vector; more by a product, which scores all."""


class Quality(NamedTuple):
    """How an index was chosen.

    Attributes:
        recall: the share of the true best 20 that it finds.
        factor: so many times 20 candidates are scored for the best 20; see `reach`.
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

    def search(
        self, queries: Floats, k: Sequence[int], exclude: Exclusions, shut: Bools | None = None
    ) -> tuple[Ints, Floats]:
        """The best items a row with their exact scores; see `top_k`. A row depends on no other row.

        Whatever may not be answered, as good candidates are scored. A row for which the codes do not find them, or that
        asks nothing (a query of zeros, of someone of whom nothing is known), is answered exactly.

        Args:
            queries: (B, D).
            k: (B,) how many each row wants.
            exclude: pairs (row, item) that may not be answered.
            shut: (N,) true for what may not be answered in any row; None: nothing.

        Returns:
            items (B, K) and scores (B, K), K the largest of k; the rest of a row is -1 and -inf.
        """
        import faiss

        faiss.omp_set_num_threads(1)  # of this thread: OpenMP keeps that for each
        wanted, asks = np.asarray(k), np.asarray(queries.any(axis=1))
        items = np.full((len(queries), max(k)), -1, np.int32)
        scores = np.full((len(queries), max(k)), -np.inf, np.float32)
        known = exclude.items >= 0
        rows_of, gone = exclude.rows[known], exclude.items[known]
        few = np.bincount(rows_of, minlength=len(queries)) <= MOST_EXCLUDED
        left = [gone[rows_of == row] for row in range(len(queries))]
        complete = np.zeros(len(queries), bool)
        for rows in (np.flatnonzero(asks & few), *np.argwhere(asks & ~few)):
            best_of = np.maximum(wanted[rows], RECALL_K)
            found = candidates(
                self._codes, queries[rows], best_of, self.quality.factor, [left[row] for row in rows], shut
            )
            some = (found >= 0).any(axis=1)
            rows, found = rows[some], found[some]
            if not len(rows):
                continue
            best, values = top_k(self.scored(queries[rows], found), items.shape[1])
            best[np.arange(best.shape[1]) >= wanted[rows, None]] = -1
            items[rows] = np.where(best < 0, -1, found[np.arange(len(found))[:, None], best])
            scores[rows] = np.where(best < 0, -np.inf, values)
            complete[rows] = (best >= 0).sum(axis=1) == wanted[rows]
        for row in np.flatnonzero(~complete).tolist():
            exactly = self.exact if asks[row] else self.of_nothing
            best, values = exactly(queries[row], left[row], k[row], shut)
            items[row, :], scores[row, :] = -1, -np.inf
            items[row, : len(best)], scores[row, : len(best)] = best, values
        return items, scores

    def scored(self, queries: Floats, items: Longs) -> Floats:
        """(B, C) the exact scores of the items (B, C) of each row, -inf for -1.

        Their vectors are read where they are: a copy of them would take longer.
        """
        import faiss

        scores = np.empty(items.shape, np.float32)
        places, asked = np.ascontiguousarray(items, np.int64), np.ascontiguousarray(queries, np.float32)
        pointers = (faiss.swig_ptr(one) for one in (scores, asked, self._vectors, places))
        faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]  # its stubs leave it out
            *pointers, self._vectors.shape[1], *items.shape
        )
        scores += self._bias[items]
        return scores

    def exact(self, query: Floats, gone: Array, k: int, shut: Bools | None = None) -> tuple[Array, Array]:
        """The best k of all items that may be answered."""
        mask = np.zeros(len(self._vectors), bool) if shut is None else shut.copy()
        mask[gone] = True
        left = np.flatnonzero(~mask)
        if len(left) * PICKED < len(mask):
            scores = self.scored(query[None], left[None])
        else:
            scores = (query @ self._vectors.T + self._bias)[None, left]
        best, values = top_k(scores, k)
        found = best[0] >= 0
        return left[best[0][found]], values[0][found]

    def of_nothing(self, _: Floats, gone: Array, k: int, shut: Bools | None = None) -> tuple[Array, Array]:
        """What ranks by its bias alone, as for everyone of whom nothing is known."""
        size = k + len(gone)
        while True:
            first = self.by_bias[:size]
            kept = first[~np.isin(first, gone)]
            kept = kept[:k] if shut is None else kept[~shut[kept]][:k]
            if len(kept) == k or len(first) < size:
                return kept, self._bias[kept]
            size *= 4

    def scorable(self, shut: Bools) -> int:
        """How many that may be answered have a score."""
        return int(np.count_nonzero(np.isfinite(self._bias) & ~shut))

    @cached_property
    def by_bias(self) -> Array:
        """(N,) all items, the largest bias first."""
        return np.argsort(-self._bias, kind="stable")

    def content(self) -> bytes:
        """The codes and how they were chosen, without the vectors."""
        import faiss

        return msgspec.msgpack.encode((*self.quality, bytes(faiss.serialize_index(self._codes))))


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
