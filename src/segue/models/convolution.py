"""Short causal convolutions: channel by channel inside a block, over all channels in front of the first layer.

Their state is `before` (B, K - 1, D), the last inputs, the latest first; what lies before a start counts as zero.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells import CellState


class Convolution(nn.Module):
    """y_t = sum over k < K of w_k * x_{t-k} + b, each channel for itself.

    De et al. 2024 (Griffin), section 2.3. It begins as the identity.

    Args:
        width: D.
        size: K, the present input included.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, width).index_fill_(0, torch.tensor(0), 1.0))
        self.b = nn.Parameter(torch.zeros(width))

    def initial_state(self, batch_size: int) -> CellState:
        """Zeros, B rows."""
        return {"before": self.w.new_zeros(batch_size, len(self.w) - 1, self.w.shape[1])}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row: x (B, D)."""
        inputs = torch.cat([x.unsqueeze(1), state["before"]], 1)
        return (inputs * self.w).sum(1) + self.b, {"before": inputs[:, :-1]}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """`step` along time, as K shifted products: x (T, B, D), starts (T, B)."""
        inputs, after = recent(x, starts, state["before"])
        y: Tensor = self.b
        for weight, shifted in zip(self.w, inputs, strict=True):
            y = torch.addcmul(y, shifted, weight)
        return y, {"before": after}


class Front(nn.Module):
    """x + silu(W [x_t, ..., x_{t-K+1}] + b), over all channels: a convolution in front of the first layer.

    Tang & Wang 2018 (Caser) let a convolution over the last events stand for what a user does now; here it is causal
    and residual, and hands on to a recurrence. It begins as the identity.

    Args:
        width: D.
        size: K, the present input included.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.mix = nn.Linear(size * width, width)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def initial_state(self, batch_size: int) -> CellState:
        """Zeros, B rows."""
        return {"before": self.mix.weight.new_zeros(batch_size, self.size - 1, len(self.mix.weight))}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row: x (B, D)."""
        inputs = torch.cat([x.unsqueeze(1), state["before"]], 1)
        return x + F.silu(self.mix(inputs.flatten(1))), {"before": inputs[:, :-1]}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """`step` along time, in one product: x (T, B, D), starts (T, B)."""
        inputs, after = recent(x, starts, state["before"])
        return x + F.silu(self.mix(torch.cat(inputs, -1))), {"before": after}


def recent(x: Tensor, starts: Tensor, before: Tensor) -> tuple[list[Tensor], Tensor]:
    """x_t, x_{t-1}, ... as K tensors (T, B, D), zero before a start; and `before` (B, K - 1, D) of the next window."""
    T, K = len(x), before.shape[1] + 1
    inputs = torch.cat([before.flip(1).transpose(0, 1), x])  # inputs[t + K - 1] is x_t
    # How many events ago the row started; K or more where that is before the window.
    when = torch.arange(K - 1, T + K - 1, device=x.device).unsqueeze(1)
    since = when - torch.where(starts, when, -1).cummax(0).values
    earlier = [inputs[K - 1 - k : K - 1 - k + T] * (since >= k).unsqueeze(-1) for k in range(1, K)]
    ago = torch.arange(1, K, device=x.device).view(-1, 1)
    last = inputs[T:].flip(0) * (since[-1] + 1 >= ago).unsqueeze(-1)
    return [x, *earlier], last.transpose(0, 1)
