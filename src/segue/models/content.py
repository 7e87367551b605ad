"""The content part of items: what an items table says of them, times a matrix that is learned."""

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
    """From C numbers an item to a vector and a bias: an item that was never seen in a log has them too.

    Volkovs, Yu and Poutanen, DropoutNet: Addressing Cold Start in Recommender Systems (2017): in training the part of
    an item that is its own is left out now and then (`content.alone`), so that this part learns to stand for it. In
    place of its own bias it has one that all such items share then: the loss finds how probable they are.

    Args:
        n_items: N.
        numbers: C.
        width: D.

    Attributes:
        alone: the share of items that a window of training has by their content alone.
        encoder: from the columns of an items table to the numbers; None: not there yet.
        own: (N, D) and (N,) the items' own rows and biases, while the network has their sums with the content; None:
            the network has them.
    """

    numbers: Tensor

    def __init__(self, n_items: int, numbers: int, width: int) -> None:
        super().__init__()
        self.register_buffer("numbers", torch.zeros(n_items, numbers))
        self.projection = nn.Parameter(torch.zeros(numbers, width + 1))
        self.bias = nn.Parameter(torch.zeros(1))
        self.encoder: TableEncoder | None = None
        self.alone = 0.0
        self.own: tuple[Tensor, Tensor] | None = None

    def read(self, encoder: TableEncoder, numbers: Floats, *, alone: float) -> None:
        """Take over what an items table says: numbers (N, C), and what made them."""
        with torch.no_grad():
            self.numbers.copy_(torch.from_numpy(numbers))
        self.encoder, self.alone = encoder, alone

    def with_own(self, table: Tensor, bias: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(..., D) and (...): the sums of what items have of their own and of their content.

        In training some of them are what their content says alone.

        Args:
            table, bias: (..., D) and (...) of their own.
            rows: (...) which items these are; None: all.
        """
        part = (self.numbers if rows is None else self.numbers[rows]) @ self.projection
        if self.training and self.alone:
            alone = torch.rand(bias.shape, device=bias.device) < self.alone
            table, bias = table * ~alone.unsqueeze(-1), torch.where(alone, self.bias, bias)
        return table + part[..., :-1], bias + part[..., -1]

    def alone_rows(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """(M, D) and (M,) what M items are that have numbers (M, C), and nothing of their own."""
        part = numbers @ self.projection.detach()
        return part[:, :-1], part[:, -1] + self.bias.detach()

    def own_parts(self) -> tuple[Tensor, Tensor]:
        """The items' own rows and biases. Raises TrainingError where they were not loaded: scores do without them."""
        if self.own is None:
            raise TrainingError("the items' own rows are not there, which learning needs: save the model anew")
        return self.own

    def saved(self) -> bytes:
        """What the item table is made of: scores do without it, and learning does not."""
        assert self.encoder is not None
        own, own_bias = self.own_parts()
        tensors = {"own": own, "own_bias": own_bias, **self.state_dict()}
        arrays = {name: np.ascontiguousarray(tensor.cpu().numpy()) for name, tensor in tensors.items()}
        arrays |= {f"{ENCODER}.{name}": np.ascontiguousarray(one) for name, one in self.encoder.arrays().items()}
        return save(arrays, metadata={ENCODER: msgspec.json.encode(self.encoder.plain()).decode()})

    def load(self, data: bytes) -> None:
        """Take over what `saved` gave. Raises ArtifactError where a name or shape does not fit."""
        arrays = load(data)
        rows, biases = torch.empty(len(self.numbers), self.projection.shape[1] - 1), torch.empty(len(self.numbers))
        found = checked(arrays, {"own": rows, "own_bias": biases, **self.state_dict()})
        (length,) = struct.unpack("<Q", data[:8])
        plain = msgspec.json.decode(msgspec.json.decode(data[8 : 8 + length])["__metadata__"][ENCODER])
        own = {name.removeprefix(f"{ENCODER}."): one for name, one in arrays.items() if name.startswith(f"{ENCODER}.")}
        encoder = TableEncoder.restored(plain, own)
        if encoder.width != self.numbers.shape[1]:
            raise ArtifactError(f"content has {encoder.width} numbers an item, expected {self.numbers.shape[1]}")
        self.own, self.encoder = (found["own"], found["own_bias"]), encoder
        self.load_state_dict({name: found[name] for name in self.state_dict()})
