"""`segue inspect`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from segue.cli.options import Json, Log, LogColumns
from segue.cli.show import out, print_json, print_table, say


def command(log: Log, /, *, columns: LogColumns | None = None, json: Json = False) -> None:
    """Measure a log, name its traps, and propose settings with their reasons."""
    from segue.api import inspect

    found = inspect(log, **(columns or LogColumns()).named())
    measures: dict[str, Any] = found.statistics._asdict()
    if json:
        rejected = [vars(one) for one in found.log.rejected]
        proposals = [one._asdict() for one in found.proposals]
        answer = {"measures": measures, "rejected": rejected, "warnings": found.warnings}
        print_json(answer | {"proposals": proposals, "notes": found.log.notes})
        return
    for note in found.log.notes:
        say(f"note: {note}")
    print_table(
        ["measure", "value"],
        [[name.replace("_", " "), shown(name, value)] for name, value in measures.items()],
    )
    proposed = [[p.key, str(p.value), p.reason] for p in found.proposals]
    print_table(["setting", "proposed", "because"], proposed, words=["because"])
    for one in found.log.rejected:
        out().print(f"left out: {one.rows:,} rows, {one.reason} (first: {one.example})", markup=False)
    for warning in found.warnings:
        out().print(f"WARNING: {warning}", markup=False)


def shown(name: str, value: Any) -> str:
    """A measure for people."""
    if value is None:
        return "-"
    if name.endswith("_time"):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if name == "median_pause":
        return f"{value:,.0f} s"
    if isinstance(value, tuple):
        return "{} / {} / {}, at most {}".format(*value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.2%}"
