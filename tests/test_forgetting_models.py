"""What models keep of users, and from which version one may go on without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from replay_file import hash_of, replay, with_file
from segue.artifact import MANIFEST, load_artifact
from segue.artifact.content import Facts, facts_hash
from segue.artifact.home import publish
from segue.artifact.replay_rows import REPLAY, forget_sequences, user_hash
from segue.errors import ArtifactError
from segue.forgetting.models import Version, newest_base, versions_in
from versions import saved


def with_replay(folder: Path, users: list[str], lengths: list[int]) -> Path:
    return with_file(saved(folder), REPLAY, safetensors.numpy.save(replay(users, lengths)))


def test_a_user_is_the_number_that_the_id_hashes_to() -> None:
    assert user_hash("é") == hash_of("é")


def test_sequences_of_users_go_from_what_is_learned_again(tmp_path: Path) -> None:
    folder = with_replay(tmp_path / "model", ["a", "é", "a", "b", "c"], [2, 3, 1, 4, 1])
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert forget_sequences(folder, ["a", "c", "nobody"], write=False) == {"a": 2, "c": 1}
    assert forget_sequences(folder, ["nobody"]) == {}
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert forget_sequences(folder, ["a", "c", "nobody"]) == {"a": 2, "c": 1}
    found = safetensors.numpy.load((folder / REPLAY).read_bytes())
    assert found["user"].tolist() == [hash_of("é"), hash_of("b")]
    assert found["bounds"].tolist() == [0, 3, 7]
    assert found["item"].tolist() == [2, 3, 4, 6, 7, 8, 9]
    assert found["time"].tolist() == [3.0, 4.5, 6.0, 9.0, 10.5, 12.0, 13.5]
    assert found["order"].tolist() == [1, 3]
    assert found["seed"].tolist() == [5]
    after = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {REPLAY, MANIFEST}
    load_artifact(folder)
    assert [one.name for one in tmp_path.iterdir()] == ["model"]
    assert forget_sequences(folder, ["é"]) == {"é": 1}
    assert forget_sequences(folder, ["b"]) == {"b": 1}
    found = safetensors.numpy.load((folder / REPLAY).read_bytes())
    assert (found["bounds"].tolist(), found["seed"].tolist()) == ([0], [5])


def test_a_model_without_them_is_left_alone(tmp_path: Path) -> None:
    assert forget_sequences(saved(tmp_path / "model"), ["a"]) == {}


def test_a_disk_that_takes_nothing_leaves_the_model_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = with_replay(tmp_path / "model", ["a", "b"], [2, 3])
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    for name in ("write_through", "sync_folder"):
        with monkeypatch.context() as patched:
            patched.setattr(f"segue.artifact.replay_rows.{name}", full)
            with pytest.raises(ArtifactError, match=r"No space left on device.*it is as it was"):
                forget_sequences(folder, ["a"])
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
        assert [one.name for one in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("damage", [{"user": None}, {"bounds": np.array([0, 2])}, {"item": np.arange(3)}])
def test_what_cannot_be_read_is_told(tmp_path: Path, damage: dict[str, Any]) -> None:
    arrays = {**replay(["a", "b"], [2, 3]), **damage}
    data = safetensors.numpy.save({name: array for name, array in arrays.items() if array is not None})
    folder = with_file(saved(tmp_path / "model"), REPLAY, data)
    with pytest.raises(ArtifactError, match=f"{REPLAY}: damaged"):
        forget_sequences(folder, ["a"])
    assert (folder / REPLAY).read_bytes() == data


def facts(cutoff: float | None, trained_at: str = "2026-01-01") -> Facts:
    return Facts(
        name="gru",
        kind="network",
        n_items=1,
        settings={},
        gap=None,
        at_session_start="reset",
        exclude="none",
        timed=True,
        split="time",
        cutoff=cutoff,
        trained_on="",
        events=1,
        trained_at=trained_at,
        baselines={},
    )


@pytest.mark.parametrize(
    ("first", "expected"), [(None, None), (9.0, None), (10.0, "old"), (29.0, "newer"), (30.0, "again"), (99.0, "again")]
)
def test_the_base_is_the_newest_version_that_ends_before_the_first_event(
    first: float | None, expected: str | None
) -> None:
    made = {
        "unknown": facts(None, "2026-09-09"),
        "newest": facts(30.0, "2026-02-02"),
        "old": facts(10.0),
        "again": facts(30.0, "2026-03-03"),
        "newer": facts(20.0),
    }
    found = newest_base([Version(Path(name), one) for name, one in made.items()], first)
    assert (None if found is None else str(found.folder)) == expected


def test_all_versions_of_a_home_are_looked_at_the_served_one_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for seed in (1, 2, 3):
        publish(saved(tmp_path / str(seed), seed=seed), home)
    served = publish(tmp_path / "2", home).version
    versions, notes = versions_in(home)
    assert versions[0].folder.name == served
    assert len({one.folder for one in versions}) == 3
    assert notes == []
    manifest = versions[1].folder / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b'"n_items": 12', b'"n_items": 13'))
    versions, notes = versions_in(home)
    assert len(versions) == 2
    assert "cannot be read, and may have learned from them" in notes[0]
    assert facts_hash(versions[0].facts)
    with pytest.raises(ArtifactError, match="no model of segue here"):
        versions_in(tmp_path)
