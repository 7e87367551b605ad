"""What every registered loss must fulfil, and the two that ship against independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from segue.cells.parallel import using
from segue.config import TrainSettings
from segue.errors import ConfigError
from segue.training.losses import LOSSES, Drawn, Outputs, full, loss_of
from segue.training.losses.comparison import collisions
from segue.training.negatives import Negatives

P, D, N = 7, 4, 12
COUNTS = np.array([50, 0, 3, 3, 20, 1, 1, 9, 0, 4, 2, 7])
SETTINGS = TrainSettings(score_penalty=0.3, calibration=0.6)
WAYS = ("uniform", "popularity", "mixed", "in-batch")
EVERY = pytest.mark.parametrize("name", LOSSES)
SAMPLED = pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.samples])
TARGET = torch.tensor([0, 4, 4, 11, 2, 7, 0])


def drawn_of(draws: int, seed: int = 8, way: str = "mixed") -> Drawn:
    negatives = Negatives(COUNTS, TrainSettings(sampling=way))  # type: ignore[arg-type]
    return negatives.draw(draws, torch.Generator().manual_seed(seed), TARGET)


def some(
    dtype: torch.dtype = torch.float64, *, scale: float = 1.0, draws: int = 10, rows: int = P, seed: int = 8
) -> Outputs:
    torch.manual_seed(4)
    query, table, bias = (
        (scale * torch.randn(shape, dtype=torch.float64)).to(dtype).requires_grad_() for shape in ((P, D), (N, D), (N,))
    )
    drawn = drawn_of(draws, seed)
    drawn = Drawn(drawn.item, drawn.log_probability.to(dtype))
    return Outputs(query[:rows], table, bias, TARGET[:rows], drawn, N, SETTINGS)


def leaves(outputs: Outputs) -> list[Tensor]:
    return [outputs.query, outputs.table, outputs.bias]


def plain(name: str, o: Outputs) -> Tensor:
    """Each loss as its paper writes it, over whole matrices, with PyTorch's own gradients."""
    scores = o.query @ o.table.T + o.bias
    if name == "full":
        return F.cross_entropy(scores, o.target)
    assert o.drawn is not None
    own, others = scores.gather(1, o.target.unsqueeze(1)), scores[:, o.drawn.item]
    same = o.target.unsqueeze(1) == o.drawn.item
    K = len(o.drawn.item)
    if name == "sampled":
        others = (others - o.drawn.log_probability - math.log(K)).masked_fill(same, -torch.inf)
        return (torch.cat([own, others], 1).logsumexp(1, keepdim=True) - own).mean()
    if name == "gbce":
        a = min(1.0, K / (N - 1))
        b = a * (o.settings.calibration * (1 - 1 / a) + 1 / a)
        against = torch.log(1 - torch.sigmoid(others)).masked_fill(same, 0.0)
        return (-(b * torch.sigmoid(own).log() + against.sum(1, keepdim=True)) / (K + 1)).mean()
    weight = torch.softmax(others.masked_fill(same, -torch.inf), 1)
    if name == "bpr-max":
        best = (weight * torch.sigmoid(own - others)).sum(1)
        return (-best.log() + o.settings.score_penalty * (weight * others**2).sum(1)).mean()
    assert name == "top1-max"
    return (weight * (torch.sigmoid(others - own) + torch.sigmoid(others**2))).sum(1).mean()


def test_a_loss_is_found_by_its_name() -> None:
    for name, loss in LOSSES.items():
        assert loss_of(name) is loss
    with pytest.raises(ConfigError, match=r"`ful` is not a loss.*full"):
        loss_of("ful")


@EVERY
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("chunk", [1, 40, 2**20])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_value_and_gradients_are_those_of_the_plain_form_whatever_the_chunk_and_the_threads(
    name: str, threads: int, chunk: int, dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full, "CHUNK", chunk)
    monkeypatch.setattr(full, "ROWS", (1, 3))
    outputs = some(dtype)
    with using(threads):
        found = LOSSES[name](outputs)
    expected = plain(name, outputs)
    torch.testing.assert_close(found, expected, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(
        torch.autograd.grad(3 * found, leaves(outputs)),
        torch.autograd.grad(3 * expected, leaves(outputs)),
        atol=tolerance,
        rtol=tolerance,
    )


@EVERY
def test_products_in_bfloat16_change_the_loss_and_the_gradients_by_what_they_round(name: str) -> None:
    """A product in bfloat16 keeps 8 bits of each factor: half a percent of the scores, and of what follows."""
    torch.manual_seed(2)
    rows, width, items = 200, 32, 500
    query, table, bias = (torch.randn(shape) for shape in ((rows, width), (items, width), (items,)))
    leaf = [tensor.mul_(0.3).requires_grad_() for tensor in (query, table, bias)]
    target = torch.randint(items, (rows,))
    negatives = Negatives(np.ones(items, np.int64), TrainSettings(sampling="uniform"))
    drawn = negatives.draw(300, torch.Generator().manual_seed(3), target)
    outputs = Outputs(query, table, bias, target, drawn, items, SETTINGS)
    found, expected = (LOSSES[name](outputs._replace(dtype=dtype)) for dtype in (torch.bfloat16, torch.float32))
    assert found.dtype == torch.float32
    assert float((found - expected).detach()) == pytest.approx(0, abs=0.01)
    for low, high in zip(torch.autograd.grad(found, leaf), torch.autograd.grad(expected, leaf), strict=True):
        assert low.dtype == torch.float32
        assert float((low - high).norm() / high.norm()) < 0.02
        assert float((low - high).norm()) > 0  # it did use them


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.0, 1.0, 10.0], ids=["zero", "usual", "in the hundreds"])
def test_value_and_gradients_are_finite(name: str, dtype: torch.dtype, scale: float) -> None:
    outputs = some(dtype, scale=scale)
    value = LOSSES[name](outputs)
    assert value.shape == ()
    assert value.dtype == dtype
    assert value > 0
    gradients = torch.autograd.grad(value, leaves(outputs))
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert gradients[2].any()


@EVERY
def test_the_loss_falls_as_the_score_of_the_target_rises(name: str) -> None:
    outputs = some(rows=1)
    values = []
    for rise in (0.0, 0.1, 1.0, 5.0):
        bias = outputs.bias.detach().clone()
        bias[outputs.target] += rise
        values.append(float(LOSSES[name](outputs._replace(bias=bias)).detach()))
    assert values == sorted(set(values), reverse=True)


@EVERY
def test_it_is_a_mean_over_the_rows(name: str) -> None:
    outputs = some()
    single = [
        LOSSES[name](outputs._replace(query=outputs.query[p : p + 1], target=outputs.target[p : p + 1]))
        for p in range(P)
    ]
    torch.testing.assert_close(LOSSES[name](outputs), torch.stack(single).mean(), atol=1e-12, rtol=0)


@EVERY
@pytest.mark.parametrize("threads", [1, 2])
def test_rows_count_by_their_worth_in_the_value_and_in_all_gradients(
    name: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full, "CHUNK", 40)
    monkeypatch.setattr(full, "ROWS", (1, 3))
    outputs, worth = some(), torch.tensor([0.0, 0.3, 1.0, 2.0, 1.0, 0.01, 2.69], dtype=torch.float64)
    with using(threads):
        found = LOSSES[name](outputs._replace(worth=worth))
        alike = LOSSES[name](outputs._replace(worth=torch.ones(P, dtype=torch.float64)))
    rows = [plain(name, outputs._replace(query=outputs.query[p : p + 1], target=TARGET[p : p + 1])) for p in range(P)]
    expected = (torch.stack(rows) * worth).mean()
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(alike, LOSSES[name](outputs), atol=1e-12, rtol=0)
    torch.testing.assert_close(
        torch.autograd.grad(found, leaves(outputs)),
        torch.autograd.grad(expected, leaves(outputs)),
        atol=1e-10,
        rtol=1e-10,
    )


def test_the_memory_of_full_does_not_grow_with_rows_times_items() -> None:
    outputs = some()
    value = LOSSES["full"](outputs)
    kept = value.grad_fn.saved_tensors  # type: ignore[union-attr]
    assert sorted(tuple(tensor.shape) for tensor in kept) == [(P, D), (N,), (N, D)]


@SAMPLED
def test_a_row_whose_draws_are_all_its_target_costs_nothing_and_moves_nothing(name: str) -> None:
    outputs = some(rows=1)._replace(drawn=Drawn(torch.tensor([0, 0]), torch.tensor([-1.0, -1.0])))
    value = LOSSES[name](outputs)
    assert float(value.detach()) == 0.0
    assert not any(gradient.any() for gradient in torch.autograd.grad(value, leaves(outputs)))


def test_collisions_are_found_wherever_an_item_was_drawn_more_than_once() -> None:
    drawn = torch.tensor([0, 2, 2, 2, 5])
    row, column = collisions(torch.tensor([5, 2, 1, 0]), drawn)
    assert list(zip(row.tolist(), column.tolist(), strict=True)) == [(0, 4), (1, 1), (1, 2), (1, 3), (3, 0)]


@pytest.mark.parametrize("way", ["uniform", "popularity", "mixed"])
def test_many_sampled_losses_average_to_the_full_one(way: str) -> None:
    """200 losses of 400 draws: within 0.02 (Jensen takes 0.01); without the correction the mean is 0.09 off."""
    outputs = some() if way != "popularity" else without_the_unseen(some())
    with torch.no_grad():
        expected = float(LOSSES["full"](outputs))
        found = np.mean(
            [float(LOSSES["sampled"](outputs._replace(drawn=drawn_of(400, seed, way)))) for seed in range(200)]
        )
    assert found == pytest.approx(expected, abs=0.02)


def without_the_unseen(outputs: Outputs) -> Outputs:
    """What never occurs is never drawn by popularity, and not in the sum that is estimated."""
    bias = outputs.bias.detach().clone()
    bias[torch.from_numpy(COUNTS == 0)] = -1e9
    return outputs._replace(bias=bias)


@pytest.mark.parametrize("counts", [COUNTS, np.zeros(N, np.int64)], ids=["some", "none"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_items_are_drawn_as_often_as_their_probability_says(counts: np.ndarray, way: str, power: float) -> None:
    negatives = Negatives(counts, TrainSettings(sampling=way, popularity_power=power))  # type: ignore[arg-type]
    draws = 200_000
    generator = torch.Generator().manual_seed(1)
    # in-batch draws from the targets at hand: these are distributed as the log is
    of = counts if counts.any() else np.ones(N, np.int64)
    target = torch.from_numpy(np.repeat(np.arange(N), of))
    drawn = negatives.draw(draws, generator, target)
    found = np.bincount(drawn.item.numpy(), minlength=N) / draws
    probability = np.exp(negatives.log_probability.numpy().astype(np.float64))
    assert probability.sum() == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(drawn.log_probability, negatives.log_probability[drawn.item])
    bent = np.where(counts > 0, counts.astype(float) ** (1.0 if way == "in-batch" else power), 0)
    share = bent / bent.sum() if counts.any() else np.full(N, 1 / N)
    part = {"uniform": 1.0, "mixed": 0.5}.get(way, 0.0)
    np.testing.assert_allclose(probability, part / N + (1 - part) * share, rtol=1e-6)
    # five standard deviations of a count of 200,000
    assert (np.abs(found - probability) <= 5 * np.sqrt(probability / draws)).all()


def test_in_batch_draws_come_from_the_targets_of_the_window() -> None:
    assert set(drawn_of(500, way="in-batch").item.tolist()) == {0, 2, 4, 7, 11}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_generator_state_draws_the_same_items_and_another_draws_others(way: str) -> None:
    first, again, other = (drawn_of(31, seed, way).item.tolist() for seed in (1, 1, 2))
    assert len(first) == 31
    assert first == again != other
    assert first == sorted(first)
