"""The content part of item vectors: what an items table says of them, times a matrix that is learned."""

from __future__ import annotations

import struct

import msgspec
import numpy as np
import torch
from safetensors.numpy import load, save
from torch import Tensor, nn

from segue.data.encoding import TableEncoder
from segue.errors import ArtifactError, TrainingError
from segue.models.tensors import checked
from segue.shapes import Floats

ENCODER = "encoder"


class Content(nn.Module):
    """From C numbers an item to D: an item that was never seen in a log has a vector by them.

    Volkovs, Yu and Poutanen, DropoutNet: Addressing Cold Start in Recommender Systems (2017): in training the part of
    an item that is its own is left out now and then (`content.alone`), so that this part learns to stand for it.

    Args:
        n_items: N.
        numbers: C.
        width: D.

    Attributes:
        alone: the share of items that a window of training has by their content alone.
        encoder: from the columns of an items table to the numbers; None: not there yet.
        own: (N, D) the items' own rows, while the item table has their sums with the content; None: they are in there.
    """

    numbers: Tensor

    def __init__(self, n_items: int, numbers: int, width: int) -> None:
        super().__init__()
        self.register_buffer("numbers", torch.zeros(n_items, numbers))
        self.projection = nn.Parameter(torch.zeros(numbers, width))
        self.encoder: TableEncoder | None = None
        self.alone = 0.0
        self.own: Tensor | None = None

    def read(self, encoder: TableEncoder, numbers: Floats, *, alone: float) -> None:
        """Take over what an items table says: numbers (N, C), and what made them."""
        with torch.no_grad():
            self.numbers.copy_(torch.from_numpy(numbers))
        self.encoder, self.alone = encoder, alone

    def kept(self, rows: Tensor) -> Tensor:
        """The items' own rows (..., D); in training some of them are zero, so that their content stands alone."""
        if not (self.training and self.alone):
            return rows
        return rows * (torch.rand(*rows.shape[:-1], 1, device=rows.device) >= self.alone)

    def part(self, rows: Tensor | None = None) -> Tensor:
        """(R, D) of some items (...), by default of all."""
        return (self.numbers if rows is None else self.numbers[rows]) @ self.projection

    def own_rows(self) -> Tensor:
        """(N, D) of the items. Raises TrainingError where they were not loaded: scores do without them."""
        if self.own is None:
            raise TrainingError("the items' own rows are not there, which learning needs: save the model anew")
        return self.own

    def saved(self) -> bytes:
        """What the item table is made of: scores do without it, and learning does not."""
        assert self.encoder is not None
        tensors = {"own": self.own_rows(), "numbers": self.numbers, "projection": self.projection.detach()}
        arrays = {name: np.ascontiguousarray(tensor.cpu().numpy()) for name, tensor in tensors.items()}
        arrays |= {f"{ENCODER}.{name}": np.ascontiguousarray(one) for name, one in self.encoder.arrays().items()}
        return save(arrays, metadata={ENCODER: msgspec.json.encode(self.encoder.plain()).decode()})

    def load(self, data: bytes) -> None:
        """Take over what `saved` gave. Raises ArtifactError where a name or shape does not fit."""
        arrays = load(data)
        rows = torch.empty(len(self.numbers), self.projection.shape[1])
        found = checked(arrays, {"own": rows, "numbers": self.numbers, "projection": self.projection})
        (length,) = struct.unpack("<Q", data[:8])
        plain = msgspec.json.decode(msgspec.json.decode(data[8 : 8 + length])["__metadata__"][ENCODER])
        own = {name.removeprefix(f"{ENCODER}."): one for name, one in arrays.items() if name.startswith(f"{ENCODER}.")}
        encoder = TableEncoder.restored(plain, own)
        if encoder.width != self.numbers.shape[1]:
            raise ArtifactError(f"content has {encoder.width} numbers an item, expected {self.numbers.shape[1]}")
        self.own, self.encoder = found["own"], encoder
        with torch.no_grad():
            self.numbers.copy_(found["numbers"])
            self.projection.copy_(found["projection"])
