"""Charts: well-formed whatever they are given, and every point where it belongs."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from segue.charts import lines, scatter, stacked

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<a> & \"b\" 'c' \x00\x1f ]]>"


def texts(picture: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def places(picture: str) -> list[tuple[float, float]]:
    circles = ElementTree.fromstring(picture).iter(f"{SVG}circle")
    return [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in circles]


def test_names_and_titles_are_escaped_and_come_back_as_they_were() -> None:
    clean = NASTY.replace("\x00", "\N{REPLACEMENT CHARACTER}").replace("\x1f", "\N{REPLACEMENT CHARACTER}")
    for picture in (
        lines({NASTY: [(1, 2)]}, title=NASTY, x=NASTY, y=NASTY),
        scatter({NASTY: (1, 2)}, title=NASTY, x=NASTY, y=NASTY),
    ):
        assert texts(picture).count(clean) == 4
        assert ElementTree.fromstring(picture).attrib["aria-label"] == clean


def test_points_that_are_no_numbers_are_left_out_and_the_others_stay() -> None:
    bad = [(1.0, math.nan), (math.inf, 2.0), (3.0, -math.inf), (4.0, 1e308)]
    picture = lines({"a": [*bad, (5.0, 1.0), (6.0, 2.0)], "none": bad}, title="t", x="x", y="y")
    assert len(places(picture)) == 2
    assert "nan" not in picture
    assert "inf" not in picture
    assert "none" not in texts(picture)
    spread = scatter(
        {"zero": (0.0, 1.0), "minus": (-1.0, 1.0), "nan": (math.nan, 1.0), "a": (2.0, 0.5)}, title="t", x="x", y="y"
    )
    assert len(places(spread)) == 1
    assert not {"zero", "minus", "nan"} & set(texts(spread))


@pytest.mark.parametrize("points", [[], [(math.nan, 1.0)]])
def test_without_a_point_the_picture_says_so(points: list[tuple[float, float]]) -> None:
    assert "nothing to show" in texts(lines({"a": points}, title="t", x="x", y="y"))
    assert "nothing to show" in texts(scatter({str(at): at for at in points}, title="t", x="x", y="y"))


def test_a_line_rises_where_its_values_do_and_epochs_are_whole_numbers() -> None:
    picture = lines({"loss": [(1, 3.0), (2, 2.0), (3, 2.5)]}, title="t", x="epoch", y="y")
    (x1, y1), (x2, y2), (x3, y3) = places(picture)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.11)
    assert y2 - y1 == pytest.approx(2 * (y2 - y3), abs=0.21), "the picture's y grows downwards"
    assert {"1", "2", "3"} <= set(texts(picture))


def test_factors_of_ten_are_equally_far_apart_in_a_scatter() -> None:
    (a, _), (b, _), (c, _) = places(scatter({"a": (1, 1), "b": (10, 1), "c": (100, 1)}, title="t", x="x", y="y"))
    assert b - a == pytest.approx(c - b, abs=0.11)


def test_every_name_lies_inside_the_picture_however_many_and_long() -> None:
    names = [f"cells.{number}.recurrence.weight_of_the_hidden_state" for number in range(40)]
    picture = ElementTree.fromstring(lines({name: [(1, 1)] for name in names}, title="t", x="x", y="y"))
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    for one in picture.iter(f"{SVG}text"):
        if one.text in names:
            assert float(one.attrib["y"]) < height
            assert float(one.attrib["x"]) + 7 * len(one.text) < width


def test_an_interval_reaches_from_its_low_to_its_high_and_widens_the_picture() -> None:
    points = {"a": (1.0, 0.5), "b": (10.0, 0.6)}
    picture = scatter(points, title="t", x="x", y="y", intervals={"a": (0.1, 0.9), "b": (0.1, math.nan)})
    (upright,) = (
        one.attrib for one in ElementTree.fromstring(picture).iter(f"{SVG}line") if one.attrib["x1"] == one.attrib["x2"]
    )
    (x, y), (_, other) = places(picture)
    low, high = float(upright["y1"]), float(upright["y2"])
    assert (float(upright["x1"]), y) == (x, pytest.approx((low + high) / 2, abs=0.11))
    assert low - high == pytest.approx(8 * (y - other), abs=0.9), "0.8 against 0.1; the picture's y grows downwards"
    assert 40 < high < low < 350


def test_a_line_has_intervals_and_rings_where_they_were_given() -> None:
    series = {"a": [(1.0, 0.5), (2.0, 0.6)], "b": [(1.0, 0.4)]}
    spans = {"a": [(1.0, 0.1, 0.9), (2.0, math.nan, 1.0)], "stranger": [(1.0, 0.0, 9.0)]}
    picture = lines(series, title="t", x="x", y="y", spans=spans, rings={"b": [(1.0, 0.4)], "a": [(1.0, math.inf)]})
    root = ElementTree.fromstring(picture)
    (upright,) = (one.attrib for one in root.iter(f"{SVG}line") if one.attrib["x1"] == one.attrib["x2"])
    (ring,) = (one.attrib for one in root.iter(f"{SVG}circle") if one.attrib["fill"] == "none")
    (x, y), _, *of_b = places(picture)
    assert float(upright["x1"]) == x
    assert y == pytest.approx((float(upright["y1"]) + float(upright["y2"])) / 2, abs=0.11)
    assert of_b == [(float(ring["cx"]), float(ring["cy"]))] * 2, "the point and its ring"


def test_every_point_of_a_scatter_has_the_number_of_its_name() -> None:
    found = texts(scatter({"a": (1, 1), "b": (100, 2), "nan": (1, math.nan), "c": (9, 3)}, title="t", x="x", y="y"))
    assert [found[found.index(name) - 1] for name in "abc"] == ["1", "2", "3"]


@pytest.mark.parametrize("spread", [1.1, 3, 30, 1e4, 1e9])
def test_a_logarithmic_axis_has_a_few_ticks_however_far_it_reaches(spread: float) -> None:
    picture = scatter({"a": (0.7, 1), "b": (0.7 * spread, 1)}, title="t", x="across", y="y")
    ticks = [one for one in ElementTree.fromstring(picture).iter(f"{SVG}text") if one.attrib.get("y") == "368.0"]
    assert 4 <= len(ticks) <= 12
    at = [(math.log(float(one.text or "")), float(one.attrib["x"])) for one in ticks]
    assert all(70 <= x <= 490 for _, x in at)
    (a, left), *_, (b, right) = at
    for value, x in at:
        assert x == pytest.approx(left + (value - a) / (b - a) * (right - left), abs=2)


def test_stacked_pictures_stand_one_below_the_other() -> None:
    one = lines({"a": [(1, 1), (2, 2)]}, title="first", x="x", y="y")
    both = ElementTree.fromstring(stacked([one, one.replace("first", "second")]))
    assert [part.attrib["y"] for part in both.iter(f"{SVG}svg") if part is not both] == ["0", "400"]
    assert both.attrib["viewBox"] == "0 0 640 800"


def test_a_mark_has_its_words_beside_its_place_and_none_where_nothing_is_drawn() -> None:
    picture = lines({"a": [(1, 1), (2, 2)]}, title="t", x="x", y="y", marks={"as <served>": (1, 1)})
    (path,) = ElementTree.fromstring(picture).iter(f"{SVG}path")
    (x, y), _ = places(picture)
    assert path.attrib["d"].startswith(f"M{x:.1f} {y - 7:.1f}l")
    assert "as <served>" in texts(picture)
    for bad in (
        lines({}, title="t", x="x", y="y", marks={"m": (1, 1)}),
        lines({"a": [(1, 1)]}, title="t", x="x", y="y", marks={"m": (1, math.nan)}),
    ):
        assert "<path" not in bad
        assert "m" not in texts(bad)


def test_colours_are_attributes_and_classes_so_that_a_page_may_give_others() -> None:
    for picture in (
        lines({"a": [(1, 1)]}, title="t", x="x", y="y"),
        scatter({"a": (1, 1)}, title="t", x="x", y="y", intervals={"a": (0.5, 2)}),
    ):
        root = ElementTree.fromstring(picture)
        for one in root.iter():
            if one is not root:
                color = one.attrib.get("fill", "none"), one.attrib.get("stroke", "none")
                assert color != ("none", "none") or one.tag == f"{SVG}text"
                assert one.attrib["class"] in {"ground", "grid", "ink", "fill-1", "line-1"}
