"""An update as it is asked for: a log and tables to be read, settings on top of the model's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from segue.artifact import Artifact
from segue.choices import check_keys, settings_of, settings_tree
from segue.config import Settings
from segue.data.events import EventLog
from segue.data.items import read_items
from segue.data.log import read_log
from segue.errors import ConfigError
from segue.training.candidates import Say
from segue.training.updating.rounds import check_asked, network_of
from segue.training.updating.update import Updated, update_artifact

OPEN = ("update", "train", "evaluate")
"""Sections of the settings that an update may have otherwise than the model had them."""

FURTHER = ("seed", "split.valid", "split.test", "content.lift")

FIXED = ("evaluate.exclude", "train.metric")
"""Settings in these sections that go with the model."""


def update_model(
    artifact: Artifact,
    log: Any = None,
    items: Any = None,
    *,
    withdraw: Any = (),
    settings: Mapping[str, Any] | None = None,
    force: bool = False,
    say: Say = lambda _: None,
    show: Callable[..., None] = lambda *_: None,
    columns: Mapping[str, Any] | None = None,
    items_col: str | None = None,
) -> Updated:
    """Read what is given, and update; see `update_artifact`.

    Args:
        log: as in `read_log`; or None.
        items: as in `read_items`; or None.
        withdraw: ids, or a table of items as in `read_items`.
        settings: by dotted key or as a nested tree, on top of the model's own.
        columns: which column of the log is what, see `read_log`; by default as it was in training.
        items_col: the column of ids in the tables of items.
    """
    chosen = settings_over(artifact.settings, settings or {})
    network_of(artifact)  # before anything is read
    gone = read_items(withdraw, item_col=items_col).ids if is_table(withdraw) else list(withdraw)
    check_asked(log, items, gone)
    table = None if items is None else read_items(items, item_col=items_col)
    events = None if log is None else read_like(artifact, log, columns or {}, say)
    return update_artifact(artifact, events, table, withdraw=gone, settings=chosen, force=force, say=say, show=show)


def is_table(withdraw: Any) -> bool:
    """Whether items to withdraw stand in a file or a frame, and are no list of ids."""
    return isinstance(withdraw, str) or not isinstance(withdraw, Iterable) or hasattr(withdraw, "columns")


def read_like(artifact: Artifact, log: Any, columns: Mapping[str, Any], say: Say) -> EventLog:
    """A log read as the model's was; where it has other columns, such as those of a store's export, by their names."""
    named = artifact.settings.log.chosen()
    try:
        return read_log(log, **artifact.settings.columns(columns))
    except ConfigError as error:
        if not named:
            raise
        try:
            found = read_log(log, **Settings(content=artifact.settings.content).columns(columns))
        except ConfigError:
            raise error from None
        say(f"note: the log has other columns than the model was trained on ({error}): they are found by their names")
        return found


def settings_over(own: Settings, given: Mapping[str, Any]) -> Settings:
    """The model's settings, with others for this update.

    Raises:
        ConfigError: one that is none, or that an update cannot change.
    """
    nested = {key: value for key, value in given.items() if isinstance(value, Mapping)}
    tree = settings_tree(None, (), {key: value for key, value in given.items() if key not in nested})
    for section, values in nested.items():
        tree = {**tree, section: {**tree.get(section, {}), **values}}
    check_keys(tree, Settings, "", "settings")
    flat = [f"{name}.{key}" for name, section in tree.items() if isinstance(section, dict) for key in section]
    for key in [*flat, *(name for name, value in tree.items() if not isinstance(value, dict))]:
        if (key.partition(".")[0] not in OPEN and key not in FURTHER) or key in FIXED:
            raise ConfigError(
                f"`{key}` goes with the model, and an update cannot change it; it takes update.*, train.*, evaluate.*, "
                f"{', '.join(FURTHER)}. Train a model anew for another {key}"
            )
    mine = msgspec.to_builtins(own)
    for name, value in tree.items():
        mine[name] = {**mine[name], **value} if isinstance(value, dict) else value
    return settings_of(mine)
