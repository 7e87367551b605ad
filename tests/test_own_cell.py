"""A cell is one file: that of docs/cells.md trains, is saved, loads and serves, and no other file knows of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import segue

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "cells.md").read_text("utf-8")
LEAKY = re.findall(r'```python title="leaky.py"\n(.*?)```', PAGE, re.S)[0]

# What a user does, and whether the state that is served agrees with the scan of training.
USE = """
import numpy as np
import segue
from api_log import QUICK, clicks

fitted = segue.fit(clicks(), model="leaky", settings={**QUICK, "model.block": BLOCK})
fitted.save("model")
loaded = segue.load("model")
cells = [type(part) for part in loaded.bundle.model.modules() if getattr(part, "name", "") == "leaky"]
assert [cell.__module__ for cell in cells] == [HOME], cells
state, log = loaded.initial_state(), clicks().filter(user_id="u3")
for item, at in zip(log["item_id"], log["timestamp"]):
    state = loaded.step({"item_id": item, "timestamp": at}, state)
assert any(name.endswith(".h") for name in state.memory.state)
served = {one.item_id: one.score for one in loaded.top_k(state, k=25)}
for recommender in (fitted, loaded):
    lists = recommender.recommend_users(log, k=25)
    scanned = dict(zip(lists["item_id"], lists["score"]))
    assert scanned.keys() == served.keys() and len(served) > 20, (scanned, served)
    np.testing.assert_allclose([scanned[i] for i in served], list(served.values()), rtol=5e-6, atol=5e-6)
assert ("import that before" in loaded.artifact.card) == (HOME == "leaky")
assert "leaky" in {row.model for row in loaded.trained_report.rows}
"""


def python(where: Path, *words: str, path: list[Path]) -> None:
    """Run Python in a folder, with these places looked at before any other."""
    found = [*path, ROOT / "tests"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=where,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, found)), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The place of a copy of segue with one more file."""
    ours = Path(segue.__file__).parent
    shutil.copytree(ours, tmp_path / "place" / "segue", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "place" / "segue" / "cells" / "leaky.py").write_text(LEAKY)
    return tmp_path / "place"


def test_the_cell_of_the_page_is_short() -> None:
    assert 10 < LEAKY.count("\n") < 80


def test_a_file_dropped_into_the_package_is_trained_saved_loaded_and_served(package: Path, tmp_path: Path) -> None:
    script = f"import segue; assert segue.__file__.startswith({str(package)!r})\n"
    python(tmp_path, "-c", script + f"BLOCK, HOME = 'plain', 'segue.cells.leaky'\n{USE}", path=[package])


@pytest.mark.slow
def test_a_file_dropped_into_the_package_is_run_through_the_contract(package: Path, tmp_path: Path) -> None:
    tests = [str(ROOT / "tests" / name) for name in ("contracts/test_cell_contract.py", "test_cells.py")]
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "leaky and not of_the_test", "-W", "error", *tests]
    python(tmp_path, *words, path=[package])
    broken = LEAKY.replace('return h, {"h": h}', 'state["h"].mul_(0.5)\n        return h, {"h": h}')
    (package / "segue" / "cells" / "leaky.py").write_text(broken)
    with pytest.raises(AssertionError, match="test_nothing_is_changed_in_place"):
        python(tmp_path, *words, path=[package])


def test_a_cell_in_a_module_of_one_s_own_is_trained_saved_loaded_and_served(tmp_path: Path) -> None:
    (tmp_path / "leaky.py").write_text(LEAKY)
    python(tmp_path, "-c", f"import leaky\nBLOCK, HOME = 'residual', 'leaky'\n{USE}", path=[tmp_path])
    with pytest.raises(AssertionError, match=r"model: `leaky` is not a cell.*once its module is imported"):
        python(tmp_path, "-c", "import segue; segue.load('model')", path=[tmp_path])
