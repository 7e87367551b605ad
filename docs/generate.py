"""Write docs/settings.md from the settings themselves: `.venv/bin/python docs/generate.py`."""

from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import tomli_w
from msgspec import Meta, Struct

from segue.config import Settings

FILE = Path(__file__).with_name("settings.md")
HEAD = """# Settings

Every setting, with its default. A TOML file has the same sections (`segue train LOG --config FILE.toml`); one setting
is `--set train.epochs=3`; in Python `settings={"train.epochs": 3}`. What you leave open is first proposed from the log
(`segue inspect LOG` says what and why), then the default here holds. An unknown key is an error with the nearest one.
"""


def main() -> None:
    """Write the page."""
    FILE.write_text(page(), "utf-8")


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD, table([field for field in msgspec.structs.fields(Settings) if not is_section(field.type)])]
    for field in msgspec.structs.fields(Settings):
        if is_section(field.type):
            doc = " ".join((field.type.__doc__ or "").split())
            parts.append(f"## {field.name}\n\n{doc}\n\n{table(msgspec.structs.fields(field.type))}")
    return "\n".join(parts)


def table(fields: Any) -> str:
    """Rows of name, kind and default."""
    rows = "".join(f"| `{field.name}` | {kind(field.type)} | `{shown(default_of(field))}` |\n" for field in fields)
    return f"| setting | value | default |\n|---|---|---|\n{rows}"


def is_section(of: Any) -> bool:
    """Whether a setting holds others."""
    return isinstance(of, type) and issubclass(of, Struct)


def default_of(field: Any) -> Any:
    """The default of a setting."""
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def shown(default: Any) -> str:
    """A value as TOML writes it."""
    if default == {}:
        return "{}"
    return tomli_w.dumps({"x": list(default) if isinstance(default, tuple) else default}).strip().removeprefix("x = ")


def kind(of: Any) -> str:
    """What a value may be, in words."""
    name = str(get_origin(of))
    if hasattr(of, "__metadata__"):
        bounds = [limits(meta) for meta in of.__metadata__ if isinstance(meta, Meta)]
        return " ".join([kind(of.__origin__), *bounds])
    if "Literal" in name:
        return " or ".join(f"`{value}`" for value in get_args(of))
    if "Union" in name:
        return " or ".join(kind(part) for part in get_args(of))
    if get_origin(of) is tuple:
        return f"list of {kind(get_args(of)[0])}"
    if get_origin(of) is dict:
        return f"table of {kind(get_args(of)[1])}s by name"
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}.get(of, str(of))


def limits(meta: Meta) -> str:
    """The bounds of a number."""
    words = {"ge": "from {}", "gt": "above {}", "le": "up to {}", "lt": "below {}"}
    return " ".join(
        word.format(f"{value:.12g}") for name, word in words.items() if (value := getattr(meta, name)) is not None
    )


if __name__ == "__main__":
    main()
