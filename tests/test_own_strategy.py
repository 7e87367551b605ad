"""A strategy of one's own comes in by a file; what it gives is checked, and no server falls over it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from litestar.testing import TestClient

from segue.errors import ConfigError, RequestError
from segue.own import import_file
from segue.ranking.diversity import STRATEGIES, Pool
from segue.serving.events import LiveEvent
from segue.serving.lists.diverse import Wish
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct
from serving_models import NOW, engine_of, store_of
from small_shop import Ran, shop_of

pytestmark = pytest.mark.usefixtures("own_parts_go")

PAGE = (Path(__file__).parents[1] / "docs" / "diversity.md").read_text("utf-8")
LAST = re.findall(r'```python title="last.py"\n(.*?)```', PAGE, re.S)[0]
HEAD = "import numpy as np\nfrom segue.ranking.diversity import strategy\n\n@strategy()\ndef mine(pool, k, d, rng):\n"
EIGHT = f"{HEAD}    return [0, 99] if len(pool.items) == 7 else np.arange(k)[::-1]\n"


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_the_file_of_the_page_is_measured_and_asked_for_in_a_shell(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, file = shop_of(tmp_path_factory), written(tmp_path, LAST, "last.py")
    words = ("--strategies", "last_first", "--knobs", "1", "--no-keep", "--json")
    Ran(capsys, "frontier", shop / "gru", shop / "clicks.csv", *words).failed(2, "`last_first` is not a strategy")
    found = Ran(capsys, "frontier", shop / "gru", shop / "clicks.csv", "--import", file, *words).json
    assert [point["strategy"] for point in found["points"]] == ["last_first"] * 2
    assert found["points"][1]["metrics"]["ndcg@10"]["value"] != found["points"][0]["metrics"]["ndcg@10"]["value"]
    asked = ("recommend", shop / "gru", "--items", "sku03", "-k", 20, "--json")
    plain = Ran(capsys, *asked).json["items"]
    own = Ran(capsys, *asked, "--import", file, "--strategy", "last_first", "--diversity", "1").json["items"]
    assert [one["item_id"] for one in own] == [one["item_id"] for one in plain][::-1]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "return [0, 6]",
            r"gave place 6 for a list of 3 from a pool of 6; expected at most 3 places of the pool, whole",
        ),
        ("return [-1]", "gave place -1 for a list of 3"),
        ("return [1, 1]", "gave place 1 more than once"),
        ("return np.arange(k + 1)", "gave 4 places for a list of 3"),
        ("return np.zeros(k)", r"gave an array of shape \(3,\) of float64"),
        ("return np.zeros((1, k), int)", r"gave an array of shape \(1, 3\) of int64"),
        ("return pool.scores > 2", r"gave an array of shape \(6,\) of bool"),
        ("return None", r"gave an array of shape \(\) of object"),
        ("return pool.vectors[99]", "line 6: IndexError"),
        ("pool.scores[0] = 1", "line 6: ValueError: assignment destination is read-only"),
        ("return np.random.permutation(len(pool.items))[:k]", r"for the same pool; expected the same list.*`rng`"),
    ],
)
def test_what_is_wrong_with_a_strategy_is_told_as_it_is_imported(tmp_path: Path, body: str, words: str) -> None:
    file = written(tmp_path, f"{HEAD}    {body}\n")
    with pytest.raises(ConfigError, match=words) as refused:
        import_file(file)
    assert "--import" in str(refused.value)
    assert "the strategy `mine`" in str(refused.value)
    assert "mine" not in STRATEGIES
    file.write_text(f"{HEAD}    return []\n")  # mended, it may be imported
    import_file(file)
    assert "mine" in STRATEGIES


def test_where_it_gives_fewer_the_best_of_the_others_follow(tmp_path: Path) -> None:
    import_file(written(tmp_path, f"{HEAD}    return [3][:k] if len(pool.items) > 3 else []\n"))
    pool = Pool(np.arange(6), np.arange(6, 0, -1).astype(np.float32))
    assert STRATEGIES["mine"](pool, 4, 0.5, np.random.default_rng(1)).tolist() == [3, 0, 1, 2]


def test_one_that_needs_nothing_may_leave_the_parentheses_out(tmp_path: Path) -> None:
    import_file(written(tmp_path, f"{HEAD.replace('@strategy()', '@strategy')}    return np.arange(k)\n"))
    assert STRATEGIES["mine"].needs == ()


def test_a_file_that_ends_the_program_is_an_error_like_others(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine\.py, line 2: SystemExit: 3"):
        import_file(written(tmp_path, "import sys\nsys.exit(3)\n"))


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 4: strategy `mmr` of own_mine is already registered by segue"):
        import_file(written(tmp_path, HEAD.replace("mine", "mmr") + "    return []\n"))


@pytest.mark.parametrize("short_way", [False, True])
def test_one_that_fails_on_a_request_is_answered_with_what_and_where_and_costs_nobody_else(
    tmp_path: Path, short_way: bool
) -> None:
    import_file(written(tmp_path, EIGHT))
    engine = engine_of()
    app: Any = Direct(create_app(engine), engine, 10.0) if short_way else create_app(engine)
    wish = {"k": 3, "diversity": 0.5, "strategy": "mine"}
    with TestClient(app, raise_server_exceptions=False) as client:
        good = client.post(ROUTE, json={**wish, "items": ["i1"], "exclude": "none"})
        bad = client.post(ROUTE, json={**wish, "items": ["i1"], "exclude": "current"})
    assert good.status_code == 200
    assert good.json()["chosen_by"]["strategy"] == "mine"
    assert bad.status_code == 400
    message = bad.json()["error"]["message"]
    assert "`strategy`: the strategy `mine` of mine.py gave place 99 for a list of 3 from a pool of 7" in message
    assert str(tmp_path) not in message


@pytest.mark.parametrize("short_way", [False, True])
def test_one_that_fails_keeps_the_event_of_the_request_and_the_answer_says_so(tmp_path: Path, short_way: bool) -> None:
    import_file(written(tmp_path, EIGHT))
    engine = engine_of()
    app: Any = Direct(create_app(engine), engine, 10.0) if short_way else create_app(engine)
    event = {"item_id": "i1", "timestamp": NOW, "event_id": "e1"}
    body = {"user_id": "u", "k": 3, "exclude": "current", "event": event}
    with TestClient(app, raise_server_exceptions=False) as client:
        bad = client.post(ROUTE, json={**body, "diversity": 0.5, "strategy": "mine"})
        again = client.post(ROUTE, json=body)
    assert bad.status_code == 400
    message = bad.json()["error"]["message"]
    assert "`strategy`: the strategy `mine` of mine.py gave place 99" in message
    assert message.endswith(". The event is stored; where it has an `event_id` the request may be sent again")
    assert again.json()["event"] == {"seq": 1, "duplicate": True, "known_item": True}
    assert [one.item_id for one in store_of(engine).history("u")] == ["i1"]


@pytest.mark.parametrize("short_way", [False, True])
def test_a_model_whose_scores_are_no_numbers_costs_the_list_and_not_the_event(
    short_way: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of()
    app: Any = Direct(create_app(engine), engine, 10.0) if short_way else create_app(engine)
    monkeypatch.setattr(type(engine.bundle.model), "score", lambda *_: np.full((1, 8), np.nan, np.float32))
    body = {"user_id": "u", "k": 3, "event": {"item_id": "i1", "timestamp": NOW}}
    with TestClient(app, raise_server_exceptions=False) as client:
        bad = client.post(ROUTE, json=body)
    assert bad.status_code == 500
    assert bad.json()["error"]["code"] == "internal"
    assert "the list could not be made; the server's log says how. The event is stored" in bad.text
    assert [one.item_id for one in store_of(engine).history("u")] == ["i1"]


RAISING = [
    "from segue.errors import RequestError\n        raise RequestError('no')",
    "from segue.errors import StoreError\n        raise StoreError('no')",
    "from segue.ranking.diversity import STRATEGIES\n"
    "        return STRATEGIES['rotation'](pool._replace(scores=pool.scores[::-1]), k, d, rng)",
    "raise SystemExit('no')",
    "pool.items[0] = 5",
    "pool.items.sort()",
]


@pytest.mark.parametrize("body", RAISING)
def test_whatever_it_raises_is_its_own_error_and_as_the_usual_one_costs_nothing(
    body: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import_file(
        written(tmp_path, f"{HEAD}    if len(pool.items) == 7:\n        {body}\n    return np.arange(k)[::-1]\n")
    )
    pool = Pool(np.arange(7), np.arange(7, 0, -1).astype(np.float32))
    with pytest.raises(ConfigError, match=r"the strategy `mine` of mine.py, line [78]: "):
        STRATEGIES["mine"](pool, 3, 0.5, np.random.default_rng(1))
    assert pool.items.tolist() == list(range(7))
    engine = engine_of()
    with pytest.raises(RequestError, match=r"`strategy`: the strategy `mine` of mine.py, line [78]: "):
        engine.recommend(items=["i1"], k=3, exclude="current", diversity=0.5, strategy="mine")
    engine.usual = Wish(0.3, "mine")
    body_sent = {"user_id": "u", "k": 3, "exclude": "current", "event": {"item_id": "i1", "timestamp": NOW}}
    with TestClient(create_app(engine)) as client, caplog.at_level(logging.ERROR, "segue.serving"):
        answer = client.post(ROUTE, json=body_sent)
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 3
    assert "chosen_by" not in answer.json()
    assert [one.item_id for one in store_of(engine).history("u")] == ["i1"]
    assert "a list is as ranked: the strategy `mine` of mine.py, line" in caplog.text


def test_one_that_lifts_the_guard_of_its_pool_breaks_no_rule(tmp_path: Path) -> None:
    lifted = "        pool.items.flags.writeable = True\n        pool.items[0] = 5\n"
    import_file(written(tmp_path, f"{HEAD}    if len(pool.items) == 7:\n{lifted}    return np.arange(k)\n"))
    wish: dict[str, Any] = {"items": ["i1"], "k": 7, "exclude": "none", "rules": {"deny": {"items": ["i5"]}}}
    engine = engine_of()
    found = engine.recommend(**wish, diversity=0.5, strategy="mine")
    assert found.chosen_by is not None
    assert found.items == engine.recommend(**wish).items
    assert "i5" not in [item_id for item_id, _ in found.items]


def test_where_it_is_the_servers_own_an_event_is_kept_and_the_list_is_as_ranked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import_file(written(tmp_path, EIGHT))
    engine = engine_of()
    engine.usual = Wish(0.5, "mine")
    body = {"user_id": "u", "k": 3, "exclude": "current", "event": {"item_id": "i1", "timestamp": NOW}}
    with TestClient(create_app(engine)) as client, caplog.at_level(logging.ERROR, "segue.serving"):
        answer = client.post(ROUTE, json=body)
    assert answer.status_code == 200
    assert "chosen_by" not in answer.json()
    assert [one.item_id for one in store_of(engine).history("u")] == ["i1"]
    plain = engine.recommend(user_id="u", k=3, exclude="current", timestamp=NOW, diversity=0.0)
    assert [one["item_id"] for one in answer.json()["items"]] == [item_id for item_id, _ in plain.items]
    assert "a list is as ranked: the strategy `mine` of mine.py gave place 99" in caplog.text
    engine.observe([LiveEvent("u", "i2", NOW)])
    assert engine.recommend(user_id="u", k=3, exclude="none", timestamp=NOW).chosen_by is not None
