"""Every registered loss learns: on a chain whose best score is known, and whatever way negatives are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.config import TrainSettings
from segue.data.sessions import lay_out
from segue.data.synthetic import noisy_chain
from segue.evaluation.replay import replay
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.training.loop import train_network
from segue.training.losses import LOSSES
from segue.training.trainer import Trainer

N, FOLLOW = 30, 0.8


def hits(loss: str, **options: object) -> float:
    """The share of next items that come first, of those seen in training: at best FOLLOW and a little."""
    laid = lay_out(noisy_chain(60, 30, N, follow=FOLLOW), gap=None, at_session_start="reset")
    settings = TrainSettings(
        loss=loss,
        epochs=12,
        rows=8,
        window=16,
        negatives=64,
        learning_rate=0.01,
        threads=1,
        **options,  # type: ignore[arg-type]
    )
    torch.manual_seed(1)
    network = Network(N, rule=SessionRule(), width=16)
    train_network(network, laid, settings, seed=1)
    found = replay(network, laid, np.ones(len(laid), bool), exclude="none", k=1)
    return float((found.rank == 1).mean())


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_reaches_nine_tenths_of_the_best_score(loss: str) -> None:
    assert hits(loss) > 0.9 * FOLLOW


@pytest.mark.parametrize("way", ["uniform", "popularity", "in-batch"])
def test_the_sampled_softmax_learns_from_every_way_of_drawing(way: str) -> None:
    assert hits("sampled", sampling=way) > 0.9 * FOLLOW


def test_scores_begin_where_a_loss_wants_them_unless_they_have_learned() -> None:
    laid = lay_out(noisy_chain(6, 5, N, follow=FOLLOW), gap=None, at_session_start="reset")
    for name, loss in LOSSES.items():
        settings = TrainSettings(loss=name, negatives=64)
        network = Network(N, rule=SessionRule(), width=4)
        Trainer(network, laid, np.zeros(len(laid), np.int32), settings, seed=1)
        begun = 0.0 if loss.base is None else loss.base(N, settings)
        assert network.bias.tolist() == pytest.approx([begun] * N)
        network.bias.detach().fill_(0.5)
        Trainer(network, laid, np.zeros(len(laid), np.int32), settings, seed=1)
        assert network.bias.tolist() == [0.5] * N
