"""The API under what strangers send: no 5xx but 503, no hang, and each failure is said as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, example, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from live_server import Live, live_server
from segue.web.messages import MAX_BODY_BYTES
from serving_models import ITEMS, NOW

FEW, MANY = 12, 80
POSITIVE = GenerationMode.POSITIVE


def examples(number: int) -> Any:
    """So many, the same ones each time."""

    def decorate(test: Any) -> Any:
        quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        phases = (Phase.explicit, Phase.generate)
        kept = settings(max_examples=number, deadline=None, database=None, phases=phases, suppress_health_check=quiet)
        return seed(5)(kept(test))

    return decorate


amounts = pytest.mark.parametrize("number", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("server")) as server:
        yield server
        log = server.log()
    assert "Traceback" not in log
    assert '"level":"error"' not in log


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.address, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def described(client: httpx.Client) -> Any:
    return schemathesis.openapi.from_dict(client.get("/schema/openapi.json").json())


ROUTES = [
    ("/v1/events", "POST"),
    ("/v1/recommend", "POST"),
    ("/v1/similar", "POST"),
    ("/v1/items", "GET"),
    ("/v1/items", "POST"),
    ("/v1/history", "POST"),
    ("/v1/users", "GET"),
    ("/v1/choices", "GET"),
    ("/v1/model", "GET"),
    ("/v1/users/{user_id}", "GET"),
    ("/v1/users/{user_id}", "DELETE"),
    ("/health/live", "GET"),
    ("/health/ready", "GET"),
]


def test_every_route_is_tried(described: Any) -> None:
    found = [(one.ok().path, one.ok().method.upper()) for one in described.get_all_operations()]
    assert found == ROUTES


@amounts
@pytest.mark.parametrize(
    ("path", "method", "mode"),
    # what is no body is text whatever it is
    [
        (*route, mode)
        for mode in GenerationMode
        for route in ROUTES
        if mode is POSITIVE or route[1] == "POST" or route[0] in ("/v1/items", "/v1/users")
    ],
)
def test_the_server_keeps_to_its_own_description(
    live: Live, described: Any, path: str, method: str, mode: GenerationMode, number: int
) -> None:
    """Statuses, types and schemas of the answers are those described, and what the schema forbids is refused."""
    operation = described[path][method]
    # a message may be well formed and still not be answerable: an item outside the catalog, an event of nobody
    excluded = [schemathesis.checks.positive_data_acceptance]

    @examples(number)
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        case.call_and_validate(base_url=live.address, excluded_checks=excluded, timeout=60)

    holds()


SURROGATES = st.text(st.characters(exclude_categories=()), max_size=12)
GOOD, GOOD_TIMES = st.sampled_from(ITEMS), st.floats(0, NOW)
ODD = ["u", "/", "..", "", "x" * 1024, "x" * 1025, "a\0b", "\x1b[2J\r\n", "\ud800", "é" * 300]
IDS = GOOD | GOOD | st.sampled_from(ODD) | SURROGATES
ODD_TIMES = [0, -1, -0.0, 1e-320, NOW, NOW + 1e5, NOW * 1000, 7_258_118_399.9, 1e308, 10**400]
TIMES = GOOD_TIMES | st.sampled_from(ODD_TIMES) | st.floats()
LENGTHS = st.sampled_from([1, 8, 9, 1000, 1001, 0, -1, 10**9, 10**30, 2.5, 1e2, True, "3"]) | st.integers()
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SURROGATES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SURROGATES, inner, max_size=4),
    max_leaves=8,
)
LISTS = st.lists(IDS, max_size=5) | st.integers(990, 1001).map(lambda length: (ITEMS * 126)[:length])


def message(required: dict[str, Any], optional: dict[str, Any]) -> Any:
    """Messages, most of them good, some with a field that is anything, or one too many."""
    good = st.fixed_dictionaries(required, optional=optional)
    loose = {name: JUNK | one for name, one in {**required, **optional}.items()}
    return good | st.fixed_dictionaries({}, optional=loose | {"extra": JUNK}) | JUNK


OPTIONAL = {"timestamp": TIMES, "session_id": IDS, "event_id": IDS, "event_type": IDS}
EVENT = {"user_id": IDS, "item_id": IDS}
NAMED = message({}, {"items": LISTS, "categories": LISTS})
WEIGHT = message({"items": LISTS}, {"factor": st.floats(), "shift": st.floats(0, 9)})
WINDOW = message({"items": LISTS}, {"from": TIMES | IDS, "until": TIMES | st.sampled_from(["2026-01-01", "2026-1-1"])})
APART = message({"within": LENGTHS}, {"by": IDS, "items": LISTS, "categories": LISTS})
RULES = message(
    {},
    {
        "deny": NAMED,
        "allow": NAMED,
        "windows": st.lists(WINDOW, max_size=2),
        "pin": st.lists(message({"item": IDS, "place": LENGTHS}, {}), max_size=2),
        "apart": st.lists(APART, max_size=2),
        "boost": st.lists(WEIGHT, max_size=2),
        "bury": st.lists(WEIGHT, max_size=2),
    },
)
RECOMMEND = {"k": LENGTHS, "timestamp": TIMES, "exclude": st.sampled_from(["none", "seen", "current", "all"])} | {
    "candidates": LISTS,
    "categories": LISTS,
    "event": message({"item_id": IDS}, OPTIONAL),
    "rules": RULES,
    "scenario": IDS,
    "times": st.lists(TIMES, max_size=5),
}
BODIES = st.one_of(
    st.tuples(st.just("/v1/events"), message({"events": st.lists(message(EVENT, OPTIONAL), max_size=4)}, {})),
    st.tuples(
        st.just("/v1/events"), st.builds(lambda *given: {"events": [dict(zip(EVENT, given, strict=True))]}, GOOD, IDS)
    ),
    st.tuples(st.just("/v1/recommend"), message({"user_id": IDS}, RECOMMEND) | message({"items": LISTS}, RECOMMEND)),
    st.tuples(st.just("/v1/similar"), message({"item_id": IDS}, {"k": LENGTHS})),
    st.tuples(st.just("/v1/items"), message({"item_ids": LISTS}, {})),
    st.tuples(st.just("/v1/history"), message({"user_id": IDS}, {"last": LENGTHS})),
)
ENCODINGS = st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32", "latin-1", "cp500"])


def check(answer: httpx.Response) -> dict[str, Any]:
    """Whatever was asked: a status that was meant, and JSON that says what is wrong."""
    assert answer.status_code in (200, 400, 404, 409, 413), answer.text
    told: dict[str, Any] = answer.json()
    if answer.status_code not in (200, 409):
        assert told["error"]["code"]
        assert told["error"]["message"]
    return told


@amounts
def test_no_body_whatsoever_breaks_the_server(client: httpx.Client, number: int) -> None:
    statuses = set()

    @examples(20 * number)
    @example(asked=("/v1/similar", {"item_id": ITEMS[0]}), plain=True, encoding="utf-8")
    @given(asked=BODIES, plain=st.booleans(), encoding=ENCODINGS)
    def holds(asked: tuple[str, Any], plain: bool, encoding: str) -> None:
        path, body = asked
        text = json.dumps(body, ensure_ascii=not plain)
        sent = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
        assume(len(sent) < MAX_BODY_BYTES)
        answer = client.post(path, content=sent)
        told = check(answer)
        statuses.add((path, answer.status_code))
        if (path, answer.status_code) == ("/v1/recommend", 200):
            listed = [one["item_id"] for one in told["items"]]
            assert len(listed) == len(set(listed)) <= body.get("k", 10)
            assert set(listed) <= set(ITEMS if body.get("candidates") is None else body["candidates"])
            assert not set(listed) & set(((body.get("rules") or {}).get("deny") or {}).get("items", ()))

    holds()
    assert statuses >= {
        (path, status)
        for path in ("/v1/events", "/v1/recommend", "/v1/similar", "/v1/items", "/v1/history")
        for status in (200, 400)
    }


@amounts
def test_any_text_is_a_user_or_is_refused(client: httpx.Client, number: int) -> None:
    @examples(3 * number)
    @given(user_id=IDS.filter(lambda text: text not in ("", ".", "..")), item_id=st.sampled_from(ITEMS))
    def holds(user_id: str, item_id: str) -> None:
        written = client.post("/v1/events", content=json.dumps({"events": [{"user_id": user_id, "item_id": item_id}]}))
        check(written)
        where = f"/v1/users/{quote(user_id.encode('utf-8', 'surrogatepass'), safe='')}"
        shown = client.get(where)
        told = check(shown)
        if written.status_code == 200:
            assert (told["user_id"], told["last_item"]) == (user_id, item_id)
            assert check(client.delete(where)) == {"user_id": user_id, "events": told["events"]}
            assert check(client.get(where))["events"] == 0
        else:
            assert shown.status_code == 400 or told["events"] == 0

    holds()


@amounts
def test_any_query_is_answered_or_refused(client: httpx.Client, number: int) -> None:
    names = st.sampled_from(["search", "k", "K", ""]) | SURROGATES
    pairs = st.lists(st.tuples(names, IDS | LENGTHS.map(str)), max_size=3)

    @examples(3 * number)
    @given(
        path=st.sampled_from(["/v1/items", "/v1/users"]), pairs=pairs, raw=st.binary(max_size=20), plain=st.booleans()
    )
    def holds(path: str, pairs: list[tuple[str, str]], raw: bytes, plain: bool) -> None:
        sent = urlencode(pairs, errors="surrogatepass") if plain else quote(raw, safe="=&%+;")
        answer = client.get(f"{path}?{sent}")
        assert answer.status_code in (200, 400), answer.text
        assert check(answer)

    holds()


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"user_id":[', '{"events":[{"item_id":', '[{"":'])
@pytest.mark.parametrize("path", ["/v1/events", "/v1/recommend", "/v1/similar", "/v1/items", "/v1/history"])
def test_depth_is_refused(client: httpx.Client, path: str, opening: str) -> None:
    answer = client.post(path, content=opening * (MAX_BODY_BYTES // len(opening) - 10))
    assert answer.status_code == 400
    assert check(answer)


@pytest.mark.parametrize("filtered", [{"candidates": []}, {"candidates": ["?"]}, {"categories": ["none such"]}])
def test_where_everything_is_filtered_the_list_is_empty(client: httpx.Client, filtered: dict[str, list[str]]) -> None:
    answer = client.post("/v1/recommend", json={"user_id": "u", **filtered})
    assert (answer.status_code, answer.json()["items"]) == (200, [])
