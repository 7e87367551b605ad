"""What a load found: rates, percentiles, failures, and whether the client itself was the limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from segue.shapes import Array
from segue.traffic.plan import Plan
from segue.traffic.stress import NO_ANSWER, NOT_SENT, Record

BUSY = 0.85
"""A client that takes more of a core than this may itself be the limit: one core is all it can use."""

LATE_MS = 10.0
"""A client that comes to one request in a hundred later than this measures itself."""


class Percentiles(Struct, frozen=True):
    """Milliseconds of so many requests."""

    requests: int
    p50: float
    p90: float
    p99: float
    max: float


class Second(Struct, frozen=True):
    """The requests that were due in one second.

    Attributes:
        ok: answered 200.
        failed: answered otherwise or not at all, or not sent.
        p90_ms: of all that were sent; null where none was.
    """

    second: int
    ok: int
    failed: int
    p90_ms: float | None


class StressReport(Struct, frozen=True, kw_only=True):
    """What a load found.

    Attributes:
        url, call, items, users, skew_items, skew_users, seed: what was sent where, see `Plan`.
        phases: [requests a second, seconds] each.
        requests: that were due.
        seconds: from the first to the last answer.
        offered_per_s: requests due a second.
        ok_per_s: answered 200 a second.
        statuses: answers by status.
        no_answer: the connection broke, or none came in time.
        not_sent: left out, since too many waited for a connection.
        latency_ms: by status, from when a request was due.
        late_ms: from when a request was due until the client came to it; part of the latency.
        client_cpu: the share of one core that the client took.
        connections: open at the end.
        timeline: second by second.
        ended: why it ended early; null where it did not.
        notes: what a reader must know.
    """

    url: str
    call: str
    phases: list[tuple[float, float]]
    items: int
    users: int
    skew_items: float
    skew_users: float
    seed: int
    requests: int
    seconds: float
    offered_per_s: float
    ok_per_s: float
    statuses: dict[str, int]
    no_answer: int
    not_sent: int
    latency_ms: dict[str, Percentiles]
    late_ms: Percentiles | None
    client_cpu: float
    connections: int
    timeline: list[Second]
    ended: str | None
    notes: list[str]

    @property
    def failed(self) -> bool:
        """Whether there was no server to measure: it went, or answered nothing with 200."""
        gone = self.ended is not None and self.ended != "interrupted"
        return gone or (self.ended is None and not self.statuses.get("200"))


def report_of(url: str, plan: Plan, record: Record, notes: Sequence[str] = ()) -> StressReport:
    """What the record of a load says."""
    due, latency = np.array(record.due), 1e3 * np.array(record.latency)
    status = np.array(record.status)
    answered = status > NOT_SENT
    late = percentiles(1e3 * np.array(record.lateness))
    cpu = record.cpu_seconds / record.seconds if record.seconds else 0.0
    found = sorted({int(one) for one in status[answered]})
    seconds = float((due + latency / 1e3)[answered].max()) if answered.any() else record.seconds
    span = max(float(due.max()), 1e-9) if len(due) else 1.0
    told = list(notes)
    if late is not None and late.p99 > LATE_MS:
        told.append(
            f"the client came to one request in a hundred more than {late.p99:.0f} ms late: what is measured is partly "
            "the client, or a machine without a free core"
        )
    if cpu > BUSY:
        told.append(f"the client took {cpu:.0%} of the one core it can use: it may be the limit; start several")
    return StressReport(
        url=url,
        call=plan.call,
        phases=[(phase.rate, phase.seconds) for phase in plan.phases],
        items=len(plan.items),
        users=plan.users,
        skew_items=plan.skew_items,
        skew_users=plan.skew_users,
        seed=plan.seed,
        requests=len(due),
        seconds=round(seconds, 3),
        offered_per_s=round(len(due) / span, 1),
        ok_per_s=round(int((status == 200).sum()) / seconds, 1) if seconds else 0.0,
        statuses={str(one): int((status == one).sum()) for one in found},
        no_answer=int((status == NO_ANSWER).sum()),
        not_sent=int((status == NOT_SENT).sum()),
        latency_ms={str(one): of for one in found if (of := percentiles(latency[status == one])) is not None},
        late_ms=late,
        client_cpu=round(cpu, 3),
        connections=record.connections,
        timeline=timeline(due, latency, status),
        ended=record.ended,
        notes=told,
    )


def percentiles(milliseconds: Array) -> Percentiles | None:
    """Of some figures; None where there are none."""
    if not len(milliseconds):
        return None
    found = np.percentile(milliseconds, [50, 90, 99, 100])
    return Percentiles(len(milliseconds), *(round(float(one), 3) for one in found))


def timeline(due: Array, latency: Array, status: Array) -> list[Second]:
    """What became of the requests of each second."""
    order = np.argsort(due, kind="stable")
    second, latency, status = due[order].astype(np.int64), latency[order], status[order]
    found = []
    for begin, end in edges(second):
        ok = int((status[begin:end] == 200).sum())
        of = percentiles(latency[begin:end][status[begin:end] != NOT_SENT])
        found.append(Second(int(second[begin]), ok, int(end - begin) - ok, None if of is None else of.p90))
    return found


def edges(ordered: Array) -> list[tuple[int, int]]:
    """Where runs of equal values begin and end."""
    if not len(ordered):
        return []
    changes = (np.flatnonzero(np.diff(ordered)) + 1).tolist()
    return list(zip([0, *changes], [*changes, len(ordered)], strict=True))
