"""Why an item is there: the events that light up are those that the server's own reasons name."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from browser.asking import ask
from browser.play import Play, opened, until
from browser.shop import GAP
from browser.watching import Watched
from live_server import Live


def reasons(play: Play, **body: Any) -> list[dict[int, float]]:
    """Of each listed item the differences of events, by their place in the history."""
    items = ask(play.live, "/v1/recommend", body | {"explain": True})["items"]
    return [{event["seq"] - 1: event["difference"] for event in item["reasons"]["events"]} for item in items]


def lit_up(play: Play, expected: dict[int, float]) -> bool:
    found = play.lit()
    return found.keys() == expected.keys() and all(
        found[place] == pytest.approx(one, abs=0.006, rel=0.002) for place, one in expected.items()
    )


@pytest.mark.parametrize("way", ["mouse", "keyboard", "button"])
def test_pointing_at_an_item_lights_up_the_events_that_moved_it(watched: Watched, server: Live, way: str) -> None:
    play = opened(watched, server, "#play?user=anna&pause=0")
    last = play.history("anna")[-1]["time"]
    expected = reasons(play, user_id="anna", k=10, timestamp=last)
    assert sum(map(len, expected)) > 10
    for place, events in enumerate(expected):
        row = play.row(place)
        if way == "mouse":
            row.locator(".choose").hover()
        elif way == "keyboard":
            row.locator(".choose").focus()
        else:
            row.locator(".why").click()
        until(play.page, partial(lit_up, play, events), lambda: f"{play.lit()}; expected: {expected}")


def test_pointing_at_an_event_lights_up_the_items_that_it_moved(watched: Watched, server: Live) -> None:
    times = [1700000000, 1700000060, 1700000060 + GAP + 60, 1700000060 + GAP + 120]
    items = ["sku03", "sku04", "hebrew", "sku20"]
    steps = ",".join(map(str, [times[0], 60, GAP + 60, 60]))
    play = opened(watched, server, f"#play?{'&'.join(f'i={one}' for one in items)}&t={steps}")
    expected = reasons(play, items=items, times=times, timestamp=times[-1], k=10)
    for place in range(len(items)):
        play.page.locator("#play .chip").nth(place).click()
        wanted = {rank for rank, events in enumerate(expected) if place in events}
        until(play.page, partial(moved, play, wanted), lambda: f"{rows(play)}; expected: {expected}")


def moved(play: Play, expected: set[int]) -> bool:
    return rows(play) == expected


def rows(play: Play) -> set[int]:
    """The rows that are lit, from 0."""
    lit = "(rows) => rows.flatMap((row, place) => row.matches('.raised, .lowered') ? [place] : [])"
    return set(play.page.locator("#play .ranked > .item").evaluate_all(lit))
