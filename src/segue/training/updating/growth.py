"""A network for more items: those it had keep their places, and the new ones get vectors to begin with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from segue.data import spill
from segue.data.catalog import Catalog
from segue.data.sessions import Sequences
from segue.models.network import Network
from segue.shapes import Array, Floats, Longs

RARE = 0.2
"""The part of the known items, those with the fewest events, whose bias a new item begins with."""


class Rows(NamedTuple):
    """What M new items begin with: vectors (M, D), biases (M,), and their content (M, C); None: the network reads none.

    Vectors and biases are what they have of their own, besides their content.
    """

    vectors: Floats
    bias: Floats
    numbers: Floats | None = None


def grown(network: Network, rows: Rows, *, alone: float = 0.0) -> Network:
    """A network of its own with more items, the new ones last; what was there keeps every bit.

    Args:
        network: settled.
        alone: see `Content`, for a network that reads content.
    """
    n_items = network.n_items + len(rows.bias)
    with torch.random.fork_rng(devices=[]):
        larger = Network(n_items, rule=network.rule, **network.settings())
    weights = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    before, content = (weights["table"], weights["bias"]), network.content
    table, bias = before if content is None else content.own_parts()
    weights["table"] = torch.cat([table, torch.from_numpy(rows.vectors)])
    weights["bias"] = torch.cat([bias, torch.from_numpy(rows.bias)])
    if content is not None and larger.content is not None and rows.numbers is not None and content.encoder is not None:
        weights["content.numbers"] = torch.cat([content.numbers, torch.from_numpy(rows.numbers)])
        larger.content.read(content.encoder, weights["content.numbers"].numpy(), alone=alone)
    larger.load_state_dict(weights)
    larger.eval()
    larger.settle()
    keep_known(larger, *before)
    return larger


@torch.no_grad()
def keep_known(network: Network, table: Tensor, bias: Tensor | None = None) -> None:
    """Give the first items the very vectors, and biases, that they had: sums of parts may differ in the last bit."""
    network.table[: len(table)] = table
    if bias is not None:
        network.bias[: len(bias)] = bias


def with_content(rows: Rows, network: Network, catalog: Catalog, *, lift: float = 0.0) -> Rows:
    """What new items begin with, where the network reads content: that alone, for those of which it says something.

    Args:
        rows: what they would begin with, for the others.
        network: of N known items.
        catalog: these, and the new ones after them.
        lift: added to the bias of those, see `ContentSettings`.

    Raises:
        LogError: a column has values of another kind than was learned from.
    """
    content = network.content
    if content is None:
        return rows
    assert content.encoder is not None
    N, M = network.n_items, len(rows.bias)
    nothing = [None] * M
    told = {name: catalog.columns[name][N:] if name in catalog.columns else nothing for name in content.encoder.columns}
    numbers = content.encoder.encode(told, M)
    told_of = np.asarray(numbers.any(axis=1))
    vectors = np.where(told_of[:, None], np.float32(0), rows.vectors)
    bias = np.where(told_of, content.bias.detach().cpu().numpy() + np.float32(lift), rows.bias)
    return Rows(vectors, bias.astype(np.float32), numbers)


def vectors_of_new_items(network: Network, n_items: int, sequences: Sequences | None, counts: Array | None) -> Rows:
    """What new items begin with, from the items around them.

    The vector is the mean of the vectors of known items that came right before and right after, once for each time; the
    bias is the median of rare known items. An item that nothing known came beside has the mean of all vectors. One that
    never came at all has it too, and a bias that keeps it below the others.

    Args:
        network: of N known items, the first of the catalog.
        n_items: of the catalog, known and new ones.
        sequences: where the new items come, with indices of the catalog; None: nowhere.
        counts: (N,) how often each known item was learned from, if that is known.
    """
    known, bias = network.item_vectors(), network.bias.detach().cpu().numpy()
    N, M = len(known), n_items - len(known)
    sums, times = np.zeros((M, known.shape[1]), np.float64), np.zeros(M, np.int64)
    came = np.zeros(M, np.int64)
    if sequences is not None:
        new, beside = pairs_of(sequences, N)
        for block in spill.blocks(len(new), 1 << 16):
            np.add.at(sums, new[block] - N, known[beside[block]])
        times = np.bincount(new - N, minlength=M)
        came = spill.counted(sequences.item, n_items)[N:]
    found = sums / np.maximum(times, 1)[:, None]
    vectors = np.where((times > 0)[:, None], found, known.mean(axis=0, dtype=np.float64)).astype(np.float32)
    # with cosines no query and vector give more than `cosine`, however little the mean says
    lowest = float(bias.min()) - network.cosine
    return Rows(vectors, np.where(came > 0, rare_bias(bias, counts), np.float32(lowest)).astype(np.float32))


def pairs_of(sequences: Sequences, known: int) -> tuple[Longs, Longs]:
    """Each time that a new item and a known one stand side by side in a session: the new one, and the known one.

    Args:
        sequences: E events.
        known: so many items, the first ones, are known.
    """
    item = np.asarray(sequences.item, np.int64)
    before, after = item[:-1], item[1:]
    together = ~(sequences.opens[1:] | sequences.starts[1:])
    found = []
    for one, other in ((before, after), (after, before)):
        which = together & (one >= known) & (other >= 0) & (other < known)
        found.append((one[which], other[which]))
    return np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found])


def rare_bias(bias: Floats, counts: Array | None) -> np.float32:
    """The median bias of the known items with the fewest events; where these are not known, of the lowest biases."""
    order = np.argsort(bias if counts is None else counts, kind="stable")
    return np.float32(np.median(bias[order[: max(1, int(len(order) * RARE))]]))
