"""Titles, categories and ids that are out to do harm are text, and nothing that is slipped in runs."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from playwright.sync_api import Page, expect

from browser.asking import ask
from browser.play import Play, opened, shown, until
from browser.shop import HOSTILE, HOSTILE_USER
from browser.watching import Watched
from live_server import Live

ELEMENTS = "main :is(script, img, iframe, i, b, u, style, link, object)"
"""What titles and categories would make, and the page does not."""


def plain(page: Page) -> None:
    """Nothing came of any text."""
    assert page.locator(ELEMENTS).count() == 0
    assert page.title() == "Play · segue"


def test_a_history_of_hostile_titles_is_text(watched: Watched, server: Live) -> None:
    play = opened(watched, server, f"#play?user={quote(HOSTILE_USER, safe='')}&k=50")
    play.has(*HOSTILE)
    strip = play.strip()
    whole = {name: title for name, title in HOSTILE.items() if title.strip() and name != "long"}
    for name, title in whole.items():
        assert title in strip, name
    assert strip[list(HOSTILE).index("empty")] == "empty", "its id"
    assert strip[list(HOSTILE).index("blank")] == "blank", "its id"
    heading = play.page.get_by_role("heading", name=f"User {HOSTILE_USER}")
    expect(heading).to_be_visible()
    assert set(whole.values()) & {row.title for row in play.rows()}, "some are in the list too"
    for chip in play.page.locator("#play .chip").all():
        chip.click()
        plain(play.page)
    expect(play.page.locator("#play .title-line").filter(has_text="<i>").first).to_be_visible()
    plain(play.page)


def test_each_hostile_title_is_found_chosen_and_explained(watched: Watched, server: Live) -> None:
    play = opened(watched, server, "#play?i=sku03&t=1700000000")
    chosen = ["sku03"]
    for name in (name for name, title in HOSTILE.items() if title.strip()):
        text = HOSTILE[name].split()[0 if name == "long" else -1][:40]
        play.items.fill(text)
        found = ask(server, f"/v1/items?search={quote(text, safe='')}&k=20")["items"]
        place = [item["item_id"] for item in found].index(name)
        names = [shown(item) for item in found]
        until(play.page, partial(offered, play, names), partial(str, f"{name}: {names}"))
        plain(play.page)
        play.options.nth(place).click()
        chosen.append(name)
        play.has(*chosen)
        play.page.locator("#play .chip").last.click()
        until(play.page, partial(explained, play, names[place]), partial(str, name))
        if name == "long":
            play.page.locator("#play .why-panel summary", has_text="All of its title").click()
            whole = play.page.locator("#play .why-panel .long").text_content() or ""
            assert whole == found[place]["title"], "as much of it as the server gives"
        plain(play.page)


def offered(play: Play, names: list[str]) -> bool:
    return play.options.locator(".name").all_text_contents() == names


def explained(play: Play, name: str) -> bool:
    return play.page.locator("#play .why-panel h3 .name").text_content() == name


def test_what_is_slipped_into_the_page_does_not_run(watched: Watched) -> None:
    page = watched.open("/")
    headers = page.request.get(page.url).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not {"unsafe-inline", "unsafe-eval", "*"} & set(headers["content-security-policy"].replace("'", " ").split())
    page.evaluate("""() => {
      const tried = {
        script: () => {
          const script = document.createElement("script");
          script.append("document.title = 'ran'");
          document.body.append(script);
        },
        markup: () => { document.body.innerHTML += "<img src=x onerror=\\"document.title = 'ran'\\">"; },
        handler: () => { document.body.setAttribute("onclick", "document.title = 'ran'"); document.body.click(); },
        evaluated: () => setTimeout("document.title = 'ran'"),
        abroad: () => fetch("https://elsewhere.example/").catch(() => {}),
      };
      for (const one of Object.values(tried)) try { one(); } catch {}
    }""")
    page.wait_for_timeout(200)
    assert page.title() != "ran"
    watched.expect("policy: require-trusted-types-for")
    watched.expect("policy: connect-src https://elsewhere.example")
    watched.expect("console: error: .*(TrustedScript|TrustedHTML|Content Security Policy)")
