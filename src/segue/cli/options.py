"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter, Token

from segue.choices import settings_tree
from segue.errors import ConfigError, did_you_mean

COLUMNS = Group("Columns", help="Found by name where not given.")
SETTINGS = Group("Settings", help="What is left open is chosen from the log.")


def check_files(_: Any, files: list[str] | None) -> None:
    """Raise ConfigError for an unknown option among files: where `-` may stand, the parser lets all of them pass."""
    from segue.cli import app

    for file in files or ():
        if file.startswith("-") and file != "-":
            commands = [app[name] for name in app if not name.startswith("-") and app[name].default_command]
            known = {
                name for one in commands for argument in one.assemble_argument_collection() for name in argument.names
            }
            raise ConfigError(f"unknown option or misplaced: {file}{did_you_mean(file, known - {'*'})}")


FILES = Parameter(allow_leading_hyphen=True, validator=check_files)
Log = Annotated[
    list[str],
    Parameter(help="CSV, TSV, .inter, JSON lines or Parquet: files, globs, folders, or - for stdin."),
    FILES,
]


def given_path(_: Any, tokens: Sequence[Token]) -> Path:
    """The path of an option. Raises ConfigError where there is none: "" would be the folder that one is in."""
    if not tokens[0].value.strip():
        raise ConfigError(f"{tokens[0].keyword} is empty; expected the name of a folder or a file, such as result")
    return Path(tokens[0].value)


def imported(_: Any, tokens: Sequence[Token]) -> list[Path]:
    """The files of an option, imported: what they define is known from then on."""
    from segue.own import import_file

    files = [Path(token.value) for token in tokens]
    for file in files:
        import_file(file)
    return files


GIVEN = Parameter(converter=given_path)
Own = Annotated[
    list[Path] | None,
    Parameter(
        name="--import",
        negative="",
        converter=imported,
        help="A Python file with metrics, losses, cells or strategies of your own; it is run, and may be repeated.",
    ),
]
Folder = Annotated[Path, Parameter(help="The folder of a model.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
K = Annotated[int, Parameter(name=["-k", "--k"], help="Length of the list.")]
Exclude = Annotated[
    Literal["none", "current", "seen"] | None,
    Parameter(help="What may not be answered: nothing, the item just seen, or all items the user had."),
]


Metrics = Annotated[
    str | None,
    Parameter(help="Metrics beside those of every report, by commas, such as revenue_recall@10,calibration@10."),
]


def split(names: str) -> list[str]:
    """Names that commas part."""
    return [name.strip() for name in names.split(",") if name.strip()]


@Parameter(name="*", group=COLUMNS)
@dataclass
class LogColumns:
    """Which column is what."""

    user_col: Annotated[str | None, Parameter(help="A column of users.")] = None
    item_col: Annotated[str | None, Parameter(help="A column of items.")] = None
    time_col: Annotated[str | None, Parameter(help="A column of times.")] = None
    session_col: Annotated[str | None, Parameter(help="A column of session ids.")] = None
    order_col: Annotated[str | None, Parameter(help="A column that orders events where there is no time.")] = None
    type_col: Annotated[str | None, Parameter(help="A column of kinds of event.")] = None
    weight_col: Annotated[str | None, Parameter(help="A column of numbers from 0 on.")] = None
    split_col: Annotated[str | None, Parameter(help="A column with train, valid, test.")] = None
    feature_cols: Annotated[str | None, Parameter(help="Further columns to keep, separated by commas.")] = None
    format: Annotated[str | None, Parameter(help="csv, tsv, inter, jsonl or parquet, where a name does not say.")] = (
        None
    )

    def named(self) -> dict[str, Any]:
        """Those that were given, as `read_log` takes them."""
        given: dict[str, Any] = {name: value for name, value in vars(self).items() if value}
        if self.feature_cols:
            given["feature_cols"] = tuple(self.feature_cols.split(","))
        return given


@Parameter(name="*", group=SETTINGS)
@dataclass
class Chosen:
    """Settings."""

    config: Annotated[Path | None, Parameter(help="A TOML file of settings.")] = None
    set: Annotated[
        list[str] | None,
        Parameter(name="--set", negative="", help="One setting, such as train.epochs=3; may be repeated."),
    ] = None
    seed: Annotated[int | None, Parameter(help="Where all randomness comes from.")] = None
    split: Annotated[Literal["time", "leave-one-out", "column"] | None, Parameter(help="How events are parted.")] = None
    exclude: Exclude = None
    metrics: Metrics = None
    own: Own = None

    def tree(self, **values: Any) -> dict[str, Any]:
        """What the user set, as a tree."""
        given = {
            "seed": self.seed,
            "split.kind": self.split,
            "evaluate.exclude": self.exclude,
            "evaluate.metrics": None if self.metrics is None else split(self.metrics),
            **values,
        }
        return settings_tree(self.config, self.set or (), given)
