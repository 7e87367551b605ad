"""Files that are put in place whole, whoever else writes them, and whatever stops it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from segue import disk
from segue.artifact.content import MANIFEST
from segue.artifact.writing import check_free
from segue.errors import ArtifactError, SegueError
from segue.places import write_whole


def test_two_who_write_a_file_at_once_do_not_write_into_each_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, sync, seen = tmp_path / "it", os.fsync, list[bytes]()

    def meanwhile(handle: int) -> None:
        monkeypatch.setattr(os, "fsync", sync)
        disk.replace_file(file, b"second")
        seen.append(file.read_bytes())
        sync(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)
    disk.replace_file(file, b"first")
    assert (seen, file.read_bytes()) == ([b"second"], b"first")
    assert list(tmp_path.iterdir()) == [file]


def test_what_the_disk_does_not_take_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "it"
    file.write_text("old")

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SegueError, match="the report could not be written"):
        write_whole("new", file, "the report")
    assert (list(tmp_path.iterdir()), file.read_text()) == ([file], "old")


def test_what_a_killed_writer_left_does_not_keep_a_model_from_being_replaced(tmp_path: Path) -> None:
    for file in (tmp_path / MANIFEST, disk.partial_of(tmp_path / "frontier.json")):
        file.write_text("{}")
    check_free(tmp_path, overwrite=True)
    (tmp_path / "mine.partial-of-it").write_text("")
    with pytest.raises(ArtifactError, match="holds more than a model"):
        check_free(tmp_path, overwrite=True)
