"""A model made anew from a log that no longer has some users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from segue.api import prepare, train, update
from segue.artifact import read_manifest
from segue.artifact.reading import read_checked
from segue.choices import read_toml
from segue.data.catalog import ItemTable
from segue.data.ids import Ids
from segue.recommender import Recommender
from segue.training.candidates import Say
from segue.training.networks import Show


def train_anew(
    model: Path,
    logs: Sequence[str | Path],
    out: Path,
    *,
    columns: Mapping[str, Any],
    base: Path | None = None,
    items: Any = None,
    items_col: str | None = None,
    overwrite: bool = False,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
) -> Recommender:
    """Train a model of the same name with the same settings from scratch, or let an older one go on.

    Args:
        model: the folder of the one that is there; it is not changed.
        columns: in place of the model's own; see `read_log`.
        base: a version that never learned from these users, to be updated by what came after it; None, or one that is
            no network: from scratch.
        items: an items table; None: what the model knows of its items.
    """
    name = read_manifest(model).facts.name
    table = known_items(model) if items is None else items
    if base is not None and read_manifest(base).facts.kind == "network":
        say(f"{base} learned nothing from them: it goes on with all that came after it")
        given: dict[str, Any] = {"items": table, "items_col": items_col, "overwrite": overwrite}
        return update(base, [*logs], out=out, force=True, **given, say=say, show=show, **columns)
    plan = prepare(
        [*logs], items=table, items_col=items_col, settings=read_toml(model / "config.toml"), columns=columns
    )
    for note in plan.notes:
        say(f"note: {note}")
    return train(plan, name, out, overwrite=overwrite, say=say, show=show)


def known_items(model: Path) -> ItemTable | None:
    """What a model knows of its items, as a table; None where that is nothing."""
    catalog = msgspec.json.decode(read_checked(model, "catalog.json", read_manifest(model).files))
    return ItemTable(Ids.of(catalog["ids"]), catalog["columns"]) if catalog["columns"] else None
