"""Unit vectors of items whose cosine says how alike two items are, for the diversity of a list."""

from collections.abc import Collection, Sequence

import numpy as np

from segue.shapes import Array, Floats

MOST_COLUMNS = 512
PROJECTED_WIDTH = 256
SIGNS_A_BLOCK = 2**26
PAIRS_A_BLOCK = 32_768


def attribute_vectors(categories: Sequence[Collection[str] | None], *, rng: np.random.Generator) -> Floats:
    """Vectors of the items' attributes: the cosine of two is |A∩B| / sqrt(|A| |B|) of their sets of values.

    One column a distinct value, in sorted order. Above 512 values, a random projection to 256 columns whose
    cosine is that up to an error of about 1 / sqrt(256) = 0.06.

    Args:
        categories: for each item its values, None or none where nothing is known.
        rng: draws the projection, where there is one.

    Returns:
        (N, D) unit rows; zero for an item without values.

    >>> rng = np.random.default_rng(1)
    >>> attribute_vectors([["drama"], ["comedy", "drama"], None], rng=rng).round(2).tolist()
    [[0.0, 1.0], [0.7099999785423279, 0.7099999785423279], [0.0, 0.0]]
    """
    sets = [set(values or ()) for values in categories]
    column = {value: place for place, value in enumerate(sorted(set().union(*sets)))}
    item = np.repeat(np.arange(len(sets)), [len(values) for values in sets])
    place = np.fromiter((column[value] for values in sets for value in sorted(values)), dtype=np.int64)
    if len(column) > MOST_COLUMNS:
        return cooccurrence_vectors(item, place, len(sets), rng=rng, width=PROJECTED_WIDTH)
    vectors = np.zeros((len(sets), len(column)), dtype=np.float32)
    vectors[item, place] = 1.0
    return _unit(vectors)


def cooccurrence_vectors(
    item: Array, sequence: Array, n_items: int, *, rng: np.random.Generator, width: int = 128
) -> Floats:
    """Vectors of where the items occur: the cosine of two is about |S∩T| / sqrt(|S| |T|) of their sequences.

        v_i = sum over the distinct sequences s that hold i of r_s, made unit length;    r_s in {-1, +1}^width

    E[r_s · r_t] is width if s = t, else 0: products count common sequences, to an error of 1 / sqrt(width).

    Source: Achlioptas, Database-friendly Random Projections (2003), theorem 1.1.

    Args:
        item: (E,) item of each event; -1, an unknown item, is left out.
        sequence: (E,) the sequence of each event, any ints.
        n_items: N.
        rng: draws the signs.
        width: D.

    Returns:
        (N, width) unit rows; zero for an item without events.
    """
    vectors = np.zeros((n_items, width), dtype=np.float32)
    known = item >= 0
    names, row = np.unique(sequence[known], return_inverse=True)
    rows = max(1, SIGNS_A_BLOCK // width)
    # Distinct (block of sequences, item, row) in that order; np.unique would take 60 times as long.
    block, row = np.divmod(row, rows)
    keys = np.sort((block * np.int64(n_items) + item[known]) * rows + row)
    keys = keys[np.diff(keys, prepend=-1) > 0]
    for first in range(0, names.size, rows):
        signs = rng.integers(2, size=(min(rows, names.size - first), width), dtype=np.int8) * np.int8(2) - np.int8(1)
        start, stop = np.searchsorted(keys, np.array([first, first + rows]) * np.int64(n_items))
        for left in range(start, stop, PAIRS_A_BLOCK):
            column, place = np.divmod(keys[left : min(left + PAIRS_A_BLOCK, stop)], rows)
            opens = np.flatnonzero(np.diff(column, prepend=-1))
            sums = np.add.reduceat(signs[place], opens, axis=0, dtype=np.float32)
            vectors[column[opens] % n_items] += sums
    return _unit(vectors)


def _unit(vectors: Floats) -> Floats:
    """Divide each row by its length, in place; a zero row stays zero."""
    length = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    np.divide(vectors, length, out=vectors, where=length > 0)
    return vectors
