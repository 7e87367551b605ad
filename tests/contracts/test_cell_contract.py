"""What every registered cell must fulfil; a new file in `segue/cells` is tested with no edit here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segue.cells import CELLS, Cell, CellState, cell_of, fold, new_cell
from segue.cells.attention import Attention
from segue.cells.conv import Conv
from segue.cells.gru import GRU
from segue.errors import ConfigError

B, D, H = 4, 3, 5
EXACT = {"atol": 1e-10, "rtol": 1e-10}


class Leaky(Cell):
    """A cell as a user may write it: two parts of state of unlike shape, a learned initial state, no `scan`."""

    name = "leaky_of_the_test"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w, self.h0 = nn.Parameter(torch.empty(width, width_in)), nn.Parameter(torch.empty(width))

    def initial_state(self, batch_size: int) -> CellState:
        return {"h": self.h0.expand(batch_size, -1), "grid": self.w.new_zeros(batch_size, 2, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        h = torch.tanh(x @ self.w.T + 0.7 * state["h"] + 0.1 * state["grid"].sum(1))
        return h, {"h": h, "grid": 0.5 * state["grid"] + h.unsqueeze(1)}


REGISTERED_ITSELF = CELLS.pop("leaky_of_the_test", None) is Leaky
Make = Callable[[int, int], Cell]
MAKERS: dict[str, Make] = {
    **CELLS,
    Leaky.name: Leaky,
    "attention to 4 events": partial(Attention, memory=4),
    "attention of 5 heads to 3 events": partial(Attention, memory=3, heads=5),
    "conv of 2": partial(Conv, size=2),
    "conv of 7": partial(Conv, size=7),
}
EVERY = pytest.mark.parametrize("kind", [pytest.param(make, id=name) for name, make in MAKERS.items()])


def made(kind: Make, seed: int = 1) -> Cell:
    """A cell in float64 with no parameter at zero, which would hide its part in the equations."""
    torch.manual_seed(seed)
    cell = kind(D, H).double()
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.6)
    return cell


def inputs(cell: Cell, T: int, starts: str = "random") -> tuple[Tensor, Tensor, CellState]:
    torch.manual_seed(T)
    x = torch.randn(T, B, D, dtype=torch.float64, requires_grad=True)
    mask = {
        "none": torch.zeros(T, B, dtype=torch.bool),
        "all": torch.ones(T, B, dtype=torch.bool),
        "first": torch.arange(T).unsqueeze(1).expand(T, B) == 0,
        "random": torch.rand(T, B) < 0.3,
    }[starts]
    return x, mask, {name: torch.randn_like(part).requires_grad_() for name, part in cell.initial_state(B).items()}


def gradients(cell: Cell, y: Tensor, last: CellState, x: Tensor, state: CellState) -> list[Tensor]:
    """Of a sum with a weight of its own for every output and every number of the last state."""
    torch.manual_seed(99)
    # By shape: `randn_like` would fill a part that lies otherwise in memory in another order.
    weights = [torch.randn(part.shape, dtype=torch.float64) for part in [y, *last.values()]]
    total = sum(((p * w).sum() for p, w in zip([y, *last.values()], weights, strict=True)), torch.zeros(()).double())
    of = [x, *state.values(), *cell.parameters()]
    found = torch.autograd.grad(total, of, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for t, g in zip(of, found, strict=True)]


def assert_same(found: Any, expected: Any) -> None:
    torch.testing.assert_close(found, expected, **EXACT)


def test_a_subclass_registers_itself_and_is_found_by_its_name() -> None:
    assert REGISTERED_ITSELF
    for name, kind in CELLS.items():
        assert cell_of(name) is kind
    with pytest.raises(ConfigError, match=r"`gruu` is not a cell.*gru"):
        cell_of("gruu")


def test_a_cell_without_a_name_of_its_own_is_refused() -> None:
    before = dict(CELLS)
    with pytest.raises(ConfigError, match="Mine: `gru` is the cell GRU already"):
        type("Mine", (GRU,), {})
    with pytest.raises(ConfigError, match="Mine has no name"):
        type("Mine", (Cell,), {})
    assert before == CELLS


def test_a_cell_that_is_defined_anew_takes_the_place_of_its_older_self(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.cells.base.CELLS", known := dict(CELLS))
    first, second = (type("Mine", (GRU,), {"name": "mine"}) for _ in range(2))
    assert known["mine"] is second is not first


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (lambda x, _: x, r"cell `mine`: `step` gives a Tensor, expected the pair"),
        (lambda x, state: (x, state, x), r"cell `mine`: `step` gives 3 things, expected the pair"),
        (lambda x, state: (x, state["h"]), r"cell `mine`: the state of `step` is a Tensor, expected named tensors"),
        (lambda x, _: (x, {"h": 0.0}), r"cell `mine`: the state of `step` is a dict of `h`: float, expected named"),
        (
            lambda x, state: (x @ state["h"], state),
            r"cell `mine`: `step` fails for x of shape \(2, 5\): RuntimeError: mat1 and mat2",
        ),
        (lambda x, state: (x[:, :2], state), r"cell `mine`.*shape \(2, 2\), expected \(2, 5\)"),
        (lambda x, state: (x, {"c": state["h"]}), r"cell `mine`.*\{'h': \(2, 5\)\}.*\{'c': \(2, 5\)\}"),
        (lambda x, state: (x, {"h": state["h"][0]}), r"cell `mine`.*'h': \(5,\)\}; expected the same names and shapes"),
        (lambda x, state: (x, {"h": state["h"].add_(1)}), "cell `mine`: `step` changes `h` of the state in place"),
        (lambda x, state: (x.clone(), {"h": x.mul_(2)}), "cell `mine`: `step` changes x in place"),
        (lambda x, state: (x - x.mean(0), state), "cell `mine`: y of a row depends on the other rows"),
        (lambda x, state: (x, {"h": x.cumsum(0).flip(0)}), "cell `mine`: `h` of the state of a row depends"),
        (lambda x, state: (x, state.pop("h") and {}), "cell `mine`: `step` fails.*Boolean value of Tensor"),
        (lambda x, state: (x, {"h": state.pop("h")}), "cell `mine`: `step` changes `h` of the state in place"),
    ],
)
def test_a_cell_that_gives_something_else_is_refused_with_what_it_gave(
    step: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.cells.base.CELLS", {})
    parts = {"name": "mine", "initial_state": lambda _, rows: {"h": torch.zeros(rows, H)}}
    type("Mine", (Cell,), {**parts, "step": lambda _, x, state: (x, state)})
    assert new_cell("mine", H).width == H
    type("Mine", (Cell,), {**parts, "step": lambda _, x, state: step(x, state)})
    with pytest.raises(ConfigError, match=told):
        new_cell("mine", H)


def test_a_new_cell_learns_though_it_is_looked_at_without_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.cells.base.CELLS", {})

    class Dropped(Leaky):
        name = "dropped"

        def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
            return nn.functional.dropout(x, 0.5, self.training), state

    assert new_cell("dropped", H).training


@EVERY
@pytest.mark.parametrize("starts", ["none", "all", "first", "random"])
@pytest.mark.parametrize("T", [1, 2, 7, 13])
def test_scan_equals_fold_in_outputs_state_and_gradients(kind: Make, starts: str, T: int) -> None:
    cell = made(kind)
    x, mask, state = inputs(cell, T, starts)
    found, expected = cell.scan(x, mask, state), fold(cell, x, mask, state)
    assert found[0].shape == (T, B, H)
    assert_same(found, expected)
    assert_same(gradients(cell, *found, x, state), gradients(cell, *expected, x, state))


@EVERY
def test_fold_is_step_from_the_initial_state_where_a_row_starts(kind: Make) -> None:
    cell = made(kind)
    x, mask, state = inputs(cell, 7)
    y, last = fold(cell, x, mask, state)
    for b in range(B):
        own = {name: part[b : b + 1] for name, part in state.items()}
        for t in range(7):
            if mask[t, b]:
                own = cell.initial_state(1)
            out, own = cell.step(x[t, b : b + 1], own)
            assert_same(y[t, b : b + 1], out)
        assert_same({name: part[b : b + 1] for name, part in last.items()}, own)


@EVERY
def test_nothing_is_changed_in_place(kind: Make) -> None:
    cell = made(kind)
    x, mask, state = inputs(cell, 7)
    before = {name: part.detach().clone() for name, part in state.items()}
    x_before, mask_before = x.detach().clone(), mask.clone()
    with torch.no_grad():
        cell.step(x[0], state)
        _, last = cell.scan(x, mask, state)
        kept = {name: part.clone() for name, part in last.items()}
        cell.scan(x, mask, last)
    assert all(torch.equal(state[name], before[name]) for name in before)
    assert all(torch.equal(last[name], kept[name]) for name in kept)
    assert torch.equal(x, x_before)
    assert torch.equal(mask, mask_before)


@EVERY
@pytest.mark.parametrize("cut", range(1, 7))
def test_a_sequence_cut_anywhere_gives_the_same_outputs_and_gradients(kind: Make, cut: int) -> None:
    cell = made(kind)
    x, mask, state = inputs(cell, 7)
    whole, end = cell.scan(x, mask, state)
    left, carried = cell.scan(x[:cut], mask[:cut], state)
    right, last = cell.scan(x[cut:], mask[cut:], carried)
    both = torch.cat([left, right])
    assert_same((both, last), (whole, end))
    assert_same(gradients(cell, both, last, x, state), gradients(cell, whole, end, x, state))


@EVERY
def test_rows_do_not_leak_into_each_other(kind: Make) -> None:
    cell = made(kind)
    x, mask, state = inputs(cell, 7, "none")
    y, _ = cell.scan(x, mask, state)
    found = torch.autograd.grad(y[:, 1].sum(), [x, *state.values()])
    for gradient, axis in zip(found, [1, *[0] * len(state)], strict=True):
        of_row = gradient.abs().movedim(axis, 0).flatten(1).sum(1)
        assert of_row[1] > 0
        assert not of_row[[0, 2, 3]].any()
    other = x.detach().clone()
    other[:, [0, 2, 3]] = 5.0
    assert_same(cell.scan(other, mask, state)[0][:, 1], y[:, 1])


@EVERY
def test_a_start_erases_everything_before_it(kind: Make) -> None:
    cell = made(kind)
    x, mask, state = inputs(cell, 7, "none")
    mask[3, 2] = True
    y, last = cell.scan(x, mask, state)
    after = y[3:, 2].sum() + sum(part[2].sum() for part in last.values())
    to_x, *to_state = torch.autograd.grad(after, [x, *state.values()])
    assert not to_x[:3].any()
    assert (to_x[3:, 2] != 0).any(1).all()
    assert not any(gradient.any() for gradient in to_state)
    alone, _ = cell.scan(x[3:, 2:3], torch.zeros(4, 1, dtype=torch.bool), cell.initial_state(1))
    assert_same(y[3:, 2:3], alone)


@EVERY
def test_scan_has_the_gradients_of_finite_differences(kind: Make) -> None:
    cell = made(kind)
    x, mask, state = inputs(cell, 4)
    parts = len(state)

    def outputs(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        y, last = cell.scan(x, mask, dict(zip(state, rest[:parts], strict=True)))
        return y, *last.values()

    of = (x, *state.values(), *cell.parameters())
    # A large state along one drawn direction: number by number it would take seconds.
    assert torch.autograd.gradcheck(outputs, of, fast_mode=sum(part.numel() for part in of) > 1000)


@pytest.mark.parametrize("T", [1, 2, 7, 13])
def test_the_gru_is_that_of_torch_in_outputs_and_gradients(T: int) -> None:
    cell = made(GRU)
    theirs, one = nn.GRU(D, H).double(), nn.GRUCell(D, H).double()
    ours = [cell.w, cell.u, cell.b, cell.c]
    with torch.no_grad():
        for name, weight in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), ours, strict=True):
            getattr(theirs, f"{name}_l0").copy_(weight)
            getattr(one, name).copy_(weight)
    x, mask, state = inputs(cell, T, "none")
    h = state["h"]
    expected, last = theirs(x, h.unsqueeze(0))
    assert_same(cell.step(x[0], state)[0], one(x[0], h))
    y, after = cell.scan(x, mask, state)
    assert_same((y, after["h"]), (expected, last[0]))
    upstream = torch.randn_like(y)
    of_theirs = torch.autograd.grad((expected * upstream).sum(), [x, h, *theirs.parameters()])
    assert_same(torch.autograd.grad((y * upstream).sum(), [x, h, *ours]), of_theirs)
