"""An encoder learned from a column of a log: from its distinct values and how often these occur, not event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from segue.data.encoding.base import Axes, Encoder
from segue.data.encoding.distinct import TYPE, Distinct, distinct
from segue.data.encoding.guess import CODES, WORDY
from segue.data.encoding.labels import LabelsEncoder
from segue.data.encoding.number import NumberEncoder
from segue.data.encoding.text import WORD, TextEncoder
from segue.data.encoding.values import labels_in, shown, value_for
from segue.errors import LogError
from segue.shapes import Array, Doubles, Floats

LABELS = 64
"""So many labels of a column have a number each: those that most events have."""

LEARNED_FROM = 1 << 20
"""Quantiles are those of about so many events, evenly drawn; axes of texts those of so many of the commonest."""


class Fitted(NamedTuple):
    """An encoder of a column.

    Attributes:
        length: of the numbers that each value becomes; missing values are left out.
        times: how often each occurs.
    """

    encoder: Encoder
    length: Doubles
    times: Doubles


def fitted_to(name: str, column: Distinct | Floats, kind: str, axes: Axes) -> Fitted:
    """An encoder of a column; "" finds its kind.

    Raises:
        LogError: a value of a column of numbers is none.
    """
    if not isinstance(column, Distinct):
        few = codes_in(column) if kind == "" else distinct(column) if kind != "number" else None
        if few is None:
            return numbers_fitted(drawn(column))
        column, kind = few, kind or "labels"
    there, times = column.occurring()
    kind = kind or kind_of(name, there)
    values = [value_for(kind, value) for value in there]
    if kind == "number":
        check_numbers(name, there, values)
        known = np.array([value is not None for value in values], bool)
        found = np.array([value for value in values if value is not None], np.float64)
        return numbers_fitted(np.repeat(found, shares(times[known])))
    encoder: Encoder
    if kind == "text":
        common = np.argsort(-times, kind="stable")[:LEARNED_FROM]
        encoder = TextEncoder.fitted([values[place] for place in common], where=f"feature `{name}`", axes=axes)
    else:
        encoder = LabelsEncoder(commonest(values, times))
    length = np.linalg.norm(encoder.encode(values, where=f"feature `{name}`"), axis=1).astype(np.float64)
    some = np.array([value is not None for value in values], bool)
    return Fitted(encoder, length[some], times[some])


def numbers_fitted(found: Doubles | Floats) -> Fitted:
    """An encoder of finite numbers."""
    encoder = NumberEncoder.learned(found)
    length = np.linalg.norm(encoder.encoded(found), axis=1).astype(np.float64)
    return Fitted(encoder, length, np.ones(len(found)))


def commonest(values: Sequence[Sequence[str] | None], times: Doubles) -> list[str]:
    """The labels that most events have, as many as there is room for, in the order of the alphabet."""
    counts = dict[str, float]()
    for labels, number in zip(values, times.tolist(), strict=True):
        for label in labels or ():
            counts[label] = counts.get(label, 0.0) + number
    return sorted(sorted(counts, key=lambda label: (-counts[label], label))[:LABELS])


def kind_of(name: str, values: Sequence[str | None]) -> str:
    """The kind of a column of strings, where nobody has said it."""
    labels = {label for value in values if value is not None for label in labels_in(value)}
    if name == TYPE or len(labels) <= LABELS:
        return "labels"
    words = sum(len(WORD.findall(value)) for value in values if value is not None)
    return "text" if words >= WORDY * len(values) else "labels"


def codes_in(values: Floats) -> Distinct | None:
    """The distinct values of a column of numbers, if they are a few whole ones, such as the rows of a page."""
    known = drawn(values)
    few = np.unique(known)
    if not 2 <= len(few) <= CODES or (few != np.floor(few)).any():
        return None
    found = distinct(values)
    return found if len(found.values) <= CODES + 1 else None


def drawn(values: Floats) -> Floats:
    """The numbers of a column, without those that are missing; of many, evenly drawn."""
    some = np.asarray(values[:: max(1, -(-len(values) // LEARNED_FROM))])
    return some[np.isfinite(some)]


def shares(times: Doubles) -> Array:
    """How often each value is to be repeated, so that all are about `LEARNED_FROM` at most."""
    total = times.sum()
    scale = min(1.0, LEARNED_FROM / max(total, 1))
    repeated: Array = np.ceil(times * scale).astype(np.int64)
    return repeated


def check_numbers(name: str, given: Sequence[str | None], values: Sequence[Any]) -> None:
    """Raise LogError for a value of a column of numbers that is none."""
    for one, value in zip(given, values, strict=True):
        if one is not None and value is None:
            raise LogError(f"column `{name}` of the log is {shown(one)}; expected a number: see content.events")
