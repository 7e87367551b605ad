"""Each cell against an independent form of its equation, and against the rules for its file."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segue import by_hand
from segue.cells import CELLS, Cell, CellState, fold
from segue.cells.attention import Attention
from segue.cells.conv import Conv

ROOT = Path(__file__).parents[1]
B, D, H = 3, 4, 6
EXACT = {"atol": 1e-10, "rtol": 1e-10}
ASKED_FOR = ["elman", "gated", "lstm", "gru", "mingru", "rglru", "conv", "attention"]
LONGER = {"gru"}
"""Whose gradients are written out."""


def made(name: str, **options: Any) -> Any:
    """A cell in float64 with no weight at zero, which would hide its part."""
    torch.manual_seed(1)
    make: Any = CELLS[name]
    cell = make(D, H, **options).double()
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.6)
    return cell


def window(T: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(T)
    return torch.randn(T, B, D, dtype=torch.float64, requires_grad=True), torch.zeros(T, B, dtype=torch.bool)


def states(cell: Cell) -> CellState:
    return {name: torch.randn_like(part).requires_grad_() for name, part in cell.initial_state(B).items()}


def assert_same(found: Any, expected: Any) -> None:
    torch.testing.assert_close(found, expected, **EXACT)


def test_every_cell_that_was_asked_for_is_there() -> None:
    assert set(CELLS) >= set(ASKED_FOR)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_a_cell_is_one_short_file_with_its_equation_and_its_source(name: str) -> None:
    file = Path(inspect.getfile(CELLS[name]))
    assert file.stem == name
    assert len(re.findall(r"^class \w+\(Cell\)", text := file.read_text("utf-8"), re.M)) == 1
    assert name in LONGER or text.count("\n") < 80
    told = CELLS[name].__doc__ or ""
    assert re.search(r"^ {8}\w.* = .*\bx", told, re.M), "no equation"
    assert re.search(r"[A-Z]\w+ (et al\. |& [A-Z]\w+ )?(19|20)\d\d", told), "no source"


@pytest.mark.parametrize("name", ASKED_FOR)
def test_the_page_of_cells_has_the_equation_and_the_size_of_the_state_of_each(name: str) -> None:
    page = (ROOT / "docs" / "cells.md").read_text("utf-8")
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for equation in re.findall(r"^ {8}(\S.* = .*)$", CELLS[name].__doc__ or "", re.M):
        assert f"\n    {equation}\n" in section
    floats = sum(part.numel() for part in CELLS[name](128, 128).initial_state(1).values())
    assert re.search(rf"^\| `{name}` \| .*H \| {floats:,} \|", page, re.M)


@pytest.mark.parametrize("T", [1, 2, 7, 13])
def test_the_lstm_is_that_of_torch(T: int) -> None:
    cell, theirs = made("lstm"), nn.LSTM(D, H).double()
    i, f, o, n = (torch.arange(gate * H, (gate + 1) * H) for gate in range(4))
    order = torch.cat([i, f, n, o])
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(cell.w[order])
        theirs.weight_hh_l0.copy_(cell.u[order])
        theirs.bias_ih_l0.copy_(cell.b[order])
        theirs.bias_hh_l0.zero_()
    (x, none), state = window(T), states(cell)
    expected, (h, c) = theirs(x, (state["h"].unsqueeze(0), state["c"].unsqueeze(0)))
    found, last = cell.scan(x, none, state)
    assert_same((found, last["h"], last["c"]), (expected, h[0], c[0]))
    ours = gradients(found, [x, *state.values(), cell.w, cell.u, cell.b])
    others = gradients(expected, [x, *state.values(), theirs.weight_ih_l0, theirs.weight_hh_l0, theirs.bias_ih_l0])
    back = order.argsort()
    assert_same(ours, (*others[:3], *(one[back] for one in others[3:])))


@pytest.mark.parametrize("T", [1, 2, 7, 13])
def test_elman_s_cell_is_the_simple_one_of_torch(T: int) -> None:
    cell, theirs = made("elman"), nn.RNN(D, H).double()
    with torch.no_grad():
        for weight, ours in zip(theirs.parameters(), (cell.w, cell.u, cell.b, torch.zeros(H)), strict=True):
            weight.copy_(ours)
    (x, none), state = window(T), states(cell)
    expected, last = theirs(x, state["h"].unsqueeze(0))
    found, after = cell.scan(x, none, state)
    assert_same((found, after["h"]), (expected, last[0]))
    of = [*theirs.parameters()][:3]
    assert_same(gradients(found, [x, state["h"], cell.w, cell.u, cell.b]), gradients(expected, [x, state["h"], *of]))


def gradients(y: Tensor, of: list[Tensor]) -> tuple[Tensor, ...]:
    torch.manual_seed(9)
    return torch.autograd.grad((y * torch.randn(y.shape).double()).sum(), of)


def test_the_gated_cell_is_the_one_by_hand() -> None:
    cell = made("gated")
    w, u, b = (part.detach().numpy().reshape(4, H, *part.shape[1:]) for part in (cell.w, cell.u, cell.b))
    weights = by_hand.Weights(w, u, b, np.zeros((1, H)), np.zeros(1))
    (x, none), state = window(7), states(cell)
    trace = by_hand.forward(weights, x.detach().numpy(), state["h"].detach().numpy())
    found, last = cell.scan(x, none, state)
    assert_same((found, last["h"]), (torch.from_numpy(trace.y), torch.from_numpy(trace.h[-1])))
    assert list(state) == ["h"]


def test_the_gated_cell_is_no_lstm_from_the_second_step_on() -> None:
    gated, lstm = made("gated"), made("lstm")
    lstm.load_state_dict(gated.state_dict())
    x, none = window(7)
    ours, other = (cell.scan(x, none, cell.initial_state(B))[0] for cell in (gated, lstm))
    assert_same(ours[0], other[0])  # there is nothing yet that the gates could read
    assert ((ours[1:] - other[1:]).abs().amax(-1) > 1e-3).all()


def test_mingru_in_the_letters_of_its_paper() -> None:
    cell = made("mingru")
    (w_f, w_h), (b_f, b_h) = cell.w.chunk(2), cell.b.chunk(2)
    (x, none), state = window(7), states(cell)
    h = state["h"]
    for x_t, y_t in zip(x, cell.scan(x, none, state)[0], strict=True):
        z = torch.sigmoid(-(x_t @ w_f.T) - b_f)
        h = (1 - z) * h + z * (x_t @ w_h.T + b_h)
        assert_same(y_t, h)


def test_rglru_in_the_letters_of_its_paper() -> None:
    cell = made("rglru")
    (w_r, w_i, w), (b_r, b_i, b) = cell.w.chunk(3), cell.b.chunk(3)
    (x, none), state = window(7), states(cell)
    h, decay = state["h"], torch.sigmoid(-cell.l)
    for x_t, y_t in zip(x, cell.scan(x, none, state)[0], strict=True):
        a = decay ** (8 * torch.sigmoid(x_t @ w_r.T + b_r))
        h = a * h + (1 - a**2).sqrt() * (torch.sigmoid(x_t @ w_i.T + b_i) * (x_t @ w.T + b))
        assert_same(y_t, h)


@pytest.mark.parametrize("size", [1, 2, 4, 9])
def test_the_convolution_is_that_of_torch(size: int) -> None:
    cell = made("conv", size=size)
    x, none = window(7)
    padded = torch.cat([torch.zeros(size - 1, B, D).double(), x]).permute(1, 2, 0)
    expected = nn.functional.conv1d(padded, cell.w.flip(0).permute(1, 2, 0), cell.b).tanh().permute(2, 0, 1)
    assert_same(cell.scan(x, none, cell.initial_state(B))[0], expected)
    assert_same(fold(cell, x, none, cell.initial_state(B))[0], expected)


@pytest.mark.parametrize(("memory", "heads"), [(1, 1), (4, 2), (5, 6), (64, 3)])
def test_attention_is_that_of_torch_under_a_mask_of_ages_and_sessions(memory: int, heads: int) -> None:
    cell = made("attention", memory=memory, heads=heads)
    x, starts = window(13)[0], torch.rand(13, B) < 0.2
    session = starts.cumsum(0).T
    age = torch.arange(13).unsqueeze(1) - torch.arange(13)
    seen = (session.unsqueeze(2) == session.unsqueeze(1)) & (age >= 0) & (age < memory)
    mask = cell.bias[:, age.clamp(0, memory - 1)].masked_fill(~seen.unsqueeze(1), -torch.inf)
    q, k, v = (part.unflatten(-1, (heads, -1)).permute(1, 2, 0, 3) for part in (x @ cell.w.T).chunk(3, -1))
    heard = nn.functional.scaled_dot_product_attention(q, k, v, mask).permute(2, 0, 1, 3).flatten(2)
    expected = heard @ cell.out.weight.T + cell.out.bias
    assert_same(cell.scan(x, starts, cell.initial_state(B))[0], expected)
    assert_same(fold(cell, x, starts, cell.initial_state(B))[0], expected)


def test_attention_does_not_see_events_of_which_nothing_is_known() -> None:
    cell = made("attention")
    cell.bias.data.zero_()  # or the events before the unknown ones would look older
    x, none = window(7)
    known = torch.tensor([0, 3, 4, 6])
    with torch.no_grad():
        x[[1, 2, 5]] = 0.0
        for form in (type(cell).scan, fold):
            whole = form(cell, x, none, cell.initial_state(B))[0]
            assert_same(whole[known], form(cell, x[known], none[known], cell.initial_state(B))[0])
            first = form(cell, torch.zeros(2, B, D).double(), none[:2], cell.initial_state(B))[0]
            assert_same(first, cell.out.bias.expand(2, B, H))


def test_the_slopes_of_four_heads_are_those_of_alibi() -> None:
    bias = Attention(8, 8, memory=3).bias
    torch.testing.assert_close(-bias[:, 1], torch.tensor([1 / 4, 1 / 16, 1 / 64, 1 / 256]))
    torch.testing.assert_close(bias[:, 2], 2 * bias[:, 1])


def test_a_convolution_remembers_no_more_than_its_size() -> None:
    cell = Conv(D, H)
    x, none = torch.randn(9, B, D, requires_grad=True), torch.zeros(9, B, dtype=torch.bool)
    y, _ = cell.scan(x, none, cell.initial_state(B))
    seen = torch.autograd.grad(y[8].sum(), x)[0].flatten(1).any(1)
    assert seen.tolist() == [False] * 5 + [True] * 4
