"""`segue pack`."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

from cyclopts import Parameter

from segue.cli.options import GIVEN, Json, Log, LogColumns
from segue.cli.show import out, print_json, print_table, say


def command(
    log: Log,
    /,
    *,
    out_folder: Annotated[Path, Parameter(name="--out", help="The folder of the packed log."), GIVEN],
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the packed log that is there.")] = False,
    columns: LogColumns | None = None,
    json: Json = False,
) -> None:
    """Read a log once, into a folder that opens at once and is larger than memory if need be."""
    from segue.api import pack

    start = perf_counter()
    packed = pack(log, out_folder, overwrite=overwrite, **(columns or LogColumns()).named())
    counts: dict[str, Any] = {"events": len(packed), "users": len(packed.users), "items": len(packed.items)}
    seconds = round(perf_counter() - start, 1)
    if json:
        rejected = [vars(one) for one in packed.rejected]
        answer = {"folder": str(out_folder), **counts, "seconds": seconds}
        print_json(answer | {"rejected": rejected, "notes": packed.notes})
        return
    for note in packed.notes:
        say(f"note: {note}")
    rows = [*((name, f"{count:,}") for name, count in counts.items()), ("seconds", f"{seconds:,}")]
    print_table(["measure", "value"], [list(row) for row in rows])
    for one in packed.rejected:
        out().print(f"left out: {one.rows:,} rows, {one.reason} (first: {one.example})", markup=False)
    say(f"the packed log is in {out_folder}: give the folder wherever a log is asked for")
