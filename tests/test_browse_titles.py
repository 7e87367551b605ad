# ruff: noqa: RUF001  # letters that look like others are what this is about
"""Items found by the words of their titles, and what is shown of them."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from segue.data.ids import Ids
from segue.serving.browse import titles as module
from segue.serving.browse.folding import folded
from segue.serving.browse.items import LONGEST_TITLE, described, searched
from segue.serving.browse.titles import Titles
from segue.web.app import create_app
from serving_models import ITEMS, NOW, engine_of, fading_bundle


def titles_of(*titles: str | None, events: list[int] | None = None) -> Titles:
    ids = Ids.of(f"id-{place}" for place in range(len(titles)))
    return Titles(ids, titles, None if events is None else np.array(events))


def test_all_words_must_be_there_in_any_order_and_case() -> None:
    found = titles_of("Star Wars", "The Wars of a Star", "Starship", "Peace")
    assert found.found("wars STAR", 9).items == [0, 1]
    assert found.found("wars moon", 9).items == []
    assert found.found("star star", 9).items == [0, 1, 2]


def test_beginnings_of_words_come_first_and_then_what_is_more_frequent() -> None:
    found = titles_of("Mustard", "Star", "Re-Start", "All-star", "Custard", events=[90, 1, 5, 5, 91])
    assert found.found("star", 9).items == [2, 3, 1, 4, 0]
    assert found.found("star", 2).items == [2, 3]
    assert found.found("star", 4).items == [2, 3, 1, 4]
    assert found.found("", 3).items == [4, 0, 2]
    assert found.found(" .,! ", 9).items == [4, 0, 2, 3, 1]


def test_an_item_without_a_title_is_found_by_its_id_and_any_item_by_its_whole_id() -> None:
    found = titles_of("Seven", None, "", "About id-0 and more")
    assert found.found("id 1", 9).items == [1]
    assert found.found("id", 9).items == [1, 2, 3]
    assert found.found("id-0", 9).items == [0, 3], "its own title says nothing of the id"
    assert Titles(Ids.of(["a", "b"]), None, None).found("b", 9).items == [1]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Amélie", "AMELIE"),
        ("Amelie", "améLie"),
        ("Ame\u0301lie", "amélie"),
        ("Schindler’s List", "schindlers list"),
        ("Schindler's List", "Schindler’s"),
        ("Spider-Man: Homecoming", "spider man"),
        ("Straße nach Łódź", "strasse lodz"),
        ("Smørrebrød & Øl", "smorrebrod ol"),
        ("İstanbul", "istanbul"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
        ("七人の侍", "侍"),
        ("ドラゴン", "ドラ"),
        ("שָׁלוֹם עולם", "שלום"),
        ("\u202eمُحَمَّد\u202c رسول", "محمد رسول"),
        ("Кино́ и немцы", "кино НЕМЦЫ"),
        ("La fête 🎬 continue", "🎬"),
        ("C++ in depth", "c++"),
        ("<script>alert('x')</script>", "script alert"),
        ("nul\0inside", "inside"),
        ("two\nlines\r\nthree", "two three"),
        ("zero\u200bwidth so\u00adft", "zerowidth soft"),
        ("x " * 4000 + "needle", "needle"),
    ],
)
def test_a_title_is_found_whatever_it_is_written_with(title: str, text: str) -> None:
    assert titles_of("another", title, "yet another").found(text, 9).items == [1]


def test_the_lines_of_a_title_with_many_are_not_taken_for_titles_of_others() -> None:
    found = titles_of("a\nb\n\n", "\n", "c", "é\nd", events=[4, 3, 2, 1])
    assert [found.found(text, 9).items for text in "abcde"] == [[0], [0], [2], [3], [3]]


def plainly(titles: list[str], text: str, k: int) -> list[int]:
    """The same by looking at each title."""

    def plain(one: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFKD", one) if unicodedata.category(c) != "Mn").casefold()

    words = plain(text).split()
    titles = [plain(title) for title in titles]
    has = [place for place, title in enumerate(titles) if all(word in title for word in words)]
    begins = [p for p in has if all(any(one.startswith(w) for one in titles[p].split()) for w in words)]
    return [*begins, *(place for place in has if place not in begins)][:k]


@given(
    titles=st.lists(st.text("abéB ", max_size=8).filter(str.strip), max_size=30),
    text=st.text("abéÄB ", max_size=5).filter(str.strip),
    k=st.integers(1, 40),
    together=st.integers(1, 60),
)
def test_what_is_found_is_what_looking_at_each_title_finds(titles: list[str], text: str, k: int, together: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOGETHER", together)
        assert titles_of(*titles).found(text, k).items == plainly(titles, text, k)


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing_and_lines_stay(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert once.count("\n") == text.count("\n")


def test_many_titles_in_many_pieces_are_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 500)
    rng = random.Random(1)
    events = [rng.randrange(50) for _ in range(2000)]
    found = titles_of(*(f"Title {place:04} é" for place in range(2000)), events=events)
    assert all(found.found(f"{place:04} e", 9).items == [place] for place in (0, 7, 999, 1999))
    assert found.found("title", 2000).items == sorted(range(2000), key=lambda place: -events[place])


def test_of_many_titles_with_a_word_inside_only_the_first_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at, lines_with = list[int](), module.lines_with

    def counted(block: module.Block, words: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
        for place, line in lines_with(block, words):
            looked_at.append(place)
            yield place, line

    monkeypatch.setattr(module, "TOGETHER", 100)
    monkeypatch.setattr(module, "lines_with", counted)
    found = titles_of(*["Going on"] * 2000, "An oing")
    assert found.found("oing", 3) == ([2000, 0, 1], False)
    assert len(looked_at) < 50


def test_a_search_that_takes_too_long_gives_the_best_of_what_it_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 1)
    found = titles_of("Mustard", "Custard", "Star")
    assert found.found("star", 9, seconds=0) == ([0], True)
    assert found.found("star", 9) == ([2, 0, 1], False)
    assert titles_of("Star").found("star", 9, seconds=0) == ([0], False), "all were looked at"
    engine = engine_of(columns={"title": ["Mustard"] * 8})
    with TestClient(create_app(engine)) as client:
        assert "partial" not in client.get("/v1/items?search=star").json()
        monkeypatch.setattr(Titles, "found", lambda *_: module.Found([0], True))
        assert client.get("/v1/items?search=star").json()["partial"] is True


HOSTILE = [
    "<script>alert(1)</script>",
    "a\0b",
    "\u202egnp.exe",
    "🎬" * 5,
    "é" * LONGEST_TITLE,
    "x" * 10_000,
    "ok",
    None,
]


def test_a_title_is_shown_as_it_is_up_to_a_bound() -> None:
    bundle = fading_bundle(columns={"title": HOSTILE})
    shown = [one.title for one in described(bundle, ITEMS, at=NOW)]
    assert shown[:5] == HOSTILE[:5]
    assert shown[5] == "x" * (LONGEST_TITLE - 1) + "…"
    assert shown[6:] == ["ok", None]


def test_all_that_is_known_of_an_item_is_shown_shortened() -> None:
    columns = {
        "title": [None] * 8,
        "categories": [["b", "a" * 500], None, [], *[["c"]] * 5],
        "year": [1999, None, 2.5, *[float("nan")] * 5],
        "maker": ["y" * 500, "", "z", *[None] * 5],
        "tags": [["p", "q"], None, [], *[["r"]] * 5],
        "available_until": [NOW, NOW + 1, *[None] * 6],
        "available_from": [None, None, NOW + 1, *[None] * 5],
    }
    first, second, third, *_, other = described(fading_bundle(columns=columns), [*ITEMS, "?"], at=NOW)
    cells = {"year": 1999, "maker": "y" * 119 + "…", "tags": "p, q", "available_until": NOW}
    assert first == ("i0", True, None, ["b", "a" * 119 + "…"], cells, True)
    assert (second.columns, second.categories, second.withdrawn) == ({"available_until": NOW + 1}, [], False)
    assert (third.columns["year"], third.withdrawn) == (2.5, True)
    assert other == ("?", False, None, (), {}, False)


def test_a_model_that_takes_over_is_searched_at_once_where_somebody_looked() -> None:
    engine = engine_of()
    engine.swap(fading_bundle(version="v2"))
    assert not engine.bundle.titles.made, "nobody looked"
    assert [one.item_id for one in searched(engine.bundle, "of i3", 9, at=NOW)[0]] == ["i3"]
    engine.swap(fading_bundle(version="v3", columns={"title": [f"New {item}" for item in ITEMS]}))
    assert engine.bundle.titles.made
    assert searched(engine.bundle, "title", 9, at=NOW) == ([], False)
    assert [one.title for one in searched(engine.bundle, "new i3", 9, at=NOW)[0]] == ["New i3"]
    assert engine.bundle.ordered_by("time").titles is engine.bundle.titles
