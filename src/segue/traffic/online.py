"""A log sent to a server in time order, and the lists compared with what came next."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import msgspec
import numpy as np

from segue.errors import SegueError
from segue.ranking import NEVER
from segue.shapes import Ints
from segue.traffic.log_plan import LogPlan, Sending
from segue.traffic.pool import Pool
from segue.traffic.target import Target, request
from segue.traffic.wire import Answer, Became, Results, event_of, rank_in

TRIES, PAUSE = 40, 0.25
"""So often, and after so many seconds, a call is made again that was answered 503 or not at all."""

AGAIN = (0, 429, 503)


class Online:
    """What a server answered.

    Attributes:
        rank: (P,) 1-based, ties against us; `NEVER` where the target is not in the list, or there is none.
        lists, events: seconds of each call for a list (maybe with an event), and for an event alone.
        counts: `refused`, `no_list`, `repeated` (calls made again), `duplicate` (the store had the event),
            `other_state` (the answer came from another number of events than the log has).
        examples: the first message for each of these.
        seconds: of all.
    """

    def __init__(self, predictions: int) -> None:
        self.rank: Ints = np.full(predictions, NEVER, np.int32)
        self.lists: list[float] = []
        self.events: list[float] = []
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.seconds = 0.0

    def note(self, what: str, example: str) -> None:
        """Count something that should not be."""
        self.counts[what] += 1
        self.examples.setdefault(what, example)


async def send_log(target: Target, plan: LogPlan, *, k: int, together: int) -> Online:
    """Send what is to be sent in time order: several users at a time, each one's events one after another.

    The list for the event after event i is asked for in one call with event i, at the time of event i: `segue evaluate`
    too asks right after the last event, request time not given. Only before the first event that is sent of a user
    a list is asked for alone, at the time of the last one that the store has.

    Args:
        k: length of the lists: one more than any metric looks at, so that ties at its end can be seen.
        together: calls at a time.

    Raises:
        SegueError: the server cannot be reached, or went away.
    """
    pool = Pool(target, together)
    try:
        await pool.warm(1)
    except OSError as error:
        raise target.silent(error) from None
    sender = _Sender(pool, target, plan, k)
    begun, limit = time.perf_counter(), asyncio.Semaphore(together)
    last: dict[str, asyncio.Task[None]] = {}

    def over(task: asyncio.Task[None], user_id: str) -> None:
        limit.release()
        if last.get(user_id) is task:
            del last[user_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            sender.broken = sender.broken or error

    try:
        for sending in plan:
            await limit.acquire()
            if sender.broken is not None:
                break
            task = asyncio.get_running_loop().create_task(sender.send(sending, last.get(sending.user_id)))
            last[sending.user_id] = task
            task.add_done_callback(lambda done, user_id=sending.user_id: over(done, user_id))  # type: ignore[misc]
        await asyncio.gather(*last.values(), return_exceptions=True)
        if sender.broken is not None:
            raise sender.broken
    finally:
        await pool.close()
    sender.online.seconds = time.perf_counter() - begun
    return sender.online


class _Sender:
    """One log on its way."""

    def __init__(self, pool: Pool, target: Target, plan: LogPlan, k: int) -> None:
        self.pool, self.url, self.k = pool, target.url, k
        self.before = {path: target.before(path) for path in ("/v1/recommend", "/v1/events")}
        self.targets = plan.target_ids()
        self.online = Online(len(self.targets))
        self.broken: BaseException | None = None

    async def send(self, sending: Sending, earlier: asyncio.Task[None] | None) -> None:
        """An event, once the user's earlier one is done, and the lists that are wanted around it."""
        if earlier is not None:
            await asyncio.wait([earlier])
        if self.broken is not None:
            return
        if sending.first >= 0:
            body = {"user_id": sending.user_id, "k": self.k, "timestamp": sending.last_time}
            await self.list_for(sending.first, body, sending.before)
        event = event_of(sending)
        if sending.target >= 0:
            body = {"user_id": sending.user_id, "k": self.k, "timestamp": sending.time, "event": event}
            await self.list_for(sending.target, body, sending.before + 1)
            return
        status, content, tries = await self.call(
            "/v1/events", {"events": [{"user_id": sending.user_id, **event}]}, self.online.events
        )
        if status not in (200, 409):
            self.online.note("refused", f"{status}: {content[:300].decode(errors='replace')}")
            return
        (became,) = msgspec.json.decode(content, type=Results).results
        self.check(became, tries)
        if became.seq != sending.before + 1:
            self.other_state(became.seq, sending.before + 1)

    async def list_for(self, number: int, body: dict[str, Any], events: int) -> None:
        """A list, maybe with an event, and where in it prediction `number` has its item."""
        # as evaluated: whatever the server was started with
        body = {**body, "diversity": 0}
        status, content, tries = await self.call("/v1/recommend", body, self.online.lists)
        if status != 200:
            self.online.note("no_list", f"{status}: {content[:300].decode(errors='replace')}")
            return
        answer = msgspec.json.decode(content, type=Answer)
        if answer.event is not None:
            self.check(answer.event, tries)
        if answer.state_version != events:
            self.other_state(answer.state_version, events)
        self.online.rank[number] = rank_in(answer.items, self.targets[number])

    def check(self, became: Became, tries: int) -> None:
        """Note an event that was not taken, or was there before it was sent."""
        if became.refused is not None:
            self.online.note("refused", f"{became.refused}: {became.message}")
        elif became.duplicate and tries == 1:
            self.online.note("duplicate", f"event number {became.seq} of a user")

    def other_state(self, found: int, expected: int) -> None:
        """Note an answer from another state."""
        self.online.note("other_state", f"after {found} events of a user, where the log has {expected}")

    async def call(self, path: str, body: dict[str, Any], taken: list[float]) -> tuple[int, bytes, int]:
        """Status, body, and how often it was asked. Raises SegueError where the server has gone."""
        sent = request(self.before[path], msgspec.json.encode(body))
        status, content = 0, b""
        for tries in range(1, TRIES + 1):
            told: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
            begun = time.perf_counter()
            self.pool.ask(sent, lambda *answer, told=told: told.done() or told.set_result(answer))
            while not told.done() and self.pool.gone is None:
                await asyncio.wait([told], timeout=1.0)
            if not told.done():
                break
            status, content = told.result()
            if status not in AGAIN:
                taken.append(time.perf_counter() - begun)
                return status, content, tries
            self.online.note("repeated", f"{status or 'no answer'} to {path}")
            await asyncio.sleep(PAUSE)
        raise SegueError(
            f"{self.url} does not answer any more (last: {status or self.pool.gone or 'no answer'}); what was sent "
            "until then is in its store"
        )
