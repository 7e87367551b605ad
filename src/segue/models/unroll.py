"""A stack of layers along time, the rows of a batch shared among threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from segue.cells import CellState
from segue.cells.dense import precision, products_in
from segue.cells.dropout import drawing_from
from segue.cells.parallel import parts, run, workers

Stack = Callable[[Tensor, Tensor, list[CellState]], tuple[Tensor, list[CellState]]]
"""What can be unrolled: x (T, B, D), starts (T, B) and the states before, to y (T, B, D) and the states after."""


def unrolled(
    stack: Stack, x: Tensor, starts: Tensor, state: list[CellState], weights: Sequence[Tensor]
) -> tuple[Tensor, list[CellState]]:
    """`stack(x, starts, state)`, with as many rows on each thread; states carry no gradient.

    Rows never meet inside the stack: each thread does its own from the first layer to the last, forward and backward,
    and the gradients of the weights are added up at the end, in a fixed order. One thread, or a GPU: the plain call.

    Args:
        stack: the layers.
        x: (T, B, D).
        starts: (T, B).
        state: of each layer; B rows.
        weights: what the stack learns.
    """
    if workers() == 1 or x.device.type != "cpu" or x.shape[1] == 1:
        return stack(x, starts, state)
    after: list[list[CellState]] = []
    y: Tensor = _Parted.apply(stack, starts, state, after, x, *weights)  # type: ignore[no-untyped-call]
    whole = [
        {name: torch.cat([part[layer][name] for part in after]) for name in state[layer]} for layer in range(len(state))
    ]
    return y, whole


class _Parted(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, stack: Stack, starts: Tensor, state: list[CellState], after: list[Any], x: Tensor, *weights: Tensor
    ) -> Tensor:
        rows, grad, dtype = parts(x.shape[1]), any(ctx.needs_input_grad), precision()
        seeds = torch.randint(2**62, (len(rows),)).tolist()
        x_of: list[Tensor] = [x.new_empty(0)] * len(rows)
        y_of = list(x_of)
        after.extend([[]] * len(rows))

        def part(number: int) -> None:
            of = rows[number]
            x_of[number] = x[:, of].detach().requires_grad_(grad)
            own = [{name: kept[of] for name, kept in layer.items()} for layer in state]
            with torch.set_grad_enabled(grad), drawing_from(seeds[number]), products_in(dtype):
                y_of[number], last = stack(x_of[number], starts[:, of], own)
            after[number] = [{name: kept.detach() for name, kept in layer.items()} for layer in last]

        run([lambda number=number: part(number) for number in range(len(rows))])  # type: ignore[misc]
        ctx.x_of, ctx.y_of, ctx.weights = x_of, y_of, weights
        return torch.cat([y.detach() for y in y_of], 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        rows = parts(dy.shape[1])
        found: list[tuple[Tensor | None, ...]] = [()] * len(rows)

        def part(number: int) -> None:
            of = [ctx.x_of[number], *ctx.weights]
            with torch.enable_grad():
                found[number] = torch.autograd.grad(ctx.y_of[number], of, dy[:, rows[number]], allow_unused=True)

        run([lambda number=number: part(number) for number in range(len(rows))])  # type: ignore[misc]
        ctx.y_of = None  # the graphs of the parts are no longer needed
        dx = torch.cat([one[0] for one in found], 1)  # type: ignore[misc]
        of_weights = [[one for one in column if one is not None] for column in list(zip(*found, strict=True))[1:]]
        return (None,) * 4 + (dx, *(sum(column[1:], column[0]) if column else None for column in of_weights))
