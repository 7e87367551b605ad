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


def test_stacked_pictures_stand_one_below_the_other() -> None:
    one = lines({"a": [(1, 1), (2, 2)]}, title="first", x="x", y="y")
    both = ElementTree.fromstring(stacked([one, one.replace("first", "second")]))
    assert [part.attrib["y"] for part in both.iter(f"{SVG}svg") if part is not both] == ["0", "400"]
    assert both.attrib["viewBox"] == "0 0 640 800"
