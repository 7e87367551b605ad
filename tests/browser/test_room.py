"""The room itself: what a page does wrong is seen, and the page of the API does nothing wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from browser.watching import Watched
from live_server import Live

POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
WRONG = {
    "<script src='/x.js'></script>": r"answer: 404 .*/x\.js",
    "<script>document.title = 'ran'</script>": "policy: script-src",
    "<img src='https://elsewhere.example/x.png'>": "policy: img-src",
}


def test_the_page_of_the_api_shows_every_route_and_does_nothing_wrong(watched: Watched) -> None:
    page = watched.open("/schema")
    page.get_by_text("POST /v1/recommend").first.wait_for()


@pytest.mark.parametrize("markup", WRONG)
def test_what_a_page_does_wrong_is_seen(watched: Watched, markup: str) -> None:
    with_markup(watched, markup, {"Content-Security-Policy": POLICY})
    page = watched.open("/made-up")
    page.wait_for_timeout(100)
    assert page.title() != "ran"
    watched.expect(WRONG[markup])
    watched.expect("console: error|request: .*")


def test_another_host_is_not_reached_and_seen(watched: Watched) -> None:
    with_markup(watched, "<img src='https://elsewhere.example/x.png'>", {})
    watched.open("/made-up").wait_for_timeout(100)
    watched.expect(r"network: https://elsewhere\.example/x\.png")
    watched.expect("(request|console): .*ERR_FAILED")


def test_errors_and_dialogs_are_seen(watched: Watched) -> None:
    page = watched.open("/schema")
    page.evaluate("setTimeout(() => { alert('hello'); throw new Error('broken'); })")
    page.wait_for_timeout(100)
    watched.expect("dialog: hello")
    watched.expect("page: .*broken")


def test_a_trouble_that_nobody_expected_fails(watch: Callable[..., Watched], server: Live) -> None:
    watched = watch(server)
    watched.open("/schema").evaluate("console.error('broken')")
    with pytest.raises(AssertionError, match="console: error: broken"):
        watched.check()
    watched.expect("broken")
    watched.expect("never")
    with pytest.raises(AssertionError, match=r"did not come: .*never"):
        watched.check()
    watched._expected.remove("never")


def with_markup(watched: Watched, markup: str, headers: dict[str, str]) -> None:
    """Have the server answer a path with a page of this."""

    def answer(route: Route) -> None:
        route.fulfill(body=f"<!doctype html><title>made up</title>{markup}", content_type="text/html", headers=headers)

    watched.context.route("**/made-up", answer)
