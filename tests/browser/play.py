"""The view Play, as tests see and use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Locator, Page

from browser.asking import ask
from browser.watching import Watched
from live_server import Live

LIST = """() => [...document.querySelectorAll("#play .ranked > .item")].map((row) => ({
  rank: Number(row.querySelector(".rank > span").textContent),
  title: row.querySelector(".choose .name").textContent,
  score: row.querySelector(".value > .figure").lastChild.textContent,
  reason: row.querySelector(".reason").textContent,
}))"""
STRIP = """() => [...document.querySelectorAll("#play .strip .chip")].map((chip) => ({
  title: chip.querySelector(".name").textContent,
  push: chip.querySelector(".push").textContent,
}))"""
LONGEST = 160


class Row(NamedTuple):
    """An item of the list on screen."""

    rank: int
    title: str
    score: float


class Play:
    """The view of a page, on a server that can be asked directly."""

    def __init__(self, page: Page, live: Live) -> None:
        self.page, self.live = page, live
        self.items = page.get_by_role("combobox", name="Add an item")
        self.users = page.get_by_role("combobox", name="Or open a stored user")
        self.options = page.locator("#play .options[role=listbox]:visible > li")

    def rows(self) -> list[Row]:
        """The list on screen."""
        return [Row(one["rank"], one["title"], number(one["score"])) for one in self.page.evaluate(LIST)]

    def strip(self) -> list[str]:
        """The titles of the history on screen."""
        return [one["title"] for one in self.page.evaluate(STRIP)]

    def lit(self) -> dict[int, float]:
        """The differences shown in the history, by the place of their events."""
        pushes = [one["push"] for one in self.page.evaluate(STRIP)]
        return {place: number(push[1:]) for place, push in enumerate(pushes) if push}

    def row(self, place: int) -> Locator:
        """A row of the list, from 0."""
        return self.page.locator("#play .ranked > .item").nth(place)

    def settled(self) -> None:
        """Wait until the list is there, with a reason for each item."""
        until(self.page, lambda: bool(self.rows()) and all(one["reason"] for one in self.page.evaluate(LIST)))

    def agrees(self, **body: Any) -> list[Row]:
        """Wait until the list on screen is what the server answers to a body; that list."""
        answer = ask(self.live, "/v1/recommend", body)
        assert answer["items"], "a list that says something"
        expected = [(item["rank"], shown(item), item["score"]) for item in answer["items"]]

        def same() -> bool:
            found = self.rows()
            return [row[:2] for row in found] == [row[:2] for row in expected] and all(
                row.score == pytest.approx(score, abs=0.006, rel=0.002)
                for row, (_, _, score) in zip(found, expected, strict=True)
            )

        until(self.page, same, lambda: f"on screen: {self.rows()}\nexpected: {expected}")
        return self.rows()

    def has(self, *item_ids: str) -> None:
        """Wait until the history on screen is this."""
        expected = [shown(item) for item in self.known(item_ids)]
        until(self.page, lambda: self.strip() == expected, lambda: f"on screen: {self.strip()}\nexpected: {expected}")

    def known(self, item_ids: tuple[str, ...]) -> list[dict[str, Any]]:
        """What the server knows of items."""
        answer: list[dict[str, Any]] = ask(self.live, "/v1/items", {"item_ids": list(item_ids)})["items"]
        return answer

    def history(self, user_id: str) -> list[dict[str, Any]]:
        """What the server has stored of a user."""
        answer: list[dict[str, Any]] = ask(self.live, "/v1/history", {"user_id": user_id, "last": 50})["events"]
        return answer


def opened(watched: Watched, live: Live, view: str = "#play") -> Play:
    """The view at an address, with its list."""
    play = Play(watched.open(f"/{view}"), live)
    play.settled()
    return play


def shown(item: dict[str, Any]) -> str:
    """What stands for an item: its title, cut where it is very long, else its id."""
    title = item.get("title") or ""
    title = title if title.strip() else item["item_id"]
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.replace("\u2212", "-").replace(",", ""))


def tab_to(page: Page, control: Locator) -> None:
    """Press the tabulator until a control has the focus; forwards or, from behind it, backwards."""
    for key in ("Tab", "Shift+Tab"):
        for _ in range(120):
            if control.evaluate("(one) => one === document.activeElement"):
                return
            page.keyboard.press(key)
    raise AssertionError(f"the tabulator does not lead to {control}")


def until(page: Page, what: Callable[[], bool], told: Callable[[], str] = lambda: "it did not come") -> None:
    """Wait for it, ten seconds at most, while the page goes on."""
    end = time.monotonic() + 10
    while not what():
        if time.monotonic() > end:
            raise AssertionError(told())
        page.wait_for_timeout(40)
