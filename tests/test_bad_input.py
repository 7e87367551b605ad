"""What goes wrong, end to end: one clear message on stderr; status 1 where it failed, 2 where it was asked wrongly."""

from __future__ import annotations

import errno
import gzip
import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
import safetensors.numpy

import segue.artifact.writing
from segue.artifact import FILES, MANIFEST, load_artifact
from small_shop import SMALL, Ran, clicks, copied, text_of

Capture = pytest.CaptureFixture[str]
ROWS = clicks()
HEADER = "user_id,item_id,timestamp\n"
GOOD = text_of(ROWS)


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    return copied(tmp_path_factory, tmp_path)


def train(
    capsys: Capture, folder: Path, content: str | bytes, *options: str, name: str = "log.csv", model: str = "markov"
) -> Ran:
    """Train on a log with this content, into `new` beside it."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Ran(capsys, "train", folder / name, "--out", folder / "new", "--model", model, *SMALL, *options)


def columns(header: str, *values: list[object]) -> str:
    """The good log's users and items with other columns beside them."""
    lines = [",".join(map(str, (*row[:2], *more))) for row, *more in zip(ROWS, *values, strict=True)]
    return "\n".join([f"user_id,item_id,{header}", *lines]) + "\n"


PLACE = list(range(len(ROWS)))
MIXED = text_of([(u, i, t * 1000 if place % 2 else t) for place, (u, i, t) in enumerate(ROWS)])
SHARED = columns("timestamp,split", [row[2] for row in ROWS], [("train", "test")[place % 2] for place in PLACE])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["log.csv is empty"]),
        (HEADER, ["log.csv has columns but no rows"]),
        (GOOD.replace("item_id", "thing"), ["no column that is known to hold the item", "--item-col"]),
        (MIXED, ["240 as Unix seconds", "240 as Unix milliseconds", "--time-col"]),
        (HEADER + ",x,1\n" * 5, ["none of the 5 rows of log.csv can be used", "user_id is empty"]),
        (HEADER + "".join(f"u{n},x,{n + 1}\n" for n in range(50)), ["50 events of 1 items", "at least two"]),
        (HEADER + "a,x,1\na,y,2\n", ["split leaves no", "use a longer log"]),
        (GOOD.replace("sku01", "caf\xe9").encode("latin-1"), ["log.csv", "UTF-8"]),
        (SHARED, ["40 users have events in more than one part"]),
    ],
)
def test_a_log_that_cannot_be_used_is_refused(
    content: str | bytes, words: list[str], tmp_path: Path, capsys: Capture
) -> None:
    train(capsys, tmp_path, content).failed(1, *words)
    assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--split", "time"], 1, ["the time split needs times", "--split leave-one-out"]),
        (["--split", "column"], 1, ["--split column needs a column `split`"]),
        (["--set", "sessions.gap=60"], 2, ["sessions.gap needs times"]),
        (["--set", "model.time_gap=true"], 2, ["model.time_gap needs times"]),
        (["--time-col", "when"], 2, ["`when`, which is not a column of log.csv"]),
    ],
)
def test_what_needs_times_is_refused_on_a_log_that_has_only_an_order(
    options: list[str], status: int, words: list[str], tmp_path: Path, capsys: Capture
) -> None:
    train(capsys, tmp_path, columns("position", PLACE), *options).failed(status, *words)


@pytest.mark.parametrize(
    "setting",
    [
        *("train.learning_rate=nan", "train.learning_rate=-1", "train.clip=nan"),
        *("train.weight_decay=nan", "sessions.gap=nan", "split.test=nan", "model.dropout=1.5", "train=3"),
        *("train.epochs=-3", "train.epochs=many", "train.epochs=2.5", "evaluate.exclude=sometimes"),
        *("model.convolution=4", "model.feed_forward=2", "model.cosine=-1", "model.cosine=inf", "model.layers=0"),
        *("train.metric=coverage@10", "train.loss=ful", "train.epochs=", "seed=-1", "evaluate.metrics=['ndcg@0']"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(setting: str, tmp_path: Path, capsys: Capture) -> None:
    name, value = setting.split("=")
    words = name.removeprefix("evaluate.").removesuffix("s"), value.strip("[']")
    train(capsys, tmp_path, GOOD, "--set", setting, model="gru").failed(2, *words)
    assert not (tmp_path / "new").exists()


def test_a_row_with_an_id_of_10_kb_is_left_out_and_said(tmp_path: Path, capsys: Capture) -> None:
    ran = train(capsys, tmp_path, f"{GOOD}u1,{'x' * 10_240},{ROWS[-1][2]}\n")
    assert ran.status == 0
    assert "left out: 1 rows, item_id is longer than 1,024 bytes" in " ".join(ran.err.split())
    assert len(ran.err) < 10_000
    assert len(load_artifact(tmp_path / "new").catalog) == 12


def test_a_truncated_gz_is_refused(tmp_path: Path, capsys: Capture) -> None:
    packed = gzip.compress(GOOD.encode())
    train(capsys, tmp_path, packed[: len(packed) // 2], name="log.csv.gz").failed(1, "log.csv.gz")


def test_what_is_not_there_is_said(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "empty").mkdir()
    Ran(capsys, "inspect", tmp_path / "empty").failed(1, "holds no file that segue reads (0 others)")
    Ran(capsys, "inspect", tmp_path / "clicks.csv").failed(1, "there is no file")
    Ran(capsys, "evaluate", tmp_path / "empty", "x.csv").failed(1, "no model of segue here")
    (tmp_path / "x.csv").write_text(GOOD)
    asked = ("train", tmp_path / "x.csv", "--out", tmp_path / "new", "--config")
    Ran(capsys, *asked, tmp_path / "my.toml").failed(2, "my.toml: there is no such settings file")


def test_a_log_that_is_missing_is_said_before_a_folder_that_is_in_the_way(shop: Path, capsys: Capture) -> None:
    for command in ("pack", "train"):
        for out in (shop / "gru", shop / "clicks.csv"):
            asked = (command, shop / "clicks.csv", shop / "nosuch.csv", "--out", out)
            Ran(capsys, *asked).failed(1, "there is no file", "nosuch.csv; expected a log: check the path")


def test_a_full_disk_leaves_the_old_model_and_no_litter(
    shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    version = load_artifact(shop / "gru").version
    monkeypatch.setattr(segue.artifact.writing, "write_through", full)
    asked = ("train", shop / "clicks.csv", "--out", shop / "gru", "--overwrite", "--model", "markov", *SMALL)
    ran = Ran(capsys, *asked)
    ran.failed(1, "No space left on device); the one that was there is untouched")
    assert load_artifact(shop / "gru").version == version
    assert {file.name for file in shop.iterdir()} == {"clicks.csv", "items.csv", "gru"}


def test_lists_that_the_disk_does_not_take_are_refused(shop: Path, capsys: Capture) -> None:
    asked = ("recommend", shop / "gru", "--log", shop / "clicks.csv", "--out")
    for suffix in ("csv", "jsonl", "parquet"):
        Ran(capsys, *asked, shop / "nowhere" / f"lists.{suffix}").failed(1, f"lists.{suffix}: could not be written")


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_one_flipped_bit_in_any_file_is_noticed(name: str, shop: Path, capsys: Capture) -> None:
    data = bytearray((shop / "gru" / name).read_bytes())
    data[len(data) // 3] ^= 1
    (shop / "gru" / name).write_bytes(data)
    Ran(capsys, "recommend", shop / "gru", "--items", "sku01").failed(1, str(shop / "gru"))


def rewritten(folder: Path, change: object) -> None:
    tree = msgspec.json.decode((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(msgspec.json.encode({**tree, **change}))  # type: ignore[dict-item]


def test_a_model_of_a_newer_format_asks_for_an_upgrade(shop: Path, capsys: Capture) -> None:
    rewritten(shop / "gru", {"format": 3})
    Ran(capsys, "recommend", shop / "gru", "--items", "sku01").failed(1, "format 3", "upgrade segue")


def test_weights_of_another_shape_are_named_even_where_the_hash_fits(shop: Path, capsys: Capture) -> None:
    file = shop / "gru" / "model.safetensors"
    arrays = safetensors.numpy.load_file(file)
    data = safetensors.numpy.save({**arrays, "bias": np.zeros(5, np.float32)})
    file.write_bytes(data)
    files = msgspec.json.decode((shop / "gru" / MANIFEST).read_bytes())["files"]
    rewritten(shop / "gru", {"files": {**files, file.name: hashlib.sha256(data).hexdigest()}})
    Ran(capsys, "recommend", shop / "gru", "--items", "sku01").failed(1, "weight `bias`: found (5,)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], ['Did you mean "train"?']),
        (["train", "LOG", "--out", "new", "--modle", "gru"], ["id you mean", "--model"]),
        (["train", "LOG", "--out", "new", "--set", "train.epoch=3"], ["did you mean `train.epochs`?"]),
        (["train", "LOG", "--out", "new", "--item-col", "item"], ["did you mean `item_id`?"]),
        (["train", "LOG", "--out", "new", "--model", "grü"], ["did you mean `gru`?"]),
        (["compare", "LOG", "--models", "gru,markow"], ["did you mean `markov`?"]),
        (["inspect", "LOG", "--jsn"], ["did you mean `--json`?"]),
        (["train", "LOG"], ["--out"]),
        (["train", "LOG", "--out", ""], ["--out is empty; expected the name of a folder or a file"]),
        (["tune", "LOG", "--trials", "1", "--out", " "], ["--out is empty; expected the name"]),
        (["pack", "LOG", "--out="], ["--out is empty; expected the name"]),
        (["recommend", "GRU", "--log", "LOG", "--out", ""], ["--out is empty; expected the name"]),
        (["recommend", "GRU"], ["neither of --items and --log given"]),
        (["recommend", "GRU", "--items", "sku01", "--log", "LOG"], ["both of --items and --log given"]),
        (["recommend", "GRU", "--items", "sku01", "--out", "one.csv"], ["--out one.csv is for the lists of a log"]),
        (["recommend", "GRU", "--log", "LOG", "--out", "lists.xlsx"], ["lists.xlsx: expected a name that ends in"]),
        (["recommend", "GRU", "--log", "LOG", "--users", "u77"], ["user `u77` is not in the log", "did you mean `u7`"]),
        (["recommend", "GRU", "--items", "sku01", "-k", "0"], ["`k` is 0"]),
        (["recommend", "GRU", "--log", "LOG", "--explain"], ["--explain is for one list: give --items"]),
        (["recommend", "GRU", "--log", "LOG", "--explain", "--users", "u77"], ["user `u77` is not in the log"]),
        (["similar", "GRU", "--item", "sku99"], ["item `sku99` is not in the catalog of 12 items"]),
    ],
)
def test_what_is_asked_wrongly_leaves_with_2_and_a_hint(
    arguments: list[str], words: list[str], shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    places = {"LOG": "clicks.csv", "GRU": "gru"}
    Ran(capsys, *(places.get(word, word) for word in arguments)).failed(2, *words)
    assert {file.name for file in shop.iterdir()} == {"clicks.csv", "items.csv", "gru"}
