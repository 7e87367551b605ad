"""What the page does where the server asks for a key, is gone, is busy, or answers late."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Route, expect

from browser.asking import ask
from browser.conftest import COMMAND
from browser.play import Play, opened, until
from browser.watching import Watched
from live_server import Live, live_server
from segue.web.keys import add_key

GONE = "request: .*(REFUSED|RESET|EMPTY_RESPONSE)|console: error: .*Failed to load|console: warning: ApiError"


def test_a_key_is_asked_for_and_works(
    watch: Callable[..., Watched], serve: Callable[..., Live], tmp_path: Path
) -> None:
    key = add_key(tmp_path / "keys.toml", "page")
    live = serve("--keys", tmp_path / "keys.toml")
    watched = watch(live)
    watched.expect("answer: 401 ")
    watched.expect("console: error: .*401")
    watched.expect("console: warning: ApiError: The server asks for a key|console: error: .*401")
    page = watched.open("/")
    dialog = page.get_by_role("dialog", name="This server asks for a key")
    dialog.get_by_label("Key").fill("a wrong one")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The server does not know this key.")
    dialog.get_by_label("Key").fill(key)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_be_hidden()
    play = Play(page, live)
    play.settled()
    rows = play.rows()
    items = ask(live, "/v1/recommend", {"items": [], "k": 10}, key=key)["items"]
    assert len(rows) == len(items)
    page.reload()
    play.settled()
    assert play.rows() == rows, "the key is kept in this tab"
    assert key not in page.url
    assert key not in page.content()
    assert page.evaluate("JSON.stringify({...localStorage})").find(key) < 0


def test_a_key_that_no_header_takes_is_asked_for_again(
    watch: Callable[..., Watched], serve: Callable[..., Live], tmp_path: Path
) -> None:
    key = add_key(tmp_path / "keys.toml", "page")
    live = serve("--keys", tmp_path / "keys.toml")
    watched = watch(live)
    watched.expect("answer: 401 ")
    watched.expect("console: error: .*401")
    kept = "if (location.protocol === 'http:' && !sessionStorage.length) sessionStorage.setItem('segue-key', '€')"
    watched.context.add_init_script(kept)
    page = watched.open("/")
    dialog = page.get_by_role("dialog", name="This server asks for a key")
    dialog.get_by_label("Key").fill("schlüssel-€-ключ")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("A key has no such letters")
    dialog.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    Play(page, live).settled()


def test_a_server_that_is_gone_is_told_and_comes_back(
    watch: Callable[..., Watched], model: Path, tmp_path: Path
) -> None:
    store = str(tmp_path / "store")
    with live_server(tmp_path, COMMAND, str(model), "--port", "0", "--store", store) as first:
        watched = watch(first)
        play = opened(watched, first, "#play?i=sku03&t=1700000000")
        rows = play.rows()
        port = str(first.port)
    watched.expect(GONE)
    play.page.get_by_role("slider", name="How many").fill("5")
    trouble = play.page.get_by_role("alert").filter(has_text="The server cannot be reached")
    expect(trouble.first).to_be_visible()
    assert play.rows() == rows, "the list before is still there"
    with live_server(tmp_path, COMMAND, str(model), "--port", port, "--store", store) as second:
        play.live = second  # it is asked again by itself
        play.agrees(items=["sku03"], times=[1700000000], timestamp=1700000000, k=5)
        expect(trouble).to_have_count(0)


def test_health_says_that_the_server_is_gone_and_goes_on_when_it_is_back(
    watch: Callable[..., Watched], model: Path, tmp_path: Path
) -> None:
    with live_server(tmp_path, COMMAND, str(model), "--port", "0") as first:
        watched = watch(first)
        page = watched.open("/#health")
        expect(page.locator("#health .stat").first).to_be_visible()
        port = str(first.port)
    watched.expect(GONE)
    said = page.locator("#health .trouble").filter(has_text="not reachable")
    expect(said).to_be_visible(timeout=20_000)
    with live_server(tmp_path, COMMAND, str(model), "--port", port):
        expect(said).to_have_count(0, timeout=20_000)
        expect(page.locator("#health").get_by_text("began anew")).to_be_visible()


def test_a_busy_server_is_asked_again(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?user=anna&pause=0")
    busy = [True]

    def answer(route: Route) -> None:
        if busy and busy.pop():
            body = '{"error": {"code": "overloaded", "message": "come back later"}}'
            route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="application/json", body=body)
        else:
            route.fallback()

    watched.context.route("**/v1/recommend", answer)
    watched.expect("answer: 503 ")
    watched.expect("console: error: .*503")
    play.page.get_by_role("slider", name="How many").fill("6")
    expect(play.page.get_by_text("busy").first).to_be_visible()
    play.agrees(user_id="anna", k=6, timestamp=play.history("anna")[-1]["time"])


def test_a_late_answer_does_not_take_the_place_of_a_newer_one(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?user=anna&pause=0")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if '"k":7,' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.fallback()

    watched.context.route("**/v1/recommend", hold)
    slider = play.page.get_by_role("slider", name="How many")
    slider.fill("7")
    until(play.page, lambda: bool(held))
    slider.fill("4")
    last = play.history("anna")[-1]["time"]
    rows = play.agrees(user_id="anna", k=4, timestamp=last)
    for route in held:
        with suppress(Error):  # the page has given it up
            route.fallback()
    play.page.wait_for_timeout(300)
    assert play.rows() == rows


def test_a_late_search_does_not_take_the_place_of_a_newer_one(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?user=anna&pause=0")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if "search=red&" in route.request.url else route.fallback()

    watched.context.route("**/v1/items?*", hold)
    play.items.fill("red")
    until(play.page, lambda: bool(held))
    play.items.fill("blue vase")
    until(play.page, lambda: play.options.count() == 1)
    for route in held:
        with suppress(Error):
            route.fallback()
    play.page.wait_for_timeout(300)
    expect(play.options.locator(".name")).to_have_text(["blue Vase"])


def test_a_late_history_to_begin_with_does_not_take_the_place_of_what_was_done_since(
    watched: Watched, server: Live
) -> None:
    play = opened(watched, server, "#play?i=sku03&t=1700000000")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if '"k":2,' in (route.request.post_data or "") else route.fallback()

    watched.context.route("**/v1/recommend", hold)
    play.page.locator("#play .examples button").first.click()
    until(play.page, lambda: bool(held))
    play.row(0).locator(".choose").click()
    until(play.page, lambda: len(play.strip()) == 2)
    strip = play.strip()
    for route in held:
        route.fallback()
    play.page.wait_for_timeout(300)
    assert play.strip() == strip
