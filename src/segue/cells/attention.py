"""Causal self-attention to the last events: the comparison row for the recurrent cells."""

from __future__ import annotations

from math import gcd, inf

import torch
from torch import Tensor, nn

from segue.cells.base import Cell, CellState


class Attention(Cell):
    """A streaming cousin of SASRec (Kang & McAuley 2018). For each head, of width d = H / heads, it computes.

        q, k, v = W x
        y_t = W_o sum over ages a < M of softmax_a(q_t k_{t-a} / sqrt(d) + bias_a) v_{t-a} + b

    Deviations from it: the position is the age, a bias of each head (begun as in ALiBi, Press et al. 2022), not a
    vector of the place; norm, residual sum and feed-forward part are those of the block around the cell. A place
    that is still empty holds a zero key and value: it is attended like an event that says nothing.

    The state is one ring: `key` and `value` (B, M, H), the oldest first.

    Args:
        width_in: D.
        width: H.
        memory: M, the present event included.
        heads: at most so many, as far as they divide H.
    """

    name = "attention"

    def __init__(self, width_in: int, width: int, *, memory: int = 64, heads: int = 4) -> None:
        super().__init__(width_in, width)
        self.memory, self.heads = memory, gcd(width, heads)
        self.w = nn.Parameter(torch.empty(3 * width, width_in))
        slopes = 0.5 ** torch.arange(1, self.heads + 1).unsqueeze(1)
        self.bias = nn.Parameter(-slopes * torch.arange(memory))
        self.out = nn.Linear(width, width)
        for w in (*self.w.chunk(3), self.out.weight):
            nn.init.xavier_uniform_(w)
        nn.init.zeros_(self.out.bias)

    def initial_state(self, batch_size: int) -> CellState:
        """Zeros: M empty places."""
        return {name: self.w.new_zeros(batch_size, self.memory, self.width) for name in ("key", "value")}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        q, k, v = (x @ self.w.T).chunk(3, -1)
        key, value = (torch.cat([state[n][:, 1:], new.unsqueeze(1)], 1) for n, new in (("key", k), ("value", v)))
        q, k, v = (torch.unflatten(part, -1, (self.heads, -1)) for part in (q, key, value))
        scores = torch.einsum("bhd,bmhd->bhm", q, k) * q.shape[-1] ** -0.5 + self.bias.flip(1)
        y: Tensor = self.out(torch.einsum("bhm,bmhd->bhd", scores.softmax(-1), v).flatten(1))
        return y, {"key": key, "value": value}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """M events at a time, each against 2 M places: the M before, and their own."""
        T, M = len(x), self.memory
        q, k, v = (x @ self.w.T).chunk(3, -1)
        keys, values = torch.cat([state["key"].transpose(0, 1), k]), torch.cat([state["value"].transpose(0, 1), v])
        place = torch.arange(T + M, device=x.device)  # x_t is at the place t + M
        since = torch.where(starts, place[M:, None], 0).cummax(0).values  # where each row last started
        pieces = []
        for left in range(0, T, M):
            right = min(left + M, T)
            ours, theirs = slice(left, right), slice(left, right + M)
            valid = (place[theirs] >= since[ours].unsqueeze(-1)).transpose(0, 1).unsqueeze(1)  # (B, 1, events, places)
            age = place[M:][ours].unsqueeze(1) - place[theirs]
            bias = self.bias[:, age.clamp(0, M - 1)].masked_fill((age < 0) | (age >= M), -inf)
            q_here, k_here, v_here = (
                torch.unflatten(part, -1, (self.heads, -1)).permute(1, 2, 0, 3)
                for part in (q[ours], keys[theirs], values[theirs])
            )
            scores = q_here @ k_here.transpose(-1, -2) * q_here.shape[-1] ** -0.5
            pieces.append((((scores * valid + bias).softmax(-1) * valid) @ v_here).permute(2, 0, 1, 3).flatten(2))
        kept = (place[T:, None] >= since[-1]).unsqueeze(-1)
        last = {name: (part[T:] * kept).transpose(0, 1) for name, part in (("key", keys), ("value", values))}
        return self.out(torch.cat(pieces)), last
