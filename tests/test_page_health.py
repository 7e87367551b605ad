"""What the view Health computes: readings of the server's own counts, what happened between two, and how it waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from page_scripts import computed
from segue.web.counts import Counts
from serving_models import engine_of

BOTH = """
import { parsed } from "./metrics_text.js";
import { between, restarted } from "./rates.js";
const written = (_, one) => (one instanceof Map ? Object.fromEntries(one) : one);
const plain = (value) => JSON.parse(JSON.stringify(value, written));
const [before, after] = given.texts.map(parsed);
const did = between(before, after, given.seconds);
console.log(JSON.stringify({ did: plain(did), restarted: restarted(before, after) }));
"""


def between(folder: Path, before: bytes, after: bytes, seconds: float = 4.0) -> Any:
    return computed(folder, BOTH, {"texts": [before.decode(), after.decode()], "seconds": seconds})


def test_rates_and_percentiles_are_of_what_happened_between_two_readings(tmp_path: Path) -> None:
    engine = engine_of()
    counts = Counts(engine)
    counts.answered("/v1/recommend", 200, 3.0)
    before = counts.text()
    for seconds in (0.0015,) * 50 + (0.004,) * 40 + (0.02,) * 8 + (9.0,) * 2:
        counts.answered("/v1/recommend", 200, seconds)
    counts.answered("/v1/events", 503, 0.0005)
    counts.answered("/metrics", 200, 4.0)
    counts.answered("/page/{file}", 200, 4.0)
    engine.recommend(items=["i1"], k=3)
    found = between(tmp_path, before, counts.text())
    assert not found["restarted"]
    did = found["did"]
    assert (did["requests"], did["rate"], did["errors"]) == (101, 25.25, 1), "the page's own are not counted"
    assert did["statuses"] == {"200": 100, "503": 1}
    # 101 requests: 1 to 1 ms, 51 to 2 ms, 91 to 5 ms, 99 to 20 ms, 2 above all bounds
    assert did["latency"]["p50"]["value"] == pytest.approx(0.001 + 0.001 * (50.5 - 1) / 50)
    assert did["latency"]["p90"]["value"] == pytest.approx(0.002 + 0.003 * (90.9 - 51) / 40)
    assert did["latency"]["p99"] == {"value": 5, "above": True}, "more than the last bound, and no one knows how much"
    routes = {one["route"]: one for one in did["routes"]}
    assert set(routes) == {"/v1/events", "/v1/recommend"}
    assert routes["/v1/recommend"]["rate"] == 25
    assert (did["lists"], did["sources"]["state"]) == (1, 3)


def test_where_nothing_was_asked_there_is_no_number(tmp_path: Path) -> None:
    counts = Counts(engine_of())
    assert between(tmp_path, counts.text(), counts.text())["did"]["latency"] is None
    counts.answered("/v1/similar", 200, 0.1)
    did = between(tmp_path, counts.text(), counts.text())["did"]
    assert (did["latency"], did["rate"], did["errors"]) == (None, 0, 0)
    assert did["routes"][0]["latency"] is None


def test_a_server_that_began_anew_is_seen_even_where_it_has_done_more_than_before(tmp_path: Path) -> None:
    first, second = Counts(engine_of()), Counts(engine_of())
    first.answered("/v1/recommend", 200, 0.1)
    assert between(tmp_path, first.text(), second.text())["restarted"], "a counter is gone"
    for _ in range(5):
        second.answered("/v1/recommend", 200, 0.1)
    assert between(tmp_path, first.text(), second.text())["restarted"], "it was created at another time"
    fallen = first.text().replace(b"segue_answers_total 0.0", b"segue_answers_total 7.0")
    assert between(tmp_path, fallen, first.text())["restarted"], "a counter fell"
    assert not between(tmp_path, first.text(), fallen)["restarted"]


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    text = 'a{x="1,\\"}\\\\\\n",y="é"} 2.5\n# HELP a b\nnonsense\nb +Inf 123\n'
    found = computed(
        tmp_path,
        """
import { parsed } from "./metrics_text.js";
const infinite = (_, one) => (one === Infinity ? "infinite" : one);
console.log(JSON.stringify([...parsed(given)], infinite));
""",
        text,
    )
    assert found == [
        ["a", [{"labels": {"x": '1,"}\\\n', "y": "é"}, "value": 2.5}]],
        ["b", [{"labels": {}, "value": "infinite"}]],
    ]


WATCHED = """
import { watch } from "./readings.js";
let at = 1000;
const waits = [];
let queue = [...given];
globalThis.setTimeout = (next, wait) => {
  waits.push(wait);
  Promise.resolve().then(() => queue.length && next());
  return waits.length;
};
globalThis.clearTimeout = () => {};
const told = [];
async function ask() {
  const { after, text, error } = queue.shift();
  at += after;
  if (error) throw error;
  return text;
}
function tell({ recent, points, lost, restarts, error }) {
  const rates = points.map((one) => one.did && one.did.rate);
  told.push({ rate: recent?.rate ?? null, points: rates, lost, restarts, error: error?.status ?? null });
}
watch(ask, tell, () => at).start();
for (let turn = 0; turn < 100; turn++) await null;
console.log(JSON.stringify({ told, waits }));
"""


def reading(requests: int) -> str:
    return f'segue_requests_total{{route="/v1/events",status="200"}} {requests}\n'


def test_readings_are_kept_apart_where_they_are_not_of_one_run(tmp_path: Path) -> None:
    script = [
        {"after": 0, "text": reading(0)},
        {"after": 2, "text": reading(8)},
        {"after": 2, "error": {"status": 0}},
        {"after": 2, "text": reading(16)},
        {"after": 60, "text": reading(500)},  # nobody looked for a minute
        {"after": 2, "text": reading(510)},
        {"after": 2, "text": reading(3)},  # it began anew
        {"after": 2, "text": reading(5)},
        {"after": 2, "error": {"status": 429, "retryAfter": 9}},
        {"after": 2, "error": {"status": 401}},
        {"after": 2, "text": reading(7)},
    ]
    found = computed(tmp_path, WATCHED, script)
    told = found["told"]
    assert [one["rate"] for one in told[:5]] == [None, 4, 4, 16 / 6, None]
    assert [one["lost"] for one in told[:4]] == [None, None, 1004, None]
    assert told[5]["points"] == [4, 2, None, 5], "no line is drawn over the minute"
    assert (told[6]["rate"], told[6]["restarts"], told[6]["points"][-1]) == (None, 1, None)
    assert told[7]["rate"] == 1
    assert [one["error"] for one in told[8:]] == [429, 401], "without a key nobody asks again"
    assert found["waits"] == [2000] * 8 + [9000]
