"""One step of training: what it reads, what it learns from, and how far it moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import asdict

from segue.config import ModelSettings, Settings, SplitSettings, TrainSettings
from segue.data.batches import Batch, windows
from segue.data.sessions import Sequences, lay_out
from segue.data.splits import TEST, split_log
from segue.data.synthetic import noisy_chain
from segue.data.targets import targets_of
from segue.errors import TrainingError
from segue.evaluation.phase import phase_of
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.training import trainer
from segue.training.loop import train_network
from segue.training.losses import LOSSES, Loss, Outputs
from segue.training.networks import Workshop, refit
from segue.training.rows import RowAdamW
from segue.training.schedule import grouped
from segue.training.trainer import Trainer

N = 12
SETTINGS = TrainSettings(epochs=2, rows=4, window=6, learning_rate=0.01, weight_decay=0.0, warmup=0.25, threads=1)


def sequences() -> Sequences:
    return lay_out(noisy_chain(10, 17, N, follow=0.8), gap=None, at_session_start="reset")


def network() -> Network:
    torch.manual_seed(1)
    return Network(N, rule=SessionRule(), width=6)


def learned(monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[int]:
    """The items that one epoch learned to predict, in ascending order."""
    found: list[int] = []
    plain = trainer.loss_of("full")

    def noting(outputs: Any) -> Any:
        found.extend(outputs.target.tolist())
        return plain(outputs)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "loss_of", lambda _: Loss(noting, samples=False))
        train_network(network(), sequences(), SETTINGS, seed=1, stop_after=1, **options)
    return sorted(found)


def test_an_epoch_learns_every_event_but_the_first_of_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    laid = sequences()
    assert learned(monkeypatch) == sorted(laid.item[~laid.opens].tolist())


def test_only_the_events_to_learn_are_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    laid = sequences()
    learn = np.random.default_rng(3).random(len(laid)) < 0.3
    assert learned(monkeypatch, learn=learn) == sorted(laid.item[learn & ~laid.opens].tolist())


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(TrainingError, match="nothing to learn from"):
        train_network(network(), sequences(), SETTINGS, seed=1, learn=np.zeros(170, bool))


def test_the_state_goes_on_from_window_to_window_and_every_epoch_begins_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    into, out = [], []
    plain = trainer.forward

    def noting(network: Any, sequences: Any, batch: Any, state: Any, *further: Any) -> Any:
        into.append(state[0]["h"].clone())
        y, after = plain(network, sequences, batch, state, *further)
        out.append(after[0]["h"].clone())
        assert not after[0]["h"].requires_grad, "gradients end with the window"
        return y, after

    monkeypatch.setattr(trainer, "forward", noting)
    train_network(network(), sequences(), SETTINGS, seed=1)
    windows_an_epoch = len(into) // 2
    assert windows_an_epoch > 3
    for number, state in enumerate(into):
        if number % windows_an_epoch == 0:
            assert not state.any()
        else:
            assert torch.equal(state, out[number - 1])
            assert state.any()


def made(**settings: Any) -> tuple[Trainer, Any]:
    """A trainer, and a window to learn from."""
    laid = sequences()
    merged = TrainSettings(**{name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__} | settings)
    target = np.where(np.append(laid.opens[1:], True), -1, np.roll(laid.item, -1)).astype(np.int32)
    one = Trainer(network(), laid, target, merged, seed=1)
    return one, next(iter(windows(laid, rows=4, window=6)))


@pytest.mark.parametrize("clip", [1e-3, 1e9])
def test_a_gradient_longer_than_the_clip_is_shortened_to_it_and_a_shorter_one_is_left(clip: float) -> None:
    one, batch = made(clip=clip)
    lengths = []

    def note(*_: Any) -> None:
        lengths.append(sum(float((p.grad**2).sum()) for p in one.network.parameters() if p.grad is not None) ** 0.5)

    one.optimizer.register_step_pre_hook(note)
    one.step(batch, 0.5)
    assert lengths == [pytest.approx(1e-3, rel=1e-3)] if clip < 1 else lengths[0] > 0.01


@pytest.mark.parametrize(("share", "part"), [(0.125, 0.5), (0.25, 1.0), (0.625, 0.51)])
def test_a_step_moves_by_the_rate_of_its_place_in_the_schedule(share: float, part: float) -> None:
    one, batch = made()
    before = one.network.bias.detach().clone()
    one.step(batch, share)
    # Adam's first step is the learning rate itself, in the direction of each gradient
    moved = (one.network.bias.detach() - before).abs()
    assert float(moved.max()) == pytest.approx(0.01 * part, rel=1e-3)


def test_the_schedule_is_that_of_all_epochs_also_for_one_that_stops_before(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    monkeypatch.setattr(Trainer, "step", lambda self, batch, share: shares.append(share))
    settings = TrainSettings(epochs=4, rows=4, window=6)
    train_network(network(), sequences(), settings, seed=1, stop_after=2)
    half = len(shares) // 2
    assert (shares[0], shares[half]) == (0, 0.25)
    assert np.all(np.diff(shares) > 0)
    assert shares[-1] < 0.5


def test_the_curve_has_the_mean_over_each_epochs_own_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, int]] = []
    plain = trainer.loss_of("full")

    def noting(outputs: Any) -> Any:
        value = plain(outputs)
        told.append((value.item(), len(outputs.target)))
        return value

    monkeypatch.setattr(trainer, "loss_of", lambda _: Loss(noting, samples=False))
    found = train_network(network(), sequences(), SETTINGS, seed=1)
    assert sum(count for _, count in told) == 2 * 160
    half = next(n for n in range(len(told)) if sum(count for _, count in told[:n]) == 160)
    expected = [sum(loss * count for loss, count in part) / 160 for part in (told[:half], told[half:])]
    assert [loss for loss, _ in found.curve] == pytest.approx(expected)


def test_what_is_learned_anew_stops_after_the_chosen_epoch() -> None:
    log = noisy_chain(20, 20, N, follow=0.8)
    phase = phase_of(log, split_log(log, SplitSettings()), SessionRule(), ask=TEST)
    shop = Workshop(Settings(train=SETTINGS, model=ModelSettings(width=6)), say=lambda _: None, show=lambda *_: None)
    found, trained = refit("gru", phase, SessionRule(), shop, passes=1, planned=2, stage="refit")
    assert (trained.epochs, len(trained.curve)) == (1, 1)
    torch.manual_seed(shop.settings.seed)
    expected = Network(len(phase.catalog), rule=SessionRule(), width=6)
    train_network(expected, phase.learned, SETTINGS, seed=shop.settings.seed, stop_after=1)
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), expected.parameters(), strict=True))


def test_matrices_decay_and_vectors_do_not() -> None:
    model = network()
    decayed, plain = grouped(list(model.parameters()), 0.3)
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    told = [sorted(names[id(parameter)] for parameter in group["params"]) for group in (decayed, plain)]  # type: ignore[attr-defined]
    assert told == [["stack.layers.0.u", "stack.layers.0.w", "table"], ["bias", "stack.layers.0.b", "stack.layers.0.c"]]


def steps(loss: str, rows: int = 4, **options: Any) -> tuple[Network, Trainer, Any]:
    """A trainer after one step."""
    model = Network(N, rule=SessionRule(), width=6, dropout=0.0, embedding_dropout=0.0)
    settings = TrainSettings(**{**asdict(SETTINGS), "rows": rows, "loss": loss, **options})
    laid = sequences()
    one = Trainer(model, laid, targets_of(laid), settings, seed=1)
    batch = next(windows(laid, rows=rows, window=6))
    return model, one, batch


@pytest.mark.parametrize("loss", [name for name, one in LOSSES.items() if one.samples])
def test_a_sampled_step_moves_the_rows_it_touched_and_no_others(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model, one, batch = steps(loss, negatives=2, sampling="uniform", weight_decay=0.1)
    touched: list[set[int]] = []
    plain = trainer.in_play

    def noting(network: Network, item: Any, target: Any, drawn: Any) -> Any:
        touched.append({*item[item >= 0].tolist(), *target.tolist(), *drawn.item.tolist()})
        return plain(network, item, target, drawn)

    monkeypatch.setattr(trainer, "in_play", noting)
    before = model.table.detach().clone()
    for place in (slice(0, 1), slice(1, 2)):  # a row or two of the window: few items
        one.step(Batch(batch.place[place], batch.starts[place]), 0.5)
    moved = set(torch.nonzero((model.table != before).any(1)).ravel().tolist())
    assert moved == touched[0] | touched[1]
    assert len(moved) < N


def test_the_gradients_of_the_rows_in_play_are_those_of_the_whole_table(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model, one, batch = steps("bpr-max", negatives=5, clip=1e9)
    got: dict[str, Any] = {}

    def keep(self: RowAdamW, rows: Any, gradient: Any, rate: float) -> None:
        got[str(gradient.ndim)] = (rows, gradient)

    monkeypatch.setattr(RowAdamW, "step", keep)
    state = torch.get_rng_state()
    wanted = np.where(batch.place >= 0, one.target[batch.place], -1).ravel()
    at = np.flatnonzero(wanted >= 0)
    target = torch.from_numpy(wanted[at].astype(np.int64))
    drawn = one.negatives.draw(5, torch.default_generator, target)
    y, _ = trainer.forward(model, one.sequences, batch, model.stack.initial_state(4))
    outputs = Outputs(y.view(-1, 6)[at], model.table, model.bias, target, drawn, N, one.settings)
    whole = torch.autograd.grad(LOSSES["bpr-max"](outputs), [model.table, model.bias])
    torch.set_rng_state(state)
    one.step(batch, 0.5)
    for dimension, expected in zip("21", whole, strict=True):
        rows, gradient = got[dimension]
        found = torch.zeros_like(expected)
        found[rows] = gradient
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_rows_that_every_step_touches_move_as_under_adamw() -> None:
    torch.manual_seed(3)
    mine, theirs = torch.randn(5, 4), torch.nn.Parameter(torch.empty(5, 4))
    theirs.data.copy_(mine)
    one, other = RowAdamW(mine, weight_decay=0.1), torch.optim.AdamW([theirs], lr=0.02, weight_decay=0.1)
    for _ in range(20):
        theirs.grad = torch.randn(5, 4)
        one.step(torch.arange(5), theirs.grad.clone(), 0.02)
        other.step()
    torch.testing.assert_close(mine, theirs.detach(), atol=1e-6, rtol=1e-5)


def test_a_row_sees_the_adam_of_its_own_gradients() -> None:
    """Row i is touched in every (i + 1)th step; beside it PyTorch's AdamW runs on that row alone."""
    torch.manual_seed(3)
    table = torch.randn(3, 4)
    alone = [torch.nn.Parameter(row.clone()) for row in table]
    others = [torch.optim.AdamW([row], lr=0.02, weight_decay=0.1) for row in alone]
    one = RowAdamW(table, weight_decay=0.1)
    for step in range(1, 13):
        rows = [i for i in range(3) if step % (i + 1) == 0]
        gradient = torch.randn(len(rows), 4)
        one.step(torch.tensor(rows), gradient, 0.02)
        for row, part in zip(rows, gradient, strict=True):
            alone[row].grad = part.clone()
            others[row].step()
    torch.testing.assert_close(table, torch.stack([row.detach() for row in alone]), atol=1e-6, rtol=1e-5)
