"""The core of a network starts another catalog: what it begins with, what stays when, and what it is worth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from msgspec import structs

from segue.artifact import Artifact
from segue.data.catalog import ItemTable
from segue.data.ids import Ids
from segue.errors import ConfigError, LogError, TrainingError
from segue.models.base import Model
from segue.models.mix import Mix
from segue.models.neighbours import Neighbours
from segue.models.network import Network
from segue.training.course import CORE
from segue.training.finetuning.finetune import Prepared, Wanted, finetune, prepare
from segue.training.finetuning.report import SCRATCH, TransferReport
from segue.training.finetuning.shares import drawing_of, part_of
from segue.training.finetuning.transfer import transfer_report
from segue.training.loop import train_network
from segue.training.networks import Workshop, begun
from transfer_shops import KINDS, OF_KIND, SETTINGS, items_of, large_shop, small_shop


@pytest.fixture(autouse=True)
def few_users_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shops of tests are small: what differences are is asked here, not whether their users are many."""
    monkeypatch.setattr("segue.metrics.intervals.FEWEST_TO_COMPARE", 5)


def prepared(source: Artifact | None = None, items: Any = None, same_items: bool = False, **settings: Any) -> Prepared:
    """With settings by dotted key, `__` for a dot."""
    own = {key.replace("__", "."): value for key, value in settings.items()}
    source = large_shop() if source is None else source
    return prepare(source, small_shop(), items=items, same_items=same_items, settings={**SETTINGS, **own})


def without_content() -> Artifact:
    return large_shop(items=False, layers=2)


def called(kind: str, model: Model) -> Artifact:
    artifact = large_shop()
    return structs.replace(artifact, model=model, facts=structs.replace(artifact.facts, kind=kind, name=kind))


def beginning_network(this: Prepared) -> Network:
    shop = Workshop(this.plan.settings, print, lambda *_: None, origin=this.beginning)
    return begun(this.plan.settings.model.cell, this.plan.choose, this.plan.rule, shop).eval()


def test_features_of_events_that_the_source_reads_and_the_new_model_does_not_are_named() -> None:
    artifact = large_shop()
    content = structs.replace(artifact.settings.content, events=("type", "channel:labels"))
    source = structs.replace(artifact, settings=structs.replace(artifact.settings, content=content))
    told = [note for note in prepared(source).plan.notes if "the source reads" in note]
    assert len(told) == 1
    assert told[0].startswith("the source reads `type`, `channel:labels` of its events, which this model does not")
    assert not any("the source reads" in note for note in prepared().plan.notes)


def test_the_core_is_that_of_the_source() -> None:
    made, source = beginning_network(prepared()), large_shop().model
    assert isinstance(source, Network)
    cores = [{n: p for n, p in one.state_dict().items() if n.startswith(CORE)} for one in (made, source)]
    assert cores[0].keys() == cores[1].keys() != set()
    assert all(torch.equal(tensor, cores[1][name]) for name, tensor in cores[0].items())
    assert made.n_items == KINDS * OF_KIND
    assert (made.width, made.cosine) == (source.width, source.cosine)


def test_items_begin_with_what_encoder_and_projection_of_the_source_say() -> None:
    this = prepared(items=items_of("small"))
    made, source = beginning_network(this), large_shop().model
    encoder = source.content.encoder
    numbers = encoder.encode(this.plan.choose.catalog.columns, made.n_items)
    expected = numbers @ source.content.projection.detach().numpy()[:, :-1]
    found = made.items()[0].detach().numpy()
    own = source.content.own_parts()[0].std().item()
    assert np.abs(found - expected).max() < own, "own rows are small beside"
    assert found == pytest.approx(expected + made.table.detach().numpy(), abs=1e-5)
    assert 0 < made.table.std().item() < 0.2 * own
    assert "of 24 items begin 24 from content, as the source reads it, 0 anew, by chance" in this.plan.notes


def test_columns_that_the_table_lacks_are_said_and_the_others_count() -> None:
    whole = items_of("small")
    lacking = ItemTable(whole.ids, {"kind": [*whole.columns["kind"][:-3], None, None, None]})
    this = prepared(items=lacking)
    made, source = beginning_network(this), large_shop().model
    part = source.content.encoder.parts["kind"]
    assert torch.equal(made.content.projection, source.content.projection[part])
    assert "the source learned of `price` too, which the items table lacks" in this.plan.notes
    places = this.plan.choose.catalog.ids.places_of(Ids.of(list(whole.ids)[-3:]))
    rows = made.table.detach()
    by_chance = rows[torch.from_numpy(places).long()].std() / rows.std()
    assert by_chance > 1.5, "of whom nothing is known begins like an item of the source"
    assert "of 24 items begin 21 from content, as the source reads it, 3 anew, by chance" in this.plan.notes


def test_without_content_rows_are_drawn_as_large_as_those_of_the_source() -> None:
    this = prepared(without_content())
    made, source = beginning_network(this), without_content().model
    assert made.table.std().item() == pytest.approx(source.table.std().item(), rel=1e-4)
    assert "of 24 items begin 24 anew, by chance" in this.plan.notes
    assert prepared(items=items_of("small"), finetune__table="anew").plan.notes[-1].endswith("begin 24 anew, by chance")


def test_shared_items_keep_their_vectors() -> None:
    log = small_shop()
    ids = [f"large {n}" if n % 2 else one for n, one in enumerate(log.items)]
    renamed = replace(log, items=Ids.of(ids))
    for items in (None, ItemTable(Ids.of(ids), items_of("small").columns)):
        this = prepare(large_shop(), renamed, items=items, same_items=True, settings=SETTINGS)
        made, source = beginning_network(this), large_shop().model
        there = large_shop().catalog.ids.places_of(this.plan.choose.catalog.ids)
        here = np.flatnonzero(there >= 0)
        assert len(here) == 12
        np.testing.assert_allclose(made.item_vectors()[here], source.item_vectors()[there[here]], atol=1e-5)
        torch.testing.assert_close(made.items()[1][here], source.bias[there[here]])
        assert not np.isclose(made.item_vectors(), source.item_vectors().mean()).all(axis=1).any()
        assert "of 24 items begin 12 with the source's vectors, by their ids" in this.plan.notes[-1]
    with pytest.raises(ConfigError, match="no item of the log has the id of one of the source"):
        prepared(same_items=True)


def test_frozen_layers_keep_every_bit_until_their_stage() -> None:
    this = prepared(without_content(), finetune__unfreeze=2)
    course = this.beginning.course
    assert this.beginning.waits == 4
    for epochs, moved in {2: [], 3: ["1"], 5: ["0", "1"]}.items():
        made = beginning_network(this)
        before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
        settings = this.plan.settings.train
        train_network(made, this.plan.choose.learned, settings, seed=1, planned=8, stop_after=epochs, course=course)
        changed = {name for name, tensor in made.state_dict().items() if (tensor != before[name]).any()}
        assert {"table", "bias"} <= changed
        assert sorted({name.split(".")[2] for name in changed if name.startswith(CORE)}) == moved


@pytest.mark.parametrize("settings", [{"finetune__pull": 1e9}, {"finetune__core_rate": 1e-12}])
def test_a_strong_pull_and_a_small_rate_hold_the_core_and_not_the_items(settings: dict[str, Any]) -> None:
    this = prepared(items=items_of("small"), finetune__unfreeze=0, **settings)
    made = beginning_network(this)
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    train_network(made, this.plan.choose.learned, this.plan.settings.train, seed=1, course=this.beginning.course)
    for name, tensor in made.named_parameters():
        distance = float((tensor.detach() - before[name]).abs().max())
        assert distance < 1e-6 if name.startswith(CORE) else distance > 1e-3, name


@cache
def made() -> tuple[Artifact, list[str]]:
    told: list[str] = []
    this = prepared(items=items_of("small"))
    return finetune(this, wanted=Wanted((20, 100), 2), say=told.append), told


def test_few_visitors_are_enough_for_a_core_that_knows_what_they_do() -> None:
    artifact, told = made()
    report = artifact.metrics["transfer"]
    assert isinstance(report, TransferReport)
    few, everyone = report.shares
    assert (few.share, few.draws, everyone.share, everyone.draws) == (20, 2, 100, 1)
    for other, least in {SCRATCH: 0.15, "sknn": 0.15, "popularity": 0.15}.items():
        assert few.against[other].relative is not None
        assert few.against[other].relative > least, other
        assert few.against[other].low > 0
    assert list(everyone.values) == ["finetuned", SCRATCH, "sknn", "popularity"]
    own = next(row for row in artifact.metrics["report"].rows if row.model == "gru")
    assert everyone.values["finetuned"].value == pytest.approx(own.metrics[report.metric].value)
    assert report.verdict.startswith("at 20 % finetuned is better than from scratch")
    assert any(line.startswith("20 % of the training users: ndcg@10 finetuned ") for line in told)
    assert {row.model for row in artifact.metrics["report"].rows} >= {"gru", SCRATCH, "sknn"}
    assert artifact.facts.finetuned_of == "unsaved"
    assert "Finetuned by segue, with the core of version" in artifact.card


def test_a_core_alone_is_worth_something_among_items_of_chance() -> None:
    settings = {**SETTINGS, "finetune.table": "anew", "finetune.unfreeze": 0}
    plan, beginning = prepare(large_shop(), small_shop(40), settings=settings)
    shop = Workshop(plan.settings, lambda _: None, lambda *_: None)
    (few,) = transfer_report(plan, beginning, shop, shares=(20,), draws=2).shares
    assert few.against[SCRATCH].relative > 0.15
    assert few.against[SCRATCH].low > 0


def test_the_same_seed_gives_the_same_model_and_report() -> None:
    artifact, _ = made()
    again = finetune(prepared(items=items_of("small")), wanted=Wanted((20,), 2))
    assert all(np.array_equal(array, again.model.arrays()[name]) for name, array in artifact.model.arrays().items())
    assert again.metrics["transfer"].shares[0] == artifact.metrics["transfer"].shares[0]


def test_draws_are_nested_and_the_test_set_is_fixed() -> None:
    plan = prepared().plan
    test = plan.judge.replayed.order[plan.judge.asked]
    drawn = []
    for draw in range(2):
        drawing, before = drawing_of(plan, draw), set[int]()
        for share in (5, 20, 60, 100):
            users = drawing.users(share)
            assert before < set(users.tolist())
            assert len(users) == len(set(users.tolist()))
            before = set(users.tolist())
            part = part_of(plan, users)
            assert np.array_equal(part.judge.replayed.order[part.judge.asked], test)
            assert part.judge.catalog is part.choose.catalog is plan.judge.catalog
            assert {plan.log.users[user] for user in part.judge.learned.of} <= {plan.log.users[u] for u in users}
            assert part.choose.asked.any()
        drawn.append(drawing.users(20).tolist())
        assert len(part.judge.learned) == len(plan.judge.learned), "with all users it is what all learn from"
    assert drawn[0] != drawn[1]


def test_too_few_users_are_said_and_cost_nothing() -> None:
    this = prepared(items=items_of("small"))
    early = this.plan._replace(choose=this.plan.choose._replace(asked=np.zeros_like(this.plan.choose.asked)))
    part = part_of(early, np.zeros(0, np.int64))
    assert part.events == 0
    assert not part.choose.asked.any()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model__width": 16}, "model.width is 16, and the core that is taken over has 12"),
        ({"model__cell": "minrnn"}, "minrnn"),
        ({"model__cosine": 16.0}, "model.cosine is 16.0, and the core that is taken over has 0.0"),
        ({"train__latency": "2ms"}, "train.latency chooses the shape"),
        ({"finetune__table": "content"}, "finetune.table is content, but the source reads `kind`, `price`"),
        ({"content__columns": ["kid"]}, "the source reads kind:labels"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        prepared(**settings)


def test_sources_without_a_core_and_content_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(TrainingError, match="`markov` is a count of its own log and has no core"):
        prepared(called("markov", large_shop().model))
    with pytest.raises(ConfigError, match="but the source reads no content of items"):
        prepared(without_content(), finetune__table="content")
    table = items_of("small")
    wrong = ItemTable(table.ids, {**table.columns, "price": ["cheap"] * len(table)})
    with pytest.raises(LogError, match=r"column `price`.*expected a number.*leave the column out .content.columns"):
        prepared(items=wrong)
    assert (
        "content of items by the encoders of the source: `kind`"
        in prepared(items=wrong, content__columns=["kind"]).plan.notes
    )
    with pytest.raises(ConfigError, match="expected numbers above 0, up to 100"):
        finetune(prepared(), wanted=Wanted((0,), 2))


def test_a_mix_gives_its_network() -> None:
    network = large_shop().model
    assert isinstance(network, Network)
    neighbours = Neighbours(network.n_items, rule=network.rule)
    mix = Mix(network.n_items, rule=network.rule, weight=0.5, network=network, neighbours=neighbours)
    made = beginning_network(prepared(called("mix", mix)))
    for name, tensor in network.stack.state_dict().items():
        assert torch.equal(made.stack.state_dict()[name], tensor)
