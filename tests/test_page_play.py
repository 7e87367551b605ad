"""What the view Play computes: what it says of its model, what an address means, and how it words what it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from page_scripts import computed


def trust(folder: Path, rows: list[tuple[str, bool, float | None]], **facts: Any) -> str:
    """What is said of the model `gru`, whose report has these rows: model, whether a baseline, share of hits."""
    report = {
        "rows": [
            {"model": model, "baseline": baseline, "predictions": 1234, "metrics": {"hr@10": {"value": value}}}
            for model, baseline, value in rows
        ]
    }
    program = 'import { trustWords } from "./trust.js";\nconsole.log(JSON.stringify(trustWords(given)));'
    said = computed(folder, program, {"name": "gru", "metrics": {"report": report}, **facts})
    return str(said).replace("\N{NO-BREAK SPACE}", " ")


def test_how_far_to_trust_a_list_is_said_of_the_model_that_serves(tmp_path: Path) -> None:
    rows = [("from scratch", False, 0.5), ("gru", False, 0.25), ("sknn", True, 0.2), ("popularity", True, None)]
    assert trust(tmp_path, rows, split="test") == (
        "Tested on 1,234 events that it had not seen: what came next was in its first 10 in 25 % of cases "
        "(session neighbours: 20 %)."
    )
    assert trust(tmp_path, [("from scratch", False, 0.5)]) == ""
    assert trust(tmp_path, [("gru", False, None)]) == ""


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"split": "everything"}, "events before it learned from everything:"),
        ({"split": "train", "update_of": "0123456789ab"}, "events when it was first trained:"),
    ],
)
def test_a_model_that_has_seen_its_test_since_says_so(tmp_path: Path, facts: Any, words: str) -> None:
    assert words in trust(tmp_path, [("gru", False, 0.25)], **facts)


def test_times_of_an_address_never_fall(tmp_path: Path) -> None:
    program = """
import { PLAIN, read, written } from "./address.js";
const history = given.map((time) => ({ item_id: "a", time }));
const times = (hash) => read(hash).history.map(({ time }) => time);
const own = times(`#${written({ ...PLAIN, history })}`);
console.log(JSON.stringify([own, times("#play?i=a&i=b&i=c&i=d&t=1000,-5,x,Infinity")]));
"""
    assert computed(tmp_path, program, [1000, 1060, 900, 960]) == [[1000, 1060, 1060, 1120], [1000, 1000, 1060, 1120]]


def test_names_that_every_object_has_are_names_like_others(tmp_path: Path) -> None:
    program = """
import { spoken, grouped } from "./names.js";
import { sourceWords } from "./words.js";
import { bars } from "./moves.js";
import { parsed, samples } from "./metrics_text.js";
const told = given.map((name) => [spoken(name), grouped(name), sourceWords(name)[0]]);
const reach = given.map((source) => bars([{ source, score: 2 }, { source, score: 1 }]));
const [{ labels, value }] = samples(parsed('a{__proto__="x"} constructor'), "a");
console.log(JSON.stringify([told, reach, Object.entries(labels), value]));
"""
    names = ["constructor", "__proto__", "toString"]
    told, reach, labels, value = computed(tmp_path, program, names)
    assert told == [[name] * 3 for name in names]
    assert reach == [[1, 0.06]] * 3
    assert labels == [["__proto__", "x"]]
    assert value is None, "no number"


def reason(folder: Path, differences: list[float], many: int = 3) -> str:
    """The reason of an item that these events moved: `A`, `B` and so on, the strongest first."""
    program = """
import { shortReason } from "./reason.js";
const parts = shortReason(given.source, given.reasons, given.many);
console.log(JSON.stringify(parts.map((part) => part.title ?? part).join("")));
"""
    events = [{"item_id": "ABC"[place], "difference": one} for place, one in enumerate(differences)]
    reasons = {"events": events, "followed": []}
    return str(computed(folder, program, {"source": "state", "reasons": reasons, "many": many}))


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ([-1.14, -0.47, 0.45], "In spite of A: what the model gives anyone weighs more"),
        ([0.9, -0.3], "Because of A"),
        ([0.4, 0.35, 0.3], "Because of A and B"),
        ([0.5, -0.45, 0.2], "Because of A and C"),
        ([], "No one event decided it"),
    ],
)
def test_a_reason_follows_the_signed_sum_of_its_figures(tmp_path: Path, differences: list[float], words: str) -> None:
    assert reason(tmp_path, differences) == words


def test_a_longer_history_may_have_moved_a_score_by_other_events(tmp_path: Path) -> None:
    words = "In spite of A: other events and what the model gives anyone weigh more"
    assert reason(tmp_path, [-1.14, -0.47, 0.45], many=9) == words


def meant(folder: Path, answer: Any, history: list[str]) -> Any:
    """Items of an answer as the page speaks of them."""
    program = """
import { meant, shortReason } from "./reason.js";
const items = meant(given.answer, given.history.map((item_id) => ({ item_id })));
const said = ({ source, reasons }) => shortReason(source, reasons).map((part) => part.title ?? part).join("");
console.log(JSON.stringify(items.map((item) => [item.source, said(item)])));
"""
    return computed(folder, program, {"answer": answer, "history": history})


def listed(source: str, *events: str, followed: bool = False) -> dict[str, Any]:
    """An item of a list, moved by events of these ids."""
    pairs = [{"item_id": "i0", "times": 2, "of": 2}] if followed else []
    moved = [{"item_id": one, "difference": -0.5} for one in events]
    return {"item_id": "x", "source": source, "reasons": {"events": moved, "followed": pairs}}


def test_where_no_event_moves_a_score_the_history_is_no_reason(tmp_path: Path) -> None:
    answer = {"items": [listed("state", followed=True), listed("pin")], "unknown_items": []}
    words = [["anyone", "Popular, whatever the history"], ["pin", "Placed here by a rule"]]
    assert meant(tmp_path, answer, ["i0"]) == words
    answer["items"].append(listed("state", "i0"))
    assert [source for source, _ in meant(tmp_path, answer, ["i0"])] == ["state", "pin", "state"]


def test_items_that_the_model_does_not_know_are_no_reason(tmp_path: Path) -> None:
    answer = {"items": [listed("initial_state", "zzz2"), listed("trending")], "unknown_items": ["zzz2"]}
    words = [["unknown", "The model does not know these items"], ["trending", "Popular of late"]]
    assert meant(tmp_path, answer, ["zzz2"]) == words
    answer = {"items": [listed("state", "zzz2", "i0")], "unknown_items": ["zzz2"]}
    ((_, said),) = meant(tmp_path, answer, ["i0", "zzz2"])
    assert said.startswith("In spite of i0")


@pytest.mark.parametrize(
    ("address", "times", "k", "words"),
    [
        ("i=a&i=b", [940, 1000], None, ["The address has no times"]),
        ("i=a&i=b&t=abc", [940, 1000], None, ["The times “t=abc” cannot be read"]),
        ("i=a&i=b&t=5,x", [5, 65], None, ["The times of 1 of 2 items cannot be read"]),
        ("i=a&t=5&k=1000", [5], 1000, []),
        ("i=a&t=5&k=5000", [5], 1000, ["“k=5000” cannot be had: it is 1000."]),
        ("i=a&t=5&k=many", [5], None, ["“k=many” is no number"]),
        ("t=", [], None, []),
    ],
)
def test_what_of_an_address_cannot_be_read_is_said(
    tmp_path: Path, address: str, times: list[int], k: int | None, words: list[str]
) -> None:
    program = 'import { read } from "./address.js";\nconsole.log(JSON.stringify(read(given, 1000)));'
    found = computed(tmp_path, program, f"#play?{address}")
    assert [event["time"] for event in found["history"]] == times
    assert found["k"] == k
    assert len(found["unread"]) == len(words)
    assert all(said.startswith(start) for said, start in zip(found["unread"], words, strict=True))


@pytest.mark.parametrize(
    ("low", "high", "kind"), [(-0.03, -0.01, "loses"), (0.01, 0.03, "wins"), (-0.01, 0.01, ""), (None, None, "")]
)
def test_whether_the_model_loses_is_its_paired_test(
    tmp_path: Path, low: float | None, high: float | None, kind: str
) -> None:
    own = {"model": "gru", "baseline": False, "against_best_baseline": {"low": low, "high": high}}
    rows = [own, {"model": "sknn", "baseline": True}]
    program = 'import { standing } from "./trust.js";\nconsole.log(JSON.stringify(standing(given)));'
    found = computed(tmp_path, program, {"name": "gru", "metrics": {"report": {"rows": rows}}})
    assert found["kind"] == kind
    assert "session neighbours" in found["words"]
    assert (
        "is a baseline" in computed(tmp_path, program, {"name": "sknn", "metrics": {"report": {"rows": rows}}})["words"]
    )
