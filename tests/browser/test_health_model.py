"""Health shows what the server's own counts say, and Model what the artifact says of itself; every control of both."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from browser.asking import ask
from browser.play import until
from browser.watching import Watched
from live_server import Live


def test_health_follows_what_is_asked(watched: Watched, server: Live) -> None:
    page = watched.open("/#health")
    lead = page.locator("#health .lead")
    expect(lead).to_contain_text("answers")
    before = lists(page)
    for place in range(5):
        ask(server, "/v1/recommend", {"user_id": f"asker {place}", "k": 3})
    until(page, lambda: lists(page) >= before + 5)
    expect(page.locator("#health .stat dd").first).to_be_visible()
    page.get_by_role("link", name="Model").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert not [url for url in asked if url.endswith("/metrics")], "a view that is hidden asks for nothing"


def lists(page: Page) -> int:
    """How many lists Health says were given."""
    found = re.search(r"([\d,]+) lists given", page.locator("#health .lead").text_content() or "")
    return int(found[1].replace(",", "")) if found else 0


def test_model_says_what_the_artifact_says(watched: Watched, server: Live) -> None:
    page = watched.open("/#model")
    said = ask(server, "/v1/model")
    expect(page.locator("#model h2")).to_have_text(said["name"])
    expect(page.locator("#model .lead").first).to_contain_text(said["version"])
    expect(page.locator("#model .verdict .words")).not_to_be_empty()
    for shown in page.locator("#model details:not([open]) > summary").all()[::-1]:
        by_keyboard(shown)
    expect(page.locator("#model .prose")).to_contain_text("segue")
    assert page.locator("#model details:not([open])").count() == 0


def test_every_button_of_health_and_model_may_be_pressed(watched: Watched) -> None:
    for view in ("health", "model"):
        page = watched.open(f"/#{view}")
        page.wait_for_load_state("networkidle")
        buttons = page.locator(f"#{view} button:visible")
        until(page, lambda buttons=buttons: buttons.count() > 0)
        for place in range(buttons.count()):
            before = page.locator(f"#{view}").inner_text()
            by_keyboard(buttons.nth(place))
            if view == "model" and buttons.nth(place).get_attribute("aria-pressed") == "true":
                assert page.locator(f"#{view}").inner_text() != before, "a control that does something"
            buttons.nth(place).click()


def by_keyboard(control: Locator) -> None:
    """Use a control by Enter."""
    control.focus()
    control.press("Enter")
