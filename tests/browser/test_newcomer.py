"""What somebody who opens the page for the first time stumbles over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, expect

from browser.asking import ask
from browser.conftest import COMMAND
from browser.play import Play, opened, until
from browser.watching import Watched
from live_server import Live, live_server

BEGUN = "#play?i=sku03&i=sku04&t=1700000000,60"


def changed(watched: Watched, path: str, change: Callable[[Any], None]) -> None:
    """Have answers of a route be changed on their way to the page."""

    def answer(route: Route) -> None:
        found = route.fetch()
        said = found.json()
        change(said)
        route.fulfill(response=found, body=json.dumps(said))

    watched.context.route(path, answer)


def test_a_user_of_long_ago_is_asked_about_as_of_now(watched: Watched, server: Live) -> None:
    event = {"user_id": "old", "item_id": "sku03", "timestamp": 1_700_000_000}
    ask(server, "/v1/events", {"events": [event, event | {"item_id": "sku04", "timestamp": 1_700_000_060}]})
    play = opened(watched, server, "#play?user=old")
    play.agrees(user_id="old", k=10)
    slider = play.page.get_by_role("slider", name="Time since the last event")
    assert (slider.get_attribute("aria-valuetext") or "").startswith("now, ")
    expect(play.page.locator("#play .whose")).to_contain_text("the last on 14 Nov 2023")
    slider.fill("0")
    play.agrees(user_id="old", k=10, timestamp=1_700_000_060)
    assert play.page.url.endswith("user=old&pause=0")


def test_what_an_address_says_and_cannot_be_read_is_told(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?i=sku03&i=sku04&k=many")
    play.has("sku03", "sku04")
    said = play.page.locator("#play .history .note")
    expect(said).to_have_count(2)
    expect(said.last).to_contain_text("a minute apart")
    play.row(0).locator(".choose").click()
    expect(said).to_have_count(0)


def test_a_user_that_cannot_be_had_leaves_nothing_of_the_one_before(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?user=anna")
    watched.expect("answer: 400")
    watched.expect("console: error")
    play.page.evaluate("location.hash = `#play?user=${'x'.repeat(1100)}`")
    expect(play.page.locator("#play .history .trouble")).to_be_visible()
    expect(play.page.locator("#play .whose h3")).to_contain_text("xxx")
    assert play.strip() == []
    assert play.rows() == []


def test_another_user_has_no_old_choice_and_no_old_text(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?user=anna")
    play.row(4).locator(".why").click()
    play.items.fill("lam")
    play.users.fill("carl")
    play.options.first.click()
    play.has("sku03", "gone & unknown")
    play.settled()
    assert play.items.input_value() == ""
    heading = play.page.locator("#play .why-panel h3 .name")
    until(play.page, lambda: heading.text_content() == play.rows()[0].title)


def test_what_the_model_does_not_know_is_no_reason(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?i=zzz2&t=1700000000")
    reasons = play.page.locator("#play .reason")
    expect(reasons.filter(has_text="zzz2")).to_have_count(0)
    expect(play.page.locator("#play .why-panel .pushed-by")).to_have_count(0)
    play.page.locator("#play .chip").click()
    expect(play.page.locator("#play .why-panel")).to_contain_text("does not know this item")


def test_tab_leaves_the_open_search_for_the_next_field(watched: Watched, server: Live) -> None:
    play = opened(watched, server, BEGUN)
    play.items.click()
    expect(play.options).to_have_count(20)
    play.page.keyboard.press("Tab")
    assert play.page.evaluate("document.activeElement.tagName") != "BODY"
    assert play.page.evaluate("!document.activeElement.matches('[role=listbox]')")


def test_items_of_one_title_show_their_ids(watched: Watched, server: Live) -> None:
    def same(said: Any) -> None:
        for item in said["items"][:2]:
            item["title"] = "Twin"

    changed(watched, "**/v1/recommend", same)
    changed(watched, "**/v1/items?*", same)
    play = opened(watched, server, BEGUN)
    expect(play.page.locator("#play .title-line .id")).to_have_count(2)
    ids = [item["item_id"] for item in ask(server, "/v1/items?search=red&k=20")["items"][:2]]
    play.items.fill("red")
    expect(play.options.filter(has_text="Twin").locator(".quiet > .name")).to_have_text(ids)


def test_a_long_category_does_not_widen_the_page(watched: Watched, server: Live) -> None:
    def long(said: Any) -> None:
        for item in said["items"]:
            item["categories"] = ["x" * 55, "y" * 55]

    changed(watched, "**/v1/items*", long)
    play = opened(watched, server, BEGUN)
    play.page.set_viewport_size({"width": 390, "height": 800})
    expect(play.page.locator("#play .categories").first).to_contain_text("xxx")
    play.items.click()
    expect(play.options.first).to_contain_text("xxx")
    assert play.page.evaluate("document.documentElement.scrollWidth") <= 390
    box = play.page.locator("#play .options:visible")
    assert box.evaluate("(box) => box.scrollWidth <= box.clientWidth")


def test_the_test_of_the_model_is_told_of_lists_that_it_covers(watched: Watched, server: Live) -> None:
    def loses(said: Any) -> None:
        (own,) = [row for row in said["metrics"]["report"]["rows"] if row["model"] == said["name"]]
        own["against_best_baseline"] = {"difference": -0.02, "low": -0.03, "high": -0.01, "p": 0.01}

    changed(watched, "**/v1/model", loses)
    play = opened(watched, server, BEGUN)
    expect(play.page.locator("#play .loses strong")).to_contain_text("This model loses to")
    play.page.get_by_role("button", name="somebody new").click()
    play.has()
    expect(play.page.locator("#play .loses")).to_be_hidden()


def test_a_new_model_is_noticed(watched: Watched, server: Live) -> None:
    version = [""]

    def renamed(said: Any) -> None:
        said["model_version"] = version[0] or said["model_version"]

    changed(watched, "**/v1/recommend", renamed)
    changed(watched, "**/health/ready", lambda said: said.update(version=version[0] or said["version"], name="shop"))
    play = opened(watched, server, BEGUN)
    version[0] = "another"
    asked: list[str] = []
    play.page.on("request", lambda request: asked.append(request.url.removeprefix(server.address)))
    play.page.get_by_role("slider", name="How many").fill("5")
    expect(play.page.locator("#serving")).to_contain_text("a new model answers")
    until(play.page, lambda: {"/v1/items?search=&k=20", "/v1/choices", "/v1/model"} <= set(asked))


def test_play_goes_on_by_itself_when_the_server_is_back(
    watch: Callable[..., Watched], model: Path, tmp_path: Path
) -> None:
    with live_server(tmp_path, COMMAND, str(model), "--port", "0") as first:
        watched = watch(first)
        play = Play(watched.open(f"/{BEGUN}"), first)
        play.settled()
        port = str(first.port)
    watched.expect("request: .*(REFUSED|RESET|EMPTY)|console: error: .*Failed to load|console: warning: ApiError")
    play.page.get_by_role("slider", name="How many").fill("5")
    trouble = play.page.locator("#play .trouble")
    expect(trouble.first).to_be_visible()
    with live_server(tmp_path, COMMAND, str(model), "--port", port):
        expect(trouble).to_have_count(0, timeout=30_000)
        assert len(play.rows()) == 5
