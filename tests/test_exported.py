"""The step as an ONNX graph gives what PyTorch gives, for every cell; where it cannot be, that is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import step_graphs
from segue.cells import CELLS, Cell, CellState
from segue.errors import ArtifactError
from segue.models.base import Event, SessionRule, advance
from segue.models.build import restore
from segue.models.network import Network

N, B, T = 9, 4, 12
RESET, MARK = SessionRule(100.0, "reset"), SessionRule(100.0, "mark")
PLAIN: dict[str, Any] = {"layers": 2, "cosine": 8.0}
DEEP: dict[str, Any] = {"block": "residual", "layers": 2, "convolution": 3, "front": 2, "time_gap": True}


@pytest.fixture(scope="module", autouse=True)
def _the_exporter_itself() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segue.models.export.graph_of", step_graphs.real)
        yield


def made(cell: str, rule: SessionRule, **settings: Any) -> Network:
    torch.manual_seed(3)
    network = Network(N, rule=rule, cell=cell, **({"width": 8} | settings)).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    network.settle()
    return network


def assert_same_along(network: Network, rule: SessionRule) -> None:
    """States and scores after each of T events, sessions that open anywhere, unknown items among them."""
    twin = restore("network", N, rule, network.settings(), network.arrays(), network.exported())
    rng = np.random.default_rng(2)
    time, states = np.full(B, 1e9), [model.initial_state(B) for model in (network, twin)]
    for t in range(T):
        time = time + rng.choice([0.0, 7.0, 5000.0], B)
        opens = (rng.random(B) < 0.3) | (t == 0)
        event = Event(rng.integers(-1, N, B).astype(np.int32), time, opens)
        starts = opens if rule.resets else np.full(B, t == 0)
        states = [advance(model, event, starts, state) for model, state in zip((network, twin), states, strict=True)]
        assert states[0].keys() == states[1].keys()
        for name, expected in states[0].items():
            assert states[1][name].dtype == expected.dtype
            np.testing.assert_allclose(states[1][name], expected, atol=1e-5, rtol=1e-5, err_msg=name)
        scores = [model.score(model.query(state)) for model, state in zip((network, twin), states, strict=True)]
        np.testing.assert_allclose(scores[1], scores[0], atol=1e-5, rtol=1e-5)


def test_a_gru_without_torch_gives_the_same_states_and_scores() -> None:
    assert_same_along(made("gru", RESET, **PLAIN), RESET)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [name for name in CELLS if name != "gru"])
def test_every_cell_without_torch_gives_the_same_states_and_scores(cell: str) -> None:
    assert_same_along(made(cell, RESET, **PLAIN), RESET)


@pytest.mark.slow
@pytest.mark.parametrize("cell", list(CELLS))
def test_blocks_of_every_cell_do_so_with_pauses_and_marks(cell: str) -> None:
    assert_same_along(made(cell, MARK, **DEEP), MARK)


def test_the_same_weights_give_the_same_bytes_and_no_path_of_a_machine() -> None:
    graph = made("elman", RESET).exported()
    assert graph == made("elman", RESET).exported()
    assert b"site-packages" not in graph
    assert b".py" not in graph


def test_a_graph_that_other_tests_fill_with_weights_is_the_one_that_would_be_exported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, other = (made("lstm", MARK, time_gap=True) for _ in range(2))  # its weights are in the graph transposed
    for parameter in other.parameters():
        nn.init.normal_(parameter, std=0.1)
    expected = other.exported()
    assert step_graphs.graph_of(first) != expected
    monkeypatch.setattr(step_graphs, "real", None)
    assert step_graphs.graph_of(other) == expected


class Untraceable(Cell):
    """Asks its numbers what to do next, which a graph cannot."""

    name = "untraceable_of_the_test"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.zeros(width))

    def initial_state(self, batch_size: int) -> CellState:
        return {"h": self.w.new_zeros(batch_size, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        h = state["h"] + x if float(x.sum()) > 1e30 else x
        return h, {"h": h}


CELLS.pop(Untraceable.name)


def test_a_cell_that_cannot_be_exported_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CELLS, Untraceable.name, Untraceable)
    with pytest.raises(ArtifactError, match=r"step of `untraceable_of_the_test` cannot be exported to ONNX: \w+"):
        made(Untraceable.name, RESET).exported()


def test_a_graph_that_gives_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network, other = made("elman", RESET), made("elman", RESET)
    with torch.no_grad():
        other.stack.layers[0].get_parameter(next(name for name, _ in other.stack.layers[0].named_parameters())).add_(
            0.1
        )
    graph = other.exported()
    monkeypatch.setattr("segue.models.export.graph_of", lambda _: graph)
    with pytest.raises(ArtifactError, match=r"gives another `.*` than PyTorch"):
        network.exported()


def test_what_is_no_graph_is_said_to_be_none() -> None:
    network = made("elman", RESET)
    with pytest.raises(ArtifactError, match="the exported step cannot be run"):
        restore("network", N, RESET, network.settings(), network.arrays(), b"nothing")
