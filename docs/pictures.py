"""Take the pictures of the page and of the report: `.venv/bin/python docs/pictures.py`, into docs/images.

It wants the model of `make demo ARGS=--once` in `demo-model`, and Chromium (Debian's package `chromium`).
"""

import json
import os
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from segue.data.datasets import movielens_100k
from segue.recommender import load
from segue.traffic.process import served

OUT = Path(__file__).parent / "images"
MODEL = Path("demo-model")
HISTORY = ("Star Wars", "Empire Strikes Back, The", "Return of the Jedi", "Raiders of the Lost Ark")
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def main() -> None:
    """Serve the model, and look at it."""
    recommender, data = load(MODEL), movielens_100k()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        recommender.evaluate(str(data.log), report=report)
        recommender.keep_frontier(
            recommender.frontier(str(data.log), strategies=["mmr", "long_tail"], predictions=2000)
        )
        with served(MODEL, Path(folder) / "store", ()) as (url, _), sync_playwright() as playwright:
            chromium = os.environ.get("SEGUE_CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            watched(url, [where(recommender, title) for title in HISTORY])
            play(browser, url)
            live(browser, url)
            plain(browser, f"{url}/#model", "model.png", ready=".verdict, .figure, svg")
            plain(browser, report.as_uri(), "report.png", ready="h1")
            browser.close()
    for file in sorted(OUT.glob("*.png")):
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB", file=sys.stderr)


def where(recommender, title: str) -> str:
    """The id of the film whose title begins so."""
    titles = recommender.artifact.catalog.columns["title"]
    return recommender.bundle.item_ids[next(at for at, one in enumerate(titles) if str(one).startswith(title))]


def watched(url: str, items: list[str]) -> None:
    """The user `you` watches films, one a day."""
    now = time.time() - 86400 * len(items)
    events = [{"user_id": "you", "item_id": item, "timestamp": now + 86400 * day} for day, item in enumerate(items)]
    asked(f"{url}/v1/events", {"events": events})


def play(browser: Browser, url: str) -> None:
    """A stored user's list, and why the first item is there; wide and on a phone."""
    for size, name in ((WIDE, "play.png"), (PHONE, "play-phone.png")):
        page = browser.new_page(viewport=size)
        page.goto(f"{url}/#play?user=you")
        page.locator(".item").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=OUT / name)
        page.close()


def live(browser: Browser, url: str) -> None:
    """Half a minute of requests."""
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{url}/#health")
    until, number = time.monotonic() + 30, 0
    while time.monotonic() < until:
        number += 1
        asked(f"{url}/v1/recommend", {"user_id": f"user {number % 40}", "event": {"item_id": str(1 + number % 300)}})
        page.wait_for_timeout(20 + 30 * (number % 3))
    page.screenshot(path=OUT / "health.png")
    page.close()


def plain(browser: Browser, url: str, name: str, *, ready: str) -> None:
    """One page as it opens."""
    page = browser.new_page(viewport=WIDE)
    page.goto(url)
    page.locator(ready).first.wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=OUT / name)
    page.close()


def asked(url: str, body: dict[str, object]) -> None:
    """Send a body as JSON."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


if __name__ == "__main__":
    main()
