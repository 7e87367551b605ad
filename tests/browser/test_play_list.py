"""The list on screen is what the server itself answers, whatever is asked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from browser.play import Play, opened, until
from browser.shop import GAP, HOSTILE_USER
from browser.watching import Watched
from live_server import Live


def anna(watched: Watched, live: Live) -> tuple[Play, float]:
    """The stored user anna, and the time of her last event."""
    play = opened(watched, live, "#play?user=anna&pause=0")
    return play, play.history("anna")[-1]["time"]


@pytest.mark.parametrize("user", ["anna", HOSTILE_USER, "carl", "nobody"])
def test_a_stored_user_has_the_list_that_programs_get(watched: Watched, server: Live, user: str) -> None:
    play = Play(watched.open("/"), server)
    play.users.fill(user)
    play.options.first.click()
    events = play.history(user)
    play.has(*[event["item_id"] for event in events])
    play.agrees(user_id=user, k=10)


def test_a_made_up_history_has_the_list_of_its_items_and_times(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?i=sku03&i=sku04&i=hebrew&t=1700000000,60,90")
    play.has("sku03", "sku04", "hebrew")
    times = [1700000000, 1700000060, 1700000150]
    play.agrees(items=["sku03", "sku04", "hebrew"], times=times, timestamp=times[-1], k=10)


def test_k_and_diversity_and_its_strategy_and_similarity(watched: Watched, server: Live) -> None:
    play, last = anna(watched, server)
    plain = play.agrees(user_id="anna", k=10, timestamp=last)
    slide(play.page, "How many", "20")
    play.agrees(user_id="anna", k=20, timestamp=last)
    slide(play.page, "How many", "10")
    slide(play.page, "Diversity", "0.8")
    diverse = play.agrees(user_id="anna", k=10, timestamp=last, diversity=0.8)
    assert diverse != plain, "a control that does something"
    more(play.page)
    play.page.get_by_label("How it is made diverse").select_option("calibrated")
    play.agrees(user_id="anna", k=10, timestamp=last, diversity=0.8, strategy="calibrated")
    play.page.get_by_label("How it is made diverse").select_option("mmr")
    play.page.get_by_label("Alike are items by").select_option("vectors")
    play.agrees(user_id="anna", k=10, timestamp=last, diversity=0.8, strategy="mmr", similarity="vectors")
    play.page.get_by_role("button", name="Back to the server's settings").click()
    assert play.agrees(user_id="anna", k=10, timestamp=last) == plain


def test_what_is_left_out_and_which_categories_alone_may_be_shown(watched: Watched, server: Live) -> None:
    play, last = anna(watched, server)
    more(play.page)
    had = {event["title"] for event in play.history("anna")}
    for exclude in ("seen", "none", "current"):
        play.page.get_by_label("Leave out").select_option(exclude)
        found = play.agrees(user_id="anna", k=10, timestamp=last, exclude=exclude)
        assert exclude != "seen" or not had & {row.title for row in found}
    play.page.get_by_text("All categories").click()
    play.page.get_by_role("checkbox", name="<i>red</i>").check()
    wanted = {"user_id": "anna", "k": 10, "timestamp": last, "exclude": "current"}
    play.agrees(**wanted, categories=["<i>red</i>"])
    play.page.get_by_role("checkbox", name="<i>blue</i>").check()
    play.agrees(**wanted, categories=["<i>red</i>", "<i>blue</i>"])


def test_a_pause_gives_the_list_that_would_be_there_after_it(watched: Watched, server: Live) -> None:
    play, last = anna(watched, server)
    soon = play.agrees(user_id="anna", k=10, timestamp=last)
    slider = play.page.get_by_role("slider", name="Time since the last event")
    seen, texts = [], []
    for _ in range(5):
        slider.press("ArrowRight")
        texts.append(slider.get_attribute("aria-valuetext"))
        pause = {"1 minute later": 60, "10 minutes later": 600, "30 minutes later": GAP, "1 hour later": 3600}.get(
            str(texts[-1]), 21_600
        )
        seen.append(play.agrees(user_id="anna", k=10, timestamp=last + pause))
    assert texts[-1] == "6 hours later"
    assert len({tuple(rows) for rows in [soon, *seen]}) >= 2, "the model sees sessions and pauses"
    until(play.page, lambda: play.page.get_by_text("A new session").count() > 0)


def slide(page: Page, name: str, value: str) -> None:
    """Move a slider to a value."""
    page.get_by_role("slider", name=name, exact=True).fill(value)


def more(page: Page) -> None:
    """Show the settings that are not shown at first."""
    page.get_by_text("More settings").click()
