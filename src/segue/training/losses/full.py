"""Cross-entropy over the whole catalog, in chunks whose logits never leave the cache."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from segue.training.losses.base import Outputs, loss

CHUNK = 512
"""Rows at a time. 512 x 3,400 logits are 7 MB: chunks of 4,096 rows took twice as long."""


class ChunkedCrossEntropy(torch.autograd.Function):
    """mean over p of  log sum_i exp(<q_p, w_i> + b_i) - (<q_p, w_t> + b_t).

    Gradients are formed in the forward pass while the logits of a chunk are at hand, so that memory does not grow
    with P x N: d/d logits = (softmax - one-hot) / P.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, table: Tensor, bias: Tensor, target: Tensor) -> Tensor:
        """The mean loss; keeps the three gradients."""
        P = len(query)
        query_grad = torch.empty_like(query)
        table_grad = torch.zeros_like(table)
        bias_grad = torch.zeros_like(bias)
        total = query.new_zeros((), dtype=torch.float64)
        for left in range(0, P, CHUNK):
            q, t = query[left : left + CHUNK], target[left : left + CHUNK]
            logits = torch.addmm(bias, q, table.T)
            rows = torch.arange(len(q), device=q.device)
            chosen = logits[rows, t]
            highest = logits.amax(1, keepdim=True)
            logits.sub_(highest).exp_()
            normaliser = logits.sum(1, keepdim=True)
            total += ((normaliser.log() + highest).squeeze(1) - chosen).sum()
            logits.div_(normaliser * P)
            logits[rows, t] -= 1 / P
            query_grad[left : left + CHUNK] = logits @ table
            table_grad.addmm_(logits.T, q)
            bias_grad += logits.sum(0)
        ctx.save_for_backward(query_grad, table_grad, bias_grad)
        return (total / P).to(query.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """The kept gradients, scaled."""
        query_grad, table_grad, bias_grad = ctx.saved_tensors
        return query_grad * grads[0], table_grad * grads[0], bias_grad * grads[0], None


@loss("full")
def full_cross_entropy(outputs: Outputs) -> Tensor:
    """-log softmax over the whole catalog at the target, mean over P."""
    result: Tensor = ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        outputs.query, outputs.table, outputs.bias, outputs.target
    )
    return result
