"""`segue ablate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from segue.cli.options import Chosen, Json, Log, LogColumns, split
from segue.cli.show import out as results
from segue.cli.show import print_json, print_table, progress, say
from segue.evaluation.figures import differs, figure

if TYPE_CHECKING:
    from segue.training.ablation_report import Ablation


def command(
    log: Log,
    /,
    *,
    items: Annotated[str, Parameter(help="An items table: item_id, title, categories, ...")],
    items_col: Annotated[str | None, Parameter(help="The column of item ids in the items table.")] = None,
    content: Annotated[
        str | None,
        Parameter(name="--columns", help="Columns of the items table, by commas; by default all that tell something."),
    ] = None,
    seeds: Annotated[int, Parameter(help="So many networks of each kind; differences are of their mean.")] = 1,
    columns: LogColumns | None = None,
    settings: Chosen | None = None,
    json: Json = False,
) -> None:
    """Say which columns of the items table help: the network with all, without each, and with none, on validation."""
    from segue.training.ablation import ablate

    with progress() as show:
        found = ablate(
            log,
            items=items,
            items_col=items_col,
            content=split(content or ""),
            seeds=seeds,
            settings=(settings or Chosen()).tree(),
            say=say,
            show=show,
            **(columns or LogColumns()).named(),
        )
    print_json(found) if json else print_ablation(found)
    if found.interrupted:
        raise KeyboardInterrupt


def print_ablation(found: Ablation) -> None:
    """A row for each kind of network."""
    headings = [found.metric, "to all", f"recall@20, rare ({found.rare_predictions:,})", "to all", "epochs"]
    print_table(
        ["the network reads", *headings],
        [
            [
                row.name,
                figure(row.value),
                "" if row.difference is None else differs(row.difference),
                figure(row.rare),
                "" if row.rare_difference is None else differs(row.rare_difference),
                ", ".join(map(str, row.epochs)),
            ]
            for row in found.rows
        ],
        title=(
            f"{found.predictions:,} predictions of {found.users:,} users of the validation part"
            + (f", mean of {len(found.seeds)} seeds" if len(found.seeds) > 1 else "")
            + "; rare targets have 1 to 9 training events; ± is half of a 95 % interval"
        ),
    )
    results().print(found.verdict, markup=False)
