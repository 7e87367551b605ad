"""One value of a feature as an encoder takes it: the same whether it comes from a log or with a live event."""

from __future__ import annotations

from typing import Any

import numpy as np

Value = str | float | int | bool | list[str] | None
"""A feature as it may be given; None: not known. Several labels are a list, or one text parted by `|`."""

PARTED = "|"


def value_for(kind: str, value: Value) -> Any:
    """A value as an encoder of this kind takes it; None where nothing is known, or it is not of this kind.

    Numbers are those of a log, which keeps them in single precision; a text that says a number is one, as there.

    >>> value_for("number", "12.5"), value_for("number", "much"), value_for("number", True), value_for("number", 1e99)
    (12.5, None, None, None)
    >>> value_for("labels", "a|b"), value_for("labels", 2.0), value_for("labels", True), value_for("text", "")
    (['a', 'b'], ['2'], ['true'], None)
    """
    if value is None or value == "" or value == []:
        return None
    if kind == "number":
        return number_of(value)
    if kind == "labels":
        return [one for part in value for one in labels_in(part)] if isinstance(value, list) else labels_in(value)
    return " ".join(map(str, value)) if isinstance(value, list) else text_of(value)


def number_of(value: Any) -> float | None:
    """A finite number in single precision; None for anything else."""
    if isinstance(value, bool | list):
        return None
    try:
        with np.errstate(over="ignore"):
            found = float(np.float32(float(value)))
    except (ValueError, OverflowError):
        return None
    return found if np.isfinite(found) else None


def labels_in(value: Any) -> list[str]:
    """The labels of a value that is there.

    >>> labels_in("a | b|"), labels_in(0.1)
    (['a', 'b'], ['0.1'])
    """
    return [part.strip() for part in text_of(value).split(PARTED) if part.strip()]


def text_of(value: Any) -> str:
    """A value as a text of a log has it: 2 for 2.0, and no more digits than single precision has."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            with np.errstate(over="ignore"):
                single = np.float32(value)
        except OverflowError:  # a whole number beyond what a double holds
            return str(value)
        if np.isfinite(single):
            return str(int(single)) if single == np.floor(single) else str(single)
    return str(value)


def shown(value: Any) -> str:
    """A value in a message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
