"""A cell by its name, and whether it gives what a cell must give: an own cell tells by its first step."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.cells.base import Cell, CellState, cell_of
from segue.errors import ConfigError

RAISED = (RuntimeError, TypeError, ValueError, AttributeError, KeyError, IndexError)


def new_cell(name: str, width: int) -> Cell:
    """A cell from D = `width` to as many. Raises ConfigError where it does not give what a cell must give."""
    cell = cell_of(name)(width, width)
    # Without dropout, which would make a row differ from itself.
    cell.eval()
    with torch.no_grad():
        try:
            check_step(cell, width)
        except ConfigError as error:
            raise ConfigError(f"the cell `{name}`: {error}") from error
    return cell.train()


def check_step(cell: Cell, width: int) -> None:
    """One step of two rows: types, shapes, nothing changed in place, each row for itself. Raises ConfigError."""
    x = torch.linspace(-1.0, 1.0, 2 * width).view(2, width)
    state = state_at_first(cell, 2)
    kept_x, kept = x.clone(), {part: tensor.clone() for part, tensor in state.items()}
    y, after = step_of(cell, x, state)
    if tuple(y.shape) != (2, width):
        raise ConfigError(
            f"for x of shape (2, {width}) `step` gives y of shape {tuple(y.shape)}, expected (2, {width}), (B, H)"
        )
    shapes = [{part: tuple(tensor.shape) for part, tensor in found.items()} for found in (kept, after)]
    if shapes[0] != shapes[1] or any(shape[:1] != (2,) for shape in shapes[0].values()):
        raise ConfigError(
            f"for two rows `initial_state` gives {shapes[0]} and `step` gives {shapes[1]}; expected "
            "the same names and shapes, rows first"
        )
    changed = [f"`{part}` of the state" for part, before in kept.items() if not same(state.get(part), before)]
    if changed or not same(x, kept_x):
        raise ConfigError(f"`step` changes {(changed or ['x'])[0]} in place, expected a new tensor: states are shared")
    alone, alone_after = step_of(cell, x[:1], state_at_first(cell, 1))
    pairs = {"y": (alone, y), **{f"`{part}` of the state": (alone_after[part], after[part]) for part in after}}
    for part, (by_itself, of_two) in pairs.items():
        if not same(by_itself, of_two[:1]):
            raise ConfigError(f"{part} of a row depends on the other rows, expected the same as for the row alone")


def state_at_first(cell: Cell, rows: int) -> CellState:
    """The initial state. Raises ConfigError where it is no named tensors."""
    try:
        state = cell.initial_state(rows)
    except RAISED as error:
        raise ConfigError(f"`initial_state` fails for {rows} rows: {type(error).__name__}: {error}") from error
    return named(state, "initial_state")


def step_of(cell: Cell, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
    """One step. Raises ConfigError where it fails or gives no pair (y, state)."""
    try:
        given = cell.step(x, state)
    except RAISED as error:
        raise ConfigError(f"`step` fails for x of shape {tuple(x.shape)}: {type(error).__name__}: {error}") from error
    if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Tensor)):
        raise ConfigError(f"`step` gives {described(given)}, expected the pair (y, state)")
    return given[0], named(given[1], "step")


def named(state: object, where: str) -> CellState:
    """The state, if it is named tensors. Raises ConfigError."""
    if isinstance(state, dict) and all(isinstance(part, Tensor) for part in state.values()):
        return state
    raise ConfigError(f"the state of `{where}` is {described(state)}, expected named tensors")


def same(found: Tensor | None, expected: Tensor) -> bool:
    """Whether two tensors are the same but for rounding: products of one row may be summed in another order."""
    return (
        found is not None
        and found.shape == expected.shape
        and torch.allclose(found, expected, 1e-3, 1e-4, equal_nan=True)
    )


def described(found: object) -> str:
    """What something is, in a message."""
    if isinstance(found, dict):
        found = ", ".join(f"`{name}`: {type(part).__name__}" for name, part in found.items())
        return f"a dict of {found or 'nothing'}"
    return f"{len(found)} things" if isinstance(found, tuple) else f"a {type(found).__name__}"
