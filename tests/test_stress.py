"""A load in an open loop: latency from the schedule, every failure counted, a report whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from made_up_server import BUSY, OK, made_up, ok
from segue.cli import run
from segue.errors import ConfigError, SegueError
from segue.serving.store.folder import StoreFolder
from segue.traffic.plan import Phase, Plan, phases_of, planned, power_law
from segue.traffic.run import run_loop, run_stress
from segue.traffic.stress import NO_ANSWER, NOT_SENT, Bounds, stress
from segue.traffic.target import Target
from serving_models import ITEMS

SRC = str(Path(__file__).parent.parent / "src")
SERVER = """
import sys
from serving_models import engine_of
from segue.serving.store.folder import StoreFolder
from segue.web.serve import serve

serve(engine_of(StoreFolder(sys.argv[1]), threads=True), port=0)
"""


def plan_of(rate: float = 200, requests: int = 40, **settings: object) -> Plan:
    given: dict[str, object] = {"users": 10, "spacing": "even", "most": requests} | settings
    return Plan([Phase(rate, 60)], ITEMS, **given)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_requests_by_a_power_law() -> None:
    target = Target.of("http://h:1")
    plan = Plan([Phase(1000, 3), Phase(100, 5)], [f"i{n}" for n in range(50)], users=200, skew_items=1.0)
    first, again = list(planned(plan, target)), list(planned(plan, target))
    assert first == again
    assert first != list(planned(plan._replace(seed=2), target))
    times = np.array([at for at, _ in first])
    assert (np.diff(times) >= 0).all()
    # four standard deviations of a Poisson number
    assert abs((times < 3).sum() - 3000) < 220
    assert abs((times >= 3).sum() - 500) < 90
    items = Counter(msgspec.json.decode(one.partition(b"\r\n\r\n")[2])["event"]["item_id"] for _, one in first)
    assert [item for item, _ in items.most_common(2)] == ["i0", "i1"]
    assert items["i0"] / len(first) == pytest.approx(1 / sum(1 / n for n in range(1, 51)), abs=0.03)
    assert power_law(3, 1.0) == pytest.approx([6 / 11, 9 / 11, 1])


@pytest.mark.parametrize(
    ("call", "path", "keys"),
    [
        ("both", b"/v1/recommend", {"user_id", "k", "event"}),
        ("recommend", b"/v1/recommend", {"user_id", "k"}),
        ("events", b"/v1/events", {"events"}),
    ],
)
def test_what_is_sent_is_what_was_asked_for(call: str, path: bytes, keys: set[str]) -> None:
    with made_up(ok) as server:
        report = run_stress(Target.of(f"{server.url}/under/", "secret"), plan_of(call=call))
    assert report.statuses == {"200": 40}
    assert all(head.startswith(b"POST /under" + path + b" HTTP/1.1\r\n") for head in server.heads)
    assert all(b"authorization: Bearer secret\r\n" in head for head in server.heads)
    assert all(set(msgspec.json.decode(body)) == keys for body in server.requests)
    assert (report.failed, report.no_answer, report.not_sent, report.requests) == (False, 0, 0, 40)
    assert sum(one.ok for one in report.timeline) == 40


def test_requests_for_lists_ask_for_more() -> None:
    with made_up(ok) as server:
        run_stress(Target.of(server.url), plan_of(ask={"diversity": 0.3, "rules": {"deny": {"items": ["i1"]}}}))
    bodies = [msgspec.json.decode(body) for body in server.requests]
    assert {(body["diversity"], body["rules"]["deny"]["items"][0]) for body in bodies} == {(0.3, "i1")}
    assert all({"user_id", "k", "event"} < set(body) for body in bodies)


def test_latency_counts_from_the_schedule_where_a_server_stalls() -> None:
    stall = 0.5

    async def stalling(number: int) -> bytes:
        if not number:
            await asyncio.sleep(stall)
        return OK

    with made_up(stalling) as server:
        plan = plan_of(rate=100, requests=30)
        record = run_loop(stress(Target.of(server.url), plan, Bounds(connections=1)))
    due, latency = np.array(record.due), np.array(record.latency)
    assert sorted(due) == pytest.approx([n / 100 for n in range(1, 31)])
    # one connection: nothing is answered before the first is, and that was sent when it was due or later
    assert (latency >= stall + due.min() - due - 1e-3).all()
    assert set(record.status) == {200}


def test_refusals_are_counted_and_not_sent_again() -> None:
    async def busy(number: int) -> bytes:
        return BUSY if number % 2 else OK

    with made_up(busy) as server:
        report = run_stress(Target.of(server.url), plan_of())
    assert report.statuses == {"200": 20, "503": 20}
    assert len(server.requests) == 40
    assert {status: of.requests for status, of in report.latency_ms.items()} == {"200": 20, "503": 20}


def test_a_server_that_dies_in_the_middle_ends_the_load_with_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    async def dying(number: int) -> bytes | None:
        return None if number == 10 else OK

    with made_up(dying) as server:
        assert run(["stress", server.url, "--rate", "50", "--seconds", "60s", "--json"]) == 1
    out, err = capsys.readouterr()
    report = msgspec.json.decode(out)
    assert report["statuses"] == {"200": 10}
    assert report["ended"].startswith("the server has gone (")
    assert report["no_answer"] > 1
    assert report["requests"] < 50 * 60
    assert "the server has gone" in err
    assert "neither --model nor --items" in err


def test_one_that_answers_nothing_in_time_is_not_waited_for() -> None:
    async def silent(_: int) -> bytes:
        await asyncio.sleep(60)
        return OK

    with made_up(silent) as server:
        record = run_loop(stress(Target.of(server.url), plan_of(rate=1000), Bounds(4, most_waiting=6, timeout=0.1)))
    # 4 in hand, 6 wait, and 30 find too many waiting
    assert Counter(record.status) == {NO_ANSWER: 10, NOT_SENT: 30}


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SegueError, match=r"does not answer .*expected a running `segue serve` there"):
        run_stress(Target.of(f"http://127.0.0.1:{port}"), plan_of())


def test_ctrl_c_reports_what_was_done() -> None:
    with made_up(ok) as server:
        command = [sys.executable, "-m", "segue", "stress", server.url, "--rate", "100", "--seconds", "10m", "--json"]
        client = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": SRC}
        )
        while len(server.requests) < 5:
            assert client.poll() is None
        client.send_signal(signal.SIGINT)
        out, err = client.communicate(timeout=60)
    report = msgspec.json.decode(out)
    assert report["ended"] == "interrupted"
    assert report["statuses"]["200"] >= 5
    assert (client.returncode, "Traceback" in err, err.endswith("interrupted\n")) == (130, False, True)


def test_a_real_server_stores_what_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "items.txt").write_text("\n".join(ITEMS) + "\n")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path / "store")],
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{SRC}:{Path(__file__).parent}"},
    )
    assert server.stderr is not None
    try:
        url = server.stderr.readline().split()[-1]
        command = ["stress", url, "--rate", "100", "--requests", "60", "--seconds", "60s", "--users", "7"]
        assert run([*command, "--items", str(tmp_path / "items.txt")]) == 0
    finally:
        server.terminate()
        server.communicate(timeout=60)
    out, err = capsys.readouterr()
    assert "60 requests due" in out
    assert "failures: 0 other than 200, 0 without an answer, 0 left out" in out
    assert "neither" not in err
    home = StoreFolder(tmp_path / "store")
    counts = home.stores[0].count()
    home.close()
    assert (counts.users, counts.events) == (7, 60)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["http://h:1", "--rate", "0"], "the rate is 0; expected requests a second"),
        (["ftp://h"], "'ftp://h' is no address of a server"),
        (["http://h:port"], "is no address of a server"),
        (["http://h:1", "--requests", "0"], "--requests is 0; expected at least 1"),
        (["http://h:1", "--connections", "0"], "--connections is 0; expected at least 1"),
        (["http://h:1", "--items", "none.txt"], "none.txt cannot be read"),
        (["http://h:1", "--skew-users", "nan"], "a skew is nan"),
        (["http://h:1", "--ramp", "10:2s,x:1s"], "'x:1s' is no rate and time"),
        (["http://h:1", "--ask", "{"], "--ask {"),
        (["http://h:1", "--ask", "[1]"], "expected fields of a request as JSON"),
        (["http://h:1", "--ask", '{"k": 3}'], "`k` is decided by the load itself"),
        (["http://h:1", "--ask", '{"seed": 3}', "--call", "events"], "--ask adds to requests for lists"),
    ],
)
def test_a_load_that_cannot_be_meant_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stress", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_ramp_is_rates_one_after_another() -> None:
    assert phases_of(1, 1, "3000:10s, 200:1m") == [Phase(3000, 10), Phase(200, 60)]
    with pytest.raises(ConfigError, match="--ramp"):
        phases_of(1, 1, "3000")
