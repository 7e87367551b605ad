"""The network against its equations written out in numpy, and the parts of it that only training uses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import segue
from segue.cells.dropout import dropout
from segue.models.base import Event, SessionRule, fold
from segue.models.build import cell_names
from segue.models.network import Network
from segue.models.pauses import pause_sizes

N, D, T, B = 7, 5, 9, 3
RESET, MARK = SessionRule(60.0, "reset"), SessionRule(60.0, "mark")
EVERY_CELL = pytest.mark.parametrize("cell", cell_names())


def network(rule: SessionRule = RESET, **settings: Any) -> Network:
    """A small network with no weight at zero, which would hide its part."""
    torch.manual_seed(5)
    model = Network(N, rule=rule, width=D, **settings).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.6)
    return model


def events(rule: SessionRule) -> tuple[Event, Any]:
    rng = np.random.default_rng(2)
    pause = rng.choice([0.0, 1.0, 3.0, 60.0, 61.0, 1e6], (T, B))
    opens = pause > 60
    opens[0] = True
    starts = opens if rule.resets else np.arange(T)[:, None] + np.zeros(B) == 0
    return Event(rng.integers(-1, N, (T, B)).astype(np.int32), 1e9 + pause.cumsum(0), opens), starts


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def written_out(model: Network, events: Event, starts: Any) -> Any:
    """(T, B, N) scores of a GRU network by its equations, a row and an event at a time, in float64."""
    p = {name: array.astype(np.float64) for name, array in model.arrays().items()}
    scores = np.empty((T, B, N))
    for b in range(B):
        h = [np.zeros(D) for _ in range(model.layers)]
        for t in range(T):
            item = events.item[t, b]
            x = p["table"][item] if item >= 0 else np.zeros(D)
            if model.rule.at_session_start == "mark" and events.opens[t, b]:
                x = x + p["boundary"]
            if starts[t, b]:
                h = [np.zeros(D) for _ in range(model.layers)]
            if model.time_gap:
                # 0 for none known; a pause of 0 s is size 1, 1 s size 2, up to 3 s size 3, up to 7 s size 4, ...
                pause = None if starts[t, b] else events.time[t, b] - events.time[t - 1, b]
                x = x + p["pause"][0 if pause is None else 1 + int(np.ceil(np.log2(pause + 1)))]
            for layer in range(model.layers):
                w, u, bias, c = (p[f"stack.layers.{layer}.{name}"] for name in "wubc")
                of_x, of_h = w @ x + bias, u @ h[layer] + c
                r, z = sigmoid(of_x[:D] + of_h[:D]), sigmoid(of_x[D : 2 * D] + of_h[D : 2 * D])
                n = np.tanh(of_x[2 * D :] + r * of_h[2 * D :])
                h[layer] = x = (1 - z) * n + z * h[layer]
            scores[t, b] = p["table"] @ x + p["bias"]
    return scores


@pytest.mark.parametrize("rule", [RESET, MARK], ids=["reset", "mark"])
@pytest.mark.parametrize("settings", [{}, {"time_gap": True}, {"layers": 2, "time_gap": True}], ids=str)
def test_scores_are_those_of_the_equations(rule: SessionRule, settings: dict[str, Any]) -> None:
    model = network(rule, **settings)
    happened, starts = events(rule)
    queries, _ = model.scan(happened, starts, model.initial_state(B))
    found = model.score(queries.reshape(T * B, D)).reshape(T, B, N)
    np.testing.assert_allclose(found, written_out(model, happened, starts), atol=1e-5)


def test_sizes_of_pauses_by_hand() -> None:
    seconds = [np.nan, -5.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 1e30]
    assert pause_sizes(np.array(seconds)).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 39]


def test_before_the_first_event_the_bias_ranks_alone() -> None:
    model = network()
    scores = model.score(model.query(model.initial_state(2)))
    np.testing.assert_array_equal(scores, np.tile(model.arrays()["bias"], (2, 1)))


@EVERY_CELL
@pytest.mark.parametrize("rule", [RESET, MARK], ids=["reset", "mark"])
def test_with_every_cell_scan_equals_fold(cell: str, rule: SessionRule) -> None:
    model = network(rule, cell=cell, layers=2, time_gap=True)
    happened, starts = events(rule)
    found, last = model.scan(happened, starts, model.initial_state(B))
    expected, state = fold(model, happened, starts, model.initial_state(B))
    np.testing.assert_allclose(found, expected, atol=5e-6)
    assert last.keys() == state.keys()
    for name in state:
        np.testing.assert_allclose(last[name], state[name], atol=5e-6)


@EVERY_CELL
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_training_drops_a_share_of_inputs_and_outputs_and_scales_the_rest(cell: str, share: float) -> None:
    model = network(cell=cell, dropout=share, embedding_dropout=share)
    item = torch.arange(4000).view(400, 10) % N
    opens, starts = torch.zeros(400, 10, dtype=torch.bool), torch.ones(400, 10, dtype=torch.bool)
    plain = model.inputs(item, None, opens)
    # every event starts anew, so outputs of a single layer depend on their own inputs alone
    whole, _ = model.unroll(plain, starts, model.stack.initial_state(10))
    model.train()
    dropped_in = model.inputs(item, None, opens)
    dropped_out, _ = model.unroll(plain, starts, model.stack.initial_state(10))
    for found, expected in ((dropped_in, plain), (dropped_out, whole)):
        gone = found == 0
        # 20,000 numbers: five standard deviations of the share are 0.015
        assert float(gone.float().mean()) == pytest.approx(share, abs=0.015)
        torch.testing.assert_close(found[~gone], expected[~gone] / (1 - share))


def test_a_file_dropped_into_the_folder_of_cells_is_a_model_by_its_name(tmp_path: Path) -> None:
    package = tmp_path / "segue"
    shutil.copytree(Path(segue.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "cells" / "leaky.py").write_text(
        "import torch\n"
        "from segue.cells.base import Cell\n\n\n"
        "class Leaky(Cell):\n"
        "    name = 'leaky'\n\n"
        "    def initial_state(self, batch_size):\n"
        "        return {'h': torch.zeros(batch_size, self.width)}\n\n"
        "    def step(self, x, state):\n"
        "        h = torch.tanh(x + state['h'] / 2)\n"
        "        return h, {'h': h}\n"
    )
    script = (
        "from segue.models.build import model_names; from segue.models.network import Network\n"
        "from segue.models.base import SessionRule\n"
        "assert 'leaky' in model_names()\n"
        "model = Network(3, rule=SessionRule(), cell='leaky', width=2)\n"
        "print(model.stack.layers[0].name, sorted(model.initial_state(1)))"
    )
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.stdout == "leaky ['cell0.h', 'output', 'time']\n", done.stderr


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_dropout_zeroes_its_share_and_keeps_the_mean(share: float) -> None:
    torch.manual_seed(1)
    x = torch.ones(7, 301, 101, dtype=torch.float64, requires_grad=True)
    found = dropout(x, share, training=True)
    assert found.unique().tolist() == pytest.approx([0, 1 / (1 - share)])
    # five standard deviations of a share of 212,807 draws
    assert float((found == 0).double().mean()) == pytest.approx(share, abs=5 * (share * (1 - share) / x.numel()) ** 0.5)
    (gradient,) = torch.autograd.grad(found.sum(), [x])
    assert torch.equal(gradient, found.detach())
    neighbours = (found.detach() == 0).double().flatten()
    assert abs(float(torch.corrcoef(torch.stack([neighbours[:-1], neighbours[1:]]))[0, 1])) < 0.011


def test_dropout_is_off_outside_of_training_and_follows_the_seed_within() -> None:
    x = torch.ones(50)
    assert dropout(x, 0.5, training=False) is x
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(dropout(x, 0.5, training=True))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
