"""`segue train`."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from segue.cli.options import GIVEN, Chosen, Json, Log, LogColumns
from segue.cli.show import print_json, print_report, print_table, progress, say

if TYPE_CHECKING:
    from segue.training.shape import LatencyChoice


def command(
    log: Log,
    /,
    *,
    out: Annotated[Path, Parameter(help="The folder of the model."), GIVEN],
    model: Annotated[
        str | None,
        Parameter(
            help="A layer, `mix`, or a baseline; with --latency several layers, by commas. By default model.cell."
        ),
    ] = None,
    items: Annotated[str | None, Parameter(help="An items table: item_id, title, categories, ...")] = None,
    items_col: Annotated[str | None, Parameter(help="The column of item ids in the items table.")] = None,
    budget: Annotated[str | None, Parameter(help="The time for all of it, such as 10m.")] = None,
    latency: Annotated[
        str | None, Parameter(help="The time for an event and its list, such as 2ms: the best shape within is chosen.")
    ] = None,
    device: Annotated[str | None, Parameter(help="What to train on: cpu, cuda, ...")] = None,
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
    from segue.data.packed import check_there
    from segue.training.latency import named
    from segue.training.run import check_models
    from segue.training.shape import LatencyChoice

    check_there(log)
    if not resume:  # an unfinished model is then no obstacle
        check_free(out, overwrite=overwrite)
    if model is not None:
        check_models(named(model))
    given = {"train.budget": budget, "train.latency": latency, "train.device": device, "train.final": final or None}
    tree = (settings or Chosen()).tree(**given)
    plan = api.prepare(log, items=items, items_col=items_col, settings=tree, columns=(columns or LogColumns()).named())
    for note in plan.notes:
        say(f"note: {note}")
    for proposal in plan.proposals:
        say(f"{proposal.key} = {proposal.value} proposed: {proposal.reason}")
    with progress() as show:
        recommender = api.train(plan, model, out, overwrite=overwrite, resume=resume, say=say, show=show)
    report, shapes = recommender.trained_report, recommender.artifact.metrics.get("latency")
    gradients = msgspec.json.decode(recommender.artifact.diagnosis.get("gradients.json", "null"))
    if json:
        made = {"model": str(out), "version": recommender.bundle.version, "report": report}
        more = {"latency": shapes, "gradients": gradients}
        print_json({**made, **{name: value for name, value in more.items() if value is not None}})
        return
    if shapes is not None:
        print_shapes(msgspec.convert(msgspec.to_builtins(shapes), LatencyChoice))
    print_report(report, said=plan.notes)
    if gradients is not None:
        print_gradients(gradients)
    if recommender.artifact.facts.interrupted:
        raise KeyboardInterrupt
    say(f"the model is in {out}: read {out}/README.md, or run: segue serve {out}")


def print_shapes(choice: LatencyChoice) -> None:
    """The shapes that were considered for a limit of time."""
    print_table(
        ["shape", "90 % within, ms", "fits", f"{choice.metric}, validation", ""],
        choice.rows(),
        title=f"an event and its list of {choice.k} among {choice.items:,} items, limit {choice.limit_ms:g} ms",
    )


def print_gradients(told: dict[str, Any]) -> None:
    """Norms of gradients by parameter, as `gradients.json` has them; what is not finite is null there."""

    def shown(norm: float | None) -> str:
        return "not finite" if norm is None else f"{norm:.3g}"

    rows = []
    for name, norms in told["norms"].items():
        mean, most = norms["mean"], norms["max"]
        largest = max(range(len(most)), key=lambda epoch: inf if most[epoch] is None else most[epoch])
        rows.append([name, shown(mean[0]), shown(mean[-1]), shown(most[largest]), str(largest + 1)])
    print_table(
        ["gradient norm of", "mean, first epoch", "mean, last epoch", "largest", "in epoch"],
        rows,
        title=f"gradients before clipping, while epochs were chosen; all together are cut to {told['clip']:g}",
    )
