"""What one does while an answer is on its way: the last choice counts, and no history is lost."""

from __future__ import annotations

import json
from contextlib import suppress

from playwright.sync_api import Error, Route, expect

from browser.play import opened, until
from browser.watching import Watched
from live_server import Live


class Held:
    """Requests that are kept back until they are let go."""

    def __init__(self, watched: Watched, pattern: str, holds: str = "") -> None:
        self.routes: list[Route] = []
        self.holds: str | None = holds
        watched.context.route(pattern, self._came)

    def _came(self, route: Route) -> None:
        if self.holds is not None and self.holds in (route.request.post_data or route.request.url):
            self.routes.append(route)
        else:
            route.fallback()

    def let_go(self) -> None:
        """Answer them, and hold none any more."""
        self.holds = None
        for route in self.routes:
            with suppress(Error):  # the page has given it up
                route.fallback()


def test_enter_waits_for_the_options_of_what_is_typed(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?i=sku03&t=1700000000")
    play.users.click()
    until(play.page, lambda: play.options.count() > 1)
    held = Held(watched, "**/v1/users?*")
    play.page.keyboard.type("late")
    play.page.keyboard.press("Enter")
    until(play.page, lambda: bool(held.routes))
    play.page.wait_for_timeout(100)
    play.has("sku03")
    held.let_go()
    expect(play.page.get_by_role("heading", name="User late, as stored")).to_be_visible()


def test_a_late_example_does_not_take_the_place_of_a_newer_choice(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play")
    held = Held(watched, "**/v1/recommend", '"k":2,')
    play.page.locator("#play .examples button").nth(1).click()
    until(play.page, lambda: bool(held.routes))
    play.users.fill("carl")
    play.options.first.click()
    play.has("sku03", "gone & unknown")
    held.let_go()
    play.page.wait_for_timeout(300)
    play.has("sku03", "gone & unknown")


def test_nothing_is_changed_before_the_history_is_there(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?i=sku03&t=1700000000")
    held = Held(watched, "**/v1/history")
    play.page.evaluate("location.hash = '#play?user=carl'")
    until(play.page, lambda: bool(held.routes))
    play.row(0).locator(".choose").click(force=True)
    play.page.locator("#play .remove").first.click(force=True)
    play.items.fill("green v")
    play.options.first.click()
    expect(play.page.get_by_text("What is stored must be read first.").first).to_be_visible()
    assert play.page.url.endswith("#play?user=carl")
    held.let_go()
    play.has("sku03", "gone & unknown")
    title = play.agrees(user_id="carl", k=10, timestamp=play.history("carl")[-1]["time"])[0].title
    play.row(0).locator(".choose").click()
    until(play.page, lambda: play.strip() == ["white Lamp", "gone & unknown", title], lambda: str(play.strip()))


def test_where_the_history_cannot_be_had_the_list_of_another_is_gone(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?user=anna")
    body = json.dumps({"error": {"code": "broken", "message": "the store is broken"}})
    refuse = True

    def answer(route: Route) -> None:
        if refuse:
            route.fulfill(status=500, content_type="application/json", body=body)
        else:
            route.fallback()

    watched.context.route("**/v1/history", answer)
    watched.expect("answer: 500 ")
    watched.expect("console: error: .*500")
    play.users.fill("carl")
    play.options.first.click()
    trouble = play.page.get_by_role("alert").filter(has_text="The store is broken.")
    expect(trouble).to_be_visible()
    assert (play.rows(), play.strip()) == ([], [])
    expect(play.page.get_by_role("region", name="Why")).to_be_hidden()
    play.items.fill("green v")
    play.options.first.click()
    assert play.page.url.endswith("#play?user=carl"), "what carl did is not thrown away"
    refuse = False
    trouble.get_by_role("button", name="Try again").click()
    play.has("sku03", "gone & unknown")
    play.settled()


def test_a_view_of_no_name_of_ours_is_play(watched: Watched, server: Live) -> None:
    for name in ("constructor", "__proto__", "toString"):
        play = opened(watched, server, f"#{name}")
        expect(play.page).to_have_title("Play · segue")
