"""How quick the page is, in a real browser beside its server: `python benchmarks/page.py`, into page.json.

Run it on a quiet machine; it takes three minutes (the first time two more: a model of 50,000 items with titles).
It needs Chromium (Debian's package `chromium`), and what the tests need. `--clicks 5 --openings 2` shows whether it
works: such rows are printed and not written.

- ready: from the navigation to a list on screen, each time in a fresh context with nothing cached.
- click: from a click on an item of the list to the frame after the one in which the next list stands: at most one frame
  (17 ms) late. Between clicks the page comes to rest, reasons included.
- bytes: of all files of the page, as they are sent.
"""

import argparse
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from machine import introduce, processor
from playwright.sync_api import Browser, Page, sync_playwright
from running import running
from untrained import HERE, model_of

import segue.web
from segue.artifact import load_artifact, save_artifact
from segue.data.catalog import Catalog

OUT = Path(__file__).with_suffix(".json")
ITEMS = 50_000
WORDS = (
    "amber",
    "birch",
    "copper",
    "dune",
    "ember",
    "fern",
    "granite",
    "harbour",
    "iris",
    "jade",
    "kelp",
    "linen",
    "maple",
    "north",
    "olive",
    "pearl",
    "quartz",
)
FRESH = """
() => new Promise((done) => {
  const look = () => document.querySelector(".item") ? requestAnimationFrame(() => done(performance.now()))
    : requestAnimationFrame(look);
  look();
})
"""
CLICK = """
(place) => new Promise((done) => {
  const shown = () => [...document.querySelectorAll(".item .choose")].map((one) => one.textContent).join("\\n");
  const before = shown(), begun = performance.now();
  document.querySelectorAll(".item .choose")[place].click();
  const look = () => shown() === before ? requestAnimationFrame(look)
    : requestAnimationFrame(() => done(performance.now() - begun));
  requestAnimationFrame(look);
})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="How quick the page is.")
    parser.add_argument("--clicks", type=int, default=50)
    parser.add_argument("--openings", type=int, default=10)
    options = parser.parse_args()
    introduce(1)
    chromium = os.environ.get("SEGUE_CHROMIUM") or shutil.which("chromium")
    with running(titled()) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        version = browser.version
        rows = [ready(browser, server.url, options.openings), click(browser, server.url, options.clicks), size()]
        browser.close()
    told = {"machine": processor(), "chromium": version, "items": ITEMS, "rows": rows}
    for row in rows:
        print(json.dumps(row))
    if (options.clicks, options.openings) == (50, 10):
        OUT.write_text(json.dumps({"command": "python benchmarks/page.py", **told}, indent=1) + "\n", "utf-8")
    else:
        print("shorter than it should be: not written")


def titled() -> Path:
    """The network that nobody trained, over items with titles and categories."""
    folder = HERE / f"page-{ITEMS}"
    if not (folder / "segue.json").exists():
        artifact, rng = load_artifact(model_of(ITEMS)), np.random.default_rng(1)
        words = rng.integers(len(WORDS), size=(ITEMS, 3))
        titles = [f"{' '.join(WORDS[word] for word in row).capitalize()} {n}" for n, row in enumerate(words.tolist())]
        kinds = [[WORDS[row[0]]] for row in words.tolist()]
        catalog = Catalog(artifact.catalog.ids, {"title": titles, "categories": kinds})
        save_artifact(msgspec.structs.replace(artifact, catalog=catalog), folder)
    return folder


def ready(browser: Browser, url: str, openings: int) -> dict[str, Any]:
    """Milliseconds until there is a list, from the navigation on."""
    found = []
    for opening in range(openings + 1):
        context = browser.new_context()
        page = context.new_page()
        page.goto(url, wait_until="commit")
        taken = page.evaluate(FRESH)
        if opening:  # the first one of a browser and a server that have just begun is not counted
            found.append(taken)
        context.close()
    return {"what": "ready", **told(found), "target_ms": 1000}


def click(browser: Browser, url: str, clicks: int) -> dict[str, Any]:
    """Milliseconds from a click to the next list."""
    page, rng = opened(browser, url), np.random.default_rng(1)
    found = []
    for _ in range(clicks):
        place = int(rng.integers(page.locator(".item .choose").count()))
        found.append(page.evaluate(CLICK, place))
        page.wait_for_load_state("networkidle")
        time.sleep(0.3)
    return {"what": "click", **told(found), "target_ms": 100}


def opened(browser: Browser, url: str) -> Page:
    """The page, at rest."""
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.goto(url)
    page.locator(".item").first.wait_for()
    page.wait_for_load_state("networkidle")
    return page


def size() -> dict[str, Any]:
    """Bytes of all files of the page."""
    files = list((Path(segue.web.__file__).parent / "static" / "page").iterdir())
    return {"what": "bytes", "files": len(files), "bytes": sum(f.stat().st_size for f in files), "target": 300_000}


def told(taken: list[float]) -> dict[str, float]:
    """Median, nine of ten, and the slowest."""
    return {
        "times": len(taken),
        "median_ms": round(float(np.median(taken)), 1),
        "p90_ms": round(float(np.percentile(taken, 90)), 1),
        "max_ms": round(max(taken), 1),
    }


if __name__ == "__main__":
    main()
