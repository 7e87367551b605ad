"""What a model says of itself: over HTTP, of old and new models, in bounds, and after another one took over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from segue.artifact import FILES, About, frontier_of, keep_frontier, load_artifact, save_artifact
from segue.artifact.about import CUT, LONGEST_CARD, MOST_BYTES
from segue.artifact.content import FRONTIER
from segue.artifact.curves import curves_of
from segue.artifact.home import checked, publish
from segue.errors import ArtifactError
from segue.recommender import Recommender
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.lists.diverse import Wish
from segue.serving.store.memory import MemoryStore
from segue.serving.swap import first
from segue.web.app import create_app
from segue.web.guard import Guard
from segue.web.keys import Keys, add_key
from serving_models import engine_of
from small_shop import Ran, copied
from versions import saved, trained

POINTS = {"points": [], "k": 10, "verdicts": ["nothing is bought"]}


def engine_at(folder: Path) -> Engine:
    return Engine(first(folder)[0], MemoryStore())


def said_by(engine: Engine) -> Any:
    with TestClient(create_app(engine)) as client:
        answer = client.get("/v1/model")
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_a_network_says_what_its_folder_holds(tmp_path: Path) -> None:
    folder = saved(tmp_path / "gru", "gru")
    engine = engine_at(folder)
    engine.usual = Wish(0.2, "dpp")
    said = said_by(engine)
    artifact = load_artifact(folder)
    facts = artifact.facts
    assert (said["name"], said["version"], said["kind"]) == ("gru", artifact.version, "network")
    assert (said["made"], said["events"], said["cutoff"]) == (facts.trained_at, facts.events, facts.cutoff)
    assert said["parameters"] == sum(array.size for array in artifact.model.arrays().values())
    assert said["built"]["width"] == said["settings"]["model"]["width"] == said["set_apart"]["model.width"] == 8
    assert "model.layers" not in said["set_apart"], "it is segue's own default"
    assert said["metrics"] == json.loads((folder / "metrics.json").read_text())
    assert said["card"] == (folder / "README.md").read_text()
    (curve,) = said["curves"]
    ((loss, value),) = said["metrics"]["curve"]
    assert curve == {
        "of": "training",
        "metric": "ndcg@10",
        "epochs": [{"epoch": 1, "loss": loss, "value": value}],
        "taken": 1,
    }
    usual = {"k": 10, "diversity": 0.2, "strategy": "dpp", "similarity": "auto", "exclude": facts.exclude}
    assert said["defaults"] == usual
    assert (said["frontier"], said["left_out"]) == (None, [])


def test_a_baseline_and_a_model_of_no_artifact_say_what_there_is(tmp_path: Path) -> None:
    said = said_by(engine_at(saved(tmp_path / "markov")))
    assert (said["kind"], said["parameters"], said["curves"]) == ("markov", None, [])
    assert said["metrics"]["report"]["rows"]
    said = said_by(engine_of())
    assert (said["name"], said["version"], said["n_items"]) == ("fading", "v1", 8)
    assert (said["kind"], said["made"], said["card"], said["metrics"]) == (None, None, "", {})


def test_an_old_model_that_lacks_parts_says_the_rest(tmp_path: Path) -> None:
    plain = trained("gru")
    old = msgspec.structs.replace(plain, metrics={"report": plain.metrics["report"]}, diagnosis={}, counts=None)
    save_artifact(old, tmp_path / "old")
    said = said_by(engine_at(tmp_path / "old"))
    assert said["curves"] == []
    assert said["metrics"]["report"]["main"] == "ndcg@10"
    save_artifact(msgspec.structs.replace(old, metrics={}, card=""), tmp_path / "bare")
    said = said_by(engine_at(tmp_path / "bare"))
    assert (said["metrics"], said["card"], said["left_out"]) == ({}, "", [])


def test_a_network_says_the_same_without_pytorch(tmp_path: Path) -> None:
    folder = saved(tmp_path / "gru", "gru")
    light, heavy = (About.of(load_artifact(folder, light=light)) for light in (True, False))
    assert light == heavy
    assert light.parameters


def test_what_is_large_is_cut_or_left_out_and_named() -> None:
    long = "x" * (LONGEST_CARD + 1)
    about = About.of(msgspec.structs.replace(trained("markov"), card=long, metrics={"mine": "y" * MOST_BYTES}))
    assert (about.card, about.metrics) == (long[:-1] + CUT, {})
    assert [one.partition(" has ")[0] for one in about.left_out] == ["the card", "metrics.json"]
    assert about.curves == []


def test_after_a_swap_it_is_the_new_model_that_says(tmp_path: Path) -> None:
    engine = engine_at(saved(tmp_path / "one"))
    before = said_by(engine)
    other = saved(tmp_path / "two", "gru", items=14)
    keep_frontier(load_artifact(other), POINTS)
    engine.swap(Bundle.of(checked(other)))
    said = said_by(engine)
    assert said["version"] != before["version"]
    assert (said["n_items"], said["kind"], said["frontier"]["frontier"]) == (14, "network", POINTS)
    assert said["card"].startswith("# gru")


def test_it_needs_a_key_where_keys_are_asked_for_and_is_counted(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.toml", "shop")
    with TestClient(Guard(create_app(engine_of()), keys=Keys(tmp_path / "keys.toml"))) as client:
        assert client.get("/v1/model").status_code == 401
        assert client.get("/v1/model", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({"curve": []}, []),
        ({"curve": "nonsense", "update": 3}, []),
        ({"curve": [[None, None], [2.0, None]]}, [("training", [(1, None, None), (2, 2.0, None)], None)]),
        (
            {"update": {"metric": "mrr@10", "losses": [3.0, 2.0], "validation": [0.5, 0.4, 0.6]}},
            [("update", [(0, None, 0.5), (1, 3.0, 0.4), (2, 2.0, 0.6)], 2)],
        ),
        # of models that were updated before losses were kept
        ({"update": {"validation": [0.5, 0.4]}}, [("update", [(0, None, 0.5), (1, None, 0.4)], 0)]),
        ({"update": {"validation": []}}, []),
    ],
)
def test_curves_are_read_from_what_was_kept(metrics: Any, expected: Any) -> None:
    found = curves_of(metrics, "ndcg@10")
    told = [(one.of, [(at.epoch, at.loss, at.value) for at in one.epochs], one.taken) for one in found]
    assert told == expected


def test_the_frontier_is_kept_with_the_model_and_changes_nothing_of_it(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = copied(tmp_path_factory, tmp_path)
    before = load_artifact(shop / "gru").version
    words = ("frontier", shop / "gru", shop / "clicks.csv", "--strategies", "mmr", "--knobs", "0,1", "--json")
    assert Ran(capsys, *words, "-", "--no-keep").json
    assert not (shop / "gru" / FRONTIER).exists()
    printed = Ran(capsys, *words, "-").json
    artifact = load_artifact(shop / "gru")
    assert artifact.version == before
    kept = frontier_of(shop / "gru", before)
    assert kept is not None
    assert kept.frontier == printed
    said = said_by(engine_at(shop / "gru"))
    assert said["frontier"] == msgspec.to_builtins(kept)
    save_artifact(artifact, shop / "gru", overwrite=True)
    assert not (shop / "gru" / FRONTIER).exists(), "it goes with the model that it was measured on"


def test_points_that_cannot_be_kept_are_printed_all_the_same(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = copied(tmp_path_factory, tmp_path)
    (shop / "gru" / FRONTIER).mkdir()
    ran = Ran(capsys, "frontier", shop / "gru", shop / "clicks.csv", "--strategies", "mmr", "--knobs", "0", "--json")
    assert ran.json["points"]
    assert "warning: the points are not kept with the model" in ran.err


def test_a_frontier_of_another_version_or_a_damaged_one_is_none(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m")
    artifact = load_artifact(folder)
    file = keep_frontier(artifact, POINTS)
    assert frontier_of(folder, "another") is None
    data = file.read_bytes()
    for damage in (b"", b"{}", data[:-9], b"\xff" + data, data + b" " * 2**20):
        file.write_bytes(damage)
        assert frontier_of(folder, artifact.version) is None
        assert said_by(engine_at(folder))["frontier"] is None
    with pytest.raises(ArtifactError, match="not read from a folder"):
        keep_frontier(trained("markov"), POINTS)
    shutil.rmtree(folder)
    saved(folder, seed=2)
    with pytest.raises(ArtifactError, match="another model"):
        Recommender(artifact).keep_frontier(POINTS)  # type: ignore[arg-type]
    assert frontier_of(folder, artifact.version) is None


def test_publishing_carries_the_frontier_to_a_version_that_is_there_already(tmp_path: Path) -> None:
    model, home = saved(tmp_path / "m"), tmp_path / "home"
    version = publish(model, home).version
    assert frontier_of(home / version, version) is None
    keep_frontier(load_artifact(model), POINTS)
    publish(model, home)
    kept = frontier_of(home / version, version)
    assert kept is not None
    assert kept.frontier == POINTS
    later = keep_frontier(load_artifact(home / version), {**POINTS, "k": 5})
    newer = msgspec.structs.replace(kept, measured_at="9999", frontier={"k": 5})
    later.write_bytes(msgspec.json.encode(newer))
    publish(model, home)
    assert frontier_of(home / version, version) == newer, "an older one does not replace it"
    (home / version / FILES[2]).write_text("damaged")
    publish(model, home)
    assert frontier_of(home / version, version) == newer, "nor is it lost with a damaged copy"
