"""Cross-entropy over the whole catalog, in chunks whose scores stay in the cache, up to some 8,000 items."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from segue.cells.parallel import parts, run
from segue.training.losses.base import Outputs, loss

CHUNK = 2**20
"""Scores at a time and thread: 4 MB of float32, twice."""

ROWS = 128, 512
"""The fewest and the most rows of a chunk: products of fewer are slow, so above 8,192 items a chunk outgrows CHUNK."""

LEAST = 1e-30
"""A probability below has lost digits."""


def chunks(part: slice, columns: int) -> list[slice]:
    """The rows of a part in pieces that fit the cache with so many columns."""
    rows = min(max(CHUNK // columns, ROWS[0]), ROWS[1])
    return [slice(left, min(left + rows, part.stop)) for left in range(part.start, part.stop, rows)]


class ChunkedCrossEntropy(torch.autograd.Function):
    """mean over p of  u_p (log sum_i exp(<q_p, w_i> + b_i) - (<q_p, w_t> + b_t)),  u_p its worth, or 1.

    Gradients are formed in the forward pass while the logits of a chunk are at hand, so that memory does not grow
    with P x N: d/d logits = u (softmax - one-hot) / P. A column of ones beside the queries makes the gradient of the
    bias part of that of the table. With products in bfloat16 scores and softmax are rounded to it too: a
    probability to some 1 % of itself where scores are around 10, the mean loss to 0.004.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, table: Tensor, bias: Tensor, target: Tensor, dtype: torch.dtype, worth: Tensor | None
    ) -> Tensor:
        """The mean loss; keeps the three gradients."""
        P = len(query)
        D = table.shape[1]
        q_one = torch.cat([query.to(dtype), query.new_ones(P, 1, dtype=dtype)], 1)
        w_low, b_low = table.to(dtype), bias.to(dtype)
        query_grad = torch.empty_like(query)
        wanted = parts(P)
        kept = [(table.new_zeros(len(table), D + 1), bias.new_zeros((), dtype=torch.float64)) for _ in wanted]

        def compare(part: slice, grad: Tensor, total: Tensor) -> None:
            pieces = chunks(part, len(table))
            space = q_one.new_empty(2, pieces[0].stop - pieces[0].start, len(table))
            for rows in pieces:
                q, t = q_one[rows], target[rows].unsqueeze(1)
                logits = torch.addmm(b_low, q[:, :D], w_low.T, out=space[0, : len(q)])
                p = torch.softmax(logits, 1, out=space[1, : len(q)])
                lost = surprise(logits, p, t)
                p.scatter_add_(1, t, p.new_full((len(q), 1), -1.0))
                if worth is not None:
                    u = worth[rows].unsqueeze(1)
                    lost = lost * u
                    p.mul_(u)
                total += lost.sum()
                query_grad[rows] = torch.mm(p, w_low)
                if dtype == table.dtype:
                    grad.addmm_(p.T, q)
                else:
                    grad += torch.mm(p.T, q)

        run([lambda part=part, sums=sums: compare(part, *sums) for part, sums in zip(wanted, kept, strict=True)])  # type: ignore[misc]
        grad, total = kept[0]
        for further in kept[1:]:
            grad += further[0]
            total = total + further[1]
        grad.div_(P)
        ctx.save_for_backward(query_grad.div_(P), grad[:, :D].contiguous(), grad[:, D].contiguous())
        return (total / P).to(query.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The kept gradients, scaled."""
        query_grad, table_grad, bias_grad = ctx.saved_tensors
        return query_grad * grads[0], table_grad * grads[0], bias_grad * grads[0], None, None, None


def surprise(logits: Tensor, p: Tensor, target: Tensor) -> Tensor:
    """-log p at the target, (R, 1) of float64: logits and p = softmax(logits) (R, N), target (R, 1)."""
    found = p.gather(1, target).double()
    lost = (found < LEAST).squeeze(1)
    value = -found.clamp(min=LEAST).log()
    if bool(lost.any()):
        row, own = logits[lost], p[lost]
        # exp(highest) / normaliser is the highest probability, and never underflows.
        highest = row.amax(1, keepdim=True).double() - own.amax(1, keepdim=True).double().log()
        value[lost] = highest - row.gather(1, target[lost]).double()
    return value


@loss("full")
def full_cross_entropy(outputs: Outputs) -> Tensor:
    """-log softmax over the whole catalog at the target, mean over P."""
    dtype = outputs.dtype if outputs.dtype == torch.bfloat16 else outputs.query.dtype
    result: Tensor = ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        outputs.query, outputs.table, outputs.bias, outputs.target, dtype, outputs.worth
    )
    return result
