"""Calling a metric's function: what one of one's own does wrong is said with its file and line."""

from collections.abc import Callable
from typing import Any

import numpy as np

from segue.errors import EvaluationError, SegueError
from segue.own import line_in, own_file
from segue.shapes import Array, Doubles

Function = Callable[..., Any]


def numbers(name: str, function: Function, length: int, arguments: list[Any], *, gaps: bool = False) -> Doubles:
    """What a function gives: one number a prediction. Raises EvaluationError for anything else.

    Args:
        name: of the metric.
        length: P.
        gaps: NaN may stand where a prediction has no value.
    """
    given = called(name, function, arguments)
    values: Array = array_of(given)
    if values.shape != (length,) or values.dtype.kind not in "buif":
        raise EvaluationError(
            f"{told(name, function)} gave {shown(given)} for {length} predictions; expected one number each"
        )
    values = np.asarray(values, np.float64)
    wrong = np.isinf(values) if gaps else ~np.isfinite(values)
    if wrong.any():
        first = int(np.argmax(wrong))
        of = f" (rank {arguments[0][first]})" if isinstance(arguments[0], np.ndarray) else ""
        allowed = "a number, or nan where there is no value" if gaps else "a number"
        raise EvaluationError(
            f"{told(name, function)} gave {values[first]} for prediction {first + 1}{of}; expected {allowed}"
        )
    return values


def one_number(name: str, function: Function, arguments: list[Any]) -> float:
    """What a function gives: a single number, NaN where there is none. Raises EvaluationError for anything else."""
    given = called(name, function, arguments)
    value = array_of(given)
    if value.shape or value.dtype.kind not in "buif" or np.isinf(value):
        raise EvaluationError(
            f"{told(name, function)} gave {shown(given)}; expected one finite number for all lists together"
        )
    return float(value)


def array_of(given: Any) -> Any:
    """What a function gave as an array; of objects, where it is none."""
    try:
        return np.asarray(given)
    except ValueError:  # rows of different lengths
        return np.array(None)


def called(name: str, function: Function, arguments: list[Any]) -> Any:
    """What a function gives; where one's own fails, an EvaluationError with its file and line."""
    try:
        return function(*arguments)
    except SegueError:
        raise
    except Exception as error:
        if not own_file(function):
            raise
        where = line_in(error, function)
        raise EvaluationError(f"{told(name, function)}{where}: {type(error).__name__}: {error}") from error


def told(name: str, function: Function) -> str:
    """A metric as a message names it: with its file, if that is not segue's."""
    file = own_file(function)
    return f"metric `{name}` of {file}" if file else f"metric `{name}`"


def shown(value: Any) -> str:
    """What a function gave, in few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} of {value.dtype}"
    return f"{type(value).__name__} {str(value)[:40]}"
