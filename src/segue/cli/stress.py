"""`segue stress`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from segue.cli.options import Json
from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.traffic.report import StressReport


def command(
    url: Annotated[str, Parameter(help="Where the server listens, such as http://127.0.0.1:8000.")],
    /,
    *,
    rate: Annotated[float, Parameter(help="Requests a second, whatever becomes of them.")] = 100.0,
    seconds: Annotated[str, Parameter(help="How long, such as 30s or 15m.")] = "10s",
    ramp: Annotated[
        str | None, Parameter(help="Rates one after another in place of the two, such as 3000:10s,200:20s.")
    ] = None,
    requests: Annotated[int | None, Parameter(help="How many at most.")] = None,
    model: Annotated[
        Path | None, Parameter(help="The folder of the model, or of its versions: events are of its items.")
    ] = None,
    items: Annotated[Path | None, Parameter(help="Or a file of item ids, one a line, the most frequent first.")] = None,
    users: Annotated[int, Parameter(help="How many there are: `stress 0`, `stress 1`, ...")] = 100_000,
    skew_items: Annotated[float, Parameter(help="The item at rank r comes as often as r to the minus this.")] = 1.0,
    skew_users: Annotated[float, Parameter(help="The same of users.")] = 0.7,
    call: Annotated[
        Literal["both", "recommend", "events"],
        Parameter(help="A list with the event inside, a list alone, or an event alone."),
    ] = "both",
    ask: Annotated[
        str | None, Parameter(help='More fields of each request for a list, as JSON: {"diversity": 0.3}.')
    ] = None,
    k: Annotated[int, Parameter(name=["-k", "--k"], help="Length of the list.")] = 10,
    spacing: Annotated[
        Literal["poisson", "even"], Parameter(help="Independent arrivals, or equal pauses.")
    ] = "poisson",
    connections: Annotated[int, Parameter(help="At most, opened as they are needed.")] = 1000,
    most_waiting: Annotated[int, Parameter(help="So many may wait for a connection; more are left out.")] = 20_000,
    timeout: Annotated[str, Parameter(help="How long to wait for the last answers.")] = "15s",
    seed: Annotated[int, Parameter(help="Where all randomness comes from.")] = 1,
    key: Annotated[str | None, Parameter(help="Of the API, where it wants one.", env_var="SEGUE_KEY")] = None,
    json: Json = False,
) -> None:
    """Put a server under load, in an open loop. Its store gets the events: take one of which nothing is kept."""
    from segue.cli.show import print_json, say
    from segue.durations import seconds_of
    from segue.traffic.items import known_items
    from segue.traffic.plan import Plan, ask_of, phases_of
    from segue.traffic.run import run_stress
    from segue.traffic.stress import Bounds
    from segue.traffic.target import Target

    found, notes = known_items(model, items)
    plan = Plan(
        phases_of(rate, seconds_of(seconds, of="--seconds"), ramp),
        found,
        users,
        skew_items,
        skew_users,
        call,
        k,
        spacing,
        requests,
        seed,
        ask_of(ask),
    )
    for note in notes:
        say(f"note: {note}")
    bounds = Bounds(connections, most_waiting, seconds_of(timeout, of="--timeout"))
    report = run_stress(Target.of(url, key), plan, bounds)
    print_json(report) if json else print_stress(report)
    for note in report.notes:
        say(f"note: {note}")
    if report.ended == "interrupted":
        raise KeyboardInterrupt
    if report.failed:
        raise SegueError(f"{url}: {report.ended or 'no request was answered with 200'}; the report is of what was done")
    sys.stdout.flush()


def print_stress(report: StressReport) -> None:
    """The report for people."""
    from segue.cli.show import out, print_table

    rows = [
        [f"answered {status}", *(f"{n:,.1f}" for n in (of.p50, of.p90, of.p99, of.max)), f"{of.requests:,}"]
        for status, of in report.latency_ms.items()
    ]
    print_table(
        ["latency from the time due, ms", "p50", "p90", "p99", "max", "requests"],
        rows,
        title=f"{report.requests:,} requests due, {report.offered_per_s:,.0f}/s; {report.ok_per_s:,.0f}/s answered 200",
    )
    late = "" if report.late_ms is None else f"came to them {report.late_ms.p99:.1f} ms late (p99), "
    other = sum(count for status, count in report.statuses.items() if status != "200")
    out().print(
        f"failures: {other:,} other than 200, {report.no_answer:,} without an answer, {report.not_sent:,} left out\n"
        f"the client {late}took {report.client_cpu:.0%} of one core and had {report.connections:,} connections",
        markup=False,
    )
