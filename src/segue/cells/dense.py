"""Products with weights, in the precision that is in force on this thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

_here = threading.local()


def precision() -> torch.dtype:
    """Of the products of this thread: float32, unless it is inside of `products_in`."""
    dtype: torch.dtype = getattr(_here, "dtype", torch.float32)
    return dtype


@contextmanager
def products_in(dtype: torch.dtype) -> Iterator[None]:
    """Let `dense` and `lowered` on this thread work in that precision."""
    before, _here.dtype = precision(), dtype
    try:
        yield
    finally:
        _here.dtype = before


def lowered(x: Tensor) -> Tensor:
    """X in the precision of products, if that is the lower one."""
    return x if precision() == torch.float32 else x.to(precision())


def dense(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    """Give x W' + b, in the precision of products: x (..., D), w (H, D), b (H,) to (..., H).

    Sums inside a product are of float32 in any case; what is rounded is what goes in and what comes out.
    """
    return F.linear(lowered(x), lowered(w), None if b is None else lowered(b))


def denses(x: Tensor, parts: int, w: Tensor, b: Tensor) -> list[Tensor]:
    """`dense` with each of several weights that lie one below the other: w (parts * H, D), b (parts * H,).

    One product and a cut would be as many additions, but its parts do not lie together in memory, and what follows
    takes up to four times as long on them.
    """
    x = lowered(x)
    return [dense(x, w_part, b_part) for w_part, b_part in zip(w.chunk(parts), b.chunk(parts), strict=True)]
