"""What the user set, put together: a TOML file, `--set`, options. An unknown key names the nearest known one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from segue.config import Settings
from segue.errors import ConfigError, did_you_mean


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
        text, _, place = str(error).partition(" - at `$")
        place = place.removeprefix(".")
        name = place.rstrip("`").partition("[")[0]  # a list is named, not one of its places
        if text.startswith("Object"):  # it has a key that is no setting
            raise ConfigError(f"settings{f', `{name}`' if name else ''}: {text[0].lower()}{text[1:]}") from None
        raise ConfigError(f"setting `{name}` is {shown(look_up(full, name))}: expected {allowed(name)}") from None


def shown(value: Any) -> str:
    """A value as a message shows it."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def allowed(name: str) -> str:
    """What a setting may be, by its dotted key, in words."""
    kind: Any = Settings
    for part in name.split("."):
        kind = get_type_hints(kind, include_extras=True)[part]
    return meaning(kind)


def meaning(kind: Any) -> str:
    """What a value of a type may be, in words.

    >>> from segue.config import Count, Share
    >>> meaning(Count), meaning(Share)
    ('a whole number of at least 1', 'a number above 0 and below 1')
    """
    if get_origin(kind) is Annotated:
        of, *notes = get_args(kind)
        limits = [limit for note in notes if isinstance(note, Meta) for limit in bounds(note)]
        return " ".join([meaning(of), " and ".join(limits)]).strip()
    if get_origin(kind) is Literal:
        choices = list(map(str, get_args(kind)))
        return f"one of {', '.join(choices)}" if len(choices) > 1 else f'"{choices[0]}"'
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(meaning(part) for part in get_args(kind))
    if get_origin(kind) is dict:
        return "a table of numbers, such as { purchase = 5, view = 1 }"
    if get_origin(kind) is tuple:
        return 'a list of texts, such as ["one", "two"]'
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text in quotes"}
    return words.get(kind, "a section")


def bounds(meta: Meta) -> list[str]:
    """The limits of a number, in words."""
    found = {"of at least": meta.ge, "above": meta.gt, "of at most": meta.le, "below": meta.lt}
    return [f"{words} {value:.12g}" for words, value in found.items() if value is not None]


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file as a tree. Raises ConfigError if it is missing or broken."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such settings file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: not a readable TOML file: {error}") from None


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
    if len(sections) > 1:
        raise ConfigError(f"settings: `{key}` is not a setting{suggest('', '.'.join(sections))}")
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
