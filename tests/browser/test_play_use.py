"""Every control of Play, by mouse and by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from browser.asking import ask
from browser.play import Play, opened, shown, tab_to, until
from browser.watching import Watched
from live_server import Live

Way = Callable[[Play, Locator], None]


def by_mouse(play: Play, control: Locator) -> None:
    control.click()


def by_keyboard(play: Play, control: Locator) -> None:
    """Go there with the tabulator, wherever the focus is, and press Enter."""
    tab_to(play.page, control)
    play.page.keyboard.press("Enter")


WAYS = {"mouse": by_mouse, "keyboard": by_keyboard}
BEGUN = "#play?i=sku03&i=sku04&i=sku05&t=1700000000,60,90"


@pytest.fixture(params=WAYS)
def use(request: pytest.FixtureRequest) -> Way:
    """Use a button by mouse, or by keyboard."""
    return WAYS[request.param]


def test_an_item_is_found_and_added_by_mouse(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    play.items.fill("GREEN")
    found = ask(server, "/v1/items?search=GREEN&k=20")["items"]
    assert len(found) == 10
    expect(play.options).to_have_count(10)
    expect(play.options.locator(".name")).to_have_text([shown(item) for item in found])
    play.options.nth(2).click()
    play.has("sku03", "sku04", "sku05", found[2]["item_id"])
    play.agrees(
        items=["sku03", "sku04", "sku05", found[2]["item_id"]],
        times=[1700000000, 1700000060, 1700000150, 1700000210],
        timestamp=1700000210,
        k=10,
    )


def test_an_item_is_found_and_added_by_keyboard(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    tab_to(play.page, play.items)
    play.page.keyboard.type("green v")
    (vase,) = ask(server, "/v1/items?search=green%20v&k=20")["items"]
    expect(play.options).to_have_count(1)
    play.page.keyboard.press("Escape")
    expect(play.options).to_have_count(0)
    play.page.keyboard.press("ArrowDown")
    expect(play.options).to_have_count(1)
    play.page.keyboard.press("ArrowDown")
    play.page.keyboard.press("Enter")
    play.has("sku03", "sku04", "sku05", vase["item_id"])


def test_what_is_not_there_is_said(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    play.items.fill("<u>nothing</u>")
    expect(play.page.get_by_text("No item has “<u>nothing</u>” in its title.")).to_be_visible()


def test_a_listed_item_is_added(watched: Watched, server: Live, use: Way) -> None:
    play = opened(watched, server, BEGUN)
    third = play.rows()[2].title
    use(play, play.row(2).locator(".choose"))
    until(play.page, lambda: play.strip()[3:] == [third])
    play.settled()
    assert play.page.get_by_text("answered in").is_visible()


def test_an_event_is_removed_and_back_brings_it_again(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    play.page.get_by_role("button", name=re.compile("^Remove ")).nth(1).click()
    play.has("sku03", "sku05")
    play.agrees(items=["sku03", "sku05"], times=[1700000000, 1700000150], timestamp=1700000150, k=10)
    play.page.go_back()
    play.has("sku03", "sku04", "sku05")


def test_events_are_walked_moved_and_deleted_by_keyboard(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    tab_to(play.page, play.page.locator("#play .chip").last)
    press = play.page.keyboard.press
    press("ArrowLeft")
    press("Alt+ArrowRight")
    play.has("sku03", "sku05", "sku04")
    press("Alt+ArrowLeft")
    play.has("sku03", "sku04", "sku05")
    press("Delete")
    play.has("sku03", "sku05")
    press("Delete")
    play.has("sku03")
    press("Delete")
    play.has()


def test_an_event_is_moved_by_the_buttons_of_its_panel(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    play.page.locator("#play .chip").nth(1).click()
    panel = play.page.get_by_role("region", name="Why")
    panel.get_by_role("button", name="Earlier").click()
    play.has("sku04", "sku03", "sku05")
    panel.get_by_role("button", name="Later").click()
    play.has("sku03", "sku04", "sku05")
    panel.get_by_role("button", name="Remove").click()
    play.has("sku03", "sku05")


def test_a_user_is_opened_by_keyboard_changed_and_had_back(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    tab_to(play.page, play.users)
    play.page.keyboard.type("carl")
    expect(play.options.first).to_contain_text("carl")
    play.page.keyboard.press("Enter")
    play.has("sku03", "gone & unknown")
    expect(play.page.get_by_text("unknown to the model")).to_be_visible()
    play.row(0).locator(".choose").click()
    until(play.page, lambda: len(play.strip()) == 3)
    expect(play.page.get_by_role("heading", name="What if user carl")).to_be_visible()
    play.page.get_by_role("button", name="Back to what is stored").click()
    play.has("sku03", "gone & unknown")
    assert len(play.history("carl")) == 2, "nothing was stored"


def test_histories_to_begin_with(watched: Watched, server: Live, use: Way) -> None:
    play = opened(watched, server)
    assert play.strip(), "something is there at once"
    examples = play.page.locator("#play .examples button")
    expect(examples.first).to_be_visible()
    name = examples.first.text_content()
    use(play, examples.first)
    until(play.page, lambda: play.strip()[:1] == [name])
    use(play, play.page.get_by_role("button", name="somebody new"))
    play.has()
    play.agrees(items=[], k=10)
    use(play, examples.nth(1))
    until(play.page, lambda: len(play.strip()) > 0)
    use(play, play.page.get_by_role("button", name="Clear", exact=True))
    play.has()


def test_the_address_is_a_what_if_that_can_be_sent(watched: Watched, server: Live, use: Way) -> None:
    play = opened(watched, server, "#play?user=anna")
    play.row(0).locator(".choose").click()
    play.page.get_by_role("slider", name="How many").fill("7")
    play.page.get_by_role("slider", name="Time since the last event").press("ArrowRight")
    play.page.get_by_role("slider", name="Diversity").fill("0.5")
    until(play.page, lambda: len(play.rows()) == 7)
    play.settled()
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    use(play, play.page.get_by_role("button", name="Copy link"))
    expect(play.page.get_by_role("button", name="Copied")).to_be_visible()
    link = play.page.evaluate("navigator.clipboard.readText()")
    assert link == play.page.url
    other = opened(watched, server, link.removeprefix(f"{server.address}/"))
    until(other.page, lambda: other.rows() == play.rows())
    assert other.strip() == play.strip()
    for name in ("How many", "Time since the last event", "Diversity"):
        values = [one.page.get_by_role("slider", name=name).input_value() for one in (play, other)]
        assert values[0] == values[1]


def test_the_tabs_and_the_theme(watched: Watched, server: Live, use: Way) -> None:
    play = opened(watched, server, BEGUN)
    for view in ("Health", "Model", "Play"):
        use(play, play.page.get_by_role("navigation", name="Views").get_by_role("link", name=view))
        expect(play.page.get_by_role("region", name=view, exact=True)).to_be_visible()
        expect(play.page).to_have_title(f"{view} · segue")
    play.page.wait_for_timeout(200)
    colour = "getComputedStyle(document.body).backgroundColor"
    light = play.page.evaluate(colour)
    use(play, play.page.get_by_role("button", name="Dark colours"))
    dark = play.page.evaluate(colour)
    assert light != dark
    play.page.reload()
    assert play.page.evaluate(colour) == dark, "it is kept"
    use(play, play.page.get_by_role("button", name="Light colours"))
    assert play.page.evaluate(colour) == light


def test_the_content_is_a_key_away(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "")
    play.page.keyboard.press("Tab")
    play.page.keyboard.press("Enter")
    expect(play.page.locator("#view")).to_be_focused()
