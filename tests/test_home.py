"""Versions of a model in a folder: published whole or not at all, rolled back, and never a broken one."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from segue.artifact import MANIFEST, home, save_artifact
from segue.artifact.current import CURRENT, Current, read_current, served
from segue.artifact.home import checked, publish, roll_back
from segue.cli import run
from segue.data.catalog import Catalog
from segue.data.ids import Ids
from segue.errors import ArtifactError
from segue.recommender import load
from versions import saved, trained, with_weights


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    return [saved(tmp_path / f"m{seed}", seed=seed) for seed in (1, 2, 3)]


def test_the_newest_is_served_and_the_one_before_it_after_a_roll_back(models: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "home"
    versions = [publish(model, place).version for model in models]
    assert versions == [checked(model).version for model in models]
    assert read_current(place) == Current(versions[2], (versions[0], versions[1]), change=3)
    assert roll_back(place) == Current(versions[1], (versions[0],), change=4)
    assert served(place) == place / versions[1]
    assert load(place).artifact.version == versions[1], "a home is a model to every command"
    assert (place / versions[2]).exists(), "that one may be published again"
    assert publish(place / versions[2], place) == Current(versions[2], (versions[0], versions[1]), change=5)
    roll_back(place)
    assert roll_back(place) == Current(versions[0], change=7)
    with pytest.raises(ArtifactError, match="nothing was served before"):
        roll_back(place)


def test_a_model_of_another_shop_is_published_with_a_word(
    models: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, other = tmp_path / "home", tmp_path / "other"
    artifact = trained("markov", 12, 1)
    ids = [f"other-{item_id}" for item_id in artifact.catalog.ids]
    save_artifact(msgspec.structs.replace(artifact, catalog=Catalog(Ids.of(ids))), other)
    for model in (*models[:2], other):
        assert run(["publish", str(model), str(place)]) == 0
        told = capsys.readouterr().err
        assert ("is it a model of the same shop?" in told) is (model is other)
    assert "0 of 12 items of the version before are among the 12 of this one" in " ".join(told.split())


def test_old_versions_are_deleted_once_nobody_can_go_back_to_them(models: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "home"
    versions = [publish(model, place, kept=1).version for model in models]
    assert read_current(place) == Current(versions[2], (versions[1],), change=3)
    assert {folder.name for folder in place.iterdir() if folder.is_dir()} == set(versions[1:])


def test_the_same_again_is_written_again_and_a_damaged_copy_is_replaced(models: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "home"
    version = publish(models[0], place).version
    assert publish(models[0], place) == Current(version, change=2)
    (place / version / "catalog.json").write_text("{}")
    assert publish(models[0], place) == Current(version, change=3), "a server that refused it tries it again"
    assert checked(place).version == version


def test_what_a_stopped_publishing_left_is_no_obstacle(models: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "home"
    (place / ".publishing").mkdir(parents=True)
    (place / ".publishing" / "segue.json").write_text("")
    version = checked(models[0]).version
    shutil.copytree(models[1], place / checked(models[1]).version)  # copied, and never said to be served
    assert publish(models[0], place) == Current(version)
    assert {file.name for file in place.iterdir()} == {version, CURRENT, home.LOCK}


def test_it_is_the_copy_that_is_checked(models: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = home.write_through

    def trained_anew_meanwhile(file: Path, data: bytes) -> None:
        if file.name == "model.safetensors":
            data = (models[1] / file.name).read_bytes()
        plain(file, data)

    monkeypatch.setattr(home, "write_through", trained_anew_meanwhile)
    with pytest.raises(ArtifactError, match=r"m1.*model\.safetensors: damaged"):
        publish(models[0], tmp_path / "home")


def nan(arrays: dict[str, np.ndarray]) -> None:
    arrays["table"][5, 3] = np.nan


def short(arrays: dict[str, np.ndarray]) -> None:
    arrays["table"] = arrays["table"][:-1]


def test_a_broken_model_is_refused_and_the_one_before_stays(models: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "home"
    before = publish(models[0], place)
    network = saved(tmp_path / "network", "gru")
    publish(network, tmp_path / "other")  # as it is it would do
    for number, (change, words) in enumerate(((nan, "no number"), (short, "expected shape"))):
        broken = tmp_path / f"broken{number}"
        shutil.copytree(network, broken)
        with_weights(broken, change)
        with pytest.raises(ArtifactError, match=words):
            publish(broken, place)
    for missing, words in (("catalog.json", "cannot be read"), (MANIFEST, "no model of segue")):
        broken = tmp_path / f"without-{missing}"
        shutil.copytree(models[1], broken)
        (broken / missing).unlink()
        with pytest.raises(ArtifactError, match=words):
            publish(broken, place)
    plain = trained("markov")
    until = ["2027-01-01"] * (len(plain.catalog) - 1) + ["someday"]
    catalog = Catalog(plain.catalog.ids, {"available_until": until})
    save_artifact(msgspec.structs.replace(plain, catalog=catalog), tmp_path / "windows")
    with pytest.raises(ArtifactError, match="someday"):
        publish(tmp_path / "windows", place)
    changed = tmp_path / "changed"
    shutil.copytree(models[1], changed)
    (changed / "catalog.json").write_bytes((changed / "catalog.json").read_bytes() + b" ")
    with pytest.raises(ArtifactError, match="SHA-256"):
        publish(changed, place)
    assert read_current(place) == before
    assert {file.name for file in place.iterdir()} == {before.version, CURRENT, home.LOCK}


def test_a_copy_that_stops_half_way_leaves_what_was_served(
    models: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "home"
    before = publish(models[0], place)
    written, plain = [0], home.write_through

    def full(file: Path, data: bytes) -> None:
        written[0] += 1
        if written[0] == 3:
            raise OSError(28, "No space left on device")
        plain(file, data)

    monkeypatch.setattr(home, "write_through", full)
    with pytest.raises(ArtifactError, match=r"No space left.*served still"):
        publish(models[1], place)
    assert read_current(place) == before
    assert {file.name for file in place.iterdir()} == {before.version, CURRENT, home.LOCK}


def test_a_version_that_is_broken_by_now_is_not_rolled_back_to(models: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "home"
    first, second = publish(models[0], place), publish(models[1], place)
    (place / first.version / "README.md").unlink()
    with pytest.raises(ArtifactError, match=r"README.md"):
        roll_back(place)
    assert read_current(place) == second


@pytest.mark.parametrize("content", ["", "{}", '{"version": ""}', '{"version": "../m1"}', '{"version": "a", "x": 1}'])
def test_a_damaged_current_is_said(content: str, models: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "home"
    publish(models[0], place)
    (place / CURRENT).write_text(content)
    with pytest.raises(ArtifactError, match=r"current\.json: damaged.*"):
        read_current(place)
    second = publish(models[1], place)
    assert len(second.before) == 1, "as it advises, and the one that was there is kept"
    assert roll_back(place).version == second.before[0]


def test_what_is_no_home_is_said(models: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is a model itself"):
        publish(models[0], models[1])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("")
    with pytest.raises(ArtifactError, match="something else"):
        publish(models[0], tmp_path / "full")
    with pytest.raises(ArtifactError, match="something else"):
        publish(models[0], tmp_path / "full" / "letter.txt")
    with pytest.raises(ArtifactError, match="at least 1"):
        publish(models[0], tmp_path / "home", kept=0)
    with pytest.raises(ArtifactError, match="holds no versions"):
        roll_back(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_by_command(models: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "home"
    first, second = (checked(model).version for model in models[:2])
    assert run(["publish", str(models[0]), str(place)]) == 0
    assert f"version {first} is served" in capsys.readouterr().err
    assert run(["publish", str(models[1]), str(place)]) == 0
    assert f"version {second} is served, before it {first}" in capsys.readouterr().err
    assert run(["rollback", str(place)]) == 0
    assert f"version {first} is served again" in capsys.readouterr().err
    assert run(["rollback", str(place)]) == 1
    assert "nothing was served before" in capsys.readouterr().err
