"""Products in the precision that is in force, in a stack of blocks as in one product."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segue.cells import CELLS, cell_of
from segue.cells.dense import dense, denses, lowered, precision, products_in
from segue.cells.parallel import using
from segue.models.base import SessionRule
from segue.models.network import Network

T, B, D = 12, 6, 16
HALF = torch.bfloat16


def test_outside_products_are_those_of_float32_and_of_float64() -> None:
    torch.manual_seed(1)
    x, w, b = torch.randn(5, 3), torch.randn(4, 3), torch.randn(4)
    assert precision() == torch.float32
    assert torch.equal(dense(x, w, b), x @ w.T + b)
    assert dense(x.double(), w.double()).dtype == torch.float64
    assert lowered(x) is x


def test_inside_what_goes_in_and_comes_out_is_rounded_and_the_sums_are_not() -> None:
    torch.manual_seed(1)
    x, w, b = torch.randn(50, 300), torch.randn(40, 300), torch.randn(40)
    with products_in(HALF):
        found = dense(x, w, b)
    assert found.dtype == HALF
    exact = x.to(HALF).double() @ w.to(HALF).double().T + b.to(HALF).double()
    assert ((found.double() - exact).abs() <= 2**-8 * exact.abs() + 1e-3).all(), "one rounding at the end"
    assert precision() == torch.float32


def test_it_holds_on_its_own_thread_alone_and_ends_with_an_error() -> None:
    seen: list[Any] = []
    with suppress(KeyError), products_in(HALF):
        thread = threading.Thread(target=lambda: seen.append(precision()))
        thread.start()
        thread.join()
        raise KeyError
    assert seen == [torch.float32]
    assert precision() == torch.float32


def test_several_products_are_the_parts_of_one_with_its_gradients() -> None:
    torch.manual_seed(2)
    x, w, b = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((7, 3), (10, 3), (10,)))
    one = dense(x, w, b)
    parts = denses(x, 2, w, b)
    torch.testing.assert_close(torch.cat(parts, -1), one)
    assert all(part.is_contiguous() for part in parts)
    weight = torch.randn_like(one)
    whole = torch.autograd.grad((one * weight).sum(), (x, w, b))
    apart = torch.autograd.grad((torch.cat(parts, -1) * weight).sum(), (x, w, b))
    torch.testing.assert_close(apart, whole)


def made(cell: str) -> Network:
    torch.manual_seed(3)
    network = Network(9, rule=SessionRule(), cell=cell, block="residual", width=D, layers=2, convolution=3, dropout=0.0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.3)
    return network.train()


def outputs(network: Network) -> tuple[Tensor, list[Tensor]]:
    """Outputs (T, B, D), and the gradients of a weighted sum of them."""
    torch.manual_seed(4)
    x, starts, weight = torch.randn(T, B, D), torch.rand(T, B) < 0.1, torch.randn(T, B, D)
    y, after = network.unroll(x, starts, network.stack.initial_state(B))
    assert all(part.dtype == torch.float32 for cell in after for part in cell.values()), (
        "what is carried is not rounded"
    )
    assert y.dtype == torch.float32
    weights = list(network.stack.layers.parameters())
    return y.detach(), list(torch.autograd.grad((y * weight).sum(), weights))


@pytest.mark.parametrize("name", sorted(CELLS))
def test_of_the_cells_alone_the_linear_recurrences_are_lowered(name: str) -> None:
    torch.manual_seed(5)
    cell = cell_of(name)(D, D)
    x, starts = torch.randn(T, B, D), torch.rand(T, B) < 0.1
    exact, _ = cell.scan(x, starts, cell.initial_state(B))
    with products_in(HALF):
        rounded, _ = cell.scan(x, starts, cell.initial_state(B))
    assert torch.equal(exact, rounded) == (name not in {"mingru", "rglru"})


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cell", ["mingru", "rglru", "gru", "lstm", "conv", "attention"])
def test_a_stack_in_bfloat16_is_that_of_float32_but_for_rounding(cell: str, threads: int) -> None:
    network = made(cell)
    exact, exact_gradients = outputs(network)
    with using(threads), products_in(HALF):
        rounded, gradients = outputs(network)
    assert not torch.equal(exact, rounded), "it was in force on every thread"
    assert not torch.equal(exact[:, 0], rounded[:, 0])
    assert not torch.equal(exact[:, -1], rounded[:, -1])
    assert ((rounded - exact).norm() / exact.norm()).item() < 0.03
    for one, other in zip(gradients, exact_gradients, strict=True):
        assert one.dtype == torch.float32
        assert ((one - other).norm() / other.norm()).item() < 0.1
