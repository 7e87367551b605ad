"""A model as a folder: whole or not at all, checked to the last byte, and nothing in it is code."""

from __future__ import annotations

import errno
import hashlib
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
import safetensors.numpy

import segue.artifact.writing
from segue.artifact import FILES, MANIFEST, Artifact, load_artifact, save_artifact
from segue.artifact.content import COUNTS, REPLAY, STEP
from segue.choices import settings_of
from segue.data.synthetic import noisy_chain
from segue.errors import ArtifactError
from segue.models.build import BASELINES
from segue.training.card import network_of
from segue.training.networks import Workshop
from segue.training.plan import plan_of
from segue.training.run import train_artifact

SETTINGS = {"model": {"width": 8}, "train": {"epochs": 1, "threads": 1}, "evaluate": {"replicates": 100}}


@pytest.fixture(scope="module")
def artifacts() -> dict[str, Artifact]:
    plan = plan_of(noisy_chain(40, 20, 12, follow=0.8), SETTINGS)
    shop = Workshop(settings_of(SETTINGS), say=lambda _: None, show=lambda *_: None)
    return {name: train_artifact(plan, name, shop)[0] for name in ("gru", "mix", *BASELINES)}


@pytest.fixture
def saved(artifacts: dict[str, Artifact], tmp_path: Path) -> Path:
    save_artifact(artifacts["gru"], tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("name", ["gru", "mix", *BASELINES])
def test_what_was_saved_scores_the_same(name: str, artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    artifact = artifacts[name]
    save_artifact(artifact, tmp_path / "m")
    loaded = load_artifact(tmp_path / "m")
    scores = [one.model.score(one.model.query(one.model.initial_state(3))) for one in (artifact, loaded)]
    np.testing.assert_array_equal(*scores)
    assert list(loaded.catalog.ids) == list(artifact.catalog.ids)
    assert loaded.facts == artifact.facts
    assert loaded.settings == artifact.settings
    assert loaded.model.settings() == artifact.model.settings()
    assert loaded.diagnosis == artifact.diagnosis


def test_a_network_has_its_curves_and_a_baseline_has_none(artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    for name, artifact in artifacts.items():
        save_artifact(artifact, tmp_path / name)
        file, card = tmp_path / name / "curves.svg", (tmp_path / name / "README.md").read_text()
        assert file.exists() == ("curves.svg" in card) == (name in ("gru", "mix"))


def test_the_card_names_the_verdict_the_cutoff_and_every_model(saved: Path) -> None:
    card = (saved / "README.md").read_text()
    for word in ("gru", "markov", "sknn", "popularity", "UTC", "bootstrap", "segue serve"):
        assert word in card


def test_the_card_says_what_a_network_is_made_of(artifacts: dict[str, Artifact]) -> None:
    for name, artifact in artifacts.items():
        assert ("Network: 1 layer of `gru`, width " in artifact.card) == (name in ("gru", "mix"))
        assert ("the network's share" in artifact.card) == (name == "mix")
    settings = {**artifacts["gru"].facts.settings, "block": "residual", "layers": 3, "front": 2, "convolution": 4}
    made = network_of(msgspec.structs.replace(artifacts["gru"].facts, settings={**settings, "cosine": 16.0}))
    told = "in front; a convolution over 4 inputs in each; a score is 16 times a cosine."
    assert made[0].startswith("Network: 3 residual blocks of `gru`, width ")
    assert made[0].endswith(f"; a convolution over 2 events {told}")


@pytest.mark.parametrize("name", FILES)
def test_any_changed_byte_is_noticed(name: str, saved: Path) -> None:
    data = bytearray((saved / name).read_bytes())
    data[len(data) // 2] ^= 1
    (saved / name).write_bytes(data)
    with pytest.raises(ArtifactError, match=f"{name}: damaged"):
        load_artifact(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name: str, saved: Path) -> None:
    (saved / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name}: cannot be read"):
        load_artifact(saved)


def test_curves_that_were_changed_or_lost_are_noticed(saved: Path) -> None:
    file = saved / "curves.svg"
    file.write_bytes(file.read_bytes().replace(b"loss", b"gain"))
    with pytest.raises(ArtifactError, match=r"curves\.svg: damaged"):
        load_artifact(saved)
    file.unlink()
    with pytest.raises(ArtifactError, match=r"curves\.svg: cannot be read"):
        load_artifact(saved)


def test_a_model_of_earlier_days_has_no_curves_and_is_loaded_and_saved_again(saved: Path) -> None:
    tree = msgspec.json.decode((saved / MANIFEST).read_bytes())
    del tree["files"]["curves.svg"]
    (saved / MANIFEST).write_bytes(msgspec.json.encode(tree))
    (saved / "curves.svg").unlink()
    loaded = load_artifact(saved)
    assert loaded.diagnosis == {}
    save_artifact(loaded, saved, overwrite=True)
    assert {file.name for file in saved.iterdir()} == {MANIFEST, STEP, COUNTS, REPLAY, *FILES}


def test_no_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no model of segue here"):
        load_artifact(tmp_path)


def test_a_newer_format_asks_for_an_upgrade(saved: Path) -> None:
    tree = msgspec.json.decode((saved / MANIFEST).read_bytes())
    (saved / MANIFEST).write_bytes(msgspec.json.encode({**tree, "format": 99, "unheard of": 1}))
    with pytest.raises(ArtifactError, match="format 99, this version reads up to 2: upgrade"):
        load_artifact(saved)


def test_an_older_format_asks_for_another_training(saved: Path) -> None:
    (saved / MANIFEST).write_bytes(b'{"format": 1, "weights": "elsewhere"}')
    with pytest.raises(ArtifactError, match="format 1, of an older version; this one reads 2: train again"):
        load_artifact(saved)


def test_weights_of_another_shape_are_named(artifacts: dict[str, Artifact], saved: Path) -> None:
    arrays = artifacts["gru"].model.arrays()
    data = safetensors.numpy.save({**arrays, "bias": arrays["bias"][1:].copy()})
    (saved / "model.safetensors").write_bytes(data)
    tree = msgspec.json.decode((saved / MANIFEST).read_bytes())
    tree["files"]["model.safetensors"] = hashlib.sha256(data).hexdigest()
    (saved / MANIFEST).write_bytes(msgspec.json.encode(tree))
    with pytest.raises(ArtifactError, match=r"weight `bias`: found \(11,\), expected shape \(12,\)"):
        load_artifact(saved)


def test_a_folder_in_the_way_is_replaced_only_when_asked_and_only_if_it_is_a_model(
    artifacts: dict[str, Artifact], saved: Path, tmp_path: Path
) -> None:
    with pytest.raises(ArtifactError, match="exists already"):
        save_artifact(artifacts["markov"], saved)
    save_artifact(artifacts["markov"], saved, overwrite=True)
    assert load_artifact(saved).facts.name == "markov"
    assert {file.name for file in saved.iterdir()} == {MANIFEST, COUNTS, *FILES}, (
        "the network's curves are gone with it"
    )
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    with pytest.raises(ArtifactError, match="holds no model of segue"):
        save_artifact(artifacts["markov"], tmp_path / "thesis", overwrite=True)
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "years of work"


@pytest.mark.parametrize("after", [0, 3, 5])
def test_a_full_disk_leaves_the_old_model_and_no_litter(
    after: int, artifacts: dict[str, Artifact], saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, plain = [0], segue.artifact.writing.write_through

    def full(file: Path, data: bytes) -> None:
        if written[0] == after:
            file.write_bytes(data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        written[0] += 1
        plain(file, data)

    monkeypatch.setattr(segue.artifact.writing, "write_through", full)
    with pytest.raises(ArtifactError, match=r"No space left on device.*is untouched"):
        save_artifact(artifacts["markov"], saved, overwrite=True)
    assert load_artifact(saved).facts.name == "gru"
    assert [folder.name for folder in saved.parent.iterdir()] == ["model"]


def test_nothing_is_ever_unpickled() -> None:
    source = Path(segue.__file__).parent
    for file in source.rglob("*.py"):
        assert not re.search(r"import pickle|pickle\.|torch\.load\(|\beval\(|\bexec\(|allow_pickle", cleaned(file)), (
            file
        )


def cleaned(file: Path) -> str:
    """Without `.eval()`, PyTorch's word for leaving training mode."""
    return file.read_text().replace(".eval()", "")
