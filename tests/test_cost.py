"""What a model costs, counted by hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from segue.data.sessions import lay_out
from segue.data.synthetic import noisy_chain
from segue.evaluation import cost
from segue.evaluation.cost import cost_of, peak_memory
from segue.models.base import SessionRule
from segue.models.build import kind_of
from segue.models.network import Network


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.01)


def test_a_gru_has_the_weights_and_the_state_that_one_counts_by_hand() -> None:
    items, width = 11, 6
    torch.manual_seed(1)
    found = cost_of(Network(items, rule=SessionRule(), width=width).eval(), events_per_s=1234.6, peak_memory_mb=98.76)
    # the item table and its biases; three gates from the input, three from the state, with their biases
    gates = sum(p.numel() for p in torch.nn.GRU(width, width).parameters())
    assert gates == 2 * 3 * width * width + 2 * 3 * width
    assert found.parameters in (items * width + items + gates, items * width + items + gates - 2 * width)
    assert 0 < found.step_us <= found.step_p90_us
    assert (found.events_per_s, found.peak_memory_mb) == (1235, 98.8)


def test_popularity_is_one_number_an_item_and_a_user_is_one_time() -> None:
    laid = lay_out(noisy_chain(4, 10, 6, follow=0.8), gap=None, at_session_start="reset")
    found = cost_of(kind_of("popularity")(6, rule=SessionRule()).fit(laid))
    assert (found.parameters, found.state_bytes) == (6, 8)
    assert (found.events_per_s, found.peak_memory_mb) == (None, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process set its peak back")
def test_the_peak_of_memory_is_that_of_the_time_watched() -> None:
    with peak_memory() as before:
        pass
    with peak_memory() as large:
        np.ones(25_000_000).sum()
    with peak_memory() as after:
        pass
    if before.megabytes is None or large.megabytes is None or after.megabytes is None:
        pytest.skip("the system does not tell")
    assert large.megabytes - before.megabytes == pytest.approx(200, rel=0.1)
    assert large.megabytes - after.megabytes > 100
