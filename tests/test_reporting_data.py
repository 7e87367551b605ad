"""What a report says of a log: counts by hand, traps that are found where they are, and parts along time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from segue.charts import timeline, whisker
from segue.config import SplitSettings
from segue.data.events import EventLog, Rejection, log_of
from segue.data.sessions import lay_out
from segue.data.splits import split_log
from segue.reporting.census import Census, census_of
from segue.reporting.data import data_of
from segue.reporting.evidence import popularity_groups
from segue.reporting.timeline import stretches_of
from segue.reporting.traps import traps_of

MONDAY = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
DAY = 86_400.0
SPLIT: dict[str, Any] = {"kind": "time", "predictions": 100, "unknown_targets": 0}
SVG = "{http://www.w3.org/2000/svg}"


def log(rows: Sequence[tuple[str, str, float]], **columns: Any) -> EventLog:
    """Events (user, item, days after Monday)."""
    users, items, days = zip(*rows, strict=True)
    return log_of(list(users), list(items), [MONDAY + DAY * at for at in days], **columns)


def quiet(users: int = 30, days: int = 10) -> list[tuple[str, str, float]]:
    """Users who come once a day, each at an own time, to another item."""
    return [(f"u{u}", f"i{(u + 7 * d) % 40}", d + 0.02 * u + 0.01) for d in range(days) for u in range(users)]


def levels(of: EventLog, users: int | None = 600, **split: Any) -> dict[str, str]:
    return {trap.name: trap.level for trap in traps_of(data_of(of), {**SPLIT, **split}, users)}


def counted(of: EventLog) -> Census:
    return census_of(of, lay_out(of, gap=None, at_session_start="mark"))


def test_a_census_by_hand() -> None:
    of = log([("a", "x", 0.1), ("a", "x", 0.1), ("a", "y", 0.1), ("a", "y", 2.5), ("b", "x", 2.6)])
    *found, days, busiest = counted(of)
    assert found == [1, 2, 3, 4, 4]
    assert days.tolist() == [3, 0, 2]
    assert busiest == 3


def test_nothing_is_found_in_a_quiet_log_and_the_bad_comes_first() -> None:
    found = levels(log(quiet()))
    assert set(found.values()) == {"fine"}, found
    some = [trap.level for trap in traps_of(data_of(log(quiet())), {**SPLIT, "unknown_targets": 30}, 200)]
    assert some[:2] == ["matters", "note"]
    assert set(some[2:]) == {"fine"}


def with_a_first_day() -> EventLog:
    return log([*quiet(), *((f"u{u}", f"i{n}", 0.001 * n + 0.02 * u) for u in range(30) for n in range(10))])


def with_a_bot() -> EventLog:
    return log([*quiet(), *(("bot", f"i{n % 40}", 3 + n / 2000) for n in range(1100))])


def with_copies() -> EventLog:
    return log([row for row in quiet() for _ in range(1 + (row[0] == "u1"))])


def with_rejections() -> EventLog:
    return replace(log(quiet()), rejected=(Rejection("item_id is empty", 50, "row 3"),))


@pytest.mark.parametrize(
    ("make", "trap", "level"),
    [
        (with_a_first_day, "First day", "matters"),
        (with_a_bot, "Bots and heavy users", "matters"),
        (with_copies, "Events twice", "matters"),
        (with_rejections, "Rows left out", "matters"),
    ],
)
def test_a_trap_is_found_where_it_is(make: Any, trap: str, level: str) -> None:
    assert levels(make())[trap] == level


def test_ties_matter_where_they_stand_in_the_order_of_ids() -> None:
    rows = [(f"u{u}", f"{n:03}", float(u)) for u in range(30) for n in range(10)]
    assert levels(log(rows))["Ties in time"] == "matters"
    draw = np.random.default_rng(1)
    mixed = [(f"u{u}", f"{n:03}", float(u)) for u in range(30) for n in draw.permutation(10).tolist()]
    assert levels(log(mixed))["Ties in time"] == "note"


def test_what_was_asked_for_has_traps_of_its_own() -> None:
    of = log(quiet())
    assert levels(of, unknown_targets=30)["Unknown targets"] == "matters"
    assert levels(of, users=99)["Users asked for"] == "matters"
    assert levels(of, users=499)["Users asked for"] == "note"
    assert levels(of, kind="leave-one-out")["Split"] == "matters"
    assert "Users asked for" not in levels(of, users=None)


def test_one_of_a_thing_is_said_as_one() -> None:
    found = {trap.name: trap.found for trap in traps_of(data_of(with_rejections()), {**SPLIT, "predictions": 1}, 1)}
    assert found["Users asked for"] == "1 user"
    assert "1 prediction (" in found["Unknown targets"]


def test_a_log_without_times_says_so_and_has_no_line() -> None:
    of = replace(log(quiet()), timed=False)
    assert levels(of)["Times"] == "matters"
    assert "Pace" not in levels(of)
    assert len(stretches_of(of, split_log(of, SplitSettings(kind="leave-one-out"))).counts) == 0


def test_parts_lie_along_time_and_every_event_is_counted_once() -> None:
    of = log(quiet())
    split = split_log(of, SplitSettings())
    found = stretches_of(of, split)
    assert found.counts.sum(axis=0).tolist() == list(split.counts().values())
    assert (found.unit, len(found.counts)) == ("events an hour", 230)
    assert split.cutoff is not None
    place = found.share(split.cutoff) * len(found.counts)
    assert found.counts[: int(place), 2].sum() == 0, "no test event before the cutoff"
    assert found.spans["test"] is not None
    assert found.spans["test"][0] == split.cutoff


def test_thirds_of_popularity_by_hand() -> None:
    counts = np.array([1, 6, 1, 3, 1])
    found = popularity_groups(counts, np.array([1, 3, 0, 2, 4, -1]))
    names = list(found)
    assert [name.partition(" (")[0] for name in names] == [
        "most popular items",
        "mid-range items",
        "least popular items",
    ]
    assert [one.nonzero()[0].tolist() for one in found.values()] == [[0], [1], [2, 3, 4]]


def test_a_time_line_has_a_bar_for_each_part_and_a_line_for_each_cut() -> None:
    svg = timeline([[3, 0, 0], [1, 2, 0], [0, 0, 4]], cuts=[(0.5, "test <b>")], ends=("a", "z"), title="t & t")
    root = ElementTree.fromstring(svg)
    bars = [one.attrib for one in root.iter(f"{SVG}rect")]
    assert [one["class"] for one in bars] == ["fill-1", "fill-1", "fill-2", "fill-3"]
    tall = [float(one["height"]) for one in bars]
    assert tall[3] == pytest.approx(4 * tall[1], abs=0.2)
    assert float(bars[1]["y"]) == pytest.approx(float(bars[2]["y"]) + tall[2], abs=0.2), "on top of each other"
    assert any(one.text == "test <b>" for one in root.iter(f"{SVG}text"))
    (cut,) = (one.attrib for one in root.iter(f"{SVG}line") if one.attrib["x1"] == one.attrib["x2"])
    assert cut["x1"] == "50.000%"


def test_a_whisker_lies_on_the_axis_and_what_is_no_number_is_left_out() -> None:
    root = ElementTree.fromstring(whisker(0.5, (0.25, 0.75), (0.0, 1.0), title="<&>", mark=0.0))
    (dot,) = root.iter(f"{SVG}circle")
    assert float(dot.attrib["cx"]) == pytest.approx(90)
    ends = [(float(one.attrib["x1"]), float(one.attrib["x2"])) for one in root.iter(f"{SVG}line")]
    assert ends == [(0, 180), (8, 8), (49, 131)]
    assert root.attrib["aria-label"] == "<&>"
    empty = whisker(float("nan"), (float("nan"), 1.0), (0.0, 0.0), title="t")
    assert "nan" not in empty
    assert "circle" not in whisker(None, None, (0.0, 1.0), title="t")
