"""From a log and what is asked of it to a plan: what cannot be meant is told before hours of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.cells import cell_of
from segue.choices import check_keys, settings_of, settings_tree
from segue.config import EVENT_KINDS, Settings
from segue.data.catalog import ItemTable
from segue.data.items import read_items
from segue.data.log import read_log
from segue.durations import seconds_of
from segue.errors import ConfigError, did_you_mean
from segue.metrics import parse
from segue.metrics.choosing import check_choosing
from segue.metrics.probe import try_out as try_metric
from segue.training.hardware import device_of
from segue.training.losses import LOSSES
from segue.training.losses.trying import try_out as try_loss
from segue.training.plan import Plan, plan_of


def prepare(
    log: Any,
    *,
    items: Any = None,
    settings: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
    items_col: str | None = None,
) -> Plan:
    """Read a log and its items and decide how it is parted, cut and judged.

    Args:
        items: an items table as `read_items` takes or gives it.
        settings: a nested tree as a TOML file has it, or dotted keys.
    """
    tree = checked_tree(settings, columns)
    named = settings_of(tree).columns()
    table: ItemTable | None = None if items is None else read_items(items, item_col=items_col)
    return plan_of(read_log(log, **named), tree, table)


def checked_tree(settings: Mapping[str, Any] | None, columns: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the user set, as a tree. Raises ConfigError for what does not exist, or cannot be done."""
    given = dict(settings or {})
    nested = {key: value for key, value in given.items() if isinstance(value, dict)}
    tree = settings_tree(None, (), {key: value for key, value in given.items() if key not in nested})
    for section, values in nested.items():
        tree = {**tree, section: {**tree.get(section, {}), **values}}
    check_keys(tree, Settings, "", "settings")
    asked = {key: value for key, value in (columns or {}).items() if value}
    tree = {**tree, "log": {**tree.get("log", {}), **asked}}  # kept with the model, for later logs
    chosen = settings_of(tree)
    check_metrics(chosen)
    device_of(chosen.train.device)
    for name in ("budget", "latency"):
        if text := getattr(chosen.train, name):
            seconds_of(text, of=f"train.{name}")
    cell_of(chosen.model.cell)
    if chosen.train.loss not in LOSSES:
        raise ConfigError(
            f"train.loss is `{chosen.train.loss}`, which is not a loss{did_you_mean(chosen.train.loss, LOSSES)}"
        )
    try_loss(chosen.train.loss, chosen.train)
    for one in chosen.content.events:
        name, _, kind = one.rpartition(":")
        if name and kind not in EVENT_KINDS:
            raise ConfigError(
                f"content.events names `{one}`, and `{kind}` is no kind of a feature{did_you_mean(kind, EVENT_KINDS)}"
            )
    return tree


def check_metrics(settings: Settings) -> None:
    """Raise ConfigError, before hours of training, for a metric that does not exist or that cannot choose a model.

    Raises EvaluationError for one's own that fails on a few made-up predictions.
    """
    for name in (settings.train.metric, *settings.evaluate.metrics):
        try_metric(parse(name)[0])
    check_choosing(settings.train.metric)
