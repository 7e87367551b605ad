"""`segue tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from segue.cli.options import GIVEN, Chosen, Json, Log, LogColumns
from segue.cli.show import out as console
from segue.cli.show import print_json, print_table, progress, say

if TYPE_CHECKING:
    from segue.tuning import Trial, Tuning


def command(
    log: Log,
    /,
    *,
    out: Annotated[Path, Parameter(help="The folder of the settings and of all that was tried."), GIVEN],
    budget: Annotated[str | None, Parameter(help="The time for all of it, such as 1h.")] = None,
    trials: Annotated[int | None, Parameter(help="How many configurations at most.")] = None,
    models: Annotated[
        str | None, Parameter(help="Layers, with commas between; by default model.cell, gru, mingru, rglru.")
    ] = None,
    items: Annotated[str | None, Parameter(help="An items table: item_id, title, categories, ...")] = None,
    items_col: Annotated[str | None, Parameter(help="The column of item ids in the items table.")] = None,
    resume: Annotated[bool, Parameter(negative="", help="Go on with a tuning that was stopped.")] = False,
    overwrite: Annotated[bool, Parameter(negative="", help="Forget the tuning that is there.")] = False,
    columns: LogColumns | None = None,
    settings: Chosen | None = None,
    json: Json = False,
) -> None:
    """Try settings on the validation part of a log, and write the best with the reasons."""
    from segue.tuning import tune

    with progress() as show:
        tuning = tune(
            log,
            out=out,
            budget=budget,
            trials=trials,
            models=[name.strip() for name in (models or "").split(",") if name.strip()],
            items=items,
            items_col=items_col,
            settings=(settings or Chosen()).tree(),
            resume=resume,
            overwrite=overwrite,
            say=say,
            show=show,
            **(columns or LogColumns()).named(),
        )
    print_json(tuning) if json else print_tuning(tuning)
    if tuning.best is not None:
        say(f"train with: segue train LOG --config {out / 'settings.toml'} --out FOLDER")
    if tuning.interrupted:
        raise KeyboardInterrupt


def print_tuning(tuning: Tuning) -> None:
    """The trials, best first, and the verdict."""
    keys = list(tuning.space)
    ranked = sorted(tuning.trials, key=lambda one: (one.state == "complete", one.value or 0.0), reverse=True)
    print_table(
        [
            "trial",
            f"{tuning.metric} on validation",
            "state",
            "epochs",
            "seconds",
            *(k.rpartition(".")[2] for k in keys),
        ],
        [
            [
                f"{one.number}{' (best)' if one.number == tuning.best else ''}",
                shown(one),
                one.state,
                str(one.epochs),
                "-" if one.seconds is None else f"{one.seconds:.1f}",
                *(f"{one.values[key]}" if key in one.values else "-" for key in keys),
            ]
            for one in ranked
        ],
        title=f"{tuning.predictions:,} predictions of the validation part; ± is half of a 95 % interval",
    )
    console().print(tuning.verdict, markup=False)


def shown(trial: Trial) -> str:
    """The value of a trial, with half of its interval where it has one."""
    if trial.value is None:
        return "-"
    if trial.low is None or trial.high is None:
        return f"{trial.value:.4f}"
    return f"{trial.value:.4f} ±{(trial.high - trial.low) / 2:.4f}"
