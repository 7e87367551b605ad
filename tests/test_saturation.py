"""More than can be done: some are answered, the others are told to come back, and after it all is as before."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from live_server import FADING, live_server

SLOW = """
import time
from segue.serving import worker
from serving_models import Fading

worker.Worker.__init__.__defaults__ = (32, 8)
score = Fading.score

def slow(self, *given):
    time.sleep(0.02)
    return score(self, *given)

Fading.score = slow
"""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


async def post(port: int, path: str, body: Any) -> Answer:
    """One call on a connection of its own: a pool of connections would hold back what is to come at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content)
    text = (await asyncio.wait_for(reader.read(), 120)).decode()
    writer.close()
    first, _, rest = text.partition("\r\n")
    fields, _, given = rest.partition("\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in fields.split("\r\n"))
    return Answer(int(first.split()[1]), headers, json.loads(given))


async def all_at_once(port: int, asked: list[tuple[str, Any]]) -> list[Answer]:
    return await asyncio.gather(*(post(port, path, body) for path, body in asked))


def assert_only_answered_or_put_off(answers: list[Answer]) -> Counter[int]:
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {200, 503}
    for answer in answers:
        if answer.status == 503:
            assert answer.body["error"]["code"] == "overloaded"
            assert answer.headers["retry-after"] == "1"
    return statuses


def test_above_what_may_wait_is_put_off_and_the_next_one_is_answered(tmp_path: Path) -> None:
    event = {"item_id": "i1", "timestamp": 5}
    asked: list[tuple[str, Any]] = [
        ("/v1/recommend", {"user_id": f"u{number % 300}", "event": {**event, "event_id": str(number)}})
        for number in range(600)
    ]
    with live_server(tmp_path, SLOW + FADING) as live:
        answers = asyncio.run(all_at_once(live.port, asked))
        statuses = assert_only_answered_or_put_off(answers)
        assert statuses[200] >= 32, "what may wait is answered"
        assert statuses[503] >= 1, "this was no more than can be done: send more"
        with httpx.Client(base_url=live.address, timeout=60) as client:
            assert client.post("/v1/recommend", json={"user_id": "u1"}).status_code == 200, "at once, without a retry"
            metrics = client.get("/metrics").text.splitlines()
            assert "segue_waiting 0.0" in metrics
            assert f'segue_events_total{{became="stored"}} {float(statuses[200])}' in metrics, "none is done by half"
        assert '"level":"error"' not in live.log()


@pytest.mark.parametrize("calls", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_a_burst_of_one_user_keeps_no_other_waiting_for_its_end(tmp_path: Path, calls: int) -> None:
    burst = [("/v1/events", {"events": [{"user_id": "burst", "item_id": "i1"}] * 1000})] * calls

    async def both(port: int) -> tuple[list[Answer], list[int], list[float]]:
        """The answers to the burst and to the others, and how many events were stored while each other waited."""
        statuses, stored = [], []
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            flood = asyncio.create_task(all_at_once(port, burst))
            while not flood.done():
                before = await events_stored(client)
                body = {"user_id": f"other {len(statuses)}", "event": {"item_id": "i1"}}
                statuses.append((await client.post("/v1/recommend", json=body)).status_code)
                stored.append(await events_stored(client) - before)
            answers = await flood
            kept = (await client.get("/v1/users/burst")).json()["events"]
            # one whose deadline comes while it is worked on is stored, and told that it may be
            assert 1000 * sum(answer.status == 200 for answer in answers) <= kept <= 1000 * calls
        return answers, statuses, stored

    with live_server(tmp_path) as live:
        answers, others, stored = asyncio.run(both(live.port))
    assert_only_answered_or_put_off(answers)
    assert set(others) == {200}
    assert max(stored) >= 1000, "they came into the burst"
    assert max(stored) < 5000, "and waited for a turn or two of it"


async def events_stored(client: httpx.AsyncClient) -> float:
    text = (await client.get("/metrics")).text
    (line,) = (line for line in text.splitlines() if line.startswith('segue_events_total{became="stored"}'))
    return float(line.split()[1])
