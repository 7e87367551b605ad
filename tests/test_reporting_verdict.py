"""The verdict of a report, by results made by hand: it turns with the figures, and speaks properly."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from segue.evaluation.groups import USERS
from segue.evaluation.report import Report, Row, Value
from segue.reporting.evidence import Difference, Evidence
from segue.reporting.verdict import Verdict, verdict_of
from segue.reporting.words import MINUS, NARROW

ACTIVITY = list(USERS)


def row(model: str, value: float, apart: tuple[float | None, ...] | None, *, baseline: bool = False) -> Row:
    """A row whose paired difference to the best baseline is (difference, low, high, p)."""
    test = None if apart is None else dict(zip(("difference", "low", "high", "p"), apart, strict=True))
    return Row(
        model=model,
        baseline=baseline,
        predictions=1000,
        seconds=1.0,
        settings={},
        metrics={"ndcg@10": Value(value, value - 0.01, value + 0.01)},
        groups={},
        against_best_baseline=test,
    )


def report(*rows: Row) -> Report:
    split = {"predictions": 1000, "unknown_targets": 0, "kind": "time"}
    return Report(split=split, exclude="seen", main="ndcg@10", rows=list(rows), groups={}, verdict="", notes=[])


def group(name: str, low: float | None, high: float | None, *, users: int = 30, p: float | None = None) -> Difference:
    """A group in which the baseline has 0.1."""
    value = 0.002 if low is None or high is None else (low + high) / 2
    if p is None:
        p = 0.5 if low is None or high is None or low <= 0 <= high else 0.001
    return Difference(name, 100, users, Value(0.1 + value), Value(0.1), Value(value, low, high), p)


def evidence(
    activity: list[Difference] | None = None,
    beginners: list[Difference] | None = None,
    popularity: list[Difference] | None = None,
    *,
    network: str | None = "gru",
    baseline: str | None = "sknn",
    users: int = 200,
    within_session: bool = False,
) -> Evidence:
    return Evidence(
        network, baseline, activity or [], beginners or [], [], popularity or [], [], within_session, users, 0.001, None
    )


def of(apart: tuple[float | None, ...], found: Evidence | None = None) -> Verdict:
    difference = apart[0] or 0.0
    table = report(row("gru", 0.1 + difference, apart), row("sknn", 0.1, None, baseline=True))
    return verdict_of(table, found or evidence())


def plain(text: str) -> str:
    return text.replace(NARROW, " ").replace(MINUS, "-")


WINS, LOSES, OPEN = (0.006, 0.004, 0.008, 0.001), (-0.006, -0.008, -0.004, 0.001), (0.001, -0.004, 0.006, 0.6)


def test_a_win_is_said_with_its_size_and_its_interval() -> None:
    found = of(WINS)
    assert found.tone == "good"
    assert plain(found.headline) == "GRU beats session neighbours by 6 % ± 2 (ndcg@10)"
    assert plain(found.lines[-1]) == (
        "ndcg@10 0.1060 against 0.1000; 1,000 predictions of 200 users, p at most 0.001; intervals are 95 %."
    )


def test_a_loss_is_loud_and_says_what_to_serve() -> None:
    found = of(LOSES)
    assert found.tone == "bad"
    assert plain(found.headline) == "The network does not win: GRU is behind session neighbours by 6 % ± 2 (ndcg@10)"
    assert any("serve session neighbours" in line for line in found.lines)


def test_a_difference_within_the_noise_is_no_win() -> None:
    found = of(OPEN)
    assert found.tone == "open"
    assert plain(found.headline) == (
        "The network does not win: GRU and session neighbours cannot be told apart, "
        "the difference of +1 % ± 5 is within the noise (ndcg@10)"
    )


@pytest.mark.parametrize(("low", "high", "tone"), [(1e-9, 0.01, "good"), (0.0, 0.01, "open"), (-0.01, -1e-9, "bad")])
def test_the_interval_decides(low: float, high: float, tone: str) -> None:
    assert of(((low + high) / 2, low, high, 0.05)).tone == tone


def test_too_few_users_are_said_to_be_too_few() -> None:
    found = of((0.006, None, None, 1.0), evidence(users=1))
    assert found.tone == "open"
    assert "Too few users to tell GRU from session neighbours" in found.headline
    assert "of 1 user;" in found.lines[-1], "and no p"


AHEAD, BEHIND, TIED = (0.001, 0.009), (-0.02, -0.01), (-0.01, 0.01)


def groups(ends: Sequence[tuple[float, float]]) -> list[Difference]:
    return [group(name, *one) for name, one in zip(ACTIVITY, ends, strict=False)]


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        ([AHEAD] * 4, None),
        ([BEHIND, BEHIND, AHEAD, AHEAD], "For users with under 3 earlier events it does not: it is behind (-15 % ± 5,"),
        (
            [BEHIND, TIED, AHEAD, AHEAD],
            "under 3 earlier events it does not: no difference beyond the noise (",
        ),
        ([AHEAD, AHEAD, TIED, AHEAD], "For users with under 4 earlier events it does not"),
        ([BEHIND, AHEAD, AHEAD, AHEAD], "For users with 1 earlier event it does not: it is behind (-15 % ± 5,"),
        ([TIED] * 4, "For users with under 6 earlier events it does not"),
    ],
)
def test_a_win_says_up_to_how_many_events_it_is_none(together: list[tuple[float, float]], expected: str | None) -> None:
    found = evidence(groups([AHEAD] * 5), groups(together))
    lines = [plain(line) for line in of(WINS, found).lines]
    if expected is None:
        assert not [line for line in lines if line.startswith("For ")]
    else:
        assert expected in lines[0]
        assert "100 predictions" in lines[0]


def test_users_of_many_events_for_whom_it_is_behind_are_named_too_and_noise_is_not() -> None:
    found = evidence(groups([AHEAD, TIED, AHEAD, BEHIND, BEHIND]), groups([AHEAD] * 4))
    first, *rest = of(WINS, found).lines
    assert plain(first).startswith("For users with 4 earlier events or more it does not: it is behind (")
    assert not [line for line in rest if line.startswith("For ")]
    apart = evidence(groups([AHEAD, BEHIND, AHEAD, BEHIND, AHEAD]), groups([AHEAD] * 4))
    assert plain(of(WINS, apart).lines[0]).startswith(
        "For users with 2 earlier events and 4 or 5 earlier events it does not: it is behind"
    )


def test_where_it_loses_as_a_whole_the_groups_in_which_it_is_ahead_are_named() -> None:
    activity = groups([BEHIND] * 4 + [AHEAD])
    for apart in (LOSES, OPEN):
        assert plain(of(apart, evidence(activity)).lines[0]) == (
            "It is ahead only for users with 6 earlier events or more (+5 % ± 4)."
        )


def test_a_group_that_may_be_ahead_by_chance_alone_is_not_named() -> None:
    """With five groups of 4 % each, one in five tables without any difference would name one."""
    others = groups([TIED] * 4)
    for p, named in ((0.04, False), (0.011, False), (0.01, True)):
        activity = [*others, group(ACTIVITY[4], *AHEAD, p=p)]
        lines = of(LOSES, evidence(activity)).lines
        assert any(line.startswith("It is ahead only for") for line in lines) is named
    popular = [group("most popular items (3)", *AHEAD, p=0.01), group("least popular items (9)", *TIED, p=0.5)]
    lines = of(LOSES, evidence(others, popularity=popular)).lines
    assert not any("ahead only" in line for line in lines), "one of six or more"


@pytest.mark.parametrize(("p", "told"), [(0.001, "p at most 0.001"), (0.0014, "p = 0.0014"), (0.002, "p = 0.002")])
def test_p_is_a_bound_at_the_floor_alone(p: float, told: str) -> None:
    assert f", {told}; intervals" in of((0.006, 0.004, 0.008, p)).lines[-1]
    coarse = evidence()._replace(finest=0.01)
    assert ", p at most 0.01; intervals" in of((0.006, 0.004, 0.008, 0.01), coarse).lines[-1]


def test_a_group_of_few_users_says_so_in_place_of_a_figure() -> None:
    first = group(ACTIVITY[0], None, None, users=1)
    line = of(WINS, evidence([first, group(ACTIVITY[4], *AHEAD)], [first], within_session=True)).lines[0]
    assert "nobody can tell (1 user, too few to tell" in line
    assert first.outcome == "few"
    assert "in their session" in line


def test_popular_and_unpopular_targets_are_told_apart() -> None:
    popularity = [group("most popular items (3, a third)", *AHEAD), group("least popular items (90, a third)", *BEHIND)]
    assert plain(of(WINS, evidence(popularity=popularity)).lines[0]) == (
        "For what comes next among the least popular items it does not: it is behind (-15 % ± 5)."
    )


def test_the_best_of_several_networks_is_said_to_be_flattered() -> None:
    table = report(row("gru", 0.106, WINS), row("elman", 0.101, OPEN), row("sknn", 0.1, None, baseline=True))
    assert "GRU is the best of 2 networks" in verdict_of(table, evidence()).lines[-1]
    assert "the best of" not in "".join(of(WINS).lines)


def test_without_a_network_or_a_baseline_there_is_no_verdict() -> None:
    lonely = report(row("gru", 0.1, None))
    assert verdict_of(lonely, evidence(baseline=None)).headline == (
        "No baseline to compare with: GRU has ndcg@10 of 0.1000"
    )
    plain_ones = report(row("sknn", 0.1, None, baseline=True))
    found = verdict_of(plain_ones, evidence(network=None))
    assert found.headline == "No network to compare with: session neighbours has ndcg@10 of 0.1000"
    assert found.tone == "open"


def test_a_baseline_that_finds_nothing_gives_plain_differences() -> None:
    table = report(row("gru", 0.02, (0.02, 0.01, 0.03, 0.001)), row("sknn", 0.0, None, baseline=True))
    assert "by 0.0200 ± 0.0100 (ndcg@10)" in verdict_of(table, evidence()).headline
