"""Targets against drawn items, chunk by chunk: what all sampled losses share.

A sampled loss is a rule: from the scores of a row's target and of the K drawn items to the row's loss and its
derivatives by these scores. The products around it, their gradients and the cache are the business of this file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from segue.cells.parallel import parts, run
from segue.config import TrainSettings
from segue.training.losses.base import Loss, Outputs, register
from segue.training.losses.full import chunks

NEVER = -1e4
"""The score of a drawn item that is the row's own target: it weighs nothing in any softmax or sigmoid."""


SPACE = 5
"""How many arrays as large as the scores a rule may work in."""


class Facts(NamedTuple):
    """What a rule may need besides scores: N, K, the settings, and space to work in.

    `space` is SPACE arrays (P, K) of any content: to allocate them anew for each chunk took four times as long as
    what was computed in them, since the system hands out pages one by one.
    """

    n_items: int
    draws: int
    settings: TrainSettings
    space: Tensor


Rule = Callable[[Tensor, Tensor, Facts], tuple[Tensor, Tensor, Tensor]]
"""(own (P, 1), others (P, K), facts) to (loss, by own, by others), shaped (P, 1), (P, 1) and (P, K).

`others` and the space are the rule's to overwrite; what it returns may lie in them.
"""


def sampled(
    name: str, *, corrected: bool = False, base: Callable[[int, TrainSettings], float] | None = None
) -> Callable[[Rule], Rule]:
    """Make a rule known as a loss; `corrected` takes log(K q) from the score of an item drawn with probability q."""

    def make_known(rule: Rule) -> Rule:
        def value(outputs: Outputs) -> Tensor:
            assert outputs.drawn is not None
            drawn, log_probability = outputs.drawn
            facts = Facts(outputs.n_items, len(drawn), outputs.settings, outputs.query.new_empty(0))
            shift = log_probability + math.log(len(drawn)) if corrected else None
            dtype = outputs.dtype if outputs.dtype == torch.bfloat16 else outputs.query.dtype
            result: Tensor = Comparison.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
                outputs.query,
                outputs.table,
                outputs.bias,
                outputs.target,
                drawn,
                shift,
                rule,
                facts,
                dtype,
                outputs.worth,
            )
            return result

        value.__module__, value.__qualname__ = rule.__module__, rule.__qualname__  # an error names the rule's file
        register(name, Loss(value, samples=True, base=base))
        return rule

    return make_known


class Comparison(torch.autograd.Function):
    """The mean of a rule over the rows, with the gradients formed in the forward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        table: Tensor,
        bias: Tensor,
        target: Tensor,
        drawn: Tensor,
        shift: Tensor | None,
        rule: Rule,
        facts: Facts,
        dtype: torch.dtype,
        worth: Tensor | None,
    ) -> Tensor:
        """The mean loss; keeps the three gradients."""
        P, K = len(query), len(drawn)
        vectors, heights = table[drawn], bias[drawn] if shift is None else bias[drawn] - shift
        q_low, v_low = query.to(dtype), vectors.to(dtype)
        query_grad, own_grad = torch.empty_like(query), query.new_empty(P, 1)
        wanted = parts(P)
        kept = [
            (torch.zeros_like(vectors), torch.zeros_like(heights), bias.new_zeros((), dtype=torch.float64))
            for _ in wanted
        ]

        def compare(part: slice, vectors_grad: Tensor, heights_grad: Tensor, total: Tensor) -> None:
            pieces = chunks(part, K * (SPACE + 1))
            space = query.new_empty(SPACE + 1, pieces[0].stop - pieces[0].start, K)
            for rows in pieces:
                t = target[rows]
                here = space[:, : len(t)]
                own_vectors = table[t]
                own = (query[rows] * own_vectors).sum(1, keepdim=True) + bias[t].unsqueeze(1)
                if dtype == query.dtype:
                    others = torch.addmm(heights, query[rows], vectors.T, out=here[0])
                else:
                    others = torch.add(torch.mm(q_low[rows], v_low.T), heights, out=here[0])
                row, column = collisions(t, drawn)
                others[row, column] = NEVER
                loss, by_own, by_others = rule(own, others, facts._replace(space=here[1:]))
                alone = torch.bincount(row, minlength=len(t)) == K
                if bool(alone.any()):  # every draw is the target: there is nothing to compare with
                    for result in (loss, by_own, by_others):
                        result[alone] = 0
                if worth is not None:
                    u = worth[rows].unsqueeze(1)
                    loss, by_own, by_others = loss * u, by_own * u, by_others.mul_(u)
                total += loss.sum(dtype=torch.float64)
                own_grad[rows] = by_own
                low = by_others.to(dtype)
                torch.addcmul(torch.mm(low, v_low).to(query.dtype), by_own, own_vectors, out=query_grad[rows])
                if dtype == query.dtype:
                    vectors_grad.addmm_(low.T, q_low[rows])
                else:
                    vectors_grad += torch.mm(low.T, q_low[rows])
                heights_grad += by_others.sum(0)

        run([lambda part=part, sums=sums: compare(part, *sums) for part, sums in zip(wanted, kept, strict=True)])  # type: ignore[misc]
        vectors_grad, heights_grad, total = kept[0]
        for further in kept[1:]:
            vectors_grad += further[0]
            heights_grad += further[1]
            total = total + further[2]
        table_grad = torch.zeros_like(table).index_add_(0, target, own_grad * query).index_add_(0, drawn, vectors_grad)
        bias_grad = torch.zeros_like(bias).index_add_(0, target, own_grad.squeeze(1)).index_add_(0, drawn, heights_grad)
        ctx.save_for_backward(query_grad.div_(P), table_grad.div_(P), bias_grad.div_(P))
        return (total / P).to(query.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The kept gradients, scaled."""
        query_grad, table_grad, bias_grad = ctx.saved_tensors
        return query_grad * grads[0], table_grad * grads[0], bias_grad * grads[0], *[None] * 7


def collisions(target: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Where a drawn item is a row's own target: rows, and columns of the ascending `drawn`."""
    first = torch.searchsorted(drawn, target)
    counts = torch.searchsorted(drawn, target, right=True) - first
    row = torch.repeat_interleave(counts)
    within = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    return row, first[row] + within
