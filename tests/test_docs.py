"""What the documents show, runs: doctests, Python blocks, and `$ segue` lines."""

from __future__ import annotations

import doctest
import pkgutil
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import segue
from segue.cli import app, run

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("guide", "tuning", "training", "cells", "measuring", "diversity")),
    *(ROOT / "docs" / f"{name}.md" for name in ("objectives", "needs", "updating", "forgetting", "features")),
    *(ROOT / "docs" / f"{name}.md" for name in ("cold_start", "rolling", "finetuning", "event_features", "report")),
]
# A model for a page is not a good one: a page is about what is typed.
FEW = ["--set", "train.epochs=1", "--set", "train.threads=1"]
QUICK = [*FEW, "--set", "model.width=8"]


def modules() -> Iterator[str]:
    return (found.name for found in pkgutil.walk_packages(segue.__path__, "segue.") if "__main__" not in found.name)


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages talk of: clicks.csv, items.csv, and those of the days after them."""
    rng = np.random.default_rng(1)
    items = [*"ABC", *(f"item {i}" for i in range(37))]
    lines = ["user_id,item_id,timestamp,revenue"]
    for user in range(80):
        at = 1_700_000_000 + int(rng.integers(86_400 * 20))
        place = int(rng.integers(40))
        for _ in range(12):
            lines.append(f"u{user},{items[place]},{at},{place / 4:g}")
            at += int(rng.choice([20, 60, 7200], p=[0.5, 0.4, 0.1]))
            place = (place + int(rng.choice([1, 2, 9]))) % 40
    (tmp_path / "clicks.csv").write_text("\n".join(lines))
    rows = [f"{item},Title of {item},{'even' if i % 2 else 'odd'}" for i, item in enumerate(items)]
    (tmp_path / "items.csv").write_text("\n".join(["item_id,title,categories", *rows]))
    later = [line.split(",") for line in lines[1:]]
    moved = [f"{user},{item.replace('item 7', 'item 99')},{int(at) + 86_400 * 21}" for user, item, at, _ in later]
    (tmp_path / "tomorrow.csv").write_text("\n".join(["user_id,item_id,timestamp", *moved]))
    rows = [*rows, "item 99,Title of a new item,odd"]
    (tmp_path / "items-today.csv").write_text("\n".join(["item_id,title,categories", *rows]))
    (tmp_path / "gone.csv").write_text("item_id\nitem 3\n")
    small = [line.split(",") for line in lines[1:] if int(line.split(",")[0][1:]) < 40]
    shirts = [f"{user},{item.replace('item', 'shirt')},{at}" for user, item, at, _ in small]
    (tmp_path / "small.csv").write_text("\n".join(["user_id,item_id,timestamp", *shirts]))
    rows = [row.replace("item ", "shirt ") for row in rows]
    (tmp_path / "small-items.csv").write_text("\n".join(["item_id,title,categories", *rows]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.usefixtures("own_parts_go")
def test_what_a_page_shows_runs(page: Path, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space: dict[str, object] = {}
    ran = 0
    text = page.read_text("utf-8")
    for name, block in re.findall(r'```python title="(\w+\.py)"\n(.*?)```', text, re.S):
        Path(name).write_text(block)
    for kind, block in re.findall(r"```(console|python)\n(.*?)```", text, re.S):
        if kind == "python":
            exec(compile(block, page.name, "exec"), space)
            ran += 1
            continue
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "))
            if words[:1] != ["segue"] or words[1] in ("serve", "stress"):
                continue
            quick = QUICK if words[1] in ("train", "tune", "compare", "ablate") else []
            quick = FEW if words[1] == "finetune" else quick  # its width is that of its source
            quick = [*quick, "--trials", "2"] if words[1] == "tune" else quick
            again = ["--overwrite"] if words[1] in ("train", "tune") else []
            again = ["--force"] if words[1] == "update" and "--log" in words else again
            assert run([*words[1:], *quick, *again]) == 0, f"{line}\n{capsys.readouterr().err}"
            ran += 1
    assert ran >= 3


def test_every_command_is_shown_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    commands = [name for name in app if not name.startswith("-")]
    assert len(commands) >= 7
    for name in commands:
        assert f"segue {name}" in text, name
