"""Damage to `segue.json`, and facts that contradict each other, never load; nor do they end in a traceback."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.artifact import FORMAT, MANIFEST, Artifact, Facts, load_artifact, save_artifact
from segue.config import Settings
from segue.data.catalog import Catalog
from segue.data.ids import Ids
from segue.data.sessions import lay_out
from segue.data.synthetic import noisy_chain
from segue.errors import ArtifactError
from segue.models.base import SessionRule
from segue.models.build import kind_of

N = 6


def artifact(**changes: Any) -> Artifact:
    """A small model of popularity."""
    facts: dict[str, Any] = {
        "name": "popularity",
        "kind": "popularity",
        "n_items": N,
        "settings": {},
        "gap": 1800.0,
        "at_session_start": "reset",
        "exclude": "none",
        "timed": True,
        "split": "time",
        "cutoff": 1234567.25,
        "trained_on": "f" * 16,
        "events": 40,
        "trained_at": "2026-01-01T00:00:00+00:00",
        "baselines": {"recent_popularity": {"half_life": 0.1}},
    }
    laid = lay_out(noisy_chain(4, 10, N, follow=0.8), gap=None, at_session_start="reset")
    return Artifact(
        model=kind_of("popularity")(N, rule=SessionRule(1800.0)).fit(laid),
        catalog=Catalog(Ids.of(f"i{i}" for i in range(N))),
        settings=Settings(),
        facts=Facts(**(facts | changes)),
        metrics={},
        card="# popularity\n",
        diagnosis={"curves.svg": "<svg/>"},
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_artifact(artifact(), tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("bit", [1, 128])
def test_any_flipped_bit_of_the_manifest_is_noticed(bit: int, saved: Path) -> None:
    file = saved / MANIFEST
    whole, plain, loaded = file.read_bytes(), load_artifact(saved), 0
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= bit
        file.write_bytes(data)
        try:
            found = load_artifact(saved)
        except ArtifactError:
            continue
        # white space for white space, or the name of a fact that is as if it were not named
        assert (found.facts, found.version, found.diagnosis) == (plain.facts, plain.version, plain.diagnosis)
        loaded += 1
    assert loaded < 20


def test_facts_that_were_edited_are_refused(saved: Path) -> None:
    file = saved / MANIFEST
    tree = msgspec.json.decode(file.read_bytes())
    tree["facts"]["cutoff"] += 1
    file.write_bytes(msgspec.json.encode(tree))
    with pytest.raises(ArtifactError, match=r"segue\.json: damaged: `facts` are not those that were written"):
        load_artifact(saved)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"null", b"{}", b'{"format": "1"}', b'{"format": 2}', b"\xff"])
def test_a_manifest_that_is_none_is_damaged(content: bytes, saved: Path) -> None:
    (saved / MANIFEST).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"segue\.json: damaged"):
        load_artifact(saved)


@pytest.mark.parametrize("format", [-1, 0])
def test_there_never_was_a_format_before_the_first(format: int, saved: Path) -> None:
    tree = msgspec.json.decode((saved / MANIFEST).read_bytes())
    assert tree["format"] == FORMAT
    (saved / MANIFEST).write_bytes(msgspec.json.encode(tree | {"format": format}))
    with pytest.raises(ArtifactError, match="damaged"):
        load_artifact(saved)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "oracle"}, "a model of the kind `oracle`, which this version does not know"),
        ({"settings": {"depth": 3}}, "damaged or was made by another version"),
        ({"n_items": N + 1}, f"expected int64 with shape ({N + 1},)"),
    ],
)
def test_facts_that_no_model_fits_are_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    save_artifact(artifact(**changes), tmp_path / "model")
    with pytest.raises(ArtifactError, match=re.escape(told)):
        load_artifact(tmp_path / "model")


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "sub/file", "", "with\0nothing"])
def test_a_manifest_that_names_a_file_elsewhere_is_damaged(name: str, saved: Path) -> None:
    tree = msgspec.json.decode((saved / MANIFEST).read_bytes())
    tree["files"][name] = "0" * 64
    (saved / MANIFEST).write_bytes(msgspec.json.encode(tree))
    with pytest.raises(ArtifactError, match=r"damaged: a name in `files` is no name of a file"):
        load_artifact(saved)


def with_file(folder: Path, name: str, data: bytes) -> None:
    """Another content for a file, whose hash fits."""
    (folder / name).write_bytes(data)
    tree = msgspec.json.decode((folder / MANIFEST).read_bytes())
    tree["files"][name] = hashlib.sha256(data).hexdigest()
    (folder / MANIFEST).write_bytes(msgspec.json.encode(tree))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("catalog.json", b'{"ids": ["i0"], "columns": {}}'),
        ("catalog.json", b'{"columns": {}}'),
        ("catalog.json", b"[]"),
        ("catalog.json", b"\xff"),
        ("config.toml", b"[train]\nepoch = 3\n"),
        ("config.toml", b"train = ["),
        ("metrics.json", b"{"),
        ("README.md", b"\xff"),
        ("model.safetensors", b"not one"),
    ],
)
def test_a_file_that_says_something_else_is_refused_though_its_hash_fits(name: str, data: bytes, saved: Path) -> None:
    with_file(saved, name, data)
    with pytest.raises(ArtifactError, match="damaged or was made by another version"):
        load_artifact(saved)


def test_a_model_in_place_of_another_leaves_nothing_beside_it(saved: Path) -> None:
    save_artifact(artifact(exclude="seen"), saved, overwrite=True)
    assert load_artifact(saved).facts.exclude == "seen"
    assert [file.name for file in saved.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("allowed", [0, 1], ids=["aside", "into place"])
def test_where_the_new_model_cannot_be_moved_the_old_one_stays(
    allowed: int, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, moves = os.rename, [0]

    def stuck(source: Path, target: Path) -> None:
        moves[0] += 1
        if moves[0] == allowed + 1:
            raise OSError(errno.EACCES, "Permission denied")
        plain(source, target)

    monkeypatch.setattr(os, "rename", stuck)
    with pytest.raises(ArtifactError, match=r"Permission denied.*is untouched"):
        save_artifact(artifact(exclude="seen"), saved, overwrite=True)
    assert load_artifact(saved).facts.exclude == "none"
    assert [file.name for file in saved.parent.iterdir()] == ["model"]


def test_an_old_model_that_cannot_be_moved_back_is_kept_beside(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = os.rename

    def stuck(source: Path, target: Path) -> None:
        if target == saved:
            raise OSError(errno.EACCES, "Permission denied")
        plain(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", stuck)
        with pytest.raises(ArtifactError, match=r"Permission denied.*is in .*\.old-"):
            save_artifact(artifact(exclude="seen"), saved, overwrite=True)
    (kept,) = saved.parent.glob(".model.old-*")
    assert load_artifact(kept).facts.exclude == "none"


def test_facts_of_earlier_days_have_the_hash_that_they_had(saved: Path) -> None:
    told = msgspec.to_builtins(artifact().facts)
    for later in ("update_of", "core_version", "finetuned_of"):
        assert told.pop(later) == ""
    before = hashlib.sha256(msgspec.json.encode(told)).hexdigest()
    assert msgspec.json.decode((saved / MANIFEST).read_bytes())["facts_sha256"] == before
    changed = msgspec.structs.replace(artifact(), facts=artifact(core_version="0123").facts)
    save_artifact(changed, saved.with_name("other"))
    assert msgspec.json.decode((saved.with_name("other") / MANIFEST).read_bytes())["facts_sha256"] != before
    assert load_artifact(saved.with_name("other")).facts.core_version == "0123"
