"""What the view Model says in words, and how it reads a card: a verdict that is honest, and text that stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from page_scripts import computed, needs_node

pytestmark = needs_node

SPLIT = {"kind": "time", "train": 80, "valid": 10, "test": 10, "predictions": 9, "unknown_targets": 1}


def row(model: str, value: float, against: Any = None, **more: Any) -> dict[str, Any]:
    groups = {name: {"value": at, "low": None, "high": None} for name, at in more.pop("groups", {}).items()}
    baseline = model not in ("gru", "mix")
    metrics = {"ndcg@10": {"value": value, "low": value - 0.01, "high": value + 0.01}}
    return {
        "model": model,
        "baseline": baseline,
        "metrics": metrics,
        "groups": groups,
        "against_best_baseline": against,
    }


def against(difference: float | None, low: float | None, high: float | None) -> dict[str, float | None]:
    return {"difference": difference, "low": low, "high": high, "p": 0.02}


def verdict(folder: Path, *rows: Any, name: str = "gru", settings: Any = None, **report: Any) -> Any:
    said = {
        "name": name,
        "settings": settings or {},
        "metrics": {"report": {"split": SPLIT, "main": "ndcg@10", "groups": {}, "rows": rows} | report},
    }
    program = 'import { verdict } from "./verdict.js";\nconsole.log(JSON.stringify(verdict(given)));'
    return computed(folder, program, said)


@pytest.mark.parametrize(
    ("found", "good", "words"),
    [
        ((0.02, 0.01, 0.03), True, "it beats session neighbours, the best baseline, by 20 % in ndcg@10"),
        (
            (-0.02, -0.03, -0.01),
            False,
            "It does not win. On the last 10 % of the log by time it is behind session neigh",
        ),
        ((0.005, -0.01, 0.02), False, "It does not win. On the last 10 % of the log by time it cannot be told apart"),
        ((None, None, None), None, "there were too few users to tell it from session neighbours"),
    ],
)
def test_the_verdict_says_whether_it_wins(tmp_path: Path, found: Any, good: bool | None, words: str) -> None:
    said = verdict(tmp_path, row("gru", 0.1, against(*found)), row("sknn", 0.1), row("popularity", 0.05))
    assert said["good"] is good
    assert words in said["text"].replace("\N{NO-BREAK SPACE}", " ")


def test_the_interval_is_of_the_same_share_as_the_gain(tmp_path: Path) -> None:
    said = verdict(tmp_path, row("gru", 0.12, against(0.02, 0.01, 0.03)), row("sknn", 0.1))
    assert "(95 % interval +10 % to +30 %, p = 0.02)" in said["text"].replace("\N{NO-BREAK SPACE}", " ")


def test_nothing_is_said_of_groups_whose_difference_is_not_known(tmp_path: Path) -> None:
    rows = (
        row("gru", 0.12, against(0.02, 0.01, 0.03), groups={"after 1 event": 0.1}),
        row("sknn", 0.1, groups={"after 1 event": 0.11}),
    )
    said = verdict(tmp_path, *rows, groups={"after 1 event": 3})
    assert said.keys() == {"good", "text"}
    assert "event" not in said["text"]


@pytest.mark.parametrize(
    ("p", "replicates", "words"),
    [(0.001, 1000, "p at most 0.001)"), (0.0014, 1000, "p = 0.0014)"), (0.01, 100, "p at most 0.01)")],
)
def test_a_p_says_no_more_than_its_resamples(tmp_path: Path, p: float, replicates: int, words: str) -> None:
    rows = row("gru", 0.12, against(0.02, 0.01, 0.03) | {"p": p}), row("sknn", 0.1)
    said = verdict(tmp_path, *rows, settings={"evaluate": {"replicates": replicates}})
    assert said["text"].replace("\N{NO-BREAK SPACE}", " ").endswith(f"{words}.")


def test_a_baseline_and_a_model_without_a_report_claim_nothing(tmp_path: Path) -> None:
    said = verdict(tmp_path, row("markov", 0.1), row("popularity", 0.05), name="markov")
    assert (said["good"], "It is the best of what it was compared with" in said["text"]) == (None, True)
    said = verdict(tmp_path, row("sknn", 0.2), row("markov", 0.1), name="markov")
    assert said["text"].endswith("session neighbours does better.")
    program = 'import { verdict } from "./verdict.js";\nconsole.log(JSON.stringify(verdict(given)));'
    said = computed(tmp_path, program, {"name": "gru", "metrics": {}})
    assert said == {
        "good": None,
        "text": "Nothing is known of how good it is: its folder holds no report of its training.",
    }


def points(strategy: str, *at: tuple[float, float, float]) -> list[dict[str, Any]]:
    value = lambda one: {"value": one, "low": None, "high": None}  # noqa: E731
    return [
        {"strategy": strategy, "diversity": knob, "metrics": {"ndcg@10": value(y), "coverage@10": value(x)}}
        for knob, x, y in at
    ]


@pytest.mark.parametrize(
    ("defaults", "place", "words"),
    [
        ({"diversity": 0, "strategy": "mmr"}, {"x": 0.2, "y": 0.1}, "the model's own order"),
        ({"diversity": 0.2, "strategy": "mmr"}, {"x": 0.4, "y": 0.08}, "by mmr at 0.2 unless"),
        ({"diversity": 0.15, "strategy": "mmr"}, {"x": 0.35, "y": 0.085}, "between the measured 0.1 and 0.2"),
        ({"diversity": 0.5, "strategy": "mmr"}, None, "mmr at 0.5, which was not measured"),
        ({"diversity": 0.2, "strategy": "mine"}, None, "mine at 0.2, which was not measured"),
        ({"diversity": 0.2, "strategy": "mmr", "similarity": "attributes"}, {"x": 0.4, "y": 0.08}, "by mmr at 0.2"),
        ({"diversity": 0.2, "strategy": "mmr", "similarity": "vectors"}, None, "vectors, which was not measured"),
        ({"diversity": 0, "strategy": "mmr", "similarity": "vectors"}, {"x": 0.2, "y": 0.1}, "own order"),
        ({"diversity": 0, "strategy": "mmr", "k": 20}, None, "lists of 20, which was not measured"),
        ({"diversity": 0.2, "strategy": "mmr", "exclude": "none"}, None, "nothing, which was not measured"),
    ],
)
def test_where_the_server_stands_on_the_frontier(tmp_path: Path, defaults: Any, place: Any, words: str) -> None:
    both = [
        *points("dpp", (0, 0.2, 0.1), (1, 0.9, 0.01)),
        *points("mmr", (0, 0.2, 0.1), (0.1, 0.3, 0.09), (0.2, 0.4, 0.08)),
    ]
    program = """
import { standing } from "./frontier.js";
const here = standing(given.found, given.defaults);
console.log(JSON.stringify({ place: here.place("coverage"), none: here.place("novelty"), text: here.text }));
"""
    attributes = "the items' categories"
    found = {"k": 10, "exclude": "seen", "similarity": attributes, "measured_by": attributes, "points": both}
    usual = {"k": 10, "exclude": "seen", "similarity": "auto"}
    said = computed(tmp_path, program, {"found": found, "defaults": usual | defaults})
    assert said["place"] == (place if place is None else pytest.approx(place))
    assert said["none"] is None
    assert words in said["text"]


DRAWN = """
class Made {
  constructor(name) { Object.assign(this, { name, kids: [], attributes: {} }); }
  setAttribute(key, value) { this.attributes[key] = value; }
  append(...kids) { this.kids.push(...kids); }
}
globalThis.document = { createElement: (name) => new Made(name) };
const { markdown } = await import("./markdown.js");
const plain = (one) => (typeof one === "string" ? one : [one.name, ...one.kids.map(plain)]);
console.log(JSON.stringify(markdown(given).map(plain)));
"""


def test_a_card_becomes_elements_and_what_looks_like_markup_stays_text(tmp_path: Path) -> None:
    card = "\n".join(
        [
            "# gru <script>x</script>",
            "A **strong** `<img src=x>` word,",
            "with [a link](http://x) and *more*.",
            "",
            "![curves](curves.svg)",
            "- one",
            "  goes on",
            "- two | three",
            "",
            "| a | b |",
            "|---|:-:|",
            "| x | <b>1</b> |",
            "",
            "    code **as it is**",
            "",
            "    more",
            "###### deep",
        ]
    )
    assert computed(tmp_path, DRAWN, card) == [
        ["h3", "gru <script>x</script>"],
        [
            "p",
            *("A ", ["strong", "strong"], " ", ["code", "<img src=x>"], " word, with ", "a link (http://x)", " and "),
            ["em", "more"],
            ".",
        ],
        ["p", "curves: a picture in the folder of the model, curves.svg."],
        ["ul", ["li", "one goes on"], ["li", "two | three"]],
        [
            "div",
            [
                "table",
                ["thead", ["tr", ["th", "a"], ["th", "b"]]],
                ["tbody", ["tr", ["th", "x"], ["td", "<b>1</b>"]]],
            ],
        ],
        ["pre", ["code", "code **as it is**\n\nmore"]],
        ["h6", "deep"],
    ]


@pytest.mark.parametrize(
    "card", ["", "|", "|||\n|", "- \n-", "**", "`", "    ", "#", "# ", "![", "|-|\n|-|", "[x](", "\t"]
)
def test_an_odd_card_is_no_obstacle(tmp_path: Path, card: str) -> None:
    assert isinstance(computed(tmp_path, DRAWN, card), list)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("0, 1, 5", [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("1, 8, 4, { whole: true }", [2, 4, 6, 8]),
        ("0.2, 1.2, 4, { whole: true }", [1]),
        ("-0.05, 0.05, 4", [-0.04, -0.02, 0, 0.02, 0.04]),
        ("3, 3, 4", [3]),
    ],
)
def test_ticks_are_round_numbers(tmp_path: Path, arguments: str, expected: list[float]) -> None:
    program = f'import {{ ticks }} from "./chart_axis.js";\nconsole.log(JSON.stringify(ticks({arguments})));'
    assert computed(tmp_path, program) == expected
