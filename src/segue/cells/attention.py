"""Causal self-attention to the last events: the comparison row for the recurrent cells."""

from __future__ import annotations

from math import gcd, inf

import torch
from torch import Tensor, nn

from segue.cells.base import Cell, CellState


class Attention(Cell):
    """A streaming cousin of SASRec (Kang & McAuley 2018), for each head, of width d = H / heads.

        q, k, v = W x
        y_t = W_o sum over ages a < M of softmax_a(q_t k_{t-a} / sqrt(d) + bias_a) v_{t-a} + b

    Deviations from it: the position is the age, a bias of each head (begun as in ALiBi, Press et al. 2022), not a
    vector of the place; norm, residual sum and feed-forward part are those of the block around the cell. As there, an
    event of which nothing is known (a key of zero, as in places that are still empty) is seen by none but itself.
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
        slopes = 2 ** (-8 * torch.arange(1, self.heads + 1).unsqueeze(1) / self.heads)
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
        age = torch.arange(self.memory - 1, -1, -1, device=x.device).unsqueeze(0)
        y: Tensor = self.out(self.attend(q.unsqueeze(1), key, value, age, age >= 0).squeeze(1))
        return y, {"key": key, "value": value}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """M events at a time, each against 2 M places: the M before, and their own."""
        T, M, x, starts = len(x), self.memory, x.transpose(0, 1), starts.T
        q, k, v = (x @ self.w.T).chunk(3, -1)
        keys, values = torch.cat([state["key"], k], 1), torch.cat([state["value"], v], 1)
        place = torch.arange(T + M, device=x.device)  # x_t is at the place t + M
        since = torch.where(starts, place[M:], 0).cummax(1).values.unsqueeze(-1)  # where each row last started
        pieces = []
        for left in range(0, T, M):
            ours, theirs = slice(left, left + M), slice(left, left + 2 * M)
            age = place[M:][ours].unsqueeze(1) - place[theirs]
            own = place[theirs] >= since[:, ours]
            pieces.append(self.attend(q[:, ours], keys[:, theirs], values[:, theirs], age, own))
        kept = (place[T:] >= since[:, -1]).unsqueeze(-1)
        y: Tensor = self.out(torch.cat(pieces, 1).transpose(0, 1))
        return y, {"key": keys[:, T:] * kept, "value": values[:, T:] * kept}

    def attend(self, q: Tensor, key: Tensor, value: Tensor, age: Tensor, own: Tensor) -> Tensor:
        """(B, Q, H) of queries (B, Q, H) to places (B, P, H) of an age (Q, P), if of their `own` session (B, Q, P)."""
        seen = own & (key != 0).any(-1).unsqueeze(1) & (age >= 0) & (age < self.memory) | (age == 0)
        q, key, value = (torch.unflatten(part, -1, (self.heads, -1)).transpose(1, 2) for part in (q, key, value))
        scores = q @ key.transpose(-1, -2) * q.shape[-1] ** -0.5 + self.bias[:, age.clamp(0, self.memory - 1)]
        shares = scores.masked_fill(~seen.unsqueeze(1), -inf).softmax(-1)
        return torch.flatten((shares @ value).transpose(1, 2), 2)
