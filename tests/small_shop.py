"""A shop of 12 items and 40 visitors, a model of it that is trained once, and the command line as tests call it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.cli import run

N_ITEMS, N_USERS, VISITS, CLICKS = 12, 40, 2, 6
SETTINGS = {"model.width": 8, "train.epochs": 1, "train.threads": 1, "evaluate.replicates": 100}
SMALL = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
METRICS = {f"{metric}@{k}" for metric in ("recall", "mrr", "ndcg", "hr") for k in (10, 20)}


def clicks(seed: int = 7, start: int = 1_600_000_000) -> list[tuple[str, str, int]]:
    """Visitors, items, seconds: two visits of six clicks, a minute apart; 4 of 5 clicks go to the next item in a ring.

    Rows stand in the order of time.
    """
    draw, rows = random.Random(seed), []
    for user in range(N_USERS):
        at = start + draw.randrange(86_400)
        for _ in range(VISITS):
            item = draw.randrange(N_ITEMS)
            for _ in range(CLICKS):
                rows.append((f"u{user}", f"sku{item:02}", at))
                item = (item + 1) % N_ITEMS if draw.random() < 0.8 else draw.randrange(N_ITEMS)
                at += 60
            at += draw.randrange(7_200, 40_000)
    return sorted(rows, key=lambda row: row[2])


def text_of(rows: list[tuple[str, str, int]], header: str = "user_id,item_id,timestamp") -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def write_shop(folder: Path) -> tuple[str, str]:
    """The log and the items table in a folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clicks.csv").write_text(text_of(clicks()))
    rows = [f"sku{item:02},Thing {item},{'odd' if item % 2 else 'even'}" for item in range(N_ITEMS)]
    (folder / "items.csv").write_text("\n".join(["item_id,title,categories", *rows]) + "\n")
    return str(folder / "clicks.csv"), str(folder / "items.csv")


def shop_of(factory: pytest.TempPathFactory) -> Path:
    """A folder with clicks.csv, items.csv and the trained model `gru`: made once a session, never to be written to."""
    folder = factory.getbasetemp() / "small-shop"
    if not (folder / "gru").exists():
        log, items = write_shop(folder)
        assert run(["train", log, "--items", items, "--out", str(folder / "gru"), *SMALL]) == 0
    return folder


def copied(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """A copy of the shop that a test may write to."""
    return Path(shutil.copytree(shop_of(factory), folder / "shop"))


class Ran:
    """A command that was run: its status, and what it wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        capsys.readouterr()
        self.status = run([str(argument) for argument in arguments])
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> Any:
        """What stdout holds, which must be JSON and nothing else."""
        assert self.status == 0, self.err
        return msgspec.json.decode(self.out)

    def failed(self, status: int, *words: str) -> str:
        """What stderr holds, after a refusal: these words in one message, no traceback, and nothing on stdout."""
        told = " ".join(self.err.replace("│", " ").split())
        assert self.status == status, told
        assert self.out == ""
        assert "Traceback" not in told
        assert self.err.count("error: ") + self.err.count("─ Error ") == 1, told
        for word in words:
            assert word in told, told
        return told
