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
from segue.shapes import Array, Floats, Ints, Longs

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
        n_items, most, wanted = len(self._vectors), max(k), np.asarray(k)
        items = np.full((len(queries), most), -1, np.int32)
        scores = np.full((len(queries), most), -np.inf, np.float32)
        gone = Exclusions(exclude.rows[exclude.items >= 0], exclude.items[exclude.items >= 0])
        more = np.bincount(gone.rows, minlength=len(queries))
        looks = np.maximum(wanted, RECALL_K) * self.quality.factor + more
        asks = np.asarray(queries.any(axis=1))
        searched = np.flatnonzero((more <= MOST_EXCLUDED) & (looks < n_items) & asks)
        complete = np.zeros(len(queries), bool)
        if len(searched):
            left = [gone.items[gone.rows == row] if more[row] else () for row in searched]
            found = self.candidates(queries[searched], looks[searched], left)
            best, values = top_k(self.scored(queries[searched], found), most)
            if min(k) < most:
                beyond = np.arange(most) >= wanted[searched, None]
                best[beyond], values[beyond] = -1, -np.inf
            complete[searched] = (best >= 0).sum(axis=1) == wanted[searched]
            items[searched] = np.where(best < 0, -1, found[np.arange(len(found))[:, None], best])
            scores[searched] = values
        for row in np.flatnonzero(~complete).tolist():
            out = gone.items[gone.rows == row]
            best, values = self.exact(queries[row], out, k[row]) if asks[row] else self.of_nothing(out, k[row])
            items[row, : len(best)], scores[row, : len(best)] = best, values
        return items, scores

    def candidates(self, queries: Floats, looks: Ints, gone: Sequence[Array | tuple[()]]) -> Longs:
        """(B, L) the items that the codes hold for the best of each row, ascending, after -1 where there are fewer.

        Args:
            queries: (B, D).
            looks: (B,) how many are looked for.
            gone: items of each row that are taken out again.
        """
        asked = augmented(queries, np.ones(len(queries), np.float32))
        _, found = self._codes.search(asked, int(looks.max()))
        if looks.min() < found.shape[1]:
            found[np.arange(found.shape[1]) >= looks[:, None]] = -1
        for row, items in zip(found, gone, strict=True):
            if len(items) > FEW:
                row[np.isin(row, items)] = -1
                continue
            for item in items:
                row[row == item] = -1
        found.sort(axis=1)  # so that those of equal scores are in this order in the list
        return np.asarray(found, np.int64)

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

    def exact(self, query: Floats, gone: Array, k: int) -> tuple[Array, Array]:
        """The best k of all items."""
        best, values = top_k((query @ self._vectors.T + self._bias)[None], k, Exclusions(np.zeros_like(gone), gone))
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
