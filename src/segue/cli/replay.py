"""`segue replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from segue.cli.options import Folder, Json, Log, LogColumns, Own
from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.traffic.agreement import ReplayReport


def command(
    folder: Folder,
    log: Log,
    /,
    *,
    url: Annotated[
        str | None,
        Parameter(
            help="A server that runs, backfilled with --before-test; its store gets the events. Else one is run."
        ),
    ] = None,
    tolerance: Annotated[float, Parameter(help="How far a metric may be from that of the evaluation.")] = 1e-3,
    together: Annotated[int, Parameter(help="Calls at a time, of different users.")] = 16,
    key: Annotated[str | None, Parameter(help="Of the API, where it wants one.", env_var="SEGUE_KEY")] = None,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Send the test period of a log through a real server, and hold its metrics against those of the evaluation."""
    from segue.cli.show import print_json, say
    from segue.data.log import read_log
    from segue.recommender import load
    from segue.replaying import replay_log

    events = read_log(log, **load(folder, light=True).columns((columns or LogColumns()).named()))
    for note in events.notes:
        say(f"note: {note}")
    report = replay_log(folder, events, url=url, key=key, tolerance=tolerance, together=together, say=say)
    print_json(report) if json else print_replay(report)
    for note in report.notes:
        say(f"note: {note}")
    if not report.equal:
        raise SegueError(why(report))


def why(report: ReplayReport) -> str:
    """What differs, and what it may come from."""
    worst = max(report.metrics, key=lambda name: abs(report.metrics[name].difference))
    found = report.metrics[worst]
    return (
        f"{worst} is {found.online:.4f} by the server and {found.offline:.4f} by the evaluation, more than "
        f"{report.tolerance:g} apart; {report.other_ranks:,} of {report.predictions:,} ranks differ. A store that held "
        "other events than those before the test period does that (see the notes), and above 20,000 items an index "
        "that finds 99 % of the best"
    )


def print_replay(report: ReplayReport) -> None:
    """The report for people."""
    from segue.cli.show import out, print_table

    print_table(
        ["metric", "online", "offline", "difference"],
        [
            [name, f"{of.online:.4f}", f"{of.offline:.4f}", f"{of.difference:+.6f}"]
            for name, of in report.metrics.items()
        ],
        title=f"{report.model}: {report.predictions:,} predictions, {report.other_ranks:,} of other rank",
    )
    rows = [
        [name, *(f"{value:.1f}" for value in (of.p50, of.p90, of.p99, of.max)), f"{of.requests:,}"]
        for name, of in (("a list, its event inside", report.lists_ms), ("an event alone", report.events_ms))
        if of is not None
    ]
    print_table([f"ms, {report.together} calls at a time", "p50", "p90", "p99", "max", "calls"], rows)
    out().print(
        f"{report.sent:,} events in {report.seconds:.1f} s, {report.sent / report.seconds:,.0f}/s", markup=False
    )
