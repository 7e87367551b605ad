"""The demo: it ends by itself if asked, else stays with a page to look at until Ctrl-C."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from segue.data.datasets import Dataset
from small_shop import shop_of, write_shop

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"
LIVE = """
import sys, time
sys.path.insert(0, sys.argv[1])
import demo
demo.live(["sku03", "sku04", "sku05"], time.monotonic(), once=False)
"""
ENDS = {"a signal to it": os.kill, "Ctrl-C in its terminal": os.killpg}


@pytest.mark.slow
def test_it_ends_by_itself_with_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    demo = module_of(DEMO)
    log, items = write_shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["demo.py", "--once"])
    monkeypatch.setattr(demo, "movielens_100k", lambda _: Dataset(Path(log), Path(items)))
    monkeypatch.setattr(demo, "HISTORY", ("Thing 3", "Thing 4"))
    settings = {"model.width": 8, "train.epochs": 1, "train.threads": 1, "evaluate.replicates": 100}
    monkeypatch.setattr(demo, "SETTINGS", settings)
    demo.main()
    said = capfd.readouterr().out
    assert "After Thing 3, Thing 4:" in said
    assert "  1. Thing " in said
    assert said.splitlines()[-1].startswith("From nothing to a live answer in ")


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_it_stays_with_a_page_and_a_user_to_open_until_it_is_told(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, end: str
) -> None:
    shutil.copytree(shop_of(tmp_path_factory) / "gru", tmp_path / "demo-model")
    command = [sys.executable, "-W", "error", "-c", LIVE, str(DEMO.parent)]
    environment = {**os.environ, "PYTHONPATH": str(DEMO.parents[1] / "src")}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as demo:
        try:
            assert demo.stdout is not None
            last = next(line for line in demo.stdout if line.startswith("and people"))
            address, _, view = last.split()[-1].partition("#")
            assert view == "play?user=you"
            assert "text/html" in httpx.get(address).headers["content-type"]
            found = httpx.post(f"{address}v1/recommend", json={"user_id": "you", "k": 3}).json()
            assert found["state_version"]
            assert all(item["title"].startswith("Thing ") for item in found["items"])
            assert httpx.get(f"{address}v1/users/you").json()["last_item"] == "sku05"
            told: Callable[[int, int], Any] = ENDS[end]
            told(demo.pid, signal.SIGINT)
            out, errors = demo.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(demo.pid, signal.SIGKILL)  # whoever is left of it
    assert (demo.returncode, out, errors) == (0, "", "")
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def module_of(file: Path) -> Any:
    """A file outside of any package, imported."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
