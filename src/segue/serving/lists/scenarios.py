"""Named sets of rules, from a TOML file with a table each."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from segue.errors import ConfigError, RequestError, did_you_mean
from segue.ranking.rules import Bound, Rules, bind
from segue.serving.bundle import Bundle
from segue.serving.lists.applied import check_all


class Scenarios:
    """Sets of rules by name, none of which changes.

    Args:
        sets: checked.
    """

    def __init__(self, sets: dict[str, Rules]) -> None:
        self.sets = sets

    def named(self, name: str) -> Rules:
        """The rules of a scenario. Raises RequestError where there is none of that name."""
        if name not in self.sets:
            none = (
                ""
                if self.sets
                else "; there are none: no file of scenarios was read (`--scenarios FILE`), or it is empty"
            )
            raise RequestError(f"`scenario`: there is no `{name[:80]}`{did_you_mean(name, self.sets)}{none}")
        return self.sets[name]

    def bound(self, name: str, bundle: Bundle) -> Bound:
        """The same for the items of a bundle. What its catalog does not have is passed over."""
        rules, kept = self.named(name), bundle.scenarios.get(name)
        if kept is None or kept[0] is not rules:
            kept = bundle.scenarios[name] = rules, bind(rules, bundle.facts, name, strict=False)
        return kept[1]

    def warm(self, bundle: Bundle) -> None:
        """Make what lists with these rules need of the items, before anyone waits for it."""
        for name in self.sets:
            self.bound(name, bundle).gather()


def read_scenarios(file: Path, bundle: Bundle) -> tuple[dict[str, Rules], list[str]]:
    """The scenarios of a file, checked against the catalog that serves.

    A pin or a column that this does not have is passed over, and comes to hold with a catalog that has it: models come
    and go under one file.

    Returns:
        The sets by name, and a sentence for each thing that the catalog does not have: what, and where.

    Raises:
        ConfigError: it cannot be read, or a set cannot be meant.
    """
    try:
        return parsed(file.read_bytes(), bundle)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read as scenarios: {error.strerror or error}") from None
    except ValueError as error:  # broken TOML and wrong UTF-8 are values
        raise ConfigError(f"{file} cannot be read as scenarios: {error}") from None
    except RequestError as error:
        raise ConfigError(f"{file}: {error}") from None


def read_rules(file: Path) -> Rules:
    """One set of rules, as it stands in a request, from a TOML file. Raises ConfigError where it holds none."""
    try:
        return rules_in(tomllib.loads(file.read_bytes().decode("utf-8")), "rules")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read as rules: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{file} cannot be read as rules: {error}") from None
    except RequestError as error:
        raise ConfigError(f"{file}: {error}") from None


def parsed(content: bytes, bundle: Bundle) -> tuple[dict[str, Rules], list[str]]:
    """The scenarios of a TOML text; see `read_scenarios`. Raises ValueError or RequestError."""
    sets: dict[str, Rules] = {}
    notes: list[str] = []

    def note(where: str, message: str) -> None:
        notes.append(f"`{where}`: {message}; it is passed over until a model has it")

    for name, table in tomllib.loads(content.decode("utf-8")).items():
        rules = rules_in(table, name)
        check_all(rules, name)
        bound = bind(rules, bundle.facts, name, missing=note)
        unknown = [*bound.unknown_items, *bound.unknown_categories]
        if unknown:
            notes.append(f"scenario `{name}` names what the catalog does not have: {', '.join(unknown[:12])}")
        bound.gather()
        sets[name] = rules
    return sets, notes


def rules_in(table: Any, name: str) -> Rules:
    """The rules of a table. Raises RequestError for what is none."""
    try:
        return msgspec.convert(texts(table), Rules)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        raise RequestError(f"`{name}{path.removesuffix('`')}`: {what[:1].lower()}{what[1:]}") from None


def texts(value: Any) -> Any:
    """A tree of TOML in which each date is a text, as it is in JSON."""
    if isinstance(value, dict):
        return {key: texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [texts(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
