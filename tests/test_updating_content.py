"""New items of a network that reads content begin with what their content says; known ones stay as they are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from segue.artifact import Artifact, content_of, load_artifact, save_artifact
from segue.artifact.content import CONTENT
from segue.data.catalog import ItemTable
from segue.data.ids import Ids
from segue.errors import ArtifactError, LogError
from segue.training.updating import learning
from segue.training.updating.update import update_artifact
from update_models import ITEMS, NEW_ITEMS, items_table, model, whole_log


def reading() -> Artifact:
    return model(content=("title", "price"))


def test_new_items_begin_with_their_content_alone() -> None:
    made = update_artifact(reading(), items=items_table()).artifact
    content = content_of(made)
    before, network = reading().model, made.model
    assert network.n_items == ITEMS + NEW_ITEMS + 1
    table = items_table()
    told = {name: values[ITEMS:] for name, values in table.columns.items()}
    numbers = torch.from_numpy(content.encoder.encode(told, NEW_ITEMS + 1))
    vectors, bias = before.content.alone_rows(numbers)
    torch.testing.assert_close(network.table.detach()[ITEMS:], vectors)
    torch.testing.assert_close(network.bias.detach()[ITEMS:], bias)
    assert torch.equal(network.table[:ITEMS], before.table)
    assert torch.equal(network.bias[:ITEMS], before.bias)
    assert not content.own_parts()[0][ITEMS:].any()


def test_of_items_without_content_those_around_them_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    falling = iter(range(1000, 0, -1))
    monkeypatch.setattr(learning, "validation_metric", lambda *_: next(falling))  # no pass: the weights stay
    with_content, bare = (update_artifact(one, whole_log()).artifact.model for one in (reading(), model()))
    assert with_content.n_items == bare.n_items == ITEMS + NEW_ITEMS
    new = with_content.table.detach()[ITEMS:]
    known = with_content.table.detach()[:ITEMS]
    assert not torch.allclose(new, torch.zeros_like(new))
    assert (new.norm(dim=1) <= known.norm(dim=1).max()).all(), "a mean of known ones"


@pytest.mark.parametrize("freeze", ["none", "items", "both", "core"])
def test_what_is_frozen_keeps_every_bit_where_vectors_are_sums(freeze: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rising = iter(range(1000))
    monkeypatch.setattr(learning, "validation_metric", lambda *_: next(rising))
    settings = reading().settings
    settings = msgspec.structs.replace(settings, update=msgspec.structs.replace(settings.update, freeze=freeze))
    before = {name: np.array(one) for name, one in reading().model.arrays().items()}
    made = update_artifact(reading(), whole_log(), items_table(), settings=settings)
    after = made.artifact.model.arrays()
    assert made.report.passes > 0
    stays = {name for name in before if np.array_equal(after[name][: len(before[name])], before[name])}
    core = {name for name in before if name not in ("table", "bias")}
    assert stays == {"none": set(), "items": {"table"}, "both": {"table", *core}, "core": core}[freeze]
    moved = made.artifact.model.content.projection
    assert torch.equal(moved, reading().model.content.projection) == (freeze in ("items", "both"))
    assert not np.allclose(
        after["table"][ITEMS : ITEMS + NEW_ITEMS],
        made.artifact.model.content.alone_rows(made.artifact.model.content.numbers)[0][
            ITEMS : ITEMS + NEW_ITEMS
        ].numpy(),
    )


def test_an_updated_model_is_saved_read_and_updated_again(tmp_path: Path) -> None:
    save_artifact(reading(), tmp_path / "first")
    first = load_artifact(tmp_path / "first", light=True)
    made = update_artifact(first, whole_log(), items_table(), force=True).artifact
    save_artifact(made, tmp_path / "second")
    second = load_artifact(tmp_path / "second")
    assert torch.equal(content_of(second).numbers, made.model.content.numbers)
    table = ItemTable(Ids.of(["item of next week"]), {"title": ["Title of item"], "price": [3]})
    third = update_artifact(second, items=table).artifact
    assert third.model.n_items == made.model.n_items + 1
    assert torch.equal(third.model.table[:-1], made.model.table)


def test_a_model_loaded_for_answers_alone_keeps_its_content_when_it_is_saved(tmp_path: Path) -> None:
    save_artifact(reading(), tmp_path / "first")
    save_artifact(load_artifact(tmp_path / "first", light=True), tmp_path / "copy")
    assert (tmp_path / "copy" / CONTENT).read_bytes() == (tmp_path / "first" / CONTENT).read_bytes()


def test_damaged_content_and_changed_types_are_told(tmp_path: Path) -> None:
    save_artifact(reading(), tmp_path / "model")
    file = tmp_path / "model" / CONTENT
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    found = load_artifact(tmp_path / "model")  # answers do without
    with pytest.raises(ArtifactError, match=r"content.safetensors: damaged: its SHA-256"):
        update_artifact(found, items=items_table())
    dear = ItemTable(Ids.of(["item of tomorrow"]), {"title": ["Title of one"], "price": ["dear"]})
    with pytest.raises(LogError, match="`price`"):
        update_artifact(reading(), items=dear)
