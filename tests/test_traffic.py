"""What a client of a server knows: items, when a server has gone, when a load is over, what is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from made_up_server import OK, made_up, ok
from segue.artifact.home import publish
from segue.traffic import pool as pools
from segue.traffic.items import known_items
from segue.traffic.pool import Pool
from segue.traffic.report import Second, timeline
from segue.traffic.stress import NOT_SENT, Bounds, Record, _Run
from segue.traffic.target import Target, request
from versions import saved

ROOT = Path(__file__).parent.parent
REFUSED = OSError("no more files may be open")
ENDLESS = """
import asyncio, sys
from pathlib import Path
from segue.traffic.process import served
from segue.traffic.run import run_loop

async def forever(pid):
    print(pid, flush=True)
    await asyncio.sleep(600)

with served(Path(sys.argv[1]), Path(sys.argv[2])) as (_, pid):
    run_loop(forever(pid))
"""


def test_the_items_of_a_folder_of_versions_are_those_of_the_version_that_is_served(tmp_path: Path) -> None:
    model = saved(tmp_path / "model")
    publish(model, tmp_path / "home")
    items, notes = known_items(tmp_path / "home", None)
    assert items == known_items(model, None)[0]
    assert (len(items), notes) == (12, [])


def refusing(work: Callable[[Pool, Target], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on a pool whose server is gone as soon as it refuses, twice in a row, a connection."""
    monkeypatch.setattr(pools, "GONE_SECONDS", 0.0)

    async def all_of_it(target: Target) -> None:
        pool = Pool(target, 2)
        try:
            await work(pool, target)
        finally:
            await pool.close()

    with made_up(ok) as server:
        asyncio.run(asyncio.wait_for(all_of_it(Target.of(server.url)), 60))


def test_a_server_with_an_open_connection_has_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(pool: Pool, _: Target) -> None:
        await pool.warm(1)
        for _again in range(3):
            pool._not_taken(REFUSED)
            await asyncio.sleep(0.01)
        assert (pool.gone, pool.refused) == (None, 3)
        for connection in list(pool._open):
            connection.close()
        while pool.used:
            await asyncio.sleep(0.001)
        pool._not_taken(REFUSED)
        assert pool.gone is REFUSED

    refusing(work, monkeypatch)


def test_a_server_that_answers_between_two_refusals_has_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(pool: Pool, target: Target) -> None:
        await pool.warm(1)
        pool._not_taken(REFUSED)
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        pool.ask(request(target.before("/"), b"{}"), lambda status, _: told.set_result(status))
        assert await told == 200
        for connection in list(pool._open):
            connection.close()
        while pool.used:
            await asyncio.sleep(0.001)
        pool._not_taken(REFUSED)
        assert pool.gone is None, "the first refusal since it answered"

    refusing(work, monkeypatch)


def test_what_was_not_sent_is_in_no_percentile() -> None:
    due, latency = np.array([0.1, 0.2, 0.3, 1.5]), np.array([40.0, 0.01, 0.01, 0.01])
    status = np.array([200, NOT_SENT, NOT_SENT, NOT_SENT])
    assert timeline(due, latency, status) == [Second(0, 1, 2, 40.0), Second(1, 0, 1, None)]


@pytest.mark.parametrize("why", ["interrupted", "gone"])
def test_an_end_is_noticed_long_before_the_next_request_is_due(why: str) -> None:
    async def sending() -> Record:
        pool = Pool(Target.of("http://127.0.0.1:1"), 1)
        run = _Run(pool, Record(), Bounds())
        end: Any = run.stop if why == "interrupted" else lambda _: setattr(pool, "gone", REFUSED)
        asyncio.get_running_loop().call_later(0.01, end, why)
        await asyncio.wait_for(run.send(iter([(3600.0, OK)])), 10)
        return run.record

    record = asyncio.run(sending())
    assert record.ended is not None
    assert why in record.ended
    assert len(record.due) == 0


def test_one_who_is_ended_ends_the_server_that_it_started(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDLESS, str(saved(tmp_path / "model")), str(tmp_path / "store")]
    paths = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=paths)
    assert client.stdout is not None
    server = int(client.stdout.readline())
    try:
        client.send_signal(signal.SIGTERM)
        _, err = client.communicate(timeout=60)
        assert (client.returncode, err) == (143, "")
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)
    finally:
        client.kill()
        with suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)


def test_processor_time_is_of_the_requests_that_were_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from running import figures

    report = {
        "requests": 100,
        "statuses": {"200": 30, "503": 10},
        "latency_ms": {},
        "late_ms": None,
        "server_cpu_s": 0.2,
        "not_sent": 60,
        "no_answer": 0,
    }
    rest = ("ok_per_s", "server_cpu", "client_cpu", "ended", "notes")
    assert figures(report | dict.fromkeys(rest))["server_ms_a_request"] == 5.0
