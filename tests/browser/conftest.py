"""A Chromium and a server for tests of the pages; whatever a page does wrong fails its test.

A browser is closed when the tests of this folder are over: Playwright has an event loop in the thread of the tests,
beside which no other may run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from browser.asking import ask
from browser.shop import train, visits
from browser.watching import Watched
from live_server import Live, live_server

COMMAND = """
import sys
from segue.cli import run
sys.exit(run(["serve", *sys.argv[1:]]))
"""
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
"""For a container, and without any name of another host."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the hostile shop, never to be written to."""
    return train(tmp_path_factory.mktemp("shop") / "shop")


@pytest.fixture(scope="session")
def serve(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Live]]:
    """Start a server of the model with these options; it ends with the tests."""
    with ExitStack() as running:

        def start(*options: object) -> Live:
            folder = tmp_path_factory.mktemp("server")
            given = [str(model), "--port", "0", "--store", str(folder / "store"), *map(str, options)]
            return running.enter_context(live_server(folder, COMMAND, *given))

        yield start


@pytest.fixture(scope="session")
def server(serve: Callable[..., Live]) -> Live:
    """A server that knows the visitors of `shop.visits`; tests may ask it, and store events of users of their own."""
    live = serve()
    ask(live, "/v1/events", {"events": visits()})
    return live


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The installed Chromium. Where there is none tests are skipped, and fail in CI."""
    found = os.environ.get("SEGUE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "no Chromium: install the package `chromium`, or name the program in SEGUE_CHROMIUM"
        )
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a context on a server, with options of Playwright's own; what goes wrong in it fails the test at its end."""
    opened: list[Watched] = []

    def start(live: Live, **options: Any) -> Watched:
        opened.append(Watched(browser.new_context(**{"reduced_motion": "reduce"} | options), live.address))
        return opened[-1]

    yield start
    for one in opened:
        one.context.close()
    for one in opened:
        one.check()


@pytest.fixture
def watched(watch: Callable[..., Watched], server: Live) -> Watched:
    """A context on the server of the hostile shop."""
    return watch(server)


@pytest.fixture
def page(watched: Watched) -> Page:
    """The page at `/`."""
    return watched.open()
