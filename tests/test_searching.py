"""A large catalog is saved with an index, and served by it: the same lists, nothing excluded in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from segue.artifact import Artifact, Facts, load_artifact, save_artifact, searching
from segue.artifact.content import INDEX, STEP
from segue.choices import settings_of
from segue.data.catalog import Catalog
from segue.data.ids import Ids
from segue.errors import ArtifactError
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.recommender import Recommender
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.store.memory import MemoryStore

N, RULE = 3000, SessionRule(None, "reset")
IDS = [f"i{n}" for n in range(N)]


def artifact_of(n_items: int = N) -> Artifact:
    """Of a network whose items lie around some centres, as trained ones do."""
    torch.manual_seed(3)
    network = Network(n_items, rule=RULE, width=8, cosine=8.0).eval()
    with torch.no_grad():
        centres = torch.randn(20, 8)
        network.table.copy_(centres[torch.randint(0, 20, (n_items,))] + 0.4 * torch.randn(n_items, 8))
        network.bias.normal_(std=0.2)
    network.settle()
    facts: dict[str, Any] = {
        "gap": None,
        "at_session_start": "reset",
        "exclude": "none",
        "timed": True,
        "split": "time",
    }
    facts |= {"cutoff": None, "trained_on": "", "events": 0, "trained_at": "", "baselines": {}, "n_items": n_items}
    return Artifact(
        model=network,
        catalog=Catalog(Ids.of(IDS[:n_items]), {}),
        settings=settings_of({}),
        facts=Facts(name="gru", kind="network", settings=network.settings(), **facts),
        metrics={},
        card="",
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "model"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(searching, "LARGE", 1000)
        save_artifact(artifact_of(), folder)
    return folder


def engine_of(artifact: Artifact) -> Engine:
    return Engine(Recommender(artifact).bundle, MemoryStore(), clock=lambda: 1.7e9)


def test_lists_by_an_index_are_those_by_the_product(saved: Path) -> None:
    assert (saved / INDEX).exists()
    by_index, by_product = (engine_of(load_artifact(saved, light=light)) for light in (True, False))
    assert by_index.bundle.index is not None
    assert by_product.bundle.index is None
    rng, hits = np.random.default_rng(5), 0
    for number in range(50):
        events = [LiveEvent(f"u{number}", IDS[item], 1.7e9) for item in rng.integers(0, N, 3)]
        lists = []
        for engine in (by_index, by_product):
            engine.observe(events)
            lists.append(dict(engine.recommend(user_id=f"u{number}", k=20, exclude="seen").items))
        assert all(len(one) == 20 for one in lists)
        assert not set(lists[0]) & {event.item_id for event in events}
        common = set(lists[0]) & set(lists[1])
        hits += len(common)
        np.testing.assert_allclose([lists[0][i] for i in common], [lists[1][i] for i in common], atol=1e-4)
    assert hits / (50 * 20) >= 0.99


def test_a_loaded_model_is_saved_with_the_index_that_it_has(saved: Path, tmp_path: Path) -> None:
    save_artifact(load_artifact(saved, light=True), tmp_path / "again")
    for name in (INDEX, STEP):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


def test_a_small_catalog_has_none(tmp_path: Path) -> None:
    save_artifact(artifact_of(100), tmp_path / "small")
    assert not (tmp_path / "small" / INDEX).exists()
    assert load_artifact(tmp_path / "small", light=True).index is None


def test_an_index_of_another_model_is_damage(saved: Path, tmp_path: Path) -> None:
    artifact = load_artifact(saved, light=True)
    other = artifact_of(500)
    save_artifact(msgspec.structs.replace(other, index=artifact.index), tmp_path / "mixed")
    with pytest.raises(ArtifactError, match="the search index is of 3,000 items, expected 500"):
        load_artifact(tmp_path / "mixed", light=True)
