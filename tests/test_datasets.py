"""MovieLens-100k comes from its owner, else from a package, is checked, and is fetched once."""

from __future__ import annotations

import hashlib
import io
import subprocess
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

from segue.data import datasets
from segue.data.datasets import movielens_100k
from segue.data.items import read_items
from segue.data.log import read_log
from segue.errors import LogError

GENRES = "|".join("1" if place in (1, 5) else "0" for place in range(19))
OWNER = {
    "ml-100k/u.data": b"196\t242\t3\t881250949\n186\t242\t5\t881250950\n",
    "ml-100k/u.item": f"242|Les Misérables, (1995)|01-Jan-1995||http://x|{GENRES}\n".encode("latin-1"),
}
PACKAGE = {
    "recbole/dataset_example/ml-100k/ml-100k.inter": (
        b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t4\t881250949\n"
    ),
    "recbole/dataset_example/ml-100k/ml-100k.item": (
        b"item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n2\tHeat\t1995\tAction Crime\n"
    ),
}


def packed(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return memory.getvalue()


class Network:
    """What the two places give; None where one cannot be reached. Counts what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: bytes | None, package: bytes | None) -> None:
        self.asked: list[str] = []
        self.owner, self.package = owner, package
        monkeypatch.setattr(urllib.request, "urlopen", self.open)
        monkeypatch.setattr(subprocess, "run", self.download)

    def open(self, address: str, timeout: float) -> io.BytesIO:
        assert timeout > 0
        self.asked.append(address)
        if self.owner is None:
            raise urllib.error.URLError("no route to host")
        return io.BytesIO(self.owner)

    def download(self, command: list[str], **_: Any) -> None:
        self.asked.append(command[-1])
        if self.package is None:
            raise subprocess.CalledProcessError(1, command)
        (Path(command[command.index("--dest") + 1]) / "recbole.whl").write_bytes(self.package)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEGUE_CACHE", str(tmp_path / "cache"))
    for name, data in (("OWNER", packed(OWNER)), ("PACKAGE", packed(PACKAGE))):
        monkeypatch.setattr(datasets, f"{name}_SHA256", hashlib.sha256(data).hexdigest())
    return tmp_path / "cache"


def test_the_owners_archive_becomes_a_log_and_an_items_table(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(monkeypatch, packed(OWNER), None)
    found = movielens_100k()
    assert network.asked == [datasets.OWNER]
    assert found.log == cache / "ml-100k" / "ratings.csv"
    assert found.log.read_text().splitlines() == [
        "user_id,item_id,rating,timestamp",
        "196,242,3,881250949",
        "186,242,5,881250950",
    ]
    log, items = read_log(found.log), read_items(found.items)
    assert list(log.users) == ["196", "186"]
    assert list(log.time) == [881250949, 881250950]
    assert list(items.ids) == ["242"]
    assert items.columns["title"] == ["Les Misérables, (1995)"]
    # the second and the sixth of the archive's list of genres
    assert found.items.read_text().splitlines()[1].endswith(",Action|Comedy")


def test_the_cache_is_used_without_asking_anyone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Network(monkeypatch, packed(OWNER), None)
    first = movielens_100k()
    offline = Network(monkeypatch, None, None)
    assert movielens_100k() == first
    assert offline.asked == []
    assert {file.name for file in first.log.parent.iterdir()} == {"ratings.csv", "films.csv"}
    assert first.log.is_relative_to(cache)


def test_the_package_stands_in_for_an_owner_who_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    network, told = Network(monkeypatch, None, packed(PACKAGE)), []
    found = movielens_100k(told.append)
    assert network.asked == [datasets.OWNER, datasets.PACKAGE]
    assert found.log.read_text().splitlines()[1:] == ["1,2,4,881250949"]
    assert found.items.read_text().splitlines()[1:] == ["2,Heat (1995),Action|Crime"]
    assert [line.split(" from ")[0] for line in told[:2]] == ["fetching MovieLens-100k"] * 2
    assert "no redistribution" in told[-1]


def test_what_has_another_hash_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = packed({**OWNER, "ml-100k/u.data": b"1\t1\t1\t1\n"})
    Network(monkeypatch, other, packed(PACKAGE) + b"\0")
    with pytest.raises(LogError) as error:
        movielens_100k()
    for data, expected in ((other, datasets.OWNER_SHA256), (packed(PACKAGE) + b"\0", datasets.PACKAGE_SHA256)):
        found = hashlib.sha256(data).hexdigest()
        assert f"SHA-256 is {found[:12]}..., expected {expected[:12]}" in str(error.value)
    assert not (cache / "ml-100k").exists()


def test_an_owner_whose_archive_was_changed_is_passed_over_for_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    Network(monkeypatch, b"<html>moved</html>", packed(PACKAGE))
    assert movielens_100k().log.read_text().splitlines()[1:] == ["1,2,4,881250949"]


def test_without_a_network_the_error_names_the_folder_to_fill(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Network(monkeypatch, None, None)
    with pytest.raises(LogError) as error:
        movielens_100k()
    for word in ("no route to host", datasets.PACKAGE, "ratings.csv", "films.csv", str(cache / "ml-100k")):
        assert word in str(error.value)
    assert not (cache / "ml-100k").exists()


def test_without_a_named_cache_the_users_own_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SEGUE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert datasets.cache_folder() == tmp_path / "segue"
