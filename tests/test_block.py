"""Residual blocks, convolutions and the linear recurrence: every fast form equals its plain one, gradients included."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segue.cells import Cell, CellState, fold
from segue.cells.linear import back_in_pieces, back_in_steps, in_pieces, in_steps, linear_scan
from segue.cells.parallel import using
from segue.errors import ConfigError
from segue.models.base import SessionRule
from segue.models.block import Block
from segue.models.convolution import Convolution, Front
from segue.models.network import Network
from segue.models.unroll import unrolled

B, D = 4, 5
EXACT = {"atol": 1e-10, "rtol": 1e-10}
LAYERS: dict[str, Any] = {
    "block of mingru": lambda: Block("mingru", D, dropout=0.0, convolution=0, feed_forward=4),
    "block of gru with a convolution": lambda: Block("gru", D, dropout=0.0, convolution=3, feed_forward=4),
    "block of rglru with no feed-forward part": lambda: Block("rglru", D, dropout=0.0, convolution=4, feed_forward=0),
    "convolution": lambda: Convolution(D, 4),
    "convolution of the present alone": lambda: Convolution(D, 1),
    "front": lambda: Front(D, 3),
}
EVERY = pytest.mark.parametrize("name", LAYERS)


def made(name: str) -> Any:
    """A layer in float64 with no weight at zero, which would hide its part."""
    torch.manual_seed(1)
    layer = LAYERS[name]().double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.6)
    return layer


def inputs(layer: Any, T: int) -> tuple[Tensor, Tensor, CellState]:
    torch.manual_seed(T)
    x = torch.randn(T, B, D, dtype=torch.float64, requires_grad=True)
    return (
        x,
        torch.rand(T, B) < 0.3,
        {n: torch.randn_like(p).requires_grad_() for n, p in layer.initial_state(B).items()},
    )


def gradients(y: Tensor, last: CellState, of: list[Tensor]) -> tuple[Tensor, ...]:
    torch.manual_seed(9)
    total = sum(
        ((part * torch.randn(part.shape).double()).sum() for part in [y, *last.values()]), torch.zeros(()).double()
    )
    return torch.autograd.grad(total, of, allow_unused=True, materialize_grads=True)


@EVERY
@pytest.mark.parametrize("T", [1, 2, 7, 13])
def test_scan_equals_folded_step_in_outputs_states_and_gradients(name: str, T: int) -> None:
    layer = made(name)
    x, starts, state = inputs(layer, T)
    of = [x, *state.values(), *layer.parameters()]
    found, expected = layer.scan(x, starts, state), fold(layer, x, starts, state)
    torch.testing.assert_close(found, expected, **EXACT)
    torch.testing.assert_close(gradients(*found, of), gradients(*expected, of), **EXACT)


@EVERY
@pytest.mark.parametrize("cut", range(1, 7))
def test_a_window_cut_anywhere_gives_the_same_outputs_and_state(name: str, cut: int) -> None:
    layer = made(name)
    x, starts, state = inputs(layer, 7)
    whole, end = layer.scan(x, starts, state)
    left, carried = layer.scan(x[:cut], starts[:cut], state)
    right, last = layer.scan(x[cut:], starts[cut:], carried)
    torch.testing.assert_close((torch.cat([left, right]), last), (whole, end), **EXACT)


def test_the_convolutions_are_those_of_torch() -> None:
    x, none = torch.randn(9, B, D, dtype=torch.float64), torch.zeros(9, B, dtype=torch.bool)
    padded = torch.cat([torch.zeros(3, B, D).double(), x]).permute(1, 2, 0)
    conv = made("convolution")
    kernel = conv.w.flip(0).T.unsqueeze(1)
    expected = nn.functional.conv1d(padded, kernel, conv.b, groups=D).permute(2, 0, 1)
    torch.testing.assert_close(conv.scan(x, none, conv.initial_state(B))[0], expected, **EXACT)
    front = made("front")
    kernel = front.mix.weight.view(D, 3, D).flip(1).transpose(1, 2)
    expected = x + nn.functional.silu(nn.functional.conv1d(padded[..., 1:], kernel, front.mix.bias)).permute(2, 0, 1)
    torch.testing.assert_close(front.scan(x, none, front.initial_state(B))[0], expected, **EXACT)


@pytest.mark.parametrize("T", [1, 2, 3, 4, 7, 16, 17, 50])
def test_the_recurrence_in_pieces_is_the_recurrence_in_steps(T: int) -> None:
    torch.manual_seed(T)
    a, b, h = torch.rand(T, B, D).double(), torch.randn(T, B, D).double(), torch.randn(B, D).double()
    a[torch.rand(T, B) < 0.2] = 0.0
    torch.testing.assert_close(in_pieces(a, b, h), in_steps(a, b, h), **EXACT)


@pytest.mark.parametrize("form", [(in_steps, back_in_steps), (in_pieces, back_in_pieces)], ids=["steps", "pieces"])
def test_the_linear_scan_has_the_gradients_of_finite_differences(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.cells.linear.recurrence", form[0])
    monkeypatch.setattr("segue.cells.linear.back", form[1])
    torch.manual_seed(3)
    a, b, h = (torch.rand(shape).double().requires_grad_() for shape in ((5, 2, 3), (5, 2, 3), (2, 3)))
    assert torch.autograd.gradcheck(linear_scan, (a, b, h))


def test_a_feed_forward_part_is_there_unless_it_is_off() -> None:
    for width, times in ((1, 4.0), (8, 0.1), (64, 4.0)):
        hidden = Block("gru", width, dropout=0.0, convolution=0, feed_forward=times).ff_out
        assert hidden is not None
        assert hidden.in_features == {1: 8, 8: 8, 64: 168}[width]
    assert Block("gru", 64, dropout=0.0, convolution=0, feed_forward=0.0).ff_out is None


def test_a_cell_whose_state_has_the_name_of_the_convolution_s_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.cells.base.CELLS", {})

    class Mine(Cell):
        name = "mine"

        def initial_state(self, batch_size: int) -> CellState:
            return {"before": torch.zeros(batch_size, self.width)}

        def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
            return x + state["before"], {"before": x}

    Block("mine", D, dropout=0.0, convolution=0, feed_forward=0)
    with pytest.raises(ConfigError, match=r"cell `mine` has a state `before`.*rename it"):
        Block("mine", D, dropout=0.0, convolution=2, feed_forward=0)


def network(**settings: Any) -> Network:
    torch.manual_seed(3)
    made = Network(11, rule=SessionRule(), width=8, layers=2, **settings).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made


NETWORKS = {
    "plain": {"cell": "gru"},
    "residual": {"cell": "mingru", "block": "residual", "front": 3, "convolution": 2},
}


@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("rows", [2, 7])
@pytest.mark.parametrize("name", NETWORKS)
def test_rows_on_several_threads_give_the_same_outputs_states_and_gradients(name: str, rows: int, threads: int) -> None:
    model = network(**NETWORKS[name], dropout=0.0).train()
    x = torch.randn(6, rows, 8, dtype=torch.float64, requires_grad=True)
    starts, state = torch.rand(6, rows) < 0.3, model.stack.initial_state(rows)
    expected, last = model.stack.scan(x, starts, state)
    upstream = torch.randn_like(expected)
    of = [x, *model.stack.layers.parameters()]
    wanted = torch.autograd.grad((expected * upstream).sum(), of)
    with using(threads):
        found, after = model.unroll(x, starts, state)
        got = torch.autograd.grad((found * upstream).sum(), of)
    torch.testing.assert_close((found, after), (expected, last), **EXACT)
    torch.testing.assert_close(got, wanted, **EXACT)


def test_dropout_on_several_threads_is_decided_by_the_seed() -> None:
    model = network(**NETWORKS["residual"], dropout=0.5).train()
    x, starts = torch.randn(50, 6, 8, dtype=torch.float64), torch.zeros(50, 6, dtype=torch.bool)
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        with using(3):
            outputs.append(model.unroll(x, starts, model.stack.initial_state(6))[0].detach())
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    halves = outputs[0][:, :2], outputs[0][:, 2:4]
    assert not torch.equal(*halves)


def test_a_weight_that_no_part_uses_gets_no_gradient_and_costs_none() -> None:
    x = torch.randn(3, 4, 8, dtype=torch.float64, requires_grad=True)
    unused, scale = torch.ones(2, requires_grad=True), torch.ones(8, dtype=torch.float64, requires_grad=True)
    with using(2):
        y, _ = unrolled(lambda x, starts, state: (x * scale, state), x, torch.zeros(3, 4) > 0, [], [unused, scale])
        y.sum().backward()
    assert unused.grad is None
    torch.testing.assert_close(scale.grad, x.detach().sum((0, 1)))
