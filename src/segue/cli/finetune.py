"""`segue finetune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from segue.cli.options import GIVEN, Chosen, Folder, Json, Log, LogColumns
from segue.cli.show import out as results
from segue.cli.show import print_json, print_report, print_table, progress, say
from segue.errors import ConfigError

if TYPE_CHECKING:
    from segue.training.finetuning.report import TransferReport


def command(
    folder: Folder,
    log: Log,
    /,
    *,
    out: Annotated[Path, Parameter(help="The folder of the new model."), GIVEN],
    items: Annotated[str | None, Parameter(help="An items table of the new catalog: item_id, title, ...")] = None,
    items_col: Annotated[str | None, Parameter(help="The column of item ids in the items table.")] = None,
    same_items: Annotated[
        bool, Parameter(negative="", help="Ids mean the same in both catalogs: shared items keep their vectors.")
    ] = False,
    report: Annotated[
        bool, Parameter(negative="", help="Also train from scratch, and both with shares of the training users.")
    ] = False,
    shares: Annotated[str, Parameter(help="For --report: per cent of the training users, by commas.")] = "1,5,10,100",
    draws: Annotated[int, Parameter(help="For --report: so many times other users are drawn.")] = 5,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the model that is there.")] = False,
    columns: LogColumns | None = None,
    settings: Chosen | None = None,
    json: Json = False,
) -> None:
    """Start another catalog with the core of a trained network, and say how good that is beside tuned baselines."""
    from segue import api

    with progress() as show:
        made = api.finetune(
            folder,
            log,
            out=out,
            items=items,
            items_col=items_col,
            same_items=same_items,
            report=api.Wanted(numbers(shares), draws) if report else False,
            overwrite=overwrite,
            settings=(settings or Chosen()).tree(),
            say=say,
            show=show,
            **(columns or LogColumns()).named(),
        )
    transfer = made.transfer_report
    if json:
        told = {"model": str(out), "version": made.bundle.version, "finetuned_of": made.artifact.facts.finetuned_of}
        print_json({**told, "report": made.trained_report, **({} if transfer is None else {"transfer": transfer})})
    else:
        print_report(made.trained_report, said=made.trained_report.notes)
        if transfer is not None:
            told_of(transfer)
    if made.artifact.facts.interrupted:
        raise KeyboardInterrupt
    say(f"the model is in {out}: read {out}/README.md, or run: segue serve {out}")


def numbers(text: str) -> list[float]:
    """Numbers that commas part. Raises ConfigError for what is none."""
    try:
        return [float(one) for one in text.split(",")]
    except ValueError:
        raise ConfigError(f"--shares is `{text}`; expected numbers by commas, such as 1,5,10,100") from None


def told_of(report: TransferReport) -> None:
    """A report over shares on stdout."""
    from segue.training.finetuning.report import HEADINGS

    print_table(
        HEADINGS,
        report.rows(),
        title=(
            f"{report.metric} by the share of training users, {report.predictions:,} predictions of {report.users:,} "
            f"test users, {report.items:,} items; ± is half of a 95 % interval"
        ),
        words=("model",),
    )
    results().print(report.verdict, markup=False)
