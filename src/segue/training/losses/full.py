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


def chunks(part: slice, columns: int) -> list[slice]:
    """The rows of a part in pieces that fit the cache with so many columns."""
    rows = min(max(CHUNK // columns, ROWS[0]), ROWS[1])
    return [slice(left, min(left + rows, part.stop)) for left in range(part.start, part.stop, rows)]


class ChunkedCrossEntropy(torch.autograd.Function):
    """mean over p of  log sum_i exp(<q_p, w_i> + b_i) - (<q_p, w_t> + b_t).

    Gradients are formed in the forward pass while the logits of a chunk are at hand, so that memory does not grow
    with P x N: d/d logits = (softmax - one-hot) / P. With products in bfloat16 the softmax is rounded to it too: each
    probability to 0.4 % of itself, the loss to 0.004.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, table: Tensor, bias: Tensor, target: Tensor, dtype: torch.dtype) -> Tensor:
        """The mean loss; keeps the three gradients."""
        P = len(query)
        q_low, w_low, b_low = query.to(dtype), table.to(dtype), bias.to(dtype)
        query_grad = torch.empty_like(query)
        wanted = parts(P)
        kept = [
            (torch.zeros_like(table), torch.zeros_like(bias), bias.new_zeros((), dtype=torch.float64)) for _ in wanted
        ]

        def compare(part: slice, table_grad: Tensor, bias_grad: Tensor, total: Tensor) -> None:
            pieces = chunks(part, len(table))
            space = q_low.new_empty(2, pieces[0].stop - pieces[0].start, len(table))
            for rows in pieces:
                q, t = q_low[rows], target[rows].unsqueeze(1)
                logits = torch.addmm(b_low, q, w_low.T, out=space[0, : len(q)])
                chosen, highest = logits.gather(1, t).double(), logits.amax(1, keepdim=True).double()
                p = torch.softmax(logits, 1, out=space[1, : len(q)])
                # exp(highest) / normaliser is the highest probability, and never underflows.
                total += (highest - p.amax(1, keepdim=True).double().log() - chosen).sum()
                p.scatter_add_(1, t, p.new_full((len(q), 1), -1.0))
                query_grad[rows] = torch.mm(p, w_low)
                if dtype == table.dtype:
                    table_grad.addmm_(p.T, q)
                else:
                    table_grad += torch.mm(p.T, q)
                bias_grad += p.sum(0, dtype=bias.dtype)

        run([lambda part=part, sums=sums: compare(part, *sums) for part, sums in zip(wanted, kept, strict=True)])  # type: ignore[misc]
        table_grad, bias_grad, total = kept[0]
        for further in kept[1:]:
            table_grad += further[0]
            bias_grad += further[1]
            total = total + further[2]
        ctx.save_for_backward(query_grad.div_(P), table_grad.div_(P), bias_grad.div_(P))
        return (total / P).to(query.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """The kept gradients, scaled."""
        query_grad, table_grad, bias_grad = ctx.saved_tensors
        return query_grad * grads[0], table_grad * grads[0], bias_grad * grads[0], None, None


@loss("full")
def full_cross_entropy(outputs: Outputs) -> Tensor:
    """-log softmax over the whole catalog at the target, mean over P."""
    dtype = outputs.dtype if outputs.dtype == torch.bfloat16 else outputs.query.dtype
    result: Tensor = ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        outputs.query, outputs.table, outputs.bias, outputs.target, dtype
    )
    return result
