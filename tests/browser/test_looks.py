"""Every view at three sizes, light and dark: nothing is cut off or runs out of the window, axe finds nothing bad."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser.play import until
from browser.shop import HOSTILE_USER
from browser.watching import Watched

SIZES = ((1280, 800), (768, 1024), (360, 740))
"""Of a desk, a tablet and a phone."""
VIEWS = {
    "a stored user": "#play?user=anna",
    "hostile titles": f"#play?user={quote(HOSTILE_USER, safe='')}&k=15",
    "nobody": f"#play?t=&i=&user={quote('nobody & <b>nothing</b> ' + 'x' * 300, safe='')}",
    "health": "#health",
    "model": "#model",
}
FAULTS = """() => {
  const faults = [], wide = document.documentElement.clientWidth;
  const named = (one) => `${one.tagName}.${one.getAttribute("class") ?? ""} "${one.textContent.slice(0, 40)}"`;
  const whole = document.documentElement.scrollWidth;
  if (whole > wide) faults.push(`the page is ${whole} wide`);
  const scrolls = (one) => one && one !== document.body
    && (/auto|scroll/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  for (const one of document.querySelectorAll("body *")) {
    if (!one.checkVisibility() || one.closest(".unseen, .skip, svg, noscript")) continue;
    const { left, right, width } = one.getBoundingClientRect(), style = getComputedStyle(one);
    if (width && (left < -1 || right > wide + 1) && !scrolls(one.parentElement)) faults.push(`outside: ${named(one)}`);
    const cut = one.scrollWidth > one.clientWidth + 1 && /hidden|clip/.test(style.overflowX);
    if (cut && style.textOverflow !== "ellipsis" && style.display !== "inline") faults.push(`cut off: ${named(one)}`);
  }
  return faults;
}"""


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> str:
    """The address of a view in some state."""
    return VIEWS[request.param]


def seen(watched: Watched, view: str) -> Page:
    """A view with all that it shows at first."""
    page = watched.open(f"/{view}")
    page.wait_for_load_state("networkidle")
    if view.startswith("#play"):
        done = "() => [...document.querySelectorAll('#play .reason')].every((one) => one.textContent)"
        until(page, lambda: page.locator("#play .ranked > .item").count() > 0 and page.evaluate(done))
    return page


def test_nothing_runs_out_of_the_window_and_nothing_is_cut_off(watched: Watched, view: str) -> None:
    page = seen(watched, view)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert (width, page.evaluate(FAULTS)) == (width, [])
    if view.startswith("#play"):
        spread(page)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert (width, page.evaluate(FAULTS)) == (width, [])


def test_what_is_cut_off_would_be_seen(watched: Watched) -> None:
    page = watched.open("/")
    page.evaluate("""() => {
      const long = document.createElement("p"), cut = document.createElement("p");
      long.textContent = cut.textContent = "endless".repeat(400);
      long.style.width = "9999px";
      cut.style.overflow = "hidden";
      document.body.append(long, cut);
    }""")
    faults = " ".join(page.evaluate(FAULTS))
    assert "the page is" in faults
    assert "outside: P" in faults
    assert "cut off: P" in faults


@pytest.mark.parametrize("name", ["a stored user", "nobody", "health", "model"])
def test_axe_finds_nothing_serious_in_light_and_dark(watched: Watched, name: str) -> None:
    page = seen(watched, VIEWS[name])
    both(page)
    if name == "a stored user":
        spread(page)
        page.get_by_role("combobox", name="Add an item").fill("a")
        page.locator("#play .options[role=listbox]:visible > li").first.wait_for()
        both(page)


def test_axe_would_find_it(watched: Watched) -> None:
    page = watched.open("/")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [one.split(":")[0] for one in serious(page)] == ["button-name"]


def spread(page: Page) -> None:
    """Show what Play shows when it is asked for more."""
    page.get_by_text("More settings").click()
    chips = page.locator("#play .chip")
    if chips.count():
        chips.last.click()
    closed = page.locator("#play details:not([open]):visible > summary")
    while closed.count():
        closed.first.click()


def both(page: Page) -> None:
    """Ask axe in both themes; of the dark one for its colours alone, since the rest is the same."""
    page.emulate_media(color_scheme="light")
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious(page, {"runOnly": ["color-contrast"]}) == []


def serious(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """What axe finds that is serious or worse: the rule, and where."""
    found: list[dict[str, Any]] = (
        Axe().run(page, options={"resultTypes": ["violations"]} | (options or {})).response["violations"]
    )
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
