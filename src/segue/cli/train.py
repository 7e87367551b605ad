"""`segue train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import Chosen, Json, Log, LogColumns
from segue.cli.show import print_json, print_report, progress, say


def command(
    log: Log,
    /,
    *,
    out: Annotated[Path, Parameter(help="The folder of the model.")],
    model: Annotated[str, Parameter(help="A recurrent layer, or a baseline.")] = "gru",
    items: Annotated[str | None, Parameter(help="An items table: item_id, title, categories, ...")] = None,
    items_col: Annotated[str | None, Parameter(help="The column of item ids in the items table.")] = None,
    final: Annotated[
        bool, Parameter(negative="", help="In the end learn from everything, test part included.")
    ] = False,
    resume: Annotated[bool, Parameter(negative="", help="Go on with a training that was stopped.")] = False,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the model that is there.")] = False,
    columns: LogColumns | None = None,
    settings: Chosen | None = None,
    json: Json = False,
) -> None:
    """Train a model into a folder, and say how good it is beside tuned baselines."""
    from segue import api
    from segue.artifact import check_free
    from segue.training.run import check_models

    check_free(out, overwrite=overwrite)
    check_models([model])
    tree = (settings or Chosen()).tree(**{"train.final": final or None})
    plan = api.prepare(log, items=items, items_col=items_col, settings=tree, columns=(columns or LogColumns()).named())
    for note in plan.notes:
        say(f"note: {note}")
    for proposal in plan.proposals:
        say(f"{proposal.key} = {proposal.value} proposed: {proposal.reason}")
    with progress() as show:
        recommender = api.train(plan, model, out, overwrite=overwrite, resume=resume, say=say, show=show)
    report = recommender.trained_report
    if json:
        print_json({"model": str(out), "version": recommender.bundle.version, "report": report})
        return
    print_report(report, said=plan.notes)
    if recommender.artifact.facts.interrupted:
        raise KeyboardInterrupt
    say(f"the model is in {out}: read {out}/README.md, or run: segue serve {out}")
