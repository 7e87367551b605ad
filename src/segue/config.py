"""Settings: typed, with TOML in and out. An unknown key is an error that names the nearest known one.

What the user leaves open is proposed from the log (`data/statistics.py`), then the defaults here hold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta, Struct

from segue.errors import ConfigError, did_you_mean

Share = Annotated[float, Meta(gt=0, lt=1)]
Drop = Annotated[float, Meta(ge=0, lt=1)]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
Exclude = Literal["none", "current", "seen"]


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column is what; "" finds it by its name."""

    user_col: str = ""
    item_col: str = ""
    time_col: str = ""
    session_col: str = ""
    order_col: str = ""
    type_col: str = ""
    weight_col: str = ""
    split_col: str = ""
    feature_cols: tuple[str, ...] = ()
    format: str = ""

    def chosen(self) -> dict[str, Any]:
        """The options that were set, as `read_log` takes them."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}


class SessionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a session is over (`gap` in seconds, or "never") and what happens then."""

    gap: Positive | Literal["never"] = "never"
    at_session_start: Literal["reset", "mark"] = "reset"

    @property
    def gap_seconds(self) -> float | None:
        """The gap as `opens_session` takes it."""
        return None if isinstance(self.gap, str) else self.gap


class SplitSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the log is parted; `valid` and `test` are shares of the events, for the time split."""

    kind: Literal["time", "leave-one-out", "column"] = "time"
    valid: Share = 0.1
    test: Share = 0.1


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network: a stack of `layers` cells of one `width`, with the item table tied to the output."""

    width: Count = 128
    layers: Count = 1
    dropout: Drop = 0.2
    embedding_dropout: Drop = 0.2
    time_gap: bool = False


class TrainSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the network learns.

    `window` is T: gradients reach back that many events, the state reaches on. `warmup` is a share of the whole.
    `patience` counts epochs without a better validation `metric`, taken over at most `validation_predictions`;
    each point of a baseline's grid is judged by `grid_predictions`. `refit` learns anew from training and
    validation events, `final` from everything. `threads` 0 measures one against two.
    """

    epochs: Count = 20
    patience: Count = 3
    rows: Count = 64
    window: Count = 50
    learning_rate: Positive = 2e-3
    weight_decay: Annotated[float, Meta(ge=0)] = 0.01
    clip: Positive = 1.0
    warmup: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    loss: str = "full"
    negatives: Count = 2048
    metric: str = "ndcg@10"
    validation_predictions: Count = 20_000
    grid_predictions: Count = 2_000
    refit: bool = True
    final: bool = False
    threads: Annotated[int, Meta(ge=0)] = 0
    checkpoint_seconds: Positive = 60.0


class EvaluateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may not be answered, at which lengths lists are judged, and in how much memory."""

    exclude: Exclude = "none"
    metrics: tuple[str, ...] = ()
    replicates: Annotated[int, Meta(ge=100)] = 1000
    max_predictions: Count = 200_000
    memory_mb: Count = 256


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set, as it stands in a TOML file; `segue train --set train.epochs=3` sets one."""

    seed: Annotated[int, Meta(ge=0)] = 1
    log: LogSettings = LogSettings()
    sessions: SessionSettings = SessionSettings()
    split: SplitSettings = SplitSettings()
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()


def settings_tree(
    file: Path | None = None, assignments: Iterable[str] = (), values: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the user set: a TOML file, overlaid by `section.key=value` assignments, then by `values`.

    Args:
        file: a TOML file with some of the keys of `Settings`.
        assignments: such as "train.epochs=3"; the value is read as TOML, else taken as a string.
        values: dotted keys with values that are typed already; None leaves a key alone.

    Raises:
        ConfigError: an unknown key, or a file that is missing or no TOML.
    """
    tree: dict[str, Any] = {}
    if file is not None:
        tree = read_toml(file)
        check_keys(tree, Settings, "", str(file))
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: expected `section.key=value`, such as `train.epochs=3`")
        assign(tree, key.strip(), toml_value(text.strip()))
    for key, value in (values or {}).items():
        if value is not None:
            assign(tree, key, value)
    settings_of(tree)
    return tree


def settings_of(tree: Mapping[str, Any], proposals: Mapping[str, Any] | None = None) -> Settings:
    """Defaults, overlaid by what the log proposes (dotted keys), then by what the user set.

    Raises:
        ConfigError: a value that does not fit.
    """
    full: dict[str, Any] = {}
    for key, value in (proposals or {}).items():
        assign(full, key, value)
    for key, value in tree.items():
        if isinstance(value, dict):
            full.setdefault(key, {}).update(value)
        else:
            full[key] = value
    try:
        return msgspec.convert(full, Settings)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`")
        raise ConfigError(f"setting `{name}` is {look_up(full, name)!r}: {text[0].lower()}{text[1:]}") from None


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file as a tree. Raises ConfigError if it is missing or broken."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such settings file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: not a readable TOML file: {error}") from None


def toml_of(settings: Settings) -> str:
    """The settings as a TOML text that reads back to the same."""
    return tomli_w.dumps(msgspec.to_builtins(settings))


def check_keys(tree: dict[str, Any], struct: type, prefix: str, where: str) -> None:
    """Raise ConfigError for the first key that is not a setting."""
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in tree.items():
        if key not in fields:
            inside = f".{next(iter(value))}" if isinstance(value, dict) and value else ""
            raise ConfigError(f"{where}: `{prefix}{key}{inside}` is not a setting{suggest(prefix, f'{key}{inside}')}")
        nested = fields[key]
        if isinstance(nested, type) and issubclass(nested, Struct):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: `{prefix}{key}` is a section, found {value!r}")
            check_keys(value, nested, f"{prefix}{key}.", where)


def assign(tree: dict[str, Any], key: str, value: Any) -> None:
    """Put a value at a dotted key. Raises ConfigError if there is no such setting."""
    nested: dict[str, Any] = {}
    *sections, name = key.split(".")
    spot = nested
    for section in sections:
        spot = spot.setdefault(section, {})
    spot[name] = value
    check_keys(nested, Settings, "", "settings")
    spot = tree
    for section in sections:
        spot = spot.setdefault(section, {})
    spot[name] = value


def toml_value(text: str) -> Any:
    """One value as TOML would read it; what TOML cannot read is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def look_up(tree: Any, key: str) -> Any:
    """What stands at a dotted key."""
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else tree
    return tree


def suggest(prefix: str, key: str) -> str:
    """The nearest dotted setting, preferring the section that was named."""
    everything = [
        f"{section.name}.{field.name}"
        for section in msgspec.structs.fields(Settings)
        if isinstance(section.type, type) and issubclass(section.type, Struct)
        for field in msgspec.structs.fields(section.type)
    ]
    inside = [name for name in everything if name.startswith(prefix)] if prefix else []
    return did_you_mean(f"{prefix}{key}", inside or ["seed", *everything])
