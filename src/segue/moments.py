"""Moments as people write them: Unix seconds, or ISO 8601 in UTC."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import Any

LATEST = 7_258_118_400.0
"""2200-01-01 UTC in Unix seconds: a later time is taken for milliseconds."""

EXPECTED = 'Unix seconds below the year 2200, or a date in UTC such as "2026-12-24" or "2026-12-24T18:00:00Z"'


def seconds_of_moment(value: Any) -> float:
    """The Unix seconds of a moment. A day is its first second; what names no zone is UTC.

    Raises:
        ValueError: it is none, or before 1970 or after 2200; the message says what was expected.

    >>> seconds_of_moment("2026-12-24"), seconds_of_moment("2026-12-24T01:00:00+01:00"), seconds_of_moment(5)
    (1798070400.0, 1798070400.0, 5.0)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | date):
        raise ValueError(f"is {value!r}; expected {EXPECTED}")
    moment: Any = value
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment.strip())
        except ValueError:
            raise ValueError(f"is {moment[:80]!r}; expected {EXPECTED}") from None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if isinstance(moment, datetime):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    seconds = float(moment) if abs(moment) < LATEST else math.inf
    if not 0 <= seconds < LATEST:
        raise ValueError(f"is {str(value)[:80]!r}; expected {EXPECTED}")
    return seconds
