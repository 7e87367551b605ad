"""Items that are told by content: the sum of two parts everywhere alike, and a place for what nobody has met."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import segue
from segue.artifact import content_of, load_artifact
from segue.config import TrainSettings
from segue.data.batches import windows
from segue.data.encoding import TableEncoder
from segue.data.events import log_of
from segue.data.sessions import lay_out
from segue.errors import TrainingError
from segue.models.base import Event, SessionRule
from segue.models.network import Network
from segue.rng import stream
from segue.training.axes import axes_of
from segue.training.trainer import Trainer

N, D, C = 30, 8, 5
EVENTS = 240


def network(*, content: int = C, cosine: float = 0.0, alone: float = 0.0) -> Network:
    torch.manual_seed(3)
    made = Network(N, rule=SessionRule(), width=D, dropout=0, embedding_dropout=0, content=content, cosine=cosine)
    if made.content is not None:
        rng = np.random.default_rng(5)
        table = {"a": rng.normal(size=N).tolist(), "b": [["x", "y", "z"][number % 3] for number in range(N)]}
        encoder = TableEncoder.fitted(table, ["auto"], axes=axes_of)
        made.content.read(encoder, encoder.encode(table, N), alone=alone)
        with torch.no_grad():
            made.content.projection.normal_(generator=torch.Generator().manual_seed(4))
            made.content.bias.fill_(0.7)
            made.bias.normal_(generator=torch.Generator().manual_seed(6))
    return made


def whole(parts: Network) -> Network:
    """The same without content: its table has the sums."""
    plain = network(content=0, cosine=parts.cosine)
    weights = {name: tensor for name, tensor in parts.state_dict().items() if not name.startswith("content.")}
    plain.load_state_dict(weights)
    with torch.no_grad():
        for parameter, sums in zip((plain.table, plain.bias), parts.items(), strict=True):
            parameter.copy_(sums)
    return plain


def sequences():
    rng = np.random.default_rng(9)
    users = [f"u{number % 12}" for number in range(EVENTS)]
    items = [f"i{number:02d}" for number in [*range(N), *rng.integers(0, N, EVENTS - N)]]
    return lay_out(log_of(users, items, list(range(EVENTS))), gap=None, at_session_start="reset")


def trainer(made: Network, loss: str) -> Trainer:
    laid = sequences()
    target = np.where(np.append(laid.starts[1:], True), -1, np.append(laid.item[1:], -1)).astype(np.int32)
    settings = TrainSettings(rows=4, window=10, loss=loss, negatives=12, clip=1e9, learning_rate=1e-12)
    return Trainer(made, laid, target, settings, seed=1)


@pytest.mark.parametrize("cosine", [0.0, 16.0])
def test_a_network_with_content_is_one_whose_rows_are_the_sums(cosine: float) -> None:
    parts = network(cosine=cosine).eval()
    plain = whole(parts).eval()
    events = Event(np.array([[1, 2], [3, -1]]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 2), bool))
    starts = np.array([[True, True], [False, False]])
    for settled in (False, True):
        if settled:
            parts.settle()
            plain.settle()
        found, state = parts.scan(events, starts, parts.initial_state(2))
        expected, _ = plain.scan(events, starts, plain.initial_state(2))
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_allclose(parts.score(parts.query(state)), plain.score(plain.query(state)), atol=1e-5)
        np.testing.assert_allclose(parts.item_vectors(), plain.item_vectors(), atol=1e-6)


def gradients(made: Network, loss: str) -> dict[str, torch.Tensor]:
    """Those of the first window."""
    one = trainer(made, loss)
    found = {}
    for name, rows in one.row_optimizers.items():
        table = torch.zeros_like(rows.table)
        rows.step = lambda at, gradient, _, table=table: table.index_add_(0, at, gradient)  # type: ignore[method-assign]
        found[name] = table
    one.begin_epoch()
    one.step(next(iter(windows(one.sequences, rows=4, window=10, rng=stream(1, "order")))), 0.5)
    return {name: one.grad for name, one in made.named_parameters() if one.grad is not None} | found


@pytest.mark.parametrize("cosine", [0.0, 16.0])
@pytest.mark.parametrize("loss", ["full", "sampled"])
def test_the_gradient_of_the_sums_goes_to_both_parts(loss: str, cosine: float) -> None:
    parts = network(cosine=cosine)
    expected, found = gradients(whole(parts), loss), gradients(parts, loss)
    assert expected["table"].abs().sum() > 0
    assert parts.content is not None
    sums = torch.cat([expected["table"], expected["bias"].unsqueeze(1)], dim=1)
    expected["content.projection"] = parts.content.numbers.T @ sums
    assert expected.keys() == found.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-3, msg=name)


def test_some_items_stand_by_their_content_alone_and_only_in_training() -> None:
    made = network(alone=0.4)
    assert made.content is not None
    by_content, biases = made.content.alone_rows(made.content.numbers)
    shares = []
    for _ in range(50):
        vectors, bias = made.train().items()
        alone = (vectors == by_content).all(dim=1)
        assert torch.equal(bias == biases, alone)
        shares.append(float(alone.float().mean()))
    assert np.mean(shares) == pytest.approx(0.4, abs=0.05)
    assert len(set(shares)) > 1
    assert not (made.eval().items()[0] == by_content).all(dim=1).any()


@pytest.mark.parametrize("cosine", [0.0, 16.0])
def test_the_parts_come_back_before_training_goes_on(cosine: float) -> None:
    made = network(cosine=cosine)
    own = made.table.detach().clone(), made.bias.detach().clone()
    vectors, bias = made.directed(made.items()[0]).detach(), made.items()[1].detach()
    for _ in range(2):  # once settled nothing is added again
        made.settle()
        torch.testing.assert_close(made.table.detach(), vectors)
        torch.testing.assert_close(made.bias.detach(), bias)
    made.unsettle()
    assert torch.equal(made.table.detach(), own[0])
    assert torch.equal(made.bias.detach(), own[1])


@pytest.fixture(scope="module")
def shop() -> tuple[list[dict], list[dict]]:
    """People stay in one kind of thing; titles tell the kind."""
    rng = np.random.default_rng(2)
    kinds = ["mug", "lamp", "chair", "shirt"]
    items = [{"item_id": f"i{n}", "title": f"{kinds[n % 4]} number {n}", "price": 1 + n % 7} for n in range(80)]
    log = []
    for user in range(120):
        kind, time = int(rng.integers(4)), 1e9 + 1000 * user
        log += [
            {"user_id": f"u{user}", "item_id": f"i{4 * int(rng.integers(20)) + kind}", "timestamp": time + number}
            for number in range(12)
        ]
    return log, items


@pytest.fixture(scope="module")
def trained(shop, tmp_path_factory):
    pl = pytest.importorskip("polars")
    log, items = shop
    plain = {"train.loss": "full", "model.block": "plain", "model.cosine": 0.0}
    settings = {"train.epochs": 20, "model.width": 16, **plain}
    made = segue.fit(pl.DataFrame(log), items=pl.DataFrame(items), settings=settings)
    folder = tmp_path_factory.mktemp("content") / "model"
    made.save(folder)
    return made, folder


def test_a_trained_model_reads_the_items_table(trained) -> None:
    made, _ = trained
    network = made.bundle.model
    assert list(network.content.encoder.columns) == ["title", "price"]
    assert network.content.projection.detach().abs().max() > 0
    assert "numbers of content" in made.artifact.card
    assert any(note.startswith("content of items: `title` as text") for note in made.trained_report.notes)


def test_a_saved_model_has_its_parts_and_serves_without_them(trained) -> None:
    made, folder = trained
    full, light = load_artifact(folder), load_artifact(folder, light=True)
    network = made.bundle.model
    assert full.model.content.own is None  # read when it is wanted
    assert content_of(full) is full.model.content
    assert torch.equal(full.model.content.own_parts()[0], network.content.own_parts()[0])
    assert torch.equal(full.model.table, network.table)
    again = full.model.content.encoder.encode(made.artifact.catalog.columns, network.n_items)
    assert np.array_equal(again, network.content.numbers.numpy())
    assert not hasattr(light.model, "content")
    np.testing.assert_allclose(light.model.item_vectors(), network.item_vectors())
    full.model.unsettle()
    assert torch.equal(full.model.table, full.model.content.own_parts()[0])


def test_an_item_that_nobody_has_met_is_near_its_kind_by_content(trained) -> None:
    network = trained[0].bundle.model
    numbers = network.content.encoder.encode({"title": ["a new lamp", "another chair"], "price": [3, 4]}, 2)
    new = network.content.alone_rows(torch.from_numpy(numbers))[0].numpy()
    titles, table = trained[0].artifact.catalog.columns["title"], network.item_vectors()
    for vector, kind in zip(new, ("lamp", "chair"), strict=True):
        nearest = np.argsort(-(table @ vector) / np.linalg.norm(table, axis=1))[:10]
        assert sum(kind in titles[place] for place in nearest) >= 8


def test_a_model_without_its_parts_says_what_to_do() -> None:
    made = network()
    made.settle()
    made.content.own = None
    with pytest.raises(TrainingError, match="the items' own rows are not there"):
        made.unsettle()


def test_columns_are_chosen_and_none_is_a_choice(shop) -> None:
    pl = pytest.importorskip("polars")
    log, items = shop
    settings = {"train.epochs": 1, "model.width": 8, "train.refit": False, "model.block": "plain"}
    none = segue.fit(pl.DataFrame(log), items=pl.DataFrame(items), settings={**settings, "content.columns": []})
    assert none.bundle.model.content is None
    one = segue.fit(pl.DataFrame(log), items=pl.DataFrame(items), settings={**settings, "content.columns": ["price"]})
    assert list(one.bundle.model.content.encoder.columns) == ["price"]
    with pytest.raises(segue.SegueError, match=r"no column `titel` .did you mean `title`"):
        segue.fit(pl.DataFrame(log), items=pl.DataFrame(items), settings={**settings, "content.columns": ["titel"]})
