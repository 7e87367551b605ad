"""The best k items of each row of scores, and the rank of a target among all of them.

A score of -inf means "may not be answered", whoever wrote it there: a model, `mask`, or an exclusion.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.errors import EvaluationError, RequestError
from segue.shapes import Array, Floats, Ints

NEVER: int = int(np.iinfo(np.int32).max)
"""The rank of a target that may not be answered: beyond every k."""

# Partial maxima: one of these many scores stands for all of them when the threshold is looked for.
SCORES_A_MAXIMUM = 32

TOGETHER_BYTES = 2**20
"""So many bytes of narrow rows are taken at a time: they are gone through several times, and stay in the cache."""

NARROW = 4_096
"""Rows of up to so many scores are taken together: one by one, what each call costs would be most of it."""

FEW_ROWS = 2
"""Up to so many rows are taken one by one all the same: together takes more calls."""


class Exclusions(NamedTuple):
    """Pairs (row, item) that may not be answered: flat, any order, repeats allowed; -1 excludes nothing."""

    rows: Array
    items: Array


def mask(scores: Array, exclude: Exclusions) -> Array:
    """Put -inf on the excluded pairs, in place, and return `scores` (B, N).

    For a caller who owns `scores` and both ranks and lists them; `top_k` and `rank_of` with `exclude` leave
    them as they are.
    """
    known = exclude.items >= 0
    scores[exclude.rows[known], exclude.items[known]] = -np.inf
    return scores


def top_k(scores: Array, k: int, exclude: Exclusions | None = None) -> tuple[Ints, Floats]:
    """The best k items a row, best first; equal scores in ascending order of the item.

    A wide row takes three passes: maxima of groups of scores, whose k-th largest is a threshold that at least k
    scores reach; the scores above it; and, if they are fewer than k, the first that equal it. Only those are
    sorted.

    Args:
        scores: (B, N) floats, higher is better; -inf where an item may not be answered.
        k: length of a list.
        exclude: pairs that may not be answered either.

    Returns:
        items (B, k) and scores (B, k). Where fewer than k may be answered, the rest is -1 and -inf.

    Raises:
        RequestError: k below 1.
        EvaluationError: a score is not a number.

    >>> top_k(np.array([[0.1, 0.7, 0.7, -np.inf]], np.float32), 4)[0].tolist()
    [[1, 2, 0, -1]]
    """
    if k < 1:
        raise RequestError(f"a list of k = {k} items was asked for; k must be at least 1")
    best = np.full((len(scores), k), -1, dtype=np.int32)
    values = np.full((len(scores), k), -np.inf, dtype=np.float32)
    if len(scores) > FEW_ROWS and 0 < scores.shape[1] <= NARROW:
        _best_together(scores, exclude, best, values)
        return best, values
    for b, row in enumerate(_answerable(scores, exclude)):
        found = _best(row, k)
        best[b, : found.size] = found
        values[b, : found.size] = row[found]
    return best, values


def rank_of(scores: Array, target: Array, exclude: Exclusions | None = None) -> Ints:
    """The 1-based rank of each row's target: 1 + the other answerable items that score as high or higher.

    Ties count against us. Without ties, rank r is place r in the list of `top_k`.

    Args:
        scores: (B, N) floats, higher is better; -inf where an item may not be answered.
        target: (B,) items; -1 where the item is unknown.
        exclude: pairs that may not be answered either.

    Returns:
        ranks (B,); NEVER where the target is unknown, excluded or at -inf.

    Raises:
        EvaluationError: a score is not a number.

    >>> rank_of(np.array([[0.1, 0.7, 0.7]] * 3, np.float32), np.array([1, 0, -1])).tolist()
    [2, 3, 2147483647]
    """
    ranks = np.full(len(scores), NEVER, dtype=np.int32)
    if scores.shape[1] == 0:
        return ranks
    for b, (row, item) in enumerate(zip(_answerable(scores, exclude), target.tolist(), strict=True)):
        _require_numbers(row.max())
        if item >= 0 and row[item] > -np.inf:
            ranks[b] = np.count_nonzero(row >= row[item])
    return ranks


def rows_within(n_items: int, budget_bytes: int) -> int:
    """How many rows of float32 scores over N items fit a budget of memory; at least 1.

    >>> rows_within(n_items=1_000_000, budget_bytes=256 * 2**20)
    67
    """
    return max(1, budget_bytes // (4 * max(1, n_items)))


def _answerable(scores: Array, exclude: Exclusions | None) -> Iterator[Array]:
    """Each row with its excluded items at -inf, in a copy that the next row overwrites."""
    if exclude is None or exclude.items.size == 0:
        yield from scores
        return
    _check_rows(exclude, len(scores))
    known = exclude.items >= 0
    order = np.argsort(exclude.rows[known], kind="stable")
    rows, items = exclude.rows[known][order], exclude.items[known][order]
    edges = np.searchsorted(rows, np.arange(len(scores) + 1)).tolist()
    copy = np.empty(scores.shape[1], dtype=scores.dtype)
    for row, start, stop in zip(scores, edges, edges[1:], strict=False):
        np.copyto(copy, row)
        copy[items[start:stop]] = -np.inf
        yield copy


def _best_together(scores: Array, exclude: Exclusions | None, best: Ints, values: Floats) -> None:
    """Fill the lists of narrow rows, all of them at once; see `top_k`."""
    if exclude is not None:
        _check_rows(exclude, len(scores))
    n_rows, width = scores.shape
    k = min(best.shape[1], width)
    for begin in range(0, n_rows, step := rows_within(width, TOGETHER_BYTES)):
        lowered = -scores[begin : begin + step]
        if exclude is not None:
            here = (exclude.items >= 0) & (exclude.rows >= begin) & (exclude.rows < begin + step)
            lowered[exclude.rows[here] - begin, exclude.items[here]] = np.inf
        _require_numbers(lowered.max())
        threshold = np.partition(lowered, k - 1, axis=1)[:, k - 1 : k]
        row, item = np.nonzero((lowered <= threshold) & (lowered < np.inf))
        score = lowered[row, item]
        if len(row) > 2 * k * len(lowered):  # many tie at the threshold: the first of them will do
            row, item, score = _first_ties(row, item, score, threshold, k)
        order = np.lexsort((item, score, row))
        # the place of each in its own row: its number, less that of the row's first
        place = np.arange(len(row)) - np.searchsorted(row, row)
        kept = place < k
        row, place, order = row[kept] + begin, place[kept], order[kept]
        best[row, place], values[row, place] = item[order], -score[order]


def _first_ties(row: Array, item: Array, score: Array, threshold: Array, k: int) -> tuple[Array, Array, Array]:
    """Of each row what is before the threshold, and as many that equal it, in order of the item, as make up k."""
    tie = score == threshold[row, 0]
    ends = np.flatnonzero(np.diff(row, append=row[-1] + 1))
    begins = np.concatenate([[0], ends[:-1] + 1])
    before = np.cumsum(tie) - tie  # ties before each, of its row and of those above
    number = before - np.repeat(before[begins], ends + 1 - begins)
    strict = np.repeat(np.add.reduceat(~tie, begins, dtype=np.int64), ends + 1 - begins)
    keep = ~tie | (number < k - strict)
    return row[keep], item[keep], score[keep]


def _best(row: Array, k: int) -> Array:
    """The best items of one row, at most k, best first."""
    maxima = _maxima(row, k)
    if maxima.size == 0:
        return np.empty(0, dtype=np.intp)
    place = max(0, maxima.size - k)
    parted = np.partition(maxima, place)
    # NaN sorts last, so it is among those above the place.
    _require_numbers(parted[place:].max())
    threshold = parted[place] if maxima.size >= k else -np.inf
    above = np.flatnonzero(row > threshold)
    above = above[np.argsort(-row[above], kind="stable")][:k]
    if above.size == k or threshold == -np.inf:
        return above
    return np.concatenate([above, np.flatnonzero(row == threshold)[: k - above.size]])


def _maxima(row: Array, k: int) -> Array:
    """Maxima of disjoint groups that cover the row, at least k of them where the row has as many."""
    groups = max(row.size // SCORES_A_MAXIMUM, 4 * k)
    folds = row.size // groups
    if folds < 2:
        return row
    covered = folds * groups
    folded: Array = row[:covered].reshape(folds, groups).max(axis=0)
    return np.concatenate([folded, row[covered:]])


def _check_rows(exclude: Exclusions, n_rows: int) -> None:
    rows = exclude.rows[exclude.items >= 0]
    if rows.size and not 0 <= rows.min() <= rows.max() < n_rows:
        raise IndexError(f"exclusions name rows {rows.min()} to {rows.max()}; the scores have {n_rows} rows")


def _require_numbers(highest: float) -> None:
    if np.isnan(highest):
        raise EvaluationError(
            "the model gave a score that is not a number (NaN); every score must be a number or -inf. "
            "The model is broken, often by training that diverged: train it again with a lower learning rate"
        )
